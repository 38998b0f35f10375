"""Finding the release that the candidate is compared with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Release
from relgate.domain.run import ReleaseRow, stands_for, told_apart
from relgate.files import load_manifest, resolve_release
from relgate.files.paths import is_file
from relgate.files.reading import nearby
from relgate.store import Registry
from relgate.store.reading import near
from relgate.usecases.preparing.artifact_rows import artifact_rows
from relgate.usecases.preparing.manifest_places import place_in
from relgate.usecases.preparing.stored_baseline import (
    StoredRun,
    find_stored,
    from_row,
    is_stored,
    newest_stored,
)

PRODUCTION = "production"

_STORED = "the scores of its run: `--baseline run:ID` (`relgate history` has the id)"

_NOBODY = "promote a release (`relgate promote RELEASE`), or write `none` for a first release"

Read = Callable[[Path], Release]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The release to compare with, or why there is none.

    Attributes:
        release: None on a first release.
        note: said aloud in the verdict where the reader must know, else "".
        stored: the stored run that its scores are taken from, None where it is asked live.
        other_holder: label of the release in production where this one does not stand for it, "" elsewhere.
    """

    release: Release | None
    note: str = ""
    stored: StoredRun | None = None
    other_holder: str = ""

    @property
    def is_callable(self) -> bool:
        """Whether the release can be asked."""
        return self.stored is None or self.stored.callable


def find_baseline(
    candidate: Release,
    option: str | None,
    registry: Registry,
    *,
    base: Path,
    environment: Mapping[str, str] | None,
    golden_sets: Path,
    artifact_kinds: Collection[str] = (),
    screen: bool = False,
) -> Baseline:
    """The baseline: the option, else the manifest's key, else the holder of production, else none.

    A screen takes the newest stored scores of it, and does without asking it where it cannot be asked any
    more: a pull request changes the very code that the baseline was recorded with.

    Args:
        candidate: the candidate.
        option: ``--baseline``; ``run:ID`` takes stored scores, a path is relative to ``base``.
        registry: where aliases and versions are looked up.
        base: the folder that pytest was called in.
        environment: variables; None where nobody will be asked.
        golden_sets: the golden-set folder.
        artifact_kinds: kinds that the project registered.
        screen: whether harm is looked for and nothing is promoted.

    Raises:
        InputError: it is named but cannot be found or read.
    """

    def read(path: Path) -> Release:
        loaded = load_manifest(path, extra_artifact_kinds=artifact_kinds)
        return resolve_release(loaded, environment=environment, golden_sets=golden_sets)

    name, folder = (option, base) if option is not None else (candidate.baseline, candidate.path.parent)
    if option is not None or name is None:
        place = Place("--baseline") if option is not None else Place(str(candidate.path))
    else:
        place = place_in(candidate, "baseline")
    holder = registry.alias(PRODUCTION, candidate.name)
    if name is None and holder is None:
        return Baseline(None, "first release: nothing holds production, so only absolute gates are judged")
    if name == "none":
        return Baseline(None, "first release by `baseline: none`: only absolute gates are judged")
    stored: StoredRun | None = None
    note = ""
    if name is not None and is_stored(name):
        release, stored = find_stored(
            name, place, registry, lambda row: _from_registry(row, place, read, base)
        )
    elif name is not None and is_path(name):
        release = _named(folder / name, place, read)
    else:
        row = holder if name is None else _look_up(name, candidate.name, registry)
        if row is None:
            known = [row.alias for row in registry.aliases() if row.line == candidate.name]
            releases = [row for row in registry.releases() if row.name == candidate.name]
            known += [word for row in releases for word in (row.label, row.version)]
            if name == PRODUCTION:
                raise InputError([Problem(place, "nobody holds production", remedy=_NOBODY)])
            raise InputError(
                [Problem(place, "the baseline is not in the registry", repr(name), near(name or "", known))]
            )
        try:
            release = _from_registry(row, place, read, base)
        except InputError:
            release = from_row(row)
            stored = newest_stored(registry, release) if screen else None
            if stored is None:
                raise
            stored = replace(stored, callable=False)
            note = (
                f"{row.label} can no longer be run as it was recorded: it is screened against what it scored"
            )
    if screen and stored is None:
        stored = newest_stored(registry, release)
    if holder is None or stands_for(row_of(release), holder):
        return Baseline(release, note, stored)
    holds = f"({holder.label})"
    if release.label == holder.label:
        holds = f"({holder.label} with another content, digest {_short(holder.digest)})"
    note = f"{note}; " * bool(note) + (
        f"the baseline {release.label} is not what holds production {holds}: "
        "this verdict says nothing against production"
    )
    return Baseline(release, note, stored, told_apart(release, holder)[1])


