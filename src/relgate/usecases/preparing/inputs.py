"""Everything that is read before the first call; whatever is wrong in any of it is named at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from relgate.applications.chat import question_template
from relgate.applications.python import load_builder, load_service
from relgate.applications.recording import Rows, trials_of
from relgate.catalog import Catalog
from relgate.decision.outcomes import CONFIRMING_TRIALS, critical_cases
from relgate.domain.case import Suite
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.long_cases import LongCases, held_cases
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.response import Side
from relgate.files import (
    LoadedManifest,
    ReleaseDraft,
    SuiteDraft,
    below,
    draft_release,
    find_suites,
    load_manifest,
    load_recording,
    read_suites,
    resolve_release,
)
from relgate.files.long.recording_file import RecordingFile
from relgate.files.paths import is_file
from relgate.files.reading import in_order, shown
from relgate.files.yamldoc import parse_yaml
from relgate.late import np
from relgate.usecases.preparing.baseline import Baseline, is_path
from relgate.usecases.preparing.check_suites import Judging, Subject, fit_problems, judge_of
from relgate.usecases.preparing.manifest_places import place_in
from relgate.usecases.preparing.plan_suite import without_absent


@dataclass(frozen=True, slots=True)
class Sources:
    """Where everything is read from.

    Attributes:
        manifest: the candidate's manifest.
        golden_sets: the golden-set folder.
        environment: variables; None where nobody will be asked.
        catalog: scorers and artifact kinds.
        whole_catalog: whether every plugin of the project could be loaded.
        chosen: names or folders of the suites that run; empty for all.
    """

    manifest: Path
    golden_sets: Path
    environment: Mapping[str, str] | None
    catalog: Catalog
    whole_catalog: bool = True
    chosen: tuple[str, ...] = ()

    def release(self, path: Path) -> Release:
        """Read and resolve a manifest.

        Raises:
            InputError: with every problem of it.
        """
        loaded = load_manifest(path, extra_artifact_kinds=self.catalog.artifact_kinds)
        return resolve_release(loaded, environment=self.environment, golden_sets=self.golden_sets)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run begins with; nothing in it is wrong.

    Attributes:
        baseline: what the candidate is compared with.
        releases: per side.
        rows: recordings per side, None for applications that are called.
        suites: those that run, and ``judgings`` what judges each.
        left_out: names of the suites that ``--suite`` left out.
        notes: what the reader must know about recordings and gates.
    """

    baseline: Baseline
    releases: Mapping[Side, Release]
    rows: Mapping[Side, Rows | None]
    suites: tuple[Suite, ...]
    judgings: tuple[Judging, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def read_inputs(
    sources: Sources, find: Callable[[Release], Baseline], problems: Iterable[Problem] = ()
) -> Inputs:
    """Read and check everything; applications are imported, not built, and nothing is called.

    Args:
        sources: where from.
        find: finds the baseline of a candidate; raises InputError.
        problems: what the caller knows already.

    Raises:
        InputError: with everything that is wrong.
    """
    found = list(problems)
    loaded: LoadedManifest | None = None
    candidate: Release | None = None
    baseline: Baseline | None = None
    with _collecting(found):
        loaded = load_manifest(sources.manifest, extra_artifact_kinds=sources.catalog.artifact_kinds)
        candidate = resolve_release(loaded, environment=sources.environment, golden_sets=sources.golden_sets)
    draft = _draft(sources, loaded, candidate)
    with _collecting(found):
        baseline = find(_findable(draft.release))
    drafts = {"candidate": draft}
    if baseline is not None and baseline.release is not None:
        usable = baseline.is_callable
        drafts["baseline"] = ReleaseDraft(baseline.release, usable, usable)
    subjects: dict[Side, Subject] = {}
    for side, each in drafts.items():
        subjects["candidate" if side == "candidate" else "baseline"] = _subject(each, found)
    found += _same_recordings(drafts)
    suites = _read_suites(sources, draft.release, found, long=_all_in_files(subjects.values(), baseline))
    chosen = _chosen(suites, sources.chosen, found)
    judgings = []
    for suite in chosen:
        for subject in subjects.values():
            found += fit_problems(suite, subject)
        judging = judge_of(suite, sources.catalog, subjects)
        found += judging.problems
        judgings.append(judging)
    if found or candidate is None or baseline is None:
        raise InputError(in_order(found))
    ready = tuple(
        _held(suite.suite, judging)
        for suite, judging in zip(chosen, judgings, strict=True)
        if suite.suite is not None
    )
    long = any(isinstance(suite.cases, LongCases) for suite in ready)
    rows = {side: _at_hand(subject.rows, long=long) for side, subject in subjects.items()}
    held = rows if baseline.stored is None else {**rows, "baseline": baseline.stored.rows}
    fitted = _fitted(ready, held)
    return Inputs(
        baseline=baseline,
        releases={side: subject.release for side, subject in subjects.items()},
        rows=rows,
        suites=fitted,
        judgings=tuple(judgings),
        left_out=tuple(str(suite.name) for suite in suites if suite not in chosen),
        notes=(
            *_unjudged(fitted, judgings),
            *_unmatched(fitted, rows, all_of_them=len(chosen) == len(suites) and candidate.suites is None),
            *_unconfirmable(fitted, rows["candidate"]),
            *_dropped(ready, fitted),
            *_left_out(sources, candidate),
        ),
    )


def _left_out(sources: Sources, release: Release) -> list[str]:
    """The suites that the manifest's ``suites`` leaves out: what nobody names is not missed either."""
    if release.suites is None:
        return []
    paths = find_suites(sources.golden_sets)
    judged = below(paths, release.suites)
    names = sorted(path.parent.name for path in paths if path not in judged)
    return [f"the manifest's `suites` leaves out {', '.join(names)}"] if names else []


@contextmanager
def _collecting(found: list[Problem]) -> Iterator[None]:
    """Keep what is wrong and go on."""
    try:
        yield
    except InputError as error:
        found += error.problems


def _draft(sources: Sources, loaded: LoadedManifest | None, candidate: Release | None) -> ReleaseDraft:
    if candidate is not None:
        return ReleaseDraft(candidate, application_known=True, application_sound=True)
    if loaded is not None:
        return draft_release(loaded, golden_sets=sources.golden_sets)
    nothing = Release("", "", "", "", sources.manifest, ApplicationSpec("python", ""), baseline="none")
    return ReleaseDraft(nothing, application_known=False, application_sound=False)


def _findable(release: Release) -> Release:
    """The release as the search for its baseline sees it: that a path is not there is known already."""
    name = release.baseline
    if name is None or not is_path(name) or is_file(release.path.parent / name):
        return release
    return replace(release, baseline="none")


def _subject(draft: ReleaseDraft, found: list[Problem]) -> Subject:
    """One side with its recording; what is wrong with its application goes to ``found``."""
    release = draft.release
    found += application_problems(release, sound=draft.application_sound)
    if release.application.kind != "recording":
        return Subject(release, known=draft.application_known)
    rows: Rows | None = None
    if draft.application_sound and release.application.path is not None:
        with _collecting(found):
            rows = load_recording(release.application.path)
    return Subject(release, rows, known=rows is not None)


def _same_recordings(drafts: Mapping[str, ReleaseDraft]) -> list[Problem]:
    """Two releases that differ cannot have given the very same bytes: one recording stands for the other."""
    if len(drafts) < 2:
        return []
    candidate, baseline = drafts["candidate"].release, drafts["baseline"].release
    one, other = candidate.application, baseline.application
    equal = one.kind == other.kind == "recording" and one.code_digest and one.code_digest == other.code_digest
    if not equal or candidate.digest == baseline.digest or not candidate.digest:
        return []
    place = place_in(candidate, "application", "recording")
    what = f"the recording is byte for byte that of {baseline.label}, but the releases differ"
    remedy = f"record the candidate's own answers; {shown(other.path or other.value)} belongs to the baseline"
    return [Problem(place, what, repr(one.value), remedy)]


def application_problems(release: Release, *, sound: bool = True) -> list[Problem]:
    """What shows once the builder and the services are imported, or the chat application is set up.

    Args:
        release: the release.
        sound: whether what the application names is there; if not, only the services are looked at.
    """
    found: list[Problem] = []
    if sound and release.application.kind == "python":
        with _collecting(found):
            load_builder(release, place_in(release, "application", "python"))
    elif sound and release.application.kind == "chat" and release.of_kind("prompt"):
        with _collecting(found):
            question_template(release)
    for reference in release.services:
        with _collecting(found):
            document, _ = parse_yaml(release.manifest_text, release.path)
            written = document.value.get("services", []) if document else []
            index = next((i for i, entry in enumerate(written) if entry == {"python": reference}), 0)
            load_service(reference, place_in(release, "services", index, "python"))
    return found


def _all_in_files(subjects: Iterable[Subject], baseline: Baseline | None) -> bool:
    """Whether every answer stands in a long recording: then cases may be left in their files as well."""
    stored = baseline is None or baseline.stored is not None
    return not stored and all(isinstance(subject.rows, RecordingFile) for subject in subjects)


def _held(suite: Suite, judging: Judging) -> Suite:
    """The suite with its cases in memory where a run must look at them one by one."""
    asked = any(scorer.asked is not None for scorers in judging.scorers.values() for scorer in scorers)
    if isinstance(suite.cases, LongCases) and (asked or suite.traffic):
        return replace(suite, cases=tuple(suite.cases))
    return suite


def _at_hand(rows: Rows | None, *, long: bool) -> Rows | None:
    """A recording as short suites need it, who look up answer after answer."""
    return dict(rows.items()) if isinstance(rows, RecordingFile) and not long else rows


def _read_suites(
    sources: Sources, release: Release, found: list[Problem], *, long: bool
) -> tuple[SuiteDraft, ...]:
    """Every suite of the release, as far as it can be read; long ones may be left in their files."""
    folder = sources.golden_sets
    paths = find_suites(folder)
    if release.suites is not None:
        paths = below(paths, release.suites)
    if not paths:
        remedy = "`relgate init` writes one"
        found.append(Problem(Place(shown(folder)), "no suite.yaml below this folder", remedy=remedy))
    known = sources.catalog.scorer_names if sources.whole_catalog else None
    drafts = read_suites(paths, golden_sets=folder, known_scorers=known, long=long)
    for draft in drafts:
        found += draft.problems
    return drafts


def _chosen(
    suites: Sequence[SuiteDraft], wanted: Collection[str], found: list[Problem]
) -> tuple[SuiteDraft, ...]:
    """The suites that ``--suite`` names, or all."""
    known = {name for suite in suites for name in (suite.name, suite.folder)}
    have = ", ".join(f"{suite.name or '?'} ({suite.folder})" for suite in suites)
    for name in wanted:
        if name not in known:
            found.append(Problem(Place("--suite"), "no such suite", repr(name), f"there is {have}"))
    chosen = tuple(suite for suite in suites if suite.name in wanted or suite.folder in wanted)
    return chosen or tuple(suites)


def _fitted(suites: Sequence[Suite], rows: Mapping[Side, Rows | None]) -> tuple[Suite, ...]:
    """The suites with what the recording leaves of a filled-in policy."""
    judge_of_policy = rows.get("baseline", rows["candidate"])
    if judge_of_policy is None:
        return tuple(suites)
    return tuple(without_absent(suite, judge_of_policy) for suite in suites)


def _dropped(suites: Sequence[Suite], fitted: Sequence[Suite]) -> list[str]:
    dropped: dict[tuple[str, ...], list[str]] = {}
    for suite, left in zip(suites, fitted, strict=True):
        if gone := {gate.metric for gate in suite.gates} - {gate.metric for gate in left.gates}:
            words = tuple(metric.partition("_")[0] for metric in sorted(gone))
            dropped.setdefault(words, []).append(suite.name)
    where = "for what is stored tells none"
    return [
        f"the default policy of {', '.join(names)} has no gate on {' and '.join(words)}, {where}"
        for words, names in dropped.items()
    ]


def _unjudged(suites: Sequence[Suite], judgings: Sequence[Judging]) -> list[str]:
    """Metrics of scorers that no gate judges; in a safety suite scorers speak through the violation gate."""
    notes = []
    for suite, judging in zip(suites, judgings, strict=True):
        judged = {gate.metric for gate in suite.gates}
        free = [s.metric.name for s in judging.scorers["candidate"] if s.metric.name not in judged]
        if free and suite.kind != "safety":
            notes.append(f"{suite.name}: no gate judges {', '.join(free)}")
    return notes


def _unmatched(suites: Sequence[Suite], rows: Mapping[Side, Rows | None], *, all_of_them: bool) -> list[str]:
    """Recorded answers to cases that no suite has, where none is left out, and cases without one."""
    notes = []
    for side, found in rows.items():
        if found is None:
            continue
        strange, lacking = _differing(suites, found)
        if strange and all_of_them:
            notes.append(
                f"the {side}'s recording answers {_cases(strange)[0]} that no suite has: {_cases(strange)[1]}"
            )
        if lacking:
            notes.append(
                f"the {side}'s recording holds nothing for {_cases(lacking)[0]}: {_cases(lacking)[1]}"
            )
    return notes


def _differing(suites: Sequence[Suite], rows: Rows) -> tuple[list[str], list[str]]:
    """Ids that only the recording has, and ids that only the suites have, sorted."""
    files = [suite.cases for suite in suites if isinstance(suite.cases, LongCases)]
    others = {case.id for suite in suites for case in (*held_cases(suite), *suite.traffic)}
    if not isinstance(rows, RecordingFile):
        recorded = {case_id for case_id, _ in rows}
        known = others.union(*(cases.ids for cases in files))
        return sorted(recorded - known), sorted(known - recorded)
    strange = np.ones(len(rows), np.bool_)
    lacking = {case_id for case_id in others if not rows.held(case_id)}
    for cases in files:
        answers = rows.answers(cases)
        left = np.zeros(len(rows), np.bool_)
        left[answers.strange] = True
        strange &= left
        lacking.update(cases.numbered(np.flatnonzero(answers.first[1:] == answers.first[:-1])).ids)
    return sorted(set(rows.case_ids(np.flatnonzero(strange))) - others), sorted(lacking)


def _unconfirmable(suites: Sequence[Suite], rows: Rows | None) -> list[str]:
    """Critical cases of which the recording holds too few trials to confirm a miss (verdict.md 3)."""
    critical = [case.id for suite in suites for case in critical_cases(suite) if case.critical is True]
    held = trials_of(rows or {}) if critical else {}
    short = [case_id for case_id in critical if 0 < len(held.get(case_id, ())) < CONFIRMING_TRIALS]
    if not short:
        return []
    many, named = _cases(short)
    return [
        f"the candidate's recording holds fewer than {CONFIRMING_TRIALS} trials of {many} marked critical: "
        f"{named}; a miss that no further trial confirms holds, so record {CONFIRMING_TRIALS}"
    ]


def _cases(ids: Sequence[str]) -> tuple[str, str]:
    """How many, and the first of them."""
    many = "1 case" if len(ids) == 1 else f"{len(ids)} cases"
    return many, ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
