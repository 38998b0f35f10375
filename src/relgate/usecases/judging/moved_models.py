"""Names that serve another model or system than before, or than was asked for: no digest tells of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from relgate.domain.case import CaseKey
from relgate.domain.release import Release, Target
from relgate.domain.response import Measurement, Response, Side
from relgate.store import Registry
from relgate.usecases.preparing.prepare import Prepared

NAMED = 3

MOST_BACKENDS = 20
"""Backends of a target that are noted; who names each call otherwise names no system."""

_LOOKED_AT = 50
"""Newest runs of the line among which the last one that measured a release is sought."""

_PLAIN = re.compile(r"[\w.:-]{1,80}")
"""A name; a provider's text that is none is neither kept nor shown."""


@dataclass(slots=True)
class Served:
    """What the live answers of a target say of themselves.

    Attributes:
        models: the model ids.
        backends: what the provider called the systems that answered (``system_fingerprint``).
    """

    models: set[str] = field(default_factory=set)
    backends: set[str] = field(default_factory=set)


ServedBy = dict[Side, dict[str, Served]]
"""By side and target; sides that answer from a recording are not in it."""


def served_by(prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]) -> ServedBy:
    """Which models and systems answered in this run."""
    found: ServedBy = {side: {} for side, _ in _live(prepared)}
    for row in (row for rows in measured.values() for row in rows) if found else ():
        said = row.outcome
        if isinstance(said, Response) and said.served_by and not row.stored and row.side in found:
            served = found[row.side].setdefault(said.served_by, Served())
            if said.model:
                served.models.add(said.model)
            if said.backend and _PLAIN.fullmatch(said.backend):
                served.backends.add(said.backend)
    return found


def backends_of(served: ServedBy) -> dict[str, dict[str, list[str]]]:
    """By side and target what the providers called the systems that answered, for the scorecard."""
    named: dict[str, dict[str, list[str]]] = {
        side: {
            target: sorted(said.backends)
            for target, said in targets.items()
            if 0 < len(said.backends) <= MOST_BACKENDS
        }
        for side, targets in served.items()
    }
    return {side: targets for side, targets in named.items() if targets}


def moved_models(registry: Registry, prepared: Prepared, served: ServedBy) -> list[str]:
    """What the reader must know of the models that answered, one sentence a target.

    Args:
        registry: where earlier runs of the same releases are.
        prepared: the run.
        served: who answered in it.
    """
    notes: list[str] = []
    backends = backends_of(served)
    for side, release in _live(prepared):
        notes += _moved_backends(registry, prepared, release, backends.get(side, {}))
        reported = {target: said.models for target, said in served[side].items() if said.models}
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


def _live(prepared: Prepared) -> list[tuple[Side, Release]]:
    """The sides that somebody is asked for."""
    sides: list[tuple[Side, Release | None]] = [
        ("candidate", prepared.candidate),
        ("baseline", prepared.baseline),
    ]
    return [
        (side, release)
        for side, release in sides
        if release is not None and release.application.kind != "recording"
    ]


def _moved_backends(
    registry: Registry, prepared: Prepared, release: Release, now: Mapping[str, Sequence[str]]
) -> list[str]:
    """A sentence for each target none of whose backends answered the last run that measured the release.

    A provider serves a model from several systems at once, so one of them more or fewer says nothing.
    """
    if not now:
        return []
    for run in registry.runs(limit=_LOOKED_AT, release=prepared.candidate.name):
        side = next(
            (
                side
                for side, measured in (("candidate", run.release), ("baseline", run.baseline))
                if measured is not None and measured.digest == release.digest
            ),
            None,
        )
        if side is None:
            continue
        before = registry.scorecard(run.id)["run"].get("backends", {}).get(side, {})
        if before:
            return [
                f"what answers as {target} of {release.label} is {_named(now[target])} and was "
                f"{_named(before[target])} in run {run.id[:15]} (system_fingerprint): the provider changed "
                "something behind the same name, so older scores of this release may be another system's"
                for target in sorted(now)
                if target in before and not set(now[target]) & set(before[target])
            ]
    return []


def _asked_for(release: Release, target: str) -> str:
    try:
        model = release.artifact("model", Target.parse(target).model)
    except (ValueError, KeyError):
        return ""
    return str(model.settings.get("id") or "")


def _named(models: Iterable[str]) -> str:
    listed = sorted(models)
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")
