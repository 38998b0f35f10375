"""The anchors of a run: older releases of the line with stored scores, paired with the candidate's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.decision.anchor import AnchorData
from relgate.decision.measurements import arrange
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement
from relgate.domain.run import SuiteRecord
from relgate.store import Registry
from relgate.usecases.preparing.anchor_releases import anchor_releases
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.stored_baseline import StoredSide, stored_of, stored_side


def find_anchors(registry: Registry, prepared: Prepared) -> tuple[tuple[str, bool, StoredSide], ...]:
    """Label, whether it was set by hand, and stored scores of every release that may be the anchor.

    Those of which no whole run is stored are left out.
    """
    releases, by_hand = anchor_releases(registry, prepared.candidate, prepared.baseline)
    found = []
    for release in releases:
        side = _stored_side(registry, release.digest, prepared.plans, prepared.records)
        if side is not None:
            found.append((f"{release.name}@{release.version}", by_hand, side))
    return tuple(found)


def _stored_side(
    registry: Registry, digest: str, plans: Sequence[SuitePlan], records: tuple[SuiteRecord, ...]
) -> StoredSide | None:
    runs = registry.stored_runs(digest)
    if not runs:
        return None
    side = stored_side(stored_of(registry, *runs[0]), plans, records)
    return side if side.measurements else None


def anchor_data(
    found: Sequence[tuple[str, bool, StoredSide]],
    plans: Sequence[SuitePlan],
    measured: Mapping[CaseKey, Sequence[Measurement]],
) -> tuple[AnchorData, ...]:
    """The candidate's measurements beside those of every possible anchor; only equal case versions pair."""
    return tuple(
        AnchorData(
            label,
            side.run.run_id,
            by_hand,
            tuple(
                arrange(
                    plan.suite,
                    plan.metrics,
                    [
                        row
                        for case in plan.suite.cases
                        if (key := (plan.suite.name, case.id)) in side.measurements
                        for row in (
                            *(row for row in measured.get(key, ()) if row.side == "candidate"),
                            *side.measurements[key],
                        )
                    ],
                    hops=plan.hops,
                )
                for plan in plans
            ),
        )
        for label, by_hand, side in found
    )
