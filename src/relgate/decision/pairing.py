"""Which cases of a run the stored scores of a baseline may be paired with.

Design 4.2 and verdict.md 7: a case's identity is its id, its version the digest of input, expected and what
scores it; only equal versions are paired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from relgate.decision.suite_changes import SHARE_AT_MOST
from relgate.decision.wording import count
from relgate.domain.case import CaseKey
from relgate.domain.run import SuiteRecord


@dataclass(frozen=True, slots=True)
class Pairing:
    """How the cases of a run meet the stored scores of a baseline.

    Attributes:
        paired: cases of equal version that were measured: their stored scores count.
        changed: the same id with another version; never paired with a stored score.
        lacking: cases that the stored run has not, or did not measure.
        holds: reason and next step for every suite with too many changed cases.
    """

    paired: frozenset[CaseKey]
    changed: tuple[CaseKey, ...]
    lacking: tuple[CaseKey, ...]
    holds: tuple[tuple[str, str], ...] = ()


def pair_cases(
    before: Iterable[SuiteRecord], now: Iterable[SuiteRecord], measured: Collection[CaseKey]
) -> Pairing:
    """Which cases of this run may be paired with stored scores.

    Args:
        before: the suites of the stored run.
        now: the suites of this run.
        measured: the cases of the stored run that have an answer for every call.
    """
    versions = {(suite.suite, case.id): case.digest for suite in before for case in suite.cases}
    paired: set[CaseKey] = set()
    changed: list[CaseKey] = []
    lacking: list[CaseKey] = []
    holds = []
    for suite in now:
        differing = []
        for case in suite.cases:
            key = (suite.suite, case.id)
            if key not in versions:
                lacking.append(key)
            elif versions[key] != case.digest:
                differing.append(key)
            elif key in measured:
                paired.add(key)
            else:
                lacking.append(key)
        changed += differing
        if len(differing) > SHARE_AT_MOST * len(suite.cases):
            reason = (
                f"{len(differing)} of {count(len(suite.cases), 'case')} of {suite.suite} changed since the "
                f"stored baseline was measured (at most {SHARE_AT_MOST:.0%} may)"
            )
            holds.append((reason, "run the baseline live: name its manifest, version or alias"))
    return Pairing(frozenset(paired), tuple(changed), tuple(lacking), tuple(holds))
