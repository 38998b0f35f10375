"""Suites: a folder with suite.yaml and its cases, read and digested, all problems at once."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from relgate.domain.case import Case, Label, ScorerSpec, Suite
from relgate.domain.default_policy import default_gates
from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.errors import InputError, Problem
from relgate.domain.gate import GateSpec
from relgate.files.case_files import LABELS, CaseFiles, read_case_files
from relgate.files.gates import GateRules, read_gates
from relgate.files.jsonl import MOST_PROBLEMS
from relgate.files.labels import read_labels
from relgate.files.paths import is_file, resolved
from relgate.files.reading import decode, read_bytes, shown, tidy
from relgate.files.suite_draft import (
    SuiteDraft,
    kind_problems,
    later,
    read_scorers,
    unknown_scorers,
    unknown_slices,
)
from relgate.files.suite_model import SuiteFile
from relgate.files.traffic import read_traffic
from relgate.files.wire import prune, validate
from relgate.files.yamldoc import MAX_BYTES, parse_yaml


def load_suites(
    paths: Iterable[Path],
    *,
    golden_sets: Path,
    known_scorers: Collection[str] | None = None,
) -> tuple[Suite, ...]:
    """Read several suites.

    Raises:
        InputError: with the problems of all of them together.
    """
    drafts = read_suites(paths, golden_sets=golden_sets, known_scorers=known_scorers)
    problems = [problem for draft in drafts for problem in draft.problems]
    if problems:
        raise InputError(tidy(problems))
    return tuple(draft.suite for draft in drafts if draft.suite is not None)


def load_suite(
    path: Path,
    *,
    golden_sets: Path,
    known_scorers: Collection[str] | None = None,
) -> Suite:
    """Read suite.yaml with cases.jsonl and regressions.jsonl beside it.

    Args:
        path: suite.yaml.
        golden_sets: the folder that the suite's name on the command line is relative to.
        known_scorers: the catalog's names; None leaves scorer names unchecked.

    Raises:
        InputError: with every problem of these files, at most 50 per file.
    """
    draft = read_suite(path, golden_sets=golden_sets, known_scorers=known_scorers)
    if draft.suite is None:
        raise InputError(draft.problems)
    return draft.suite


def read_suites(
    paths: Iterable[Path],
    *,
    golden_sets: Path,
    known_scorers: Collection[str] | None = None,
    long: bool = False,
) -> tuple[SuiteDraft, ...]:
    """Read several suites as far as they can be read; each keeps its problems.

    Args:
        paths: of their suite.yaml.
        golden_sets: as of ``load_suite``.
        known_scorers: as of ``load_suite``.
        long: whether the cases of a long file may be left in it (``long_cases.LongCases``).
    """
    drafts: list[SuiteDraft] = []
    first: dict[str, SuiteDraft] = {}
    for path in paths:
        draft = read_suite(path, golden_sets=golden_sets, known_scorers=known_scorers, long=long)
        other = draft if draft.name is None else first.setdefault(draft.name, draft)
        if other is not draft:
            remedy = f"{shown(other.path)} has the same; give each suite its own"
            what = f"duplicate suite name {draft.name!r}"
            problem = Problem(draft.place(("suite",)), what, remedy=remedy)
            draft = replace(draft, suite=None, problems=(*draft.problems, problem))
        drafts.append(draft)
    return tuple(drafts)


def read_suite(
    path: Path,
    *,
    golden_sets: Path,
    known_scorers: Collection[str] | None = None,
    long: bool = False,
) -> SuiteDraft:
    """Read a suite's files as far as they can be read; the arguments are those of ``read_suites``."""
    try:
        document, problems = parse_yaml(decode(read_bytes(path, limit=MAX_BYTES), path), path)
    except InputError as error:
        document, problems = None, list(error.problems)
    value = document.value if document else {}
    kind = value.get("kind")
    held = read_case_files(path.parent, value, long=long)
    reader, cases, regressions = held.reader, held.cases, held.regressions
    problems += reader.problems
    labels: tuple[Label, ...] = ()
    if (path.parent / LABELS).exists():
        labels, wrong_labels = read_labels(path.parent / LABELS, {case.id for case in cases})
        problems += wrong_labels if not reader.problems else ()
    folder = _folder(path, golden_sets)
    if document is None:
        return SuiteDraft(path, folder, None, tuple(tidy(problems, limit=MOST_PROBLEMS)))
    traffic, wrong_traffic = read_traffic(document, path.parent)
    problems += wrong_traffic
    scorers = read_scorers(document)
    tags = reader.tags if reader.sure_of_tags else None
    gates = read_gates(document, GateRules(kind, tags))
    model, found, wrong = validate(SuiteFile, document, value)
    problems += [*later(document), *found, *kind_problems(document)]
    problems += unknown_scorers(document, scorers, known_scorers)
    problems += unknown_slices(document, tags)
    problems += gates.problems
    sound = prune(value, wrong)
    suite = None
    if not problems and model is not None:
        suite = _suite(path, folder, model, scorers, held, gates.specs, labels, traffic)
    return SuiteDraft(
        path=path,
        folder=folder,
        document=document,
        problems=tuple(tidy(problems, limit=MOST_PROBLEMS)),
        suite=suite,
        name=sound.get("suite"),
        kind=sound.get("kind"),
        route=sound.get("route"),
        scorers=scorers,
        cases=cases,
        regressions=regressions,
        expects=held.expects if held.expects or reader.sure_of_expected else None,
        gates=gates.specs,
        formless=gates.formless,
    )


