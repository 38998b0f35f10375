"""Which release a user means: by version, alias, digest or run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from relgate.domain.digest import short
from relgate.domain.errors import Refusal
from relgate.domain.run import ReleaseRow
from relgate.store.reading import NEAR_RUN, alike, near
from relgate.store.registry import Registry
from relgate.store.rows import ReleaseName, RunRow

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")
_LISTED = 8
NOBODY_HOLDS = {
    "production": "nobody holds production yet; `relgate promote RELEASE` lets one hold it",
    "previous": "nobody held production before",
}
"""What it means that an alias of relgate's own names no release."""


def find_release(registry: Registry, reference: str) -> ReleaseRow:
    """The release that a reference names.

    Args:
        registry: where to look.
        reference: ``release@version``, ``release@alias`` or ``release@digest``; without the release's name
            where only one has it: a version, an alias, the beginning of a digest (6 hex digits or more), or
            the beginning of a run's id (the run's candidate).

    Raises:
        Refusal: nothing has this name, or several releases have it.
    """
    line, at, what = reference.rpartition("@")
    if at:
        found = registry.release(line, what) or registry.alias(what, line)
        if found is not None:
            return found
        of_line = [row for row in registry.releases() if row.name == line]
        return _only(reference, _by_digest(of_line, what), registry)
    if (held := registry.alias(reference)) is not None:
        return held
    known = registry.releases()
    if lines := {row.name for row in known if row.version == reference}:
        judged_last = [registry.release(name, reference) for name in sorted(lines)]
        return _only(reference, [row for row in judged_last if row is not None], registry)
    runs = [run for run in registry.runs() if reference and run.id.startswith(reference)]
    exact = [run for run in runs if run.id == reference]
    found_by_run = [_candidate(registry, run) for run in exact or runs]
    return _only(reference, [*_by_digest(known, reference), *found_by_run], registry)


def find_run(registry: Registry, reference: str) -> RunRow:
    """A run by the beginning of its id, or the newest whole run of the release that a reference names.

    A partial run stands for a release only where no whole one does, and one that measured nothing, or
    compared the release with itself, only where no other one is whole.

    Raises:
        Refusal: nothing has this name, several have it, or the release was never judged itself.
    """
    runs = registry.runs()
    if any(reference and run.id.startswith(reference) for run in runs):
        return registry.run(reference)
    release = find_release(registry, reference)
    own = _runs_of(runs, release)
    if not own:
        raise Refusal(f"no run has judged {_label(release)}: it was only compared with")
    whole = [run for run in own if not run.partial]
    return next((run for run in whole if _tells(run)), (whole or own)[0])


def _tells(run: RunRow) -> bool:
    measured = any(number for outcome, number in run.cases.items() if outcome != "not_run")
    return measured and (run.baseline is None or run.baseline.digest != run.release.digest)


def newer_partial(registry: Registry, reference: str, shown: RunRow) -> RunRow | None:
    """The newest partial run of a release that ``find_run`` passed over, None where it did not."""
    if shown.id.startswith(reference):
        return None
    newest = next(iter(_runs_of(registry.runs(), shown.release)))
    return newest if newest.id != shown.id else None


def _runs_of(runs: Sequence[RunRow], release: ReleaseRow | ReleaseName) -> list[RunRow]:
    """The runs that judged a release, newest first."""
    own = (release.name, release.version, release.digest)
    return [run for run in runs if (run.release.name, run.release.version, run.release.digest) == own]


def _candidate(registry: Registry, run: RunRow) -> ReleaseRow:
    found = registry.release(run.release.name, run.release.version, run.release.digest)
    assert found is not None
    return found


def _by_digest(rows: Iterable[ReleaseRow], text: str) -> list[ReleaseRow]:
    match = _DIGEST.fullmatch(text)
    return [] if match is None else [row for row in rows if row.digest.startswith(f"sha256:{match.group(1)}")]


def _only(reference: str, found: Sequence[ReleaseRow], registry: Registry) -> ReleaseRow:
    """The release that was found, when it is one.

    Raises:
        Refusal: it is none, or several.
    """
    by_name = {(row.name, row.version, row.digest): row for row in found}
    if len(by_name) == 1:
        return next(iter(by_name.values()))
    if by_name:
        same_label = len({_label(row) for row in by_name.values()}) < len(by_name)
        names = [f"{row.name}@{short(row.digest)}" if same_label else _label(row) for row in by_name.values()]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        listed = ", ".join(islice(sorted(names), _LISTED))
        raise Refusal(f"{reference!r} matches several releases; say which: {listed}{more}")
    raise Refusal(_unknown(reference, registry))


def _unknown(reference: str, registry: Registry) -> str:
    line, _, alias = reference.rpartition("@")
    if alias in NOBODY_HOLDS and line in {"", *(row.name for row in registry.releases())}:
        return f"there is no {reference!r}: {NOBODY_HOLDS[alias]}"
    bare = "@" not in reference
    labels = [_label(row) for row in registry.releases()]
    held = [f"{row.line}@{row.alias}" for row in registry.aliases()]
    names = {label.rpartition("@")[2] if bare else label: label for label in (*labels, *held)}
    runs = [run.id for run in registry.runs()] if bare else []
    found = [*map(names.__getitem__, alike(reference, names)), *alike(reference, runs, NEAR_RUN)][:3]
    hint = f"did you mean {', '.join(found)}?" if found else near("", sorted(labels))
    what = "run, version, alias or digest" if bare else "release"
    return f"there is no {what} {reference!r} in this registry; {hint}"


def _label(release: ReleaseRow) -> str:
    return f"{release.name}@{release.version}"
