"""Whether anybody has seen golden cases since the baseline was set (verdict.md 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relgate.decision.sealing import open_half, sealed_ids
from relgate.domain.case import Suite
from relgate.domain.case_set import CaseSet
from relgate.domain.run import AttemptKey
from relgate.store import Registry


def were_shown(registry: Registry, key: AttemptKey, release_digest: str, suites: Sequence[Suite]) -> bool:
    """Whether a run since the baseline was set showed an open case of these golden sets.

    A case counts by its id, so that neither a new case in the set nor a new wording of one makes the
    others unseen again.

    Args:
        registry: where runs are.
        key: the release line and the baseline.
        release_digest: the candidate.
        suites: all suites of the run.
    """
    return registry.showed(
        key,
        release_digest,
        CaseSet.of_all(replace(open_half(s), regressions=()) for s in golden_of(suites)),
    )


def with_broken_seals(
    registry: Registry, key: AttemptKey, release_digest: str, suites: Sequence[Suite]
) -> tuple[Suite, ...]:
    """The suites, without a sealed half where cases of it were shown since the baseline was set.

    They were while the suite was not sealed, or lay in the open half before something drew the halves anew.

    Args:
        registry: where runs are.
        key: the release line and the baseline.
        release_digest: the candidate.
        suites: all suites of the run.
    """
    return tuple(
        replace(suite, sealed=False)
        if suite.sealed
        and registry.showed(
            key,
            release_digest,
            {(suite.name, case_id) for case_id in sealed_ids(suite)},
            interrupted_too=False,
        )
        else suite
        for suite in suites
    )


def golden_of(suites: Sequence[Suite]) -> list[Suite]:
    """The golden suites, or all of them where none is one."""
    return [suite for suite in suites if suite.kind == "golden"] or list(suites)
