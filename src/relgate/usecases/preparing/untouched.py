"""Suites that the releases' digests say are untouched, and what became of the claim (verdict.md 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from relgate.domain.gate import RELATIVE_FORMS
from relgate.domain.run import AttemptKey
from relgate.store import Registry

SENTINELS_AGREE = "nothing that changed reaches the suite, and its sentinel cases agree"
DIFFERS_STEP = "find what differs between the two releases beside the artifacts that they declare"


def compared_in_full(registry: Registry, runs: Iterable[str]) -> frozenset[str]:
    """The suites that one of these runs compared case by case: what that showed is not claimed away."""
    full: set[str] = set()
    for run in runs:
        judged = [
            gate
            for gate in registry.scorecard(run).get("gates", ())
            if gate["form"] in RELATIVE_FORMS and gate["result"] != "error"
        ]
        identical = {gate["suite"] for gate in judged if gate.get("identical")}
        full |= {gate["suite"] for gate in judged} - identical
    return frozenset(full)


def disproven(registry: Registry, key: AttemptKey) -> frozenset[str]:
    """The suites whose sentinels differed in any run against a baseline, a part of the cases among them: what
    is wrong there is not mended by another candidate.

    Args:
        registry: where runs are.
        key: the release line and the baseline.
    """
    return frozenset(
        part["suite"]
        for run in registry.runs(release=key.line)
        if run.baseline is not None
        and (
            run.baseline.digest == key.baseline_digest
            or (run.baseline.name, run.baseline.version) == key.recorded_baseline
        )
        for part in registry.scorecard(run.id).get("untouched", ())
        if not part["agreed"]
    )


class UntouchedSuites:
    """Suites that nothing changed can reach, and what their sentinels said.

    Attributes:
        claimed: suites that the releases' digests say are untouched.
        agreed: of these, those whose sentinels agree, with the sentinels' case ids.
        differing: of these, those whose sentinels differ: the declaration is wrong, and they are reached.
        notes: what the reader must know.
        holds: reasons to hold with their next steps: a suite that was declared untouched but differs.
    """

    def __init__(self, claimed: Iterable[str] = ()) -> None:
        self.claimed = frozenset(claimed)
        self.agreed: dict[str, frozenset[str]] = {}
        self.differing: frozenset[str] = frozenset()
        self.notes: tuple[str, ...] = ()
        self.holds: tuple[tuple[str, str], ...] = ()

    def trials(self, suite: str, case_id: str, planned: tuple[int, ...]) -> tuple[int, ...]:
        """What the baseline is asked: all that is planned, or where the suite is identical only sentinels."""
        if suite not in self.agreed:
            return planned
        return planned[:1] if case_id in self.agreed[suite] else ()

    def agree(self, suite: str, sentinels: Collection[str]) -> None:
        """Take the suite as identical on both sides."""
        self.agreed[suite] = frozenset(sentinels)
        self.notes = (
            *self.notes,
            f"{suite} is identical in both releases: nothing that changed reaches it, and {len(sentinels)} "
            "sentinel cases agree; the baseline was asked only these",
        )

    def differ(self, suite: str, why: str) -> None:
        """The suite runs in full, and its difference holds; a note says so whatever decides the run."""
        said = f"{suite} was {why}; it ran in full"
        self.differing |= {suite}
        self.notes = (*self.notes, f"{said} and counts as reached by everything that changed")
        self.holds = (*self.holds, (said, DIFFERS_STEP))

    def unconfirmed(self, suite: str) -> None:
        """The suite runs in full, for a sentinel could not be measured."""
        self.notes = (*self.notes, f"{suite}: a sentinel case was not measured, so it ran in full")