def _suite(
    path: Path,
    folder: str,
    file: SuiteFile,
    scorers: tuple[ScorerSpec, ...],
    held: CaseFiles,
    gates: tuple[GateSpec, ...],
    labels: tuple[Label, ...],
    traffic: tuple[Case, ...],
) -> Suite:
    suite = Suite(
        name=file.suite,
        kind=file.kind,
        path=path,
        folder=folder,
        scorers=scorers,
        cases=held.cases,
        gates=gates,
        regressions=held.regressions,
        labels=labels,
        version=file.version or "",
        owner=file.owner or "",
        route=file.route,
        trials=file.trials,
        slices=tuple(file.slices),
        clustered=held.clustered if file.cluster is None else file.cluster,
        sealed=file.sealed is True,
        traffic=traffic,
        force=file.force,
        faults=tuple(file.faults or ("refuse",)) if file.kind == "fallback" else (),
        cases_digest=held.digest or digest_json(_case_documents(held.cases)),
        default_policy=not gates,
    )
    if not gates:
        suite = replace(suite, gates=default_gates(suite))
    return replace(suite, digest=_digest(suite), scoring_digest=digest_json(_scoring(suite)))


def _digest(suite: Suite) -> str:
    return digest_json(
        {
            "kind": suite.kind,
            "route": suite.route,
            "trials": suite.trials,
            "slices": suite.slices,
            "clustered": suite.clustered,
            "force": suite.force,
            "faults": suite.faults,
            **_scoring(suite),
            "gates": [gate.document() for gate in suite.gates],
            "cases": suite.cases_digest,
            "regressions": _case_documents(suite.regressions),
        }
        | ({"labels": sorted(map(astuple, suite.labels))} if suite.labels else {})
        | ({"sealed": _pairs(suite) or True} if suite.sealed else {})
        | ({"traffic": [[case.id, case.digest] for case in suite.traffic]} if suite.traffic else {})
    )


def _pairs(suite: Suite) -> list[list[str]]:
    """What is sealed together."""
    return sorted([case.id, case.pair] for case in suite.cases if case.pair is not None)


def _scoring(suite: Suite) -> dict[str, Any]:
    return {
        "scorers": [spec.document() for spec in suite.scorers],
        "files": _option_files(suite.path.parent, suite.scorers),
    }


def _folder(path: Path, golden_sets: Path) -> str:
    try:
        relative = resolved(path.parent).relative_to(resolved(golden_sets)).as_posix()
    except ValueError:
        return path.parent.name
    return resolved(path.parent).name if relative == "." else relative


def _case_documents(cases: Sequence[Case]) -> list[Any]:
    return sorted(
        ([case.id, case.digest, case.tags, case.cluster, case.critical] for case in cases),
        key=lambda document: document[0],
    )


def _option_files(folder: Path, scorers: tuple[ScorerSpec, ...]) -> dict[str, str]:
    """Digests of the files that scorers' options name: a changed schema is a changed bar."""
    files = {}
    for spec in scorers:
        for value in spec.options.values():
            if isinstance(value, str) and "\n" not in value and 0 < len(value) < 200 and "." in value:
                path = folder / value
                if is_file(path):
                    with contextlib.suppress(InputError):  # its scorer says that it cannot be read
                        files[value] = digest_bytes(read_bytes(path))
    return files
