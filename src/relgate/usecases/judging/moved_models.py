"""Names that serve another model than before, or than was asked for: no digest tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from relgate.domain.case import CaseKey
from relgate.domain.release import Release, Target
from relgate.domain.response import Measurement, Response, Side
from relgate.store import Registry
from relgate.usecases.preparing.prepare import Prepared

NAMED = 3


def moved_models(
    registry: Registry, prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]
) -> list[str]:
    """What the reader must know of the models that answered, one sentence a target.

    Args:
        registry: where earlier runs of the same releases are.
        prepared: the run.
        measured: what it measured.
    """
    notes = []
    sides: list[tuple[Side, Release | None]] = [
        ("candidate", prepared.candidate),
        ("baseline", prepared.baseline),
    ]
    for side, release in sides:
        if release is None or release.application.kind == "recording":
            continue
        reported = _reported(row for rows in measured.values() for row in rows if row.side == side)
        if not reported:
            continue
        before = registry.reported_models(release.digest)
        for target, models in sorted(reported.items()):
            earlier = before.get(target, frozenset())
            if earlier and not models <= earlier:
                notes.append(
                    f"{target} of {release.label} answers as {_named(models - earlier)} and answered as "
                    f"{_named(earlier)} before: the same name serves another model, so older scores of this "
                    "release are another system's"
                )
            elif (asked := _asked_for(release, target)) and not any(asked in m or m in asked for m in models):
                notes.append(
                    f"{target} of {release.label} was asked for {asked} and answers as {_named(models)}"
                )
    return notes


def _reported(rows: Iterable[Measurement]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        outcome = row.outcome
        if isinstance(outcome, Response) and outcome.model and outcome.served_by and not row.stored:
            found.setdefault(outcome.served_by, set()).add(outcome.model)
    return {target: frozenset(models) for target, models in found.items()}


def _asked_for(release: Release, target: str) -> str:
    try:
        model = release.artifact("model", Target.parse(target).model)
    except (ValueError, KeyError):
        return ""
    return str(model.settings.get("id") or "")


def _named(models: Iterable[str]) -> str:
    listed = sorted(models)
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")
