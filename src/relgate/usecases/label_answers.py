"""Labels for a judge: a random sample of a run's answers to be read by people, and what they said of it."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from relgate.decision.judges.labels import answer_digest, draw_order
from relgate.decision.sealing import HIDDEN
from relgate.domain.errors import InputError, Place, Problem, Refusal
from relgate.domain.run import MeasurementRow
from relgate.files import find_suites, load_suite
from relgate.files.jsonl import MOST_PROBLEMS, Row, read_rows
from relgate.files.labels import is_score, read_labels
from relgate.files.reading import MORE, tidy
from relgate.store.reading import near
from relgate.store.registry import Registry
from relgate.usecases.intake_incident import append_line

LABELS = "labels.jsonl"
_LABEL_KEYS = ("case_id", "side", "score", "by", "answer")
_KEYS = (*_LABEL_KEYS, "input", "expected", "output")


def draw_sample(
    registry: Registry,
    run: str,
    suite: str,
    *,
    n: int,
    seed: int,
    labelled: Collection[tuple[str, str]] = (),
) -> list[dict[str, Any]]:
    """A random sample of a run's cases with both sides' first answers, as the registry holds them (redacted).

    The first answer of each side is the one whose labels count (``readings``). Where the application failed
    on it there is nothing to read, and the other side's is asked for alone.

    The correction by labels needs a random subset: labelling what looks wrong breaks it (statistics.md 9).
    Cases with a label of any answer were drawn at random before, so they come first, in the order in which
    the gate takes them (``draw_order``); answers that are labelled, and answers that both sides share, are
    asked for once.

    Args:
        registry: holds the run.
        run: its id, or the beginning.
        suite: the suite's name.
        n: cases at most; every answer of each that nobody has read is drawn.
        seed: of the draw.
        labelled: case and digest of the answers that have labels, "" where the label names none.

    Raises:
        Refusal: no such run, or people have read the first answers of every case that both sides were asked.
    """
    rows = registry.measurements(run)
    known = sorted({row.suite for row in rows})
    if suite not in known:
        raise Refusal(f"run {run} measured no suite {suite!r}; {near(suite, known)}")
    answers: dict[str, dict[str, MeasurementRow]] = {}
    for row in sorted(rows, key=lambda row: row.trial):
        usable = row.outcome in ("response", "application") and row.case_outcome != HIDDEN
        if usable and row.suite == suite and not row.hop and not row.confirmation:
            answers.setdefault(row.case_id, {}).setdefault(row.side, row)
    sides = {row.side for found in answers.values() for row in found.values()}
    whole = {case: found for case, found in answers.items() if set(found) == sides}
    if not whole:
        raise Refusal(f"run {run} has no answers of {suite} to label")
    unread = {case: lines for case, found in whole.items() if (lines := _unread(case, found, labelled))}
    if not unread:
        raise Refusal(f"every first answer of {suite} in run {run} has a label")
    begun = {case for case, _ in labelled}
    draw = random.Random(f"{seed}/labels/{suite}")
    order = sorted(unread.keys() - begun)
    draw.shuffle(order)
    order = [*draw_order(unread.keys() & begun), *order]
    return [line for case in order[:n] for line in unread[case]]


def _unread(
    case: str, found: Mapping[str, MeasurementRow], labelled: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """The lines to fill in for a case: its answers that nobody has read, each once, the candidate's first."""
    lines: dict[str, dict[str, Any]] = {}
    for side in sorted(found, reverse=True):
        if found[side].outcome != "response":
            continue
        digest = answer_digest(found[side].output)
        if (case, digest) not in labelled and digest not in lines:
            lines[digest] = {
                "case_id": case,
                "side": side,
                "score": None,
                "by": "",
                "answer": digest,
                "input": found[side].input,
                "expected": found[side].expected,
                "output": found[side].output,
            }
    return list(lines.values())


def labelled_answers(suite: str, golden_sets: Path) -> set[tuple[str, str]]:
    """Case and digest of every label of a suite; none where there is no such suite."""
    try:
        folder = _folder(suite, golden_sets)
        loaded = load_suite(folder / "suite.yaml", golden_sets=golden_sets)
    except (Refusal, InputError):
        return set()
    return {(label.case_id, label.answer) for label in loaded.labels}


