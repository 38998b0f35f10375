"""Whether a project can be judged: its manifest, its suites, and what one names in the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from relgate.catalog import Catalog
from relgate.domain.case import Suite
from relgate.domain.errors import Problem
from relgate.domain.release import Release
from relgate.files import bind_environment
from relgate.files.paths import is_folder, resolved
from relgate.usecases.preparing.baseline import Baseline, is_path
from relgate.usecases.preparing.inputs import Sources, read_inputs


@dataclass(frozen=True, slots=True)
class Project:
    """A release, the suites that would judge it, and what their reader must know."""

    release: Release
    suites: tuple[Suite, ...]
    notes: tuple[str, ...] = ()


def nearest_golden_sets(manifest: Path) -> Path:
    """The nearest ``golden_sets`` beside a manifest or above it."""
    folder = resolved(manifest).parent
    for parent in (folder, *folder.parents):
        if is_folder(parent / "golden_sets"):
            return parent / "golden_sets"
    return folder / "golden_sets"


def check_project(
    manifest: Path,
    *,
    golden_sets: Path,
    environment: Mapping[str, str],
    catalog: Catalog | None = None,
    problems: Iterable[Problem] = (),
) -> Project:
    """Read everything that a run would read before its first call; the registry is not asked.

    Args:
        manifest: the candidate's manifest.
        golden_sets: the golden-set folder.
        environment: variables.
        catalog: what plugins registered; default: the built-ins and what is installed.
        problems: plugins that could not be loaded: scorers that are not known may be theirs.

    Raises:
        InputError: with every problem of the manifest, its application, recording and baseline, and the
            suites.
    """
    unread = tuple(problems)
    if catalog is None:
        catalog, wrong = Catalog.read()
        unread += wrong
    sources = Sources(manifest, golden_sets, environment, catalog, whole_catalog=not unread)

    def find(release: Release) -> Baseline:
        if release.baseline is None or not is_path(release.baseline):
            return Baseline(None)
        return Baseline(sources.release(release.path.parent / release.baseline))

    inputs = read_inputs(sources, find, unread)
    for release in inputs.releases.values():
        if not release.services:  # what services give is known once they run
            bind_environment(release, environment)
    return Project(inputs.releases["candidate"], inputs.suites, inputs.notes)
