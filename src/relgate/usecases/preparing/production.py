"""What a release is to production: whether it holds it, was taken out of it, or would replace one unseen."""

from __future__ import annotations

from dataclasses import dataclass

from relgate.domain.release import Release
from relgate.domain.run import stands_for
from relgate.store import Registry
from relgate.usecases.preparing.baseline import PRODUCTION, Baseline, row_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate beside what production is and was.

    Attributes:
        holds: whether it holds production, under this version.
        fled: whether what it stands for was taken out of production and has not come back.
        other_holder: label of the release in production that a promote would replace without having compared
            with it, "" where there is none.
    """

    holds: bool = False
    fled: bool = False
    other_holder: str = ""


def standing_of(registry: Registry, candidate: Release, baseline: Baseline) -> Standing:
    """Where a candidate stands."""
    holder = registry.alias(PRODUCTION, candidate.name)
    held_before = any(row.digest == candidate.digest for row in registry.former_holders(candidate.name))
    return Standing(
        holds=holder is not None and (holder.label, holder.digest) == (candidate.label, candidate.digest),
        fled=any(stands_for(row_of(candidate), gone) for gone in registry.fled(candidate.name)),
        other_holder="" if held_before else baseline.other_holder,
    )