def row_of(release: Release) -> ReleaseRow:
    """A release as far as others can be told to stand for it."""
    return ReleaseRow(release.name, release.version, release.digest, "", "", "", artifact_rows(release))


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def uncompared_holds(
    candidate: Release, baseline: Baseline, registry: Registry
) -> tuple[tuple[str, str], ...]:
    """What keeps a release that names no baseline, or itself, from replacing the one in production unseen."""
    holder = registry.alias(PRODUCTION, candidate.name)
    compared = baseline.release
    if holder is not None and holder.digest == candidate.digest:
        return ()
    if compared is not None and compared.digest != candidate.digest:
        return ()
    if holder is None:
        return () if compared is None else _judged_otherwise(candidate, registry)
    how = "`baseline: none` compared nothing with it"
    if compared is not None:
        how = "this release was compared with itself alone"
    reason = f"{holder.label} holds production, and {how}"
    return ((reason, "compare with it: `--baseline production`"),)


def _judged_otherwise(candidate: Release, registry: Registry) -> tuple[tuple[str, str], ...]:
    """What keeps a release that was not promoted from being so by a comparison with itself."""
    last = next(
        (
            run
            for run in registry.runs(release=candidate.name)
            if run.release.digest == candidate.digest
            and run.attempt is not None
            and run.baseline is not None
            and run.baseline.digest != candidate.digest
        ),
        None,
    )
    if last is None or last.decision == "promote":
        return ()
    reason = (
        f"this release was compared with itself alone, and its verdict of run {last.id} is {last.decision}"
    )
    return ((reason, "compare with what it would replace: `--baseline RELEASE`"),)


def is_path(name: str) -> bool:
    """Whether a baseline is named by its manifest, not by an alias or a version."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def _named(path: Path, place: Place, read: Read) -> Release:
    if not is_file(path):
        what = "the baseline's manifest does not exist"
        remedy = nearby(path) or "name one that does, a version or an alias"
        raise InputError([Problem(place, what, repr(str(path)), remedy)])
    return read(path)


def _look_up(name: str, line: str, registry: Registry) -> ReleaseRow | None:
    release, at, version = name.partition("@")
    return registry.alias(name, line) or registry.release(release if at else line, version if at else name)


def _in_this_checkout(row: ReleaseRow, read: Read, base: Path) -> Release | None:
    """The recorded release where a registry is shared and another checkout recorded it; None for none."""
    path, here = Path(row.manifest_path), base.resolve()
    if here in path.parents:
        return None
    for tail in range(1, len(path.parts)):
        found = here.joinpath(*path.parts[tail:])
        if not is_file(found):
            continue
        with suppress(InputError):
            release = read(found)
            if release.digest == row.digest:
                return release
    return None


def _from_registry(row: ReleaseRow, place: Place, read: Read, base: Path) -> Release:
    """Run the recorded release again from its manifest, which must still say the same."""
    if (found := _in_this_checkout(row, read, base)) is not None:
        return found
    label = f"{row.name}@{row.version}"
    path = Path(row.manifest_path)
    if not is_file(path):
        raise InputError(
            [
                Problem(
                    place,
                    f"the manifest of {label} is gone",
                    repr(row.manifest_path),
                    f"name another manifest by --baseline PATH, or compare with {_STORED}",
                )
            ]
        )
    release = read(path)
    if release.digest != row.digest:
        raise InputError(
            [
                Problem(
                    place,
                    f"{label} is no longer what was recorded: {_differences(row, release)} changed since",
                    repr(row.manifest_path),
                    "name its manifest by --baseline PATH where lines were added for new cases, else "
                    f"compare with {_STORED}"
                    if release.application.kind == "recording"
                    else "put back what was recorded and let the candidate name files and modules of its "
                    "own, or name the recorded release's manifest in another worktree by --baseline PATH; "
                    f"else compare with {_STORED}, which finds harm and promotes nothing that answers live",
                )
            ]
        )
    return release


def _differences(row: ReleaseRow, release: Release) -> str:
    """What differs between the recorded release and the one that its manifest describes now."""
    before = {(a.kind, a.name): a.digest for a in row.artifacts}
    after = {(a.kind, a.name): a.digest for a in artifact_rows(release)}
    names = [
        f"{kind}/{name}"
        for kind, name in {**before, **after}
        if before.get((kind, name)) != after.get((kind, name))
    ]
    if (row.name, row.version) != (release.name, release.version):
        names.insert(0, f"the version (now {release.label})")
    return ", ".join(names) or "routes or dependencies"
