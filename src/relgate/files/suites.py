"""Suites: a folder with suite.yaml and its cases, read and digested, all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from relgate.domain.case import Case, ScorerSpec, Suite
from relgate.domain.default_policy import default_gates
from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.errors import InputError, Problem
from relgate.domain.gate import GateSpec
from relgate.files.cases import CaseReader
from relgate.files.gates import GateRules, read_gates, tags_of
from relgate.files.jsonl import MOST_PROBLEMS
from relgate.files.reading import decode, read_bytes, shown, tidy
from relgate.files.suite_model import Gate, SuiteFile
from relgate.files.wire import did_you_mean, prune, validate
from relgate.files.yamldoc import MAX_BYTES, YamlDocument, parse_yaml

_LATER_KINDS = ("degraded", "retrieval", "contract")
_LATER_KEYS = ("hops", "limits", "down", "never")


def find_suites(golden_sets: Path) -> list[Path]:
    """Every suite.yaml in a folder and below it, in order."""
    return sorted(golden_sets.rglob("suite.yaml"))


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
    suites: list[Suite] = []
    problems: list[Problem] = []
    first: dict[str, Suite] = {}
    for path in paths:
        try:
            suite = load_suite(path, golden_sets=golden_sets, known_scorers=known_scorers)
        except InputError as error:
            problems += error.problems
            continue
        suites.append(suite)
        other = first.setdefault(suite.name, suite)
        if other is not suite:
            document, _ = parse_yaml(decode(read_bytes(path), path), path)
            place = (document or YamlDocument(shown(path), {})).place(("suite",))
            remedy = f"{shown(other.path)} has the same; give each suite its own"
            problems.append(Problem(place, f"duplicate suite name {suite.name!r}", remedy=remedy))
    if problems:
        raise InputError(tidy(problems))
    return tuple(suites)


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
    document, problems = parse_yaml(decode(read_bytes(path, limit=MAX_BYTES), path), path)
    reader = CaseReader()
    value = document.value if document else {}
    safety = value.get("kind") == "safety"
    cases = reader.read(path.parent / "cases.jsonl", regression=False, safety=safety)
    regressions: tuple[Case, ...] = ()
    if (path.parent / "regressions.jsonl").exists():
        regressions = reader.read(path.parent / "regressions.jsonl", regression=True, safety=safety)
    problems += reader.problems
    if document is None:
        raise InputError(tidy(problems, limit=MOST_PROBLEMS))
    problems += _later(document)
    file, found, wrong = validate(SuiteFile, document, value)
    problems += found
    problems += _kind_problems(document)
    scorers = _scorers(document, known_scorers, problems)
    tags = None if reader.problems else tags_of(cases)
    slices = prune(value, wrong).get("slices") or []
    for index, tag in enumerate(slices):
        if tags is not None and tag not in tags:
            remedy = did_you_mean(tag, tags, none="the cases have no tags")
            problems.append(
                Problem(document.place(("slices", index)), f"no case has the tag {tag!r}", remedy=remedy)
            )
    gates, found = read_gates(document, _sound_gates(document), GateRules(value.get("kind"), tags))
    problems += found
    if problems or file is None:
        raise InputError(tidy(problems, limit=MOST_PROBLEMS))
    return _suite(path, golden_sets, file, scorers, cases, regressions, gates)


def _later(document: YamlDocument) -> list[Problem]:
    """What the design has and this version does not: each is an error that names it."""
    value = document.value
    problems = []
    if value.get("kind") in _LATER_KINDS:
        what = f"suite kind {value['kind']!r} is not built yet in this version"
        problems.append(Problem(document.place(("kind",)), what, remedy="use golden, safety or fallback"))
    if value.get("sealed") is True:
        problems.append(
            Problem(document.place(("sealed",)), "sealed halves are not built yet", remedy="remove it")
        )
    for key in _LATER_KEYS:
        if key in value:
            what = f"{key!r} is not built yet in this version"
            problems.append(Problem(document.key_place((key,)), what, remedy="remove it"))
    faults = value.get("faults")
    for index, fault in enumerate(faults if isinstance(faults, list) else []):
        if fault != "refuse":
            what = f"fault {str(fault)[:60]!r} is not built yet in this version"
            problems.append(Problem(document.place(("faults", index)), what, remedy="use refuse"))
    return problems


def _kind_problems(document: YamlDocument) -> list[Problem]:
    """What a suite's kind needs, and what it has no use for."""
    value = document.value
    problems = []
    if value.get("kind") == "fallback":
        for key, remedy in (("force", "add force: hop"), ("route", "add route: and the route's name")):
            if value.get(key) is None:
                place = document.place(("kind",))
                problems.append(Problem(place, f"a fallback suite needs {key!r}", remedy=remedy))
                break
    elif value.get("kind") in ("golden", "safety"):
        problems = [
            Problem(document.key_place((key,)), f"{key!r} goes with kind fallback only", remedy="remove it")
            for key in ("force", "faults")
            if key in value
        ]
    return problems


