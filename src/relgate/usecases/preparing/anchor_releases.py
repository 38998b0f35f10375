"""Which older releases of a line a candidate may creep away from."""

from __future__ import annotations

from relgate.decision.anchor import RELEASES
from relgate.domain.release import Release
from relgate.domain.run import ReleaseRow, stands_for
from relgate.store import Registry
from relgate.usecases.preparing.baseline import row_of

ANCHOR = "anchor"
"""The alias of the anchor that is set by hand: ``relgate promote RELEASE --alias anchor``."""


def anchor_releases(
    registry: Registry, candidate: Release, baseline: Release | None
) -> tuple[tuple[ReleaseRow, ...], bool]:
    """Every release that may be the anchor, and whether it was set by hand.

    That is the holder of the alias ``anchor``, else the last twelve releases that held production; without
    the candidate and the baseline, which is compared already.
    """
    by_hand = registry.alias(ANCHOR, candidate.name)
    found = [by_hand] if by_hand is not None else registry.holders(candidate.name, limit=RELEASES)
    compared = [row_of(one) for one in (candidate, baseline) if one is not None]
    apart = (row for row in found if not any(stands_for(one, row) for one in compared))
    return tuple(apart), by_hand is not None