def add_labels(path: Path, suite: str, golden_sets: Path) -> tuple[Path, int]:
    """Check a labelled sample and append it to the suite's labels.jsonl.

    Returns:
        The file and how many labels were added.

    Raises:
        InputError: with every line that is wrong, or that labels what the file has already.
        Refusal: there is no such suite.
    """
    folder = _folder(suite, golden_sets)
    problems: list[Problem] = []
    lines: list[dict[str, Any]] = []
    places: list[int] = []
    rows = 0
    empty: list[Row] = []
    for row in read_rows(path):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        if row.value.get("score") is None and not str(row.value.get("by") or "").strip():
            empty.append(row)
        rows += 1
        if wrong := _problems(row):
            problems += wrong
            continue
        lines.append({key: row.value[key] for key in _LABEL_KEYS if key in row.value})
        places.append(row.line)
    if not rows and not problems:
        raise Refusal(f"{path} holds no labels")
    if len(empty) == rows and empty:
        what = f"none of its {len(empty)} lines is filled in"
        raise InputError([empty[0].problem("score", what, "write score (0 to 1) and by on every line")])
    target = folder / LABELS
    if not problems and lines and _all_labelled(target, lines):
        what = f"each of its {len(lines)} answers has a label of the same person already"
        raise InputError([Problem(Place(str(path), places[0]), what, remedy="draw others to label")])
    before = target.read_bytes() if target.exists() else None
    for line in lines:
        append_line(target, json.dumps(line, ensure_ascii=False))
    try:
        load_suite(folder / "suite.yaml", golden_sets=golden_sets)
    except InputError as error:
        held = len((before or b"").splitlines())
        problems += [_of_sample(problem, path, target, held, places) for problem in error.problems]
    if problems:
        _restore(target, before)
        raise InputError(tidy(problems, limit=MOST_PROBLEMS))
    return target, len(lines)


def _all_labelled(target: Path, lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the file holds a label of each of these answers by the same person."""
    labels, _ = read_labels(target, {str(line.get("case_id")) for line in lines})
    known = {(one.case_id, one.answer or one.side, one.by) for one in labels}
    said = [(line.get("case_id"), line.get("answer") or line.get("side"), line.get("by")) for line in lines]
    return all(all(isinstance(part, str) for part in one) and one in known for one in said)


def _of_sample(problem: Problem, sample: Path, target: Path, held: int, places: Sequence[int]) -> Problem:
    """A problem of an appended line, told at its line of the sample: the appended one is gone again."""
    at = problem.place
    if not at.line and problem.what.startswith(MORE):
        return replace(problem, place=replace(at, path=str(sample)))
    if Path(at.path).name != target.name or at.line is None or not held < at.line <= held + len(places):
        return problem
    return replace(problem, place=replace(at, path=str(sample), line=places[at.line - held - 1]))


def _restore(target: Path, before: bytes | None) -> None:
    """Give the file back as it was: half of a sample is no sample."""
    if before is None:
        target.unlink(missing_ok=True)
    else:
        target.write_bytes(before)


def _folder(suite: str, golden_sets: Path) -> Path:
    named: dict[str, Path] = {}
    for path in find_suites(golden_sets):
        named[load_suite(path, golden_sets=golden_sets).name] = path.parent
        named[path.parent.relative_to(golden_sets).as_posix()] = path.parent
    if suite not in named:
        raise Refusal(f"there is no suite {suite!r} in {golden_sets}; {near(suite, sorted(named))}")
    return named[suite]


def _problems(row: Row) -> list[Problem]:
    problems = row.unknown_keys(_KEYS)
    if row.value.get("score") is None:
        problems.append(row.problem("score", "'score' is still empty", "write a number from 0 to 1"))
    elif not is_score(row.value["score"]):
        problems.append(row.problem("score", "'score' should be a number from 0 to 1"))
    if not str(row.value.get("by") or "").strip():
        problems.append(row.problem("by", "'by' is still empty", "write who labelled, and when"))
    said, digest = row.value.get("output"), row.value.get("answer")
    if isinstance(said, str) and isinstance(digest, str) and answer_digest(said) != digest:
        what = "'answer' is not the digest of this line's output"
        problems.append(row.problem("answer", what, "leave answer and output as they were drawn"))
    return problems
