"""Names that serve another model or system than before, or than was asked for: no digest tells of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

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


def moved_models(
    registry: Registry, prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]
) -> list[str]:
    """What the reader must know of the models that answered, one sentence a target.

    Args:
        registry: where earlier runs of the same releases are.
        prepared: the run.
        measured: what it measured.
    """
    notes: list[str] = []
    backends = backends_of(measured.values())
    sides: list[tuple[Side, Release | None]] = [
        ("candidate", prepared.candidate),
        ("baseline", prepared.baseline),
    ]
    for side, release in sides:
        if release is None or release.application.kind == "recording":
            continue
        notes += _moved_backends(registry, prepared, release, backends.get(side, {}))
        reported = _reported(
            (row for rows in measured.values() for row in rows if row.side == side), lambda said: said.model
        )
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


def backends_of(measured: Iterable[Sequence[Measurement]]) -> dict[str, dict[str, list[str]]]:
    """By side and target what the providers called the systems that answered (``system_fingerprint``)."""
    rows = [row for rows in measured for row in rows]
    found: dict[str, dict[str, list[str]]] = {}
    for side in ("candidate", "baseline"):
        named = _reported((row for row in rows if row.side == side), _plain_backend)
        kept = {target: sorted(names) for target, names in named.items() if len(names) <= MOST_BACKENDS}
        if kept:
            found[side] = kept
    return found


def _plain_backend(said: Response) -> str | None:
    return said.backend if said.backend is not None and _PLAIN.fullmatch(said.backend) else None


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


def _reported(
    rows: Iterable[Measurement], what: Callable[[Response], str | None]
) -> dict[str, frozenset[str]]:
    """What live answers say of themselves, by target."""
    found: dict[str, set[str]] = {}
    for row in rows:
        outcome = row.outcome
        if isinstance(outcome, Response) and outcome.served_by and not row.stored and (said := what(outcome)):
            found.setdefault(outcome.served_by, set()).add(said)
    return {target: frozenset(names) for target, names in found.items()}


def _asked_for(release: Release, target: str) -> str:
    try:
        model = release.artifact("model", Target.parse(target).model)
    except (ValueError, KeyError):
        return ""
    return str(model.settings.get("id") or "")


def _named(models: Iterable[str]) -> str:
    listed = sorted(models)
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")
