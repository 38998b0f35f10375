"""What the reader must know of a run before its first call."""

from __future__ import annotations

from collections.abc import Sequence

from relgate.decision.sealing import MOST_USES, is_tuned, sealed_ids
from relgate.domain.case import Suite
from relgate.domain.release import Release
from relgate.store import Registry
from relgate.usecases.preparing.baseline import Baseline


def release_notes(baseline: Baseline, candidate: Release, registry: Registry) -> tuple[str, ...]:
    """What the registry knows of the candidate's version and content."""
    notes = [baseline.note] if baseline.note else []
    if _was_another(candidate, registry):
        notes.append(
            f"{candidate.label} was recorded before with another content; the version was used twice"
        )
    other = baseline.release
    if other is not None and other.label == candidate.label and other.digest != candidate.digest:
        notes.append(f"candidate and baseline are both called {candidate.label}, with different contents")
    elif other is not None and other.application.kind != "recording" and _was_another(other, registry):
        notes.append(
            f"the baseline {other.label} was recorded before with another content: this is not what earlier "
            "runs compared with"
        )
    twins = [
        r
        for r in registry.releases()
        if r.digest == candidate.digest and (r.name, r.version) != (candidate.name, candidate.version)
    ]
    if twins:
        notes.append(f"equal in content to {twins[0].name}@{twins[0].version} under another version")
    return tuple(notes)


def _was_another(release: Release, registry: Registry) -> bool:
    known = registry.release(release.name, release.version)
    return known is not None and known.digest != release.digest


def tuned_notes(suites: tuple[Suite, ...], shown: bool, attempt: int, screen: bool) -> tuple[str, ...]:
    """Cases that a run showed were tuned on, whether or not anybody meant to (verdict.md 5.4)."""
    if not shown or attempt > 1 or screen or not is_tuned(suites, exposed=True):
        return ()
    return ("a screen or run showed cases of these golden sets: a promote is one on a tuned set",)


def broken_seal_notes(read: Sequence[Suite], suites: Sequence[Suite]) -> tuple[str, ...]:
    """Which suites count as suites without a sealed half.

    Args:
        read: the suites as they stand in their files.
        suites: the suites as they count.
    """
    return tuple(
        f"{suite.name}: cases of its sealed half were shown since the baseline was set, so it counts as a "
        "suite without one"
        for written, suite in zip(read, suites, strict=True)
        if written.sealed and not suite.sealed
    )


def sealed_notes(suites: Sequence[Suite], uses: int, *, exposed: bool, screen: bool) -> tuple[str, ...]:
    """What the reader must know of sealed halves: which cases prove, and whether they were used too often."""
    notes = []
    for suite in suites:
        sealed = len(sealed_ids(suite))
        if not sealed or screen:
            continue
        open_cases = len(suite.cases) - sealed
        prove = (
            f"its {open_cases} open cases were shown since the baseline was set, so the sealed ones alone "
            "prove non-inferiority"
            if exposed
            else "nothing was shown since the baseline was set, so all of them prove non-inferiority"
        )
        notes.append(f"{suite.name}: {sealed} of {len(suite.cases)} cases are sealed; {prove}")
        if uses >= MOST_USES:
            notes.append(
                f"the sealed half of {suite.name} has served {uses} verdicts before this one; after "
                f"{MOST_USES} it has told too much of itself: draw new cases"
            )
    return tuple(notes)
