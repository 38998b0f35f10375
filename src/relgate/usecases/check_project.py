"""Whether a project can be judged: its manifest, its suites, and what one names in the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.domain.case import Suite
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Release
from relgate.files import find_suites, load_manifest, load_recording, load_suites, resolve_release
from relgate.files.reading import shown, tidy
from relgate.files.wire import did_you_mean
from relgate.usecases.check_suites import suite_problems
from relgate.usecases.plan_suite import plan_suite, without_absent


@dataclass(frozen=True, slots=True)
class Project:
    """A release and the suites that would judge it."""

    release: Release
    suites: tuple[Suite, ...]


def nearest_golden_sets(manifest: Path) -> Path:
    """The nearest ``golden_sets`` beside a manifest or above it."""
    folder = manifest.resolve().parent
    for parent in (folder, *folder.parents):
        if (parent / "golden_sets").is_dir():
            return parent / "golden_sets"
    return folder / "golden_sets"


def check_project(
    manifest: Path,
    *,
    golden_sets: Path,
    environment: Mapping[str, str],
    catalog: Catalog | None = None,
    known_scorers: Collection[str] | None = None,
    artifact_kinds: Collection[str] = (),
    problems: Iterable[Problem] = (),
) -> Project:
    """Read everything that a run would read before its first call.

    With a catalog the scorers are made and the gates held against their metrics as well; ``problems`` are
    those that the caller knows already.

    Raises:
        InputError: with every problem of the manifest, its recording and the suites.
    """
    problems = list(problems)
    release: Release | None = None
    suites: tuple[Suite, ...] = ()
    try:
        loaded = load_manifest(manifest, extra_artifact_kinds=artifact_kinds)
        release = resolve_release(loaded, environment=environment, golden_sets=golden_sets)
    except InputError as error:
        problems += error.problems
    paths = _suite_paths(release, golden_sets)
    try:
        suites = load_suites(paths, golden_sets=golden_sets, known_scorers=known_scorers)
    except InputError as error:
        problems += error.problems
    if not paths:
        place = Place(shown(golden_sets))
        problems.append(Problem(place, "no suite.yaml below this folder", remedy="`relgate init` writes one"))
    if release is not None:
        suites = _fit(release, suites, problems)
        if catalog is not None:
            _check_judging(release, suites, catalog, problems)
    if catalog is not None and (problems or release is None):
        problems += suite_problems(
            paths, golden_sets=golden_sets, catalog=catalog, release=release, rows=_rows(release)
        )
    if release is not None and release.baseline and release.baseline.endswith((".yaml", ".yml")):
        problems += _baseline_problems(release, release.baseline, environment, golden_sets, artifact_kinds)
    if problems or release is None:
        raise InputError(tidy(problems))
    return Project(release, suites)


def _check_judging(
    release: Release, suites: tuple[Suite, ...], catalog: Catalog, problems: list[Problem]
) -> None:
    rows = _rows(release)
    if rows is None and release.application.kind == "recording":
        return  # its problems are known already
    for suite in suites:
        if suite.kind == "fallback" and suite.route not in release.routes:
            continue
        try:
            plan_suite(suite, catalog, {"candidate": release}, {"candidate": rows}, first=False)
        except InputError as error:
            problems += error.problems


def _rows(release: Release | None) -> Rows | None:
    """The release's recording, None where it has none that can be read."""
    if release is None or release.application.path is None:
        return None
    try:
        return load_recording(release.application.path)
    except InputError:
        return None


def _baseline_problems(
    release: Release,
    baseline: str,
    environment: Mapping[str, str],
    golden_sets: Path,
    artifact_kinds: Collection[str],
) -> list[Problem]:
    """What is wrong with the manifest that the candidate names as its baseline."""
    path = release.path.parent / baseline
    try:
        loaded = load_manifest(path, extra_artifact_kinds=artifact_kinds)
        resolve_release(loaded, environment=environment, golden_sets=golden_sets)
    except InputError as error:
        return list(error.problems)
    return []


def _suite_paths(release: Release | None, golden_sets: Path) -> list[Path]:
    if release is None or release.suites is None:
        return find_suites(golden_sets)
    return sorted({path for folder in release.suites for path in find_suites(folder)})


def _fit(release: Release, suites: tuple[Suite, ...], problems: list[Problem]) -> tuple[Suite, ...]:
    """The suites as this release would run them; what does not fit goes to ``problems``."""
    if release.application.kind != "recording":
        for suite in suites:
            if suite.route is not None and suite.route not in release.routes:
                remedy = did_you_mean(suite.route, release.routes, none="the release has no routes")
                what = f"route {suite.route!r} is not in {release.label}"
                problems.append(Problem(Place(shown(suite.path)), what, remedy=remedy))
        return suites
    assert release.application.path is not None
    try:
        rows = load_recording(release.application.path)
    except InputError as error:
        problems += error.problems
        return suites
    return tuple(without_absent(suite, rows) for suite in suites)
