"""The anchors of a run: older releases of the line with stored scores, paired with the candidate's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.decision.anchor import RELEASES, AnchorData
from relgate.decision.measurements import arrange
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement
from relgate.domain.run import SuiteRecord
from relgate.store import Registry
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.stored_baseline import StoredSide, stored_of, stored_side

ANCHOR = "anchor"
"""The alias of the anchor that is set by hand: ``relgate promote RELEASE --alias anchor``."""


def find_anchors(registry: Registry, prepared: Prepared) -> tuple[tuple[str, bool, StoredSide], ...]:
    """Label, whether it was set by hand, and stored scores of every release that may be the anchor.

    That is the holder of the alias ``anchor``, else the last twelve releases that held production; without
    the candidate, the baseline (which is compared already) and those of which no whole run is stored.
    """
    line = prepared.candidate.name
    by_hand = registry.alias(ANCHOR, line)
    releases = [by_hand] if by_hand is not None else registry.holders(line, limit=RELEASES)
    compared = {prepared.candidate.digest, prepared.baseline.digest if prepared.baseline else ""}
    found = []
    for release in releases:
        if release.digest in compared:
            continue
        side = _stored_side(registry, release.digest, prepared.plans, prepared.records)
        if side is not None:
            found.append((f"{release.name}@{release.version}", by_hand is not None, side))
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
