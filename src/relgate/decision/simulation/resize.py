"""A suite with more or fewer cases of the same kinds: every slice grows or shrinks in proportion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from relgate.decision.simulation.suite import SimulatedSuite
from relgate.domain.case import Case, Suite

_Members = list[tuple[Case, int]]
"""Cases of one independent unit, each with its trials."""


def resized(each: SimulatedSuite, cases: int) -> SimulatedSuite:
    """The suite with about so many cases, of every kind as many in a hundred as now and at least one.

    Whole clusters are added and taken away. A copy of a case has no input, for the same input would make it
    a duplicate, and is not critical: more cases are not more critical ones.

    Args:
        each: the suite; one without cases stays as it is.
        cases: how many it should have.
    """
    suite = each.suite
    kinds: dict[tuple[str, ...], dict[str, _Members]] = defaultdict(dict)
    for case, trials in zip(suite.cases, each.trials, strict=True):
        unit = f"cluster {case.cluster}" if suite.clustered and case.cluster else f"case {case.id}"
        home = next((kind for kind, units in kinds.items() if unit in units), _kind(suite, case))
        kinds[home].setdefault(unit, []).append((case, trials))
    if not kinds:
        return each
    now = {kind: len(units) for kind, units in kinds.items()}
    shares = _shares(now, round(sum(now.values()) * cases / len(suite.cases)))
    drawn: list[tuple[int, Case, int]] = []
    for kind, units in kinds.items():
        members = list(units.values())
        for number in range(shares[kind]):
            copy = number // len(members)
            drawn += [(copy, _copied(case, copy), k) for case, k in members[number % len(members)]]
    drawn.sort(key=lambda one: one[0])
    return replace(
        each,
        suite=replace(suite, cases=tuple(case for _, case, _ in drawn)),
        trials=tuple(trials for _, _, trials in drawn),
    )


def _kind(suite: Suite, case: Case) -> tuple[str, ...]:
    """The tags of a case that a gate, a slice or a safety metric looks at."""
    looked = {*suite.slices, "harmful"}
    for gate in suite.gates:
        looked |= {*gate.only, *([gate.by] if gate.by not in (None, "hop") else [])}
    return tuple(f"{tag}={case.tags[tag]}" for tag in sorted(map(str, looked)) if tag in case.tags)


def _shares(now: Mapping[tuple[str, ...], int], total: int) -> dict[tuple[str, ...], int]:
    """Units of every kind by largest remainder, at least one of each."""
    exact = {kind: n * total / sum(now.values()) for kind, n in now.items()}
    found = {kind: max(1, int(share)) for kind, share in exact.items()}
    for kind in sorted(exact, key=lambda kind: exact[kind] - int(exact[kind]), reverse=True):
        if sum(found.values()) >= total:
            break
        found[kind] += 1
    return found


def _copied(case: Case, copy: int) -> Case:
    if not copy:
        return case
    cluster = None if case.cluster is None else f"{case.cluster}+{copy}"
    return replace(case, id=f"{case.id}+{copy}", input=None, critical=False, cluster=cluster)
