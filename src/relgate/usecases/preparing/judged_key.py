"""Under which key a verdict is served again: whatever may change it is in the key."""

from __future__ import annotations

from collections.abc import Sequence

from relgate.domain.case import Suite
from relgate.domain.digest import digest_json
from relgate.domain.release import Release
from relgate.store import Registry, StoredVerdict
from relgate.usecases.options import RunOptions
from relgate.usecases.preparing.anchor_releases import anchor_releases
from relgate.usecases.preparing.baseline import Baseline


def judged_key_of(
    registry: Registry,
    candidate: Release,
    baseline: Baseline,
    suites: Sequence[Suite],
    policy: str,
    options: RunOptions,
    plugins: str,
    holds: Sequence[tuple[str, str]],
) -> str:
    """The key of a run's verdict.

    Args:
        registry: where the anchors of the line are.
        candidate: the candidate.
        baseline: what it is compared with.
        suites: every suite that judges it.
        policy: digest of all gates.
        options: of the run.
        plugins: digest of the project's own scorers.
        holds: reason and next step of what holds before the first call.
    """
    anchors, by_hand = anchor_releases(registry, candidate, baseline.release)
    return digest_json(
        {
            "release": [candidate.name, candidate.version, candidate.digest],
            "baseline": baseline.release.digest if baseline.release else None,
            "plugins": plugins,
            # not in the release's digest, but another endpoint may be another system
            "endpoints": {name: provider.base_url for name, provider in candidate.providers.items()},
            "suites": sorted(s.digest for s in suites),
            "policy": policy,
            "trials": options.trials,
        }
        | ({"stored": baseline.stored.run_id} if baseline.stored else {})
        | ({"anchors": [by_hand, *sorted({row.digest for row in anchors})]} if anchors else {})
        | ({"holds": [reason for reason, _ in holds]} if holds else {})
    )


def judged_before(registry: Registry, key: str, options: RunOptions) -> StoredVerdict | None:
    """The stored verdict; not a reject that ended its run early where every gate is asked for now.

    A screen looks anew: nothing is promoted from it, and it is not told what a whole run said.
    """
    stored = None if options.screen else registry.judged(key)
    if stored is None or not options.full or stored.decision != "reject":
        return stored
    return None if stored.scorecard["calls"]["saved"] else stored