def _scorers(
    document: YamlDocument, known: Collection[str] | None, problems: list[Problem]
) -> tuple[ScorerSpec, ...]:
    specs = []
    written = document.value.get("scorers")
    for index, entry in enumerate(written if isinstance(written, list) else []):
        name, options = _scorer(entry)
        if not name:
            continue
        place = document.key_place(("scorers", index, name))
        specs.append(ScorerSpec(name, options, place.line, place.column))
        if known is not None and name not in known:
            problems.append(Problem(place, f"unknown scorer {name!r}", remedy=did_you_mean(name, known)))
    return tuple(specs)


def _scorer(entry: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, dict) and len(entry) == 1:
        name, value = next(iter(entry.items()))
        if value is None:
            return name, {}
        return name, value if isinstance(value, dict) else {"value": value}
    return "", {}


def _sound_gates(document: YamlDocument) -> list[tuple[int, Gate]]:
    """Each gate that is right by itself, although its neighbour or the rest of the file may not be."""
    written = document.value.get("gates")
    sound = []
    for index, entry in enumerate(written if isinstance(written, list) else []):
        gate, _, _ = validate(Gate, document, entry, within=("gates", index))
        if gate is not None:
            sound.append((index, gate))
    return sound


def _suite(
    path: Path,
    golden_sets: Path,
    file: SuiteFile,
    scorers: tuple[ScorerSpec, ...],
    cases: tuple[Case, ...],
    regressions: tuple[Case, ...],
    gates: tuple[GateSpec, ...],
) -> Suite:
    clustered = any(case.cluster is not None for case in cases) if file.cluster is None else file.cluster
    suite = Suite(
        name=file.suite,
        kind=file.kind,
        path=path,
        folder=_folder(path, golden_sets),
        scorers=scorers,
        cases=cases,
        gates=gates,
        regressions=regressions,
        version=file.version or "",
        owner=file.owner or "",
        route=file.route,
        trials=file.trials,
        slices=tuple(file.slices),
        clustered=clustered,
        force=file.force,
        faults=tuple(file.faults or ("refuse",)) if file.kind == "fallback" else (),
        cases_digest=digest_json(_case_documents(cases)),
        default_policy=not gates,
    )
    if not gates:
        suite = replace(suite, gates=default_gates(suite))
    return replace(suite, digest=_digest(suite))


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
            "scorers": [spec.document() for spec in suite.scorers],
            "files": _option_files(suite.path.parent, suite.scorers),
            "gates": [gate.document() for gate in suite.gates],
            "cases": suite.cases_digest,
            "regressions": _case_documents(suite.regressions),
        }
    )


def _folder(path: Path, golden_sets: Path) -> str:
    try:
        relative = path.parent.resolve().relative_to(golden_sets.resolve()).as_posix()
    except ValueError:
        return path.parent.name
    return path.parent.resolve().name if relative == "." else relative


def _case_documents(cases: tuple[Case, ...]) -> list[Any]:
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
                if path.is_file():
                    files[value] = digest_bytes(path.read_bytes())
    return files
