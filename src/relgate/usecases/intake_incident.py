"""Incident intake: a case that a run missed becomes a redacted line of the suite's regressions.jsonl."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from relgate.decision.sealing import HIDDEN
from relgate.domain.errors import Refusal
from relgate.domain.run import MeasurementRow
from relgate.files import values_of_variables
from relgate.files.paths import is_folder
from relgate.redaction import Redactor, placeholder_types
from relgate.scorers import read_assertions
from relgate.store.reading import near
from relgate.store.registry import Registry
from relgate.store.rows import Category, Incident, RegressionCase, RunRow, Severity
from relgate.usecases.golden_sets import REGRESSIONS, case_place, ids_in, relative, rows_of
from relgate.usecases.promote_release import user

CATEGORIES: tuple[str, ...] = get_args(Category)
SEVERITIES: tuple[str, ...] = get_args(Severity)
MISSED = frozenset({"miss", "regressed", "failed"})


@dataclass(frozen=True, slots=True)
class Report:
    """What a user says about a bad output.

    Attributes:
        run: the run's id or its beginning.
        suite: the suite's name or its folder under the golden sets.
        expected: what a right answer holds; JSON where the case expects an object or a list. None asks for a
            refusal, and only a case tagged ``harmful: true`` may leave it out.
        id: the regression case's id, None for ``<case>-incident-<n>``.
        force: take a case that the run did not miss.
    """

    run: str
    case_id: str
    suite: str
    expected: str | None = None
    id: str | None = None
    category: Category = "correctness"
    severity: Severity = "medium"
    force: bool = False


def intake_incident(
    registry: Registry, report: Report, golden_sets: Path, environment: Mapping[str, str]
) -> RegressionCase:
    """Append the case to the suite's regressions.jsonl, and incident and case to the registry.

    Raises:
        Refusal: the run, suite or case is unknown, the case was not missed, or its id is taken.
    """
    run = registry.run(report.run)
    measured = _measured(registry, run.id, report)
    folder = golden_sets / measured.suite_folder
    if not is_folder(folder):
        raise Refusal(f"there is no suite folder {folder}; name the golden sets with --golden-sets DIR")
    redactor = Redactor(
        key=registry.redaction_key(environment.get("RELGATE_REDACTION_KEY")),
        known_secrets=_known_secrets(registry, run, environment),
    )
    new_id = _new_id(folder, report, redactor)

    place = case_place(folder, report.case_id)
    original: Mapping[str, Any] = {} if place.row is None else place.row.value
    conversation = original.get("input")
    asked = redactor.redact_value(conversation if isinstance(conversation, list) else measured.input)
    tags = redactor.redact_value(original.get("tags", {}))
    expected = redactor.redact_value(_expected(report.expected, original.get("tags", {})))
    _check_expected(expected.value, redactor)
    _check_not_there(folder, asked.value, expected.value, report)
    counts = Counter(asked.counts) + Counter(expected.counts) + Counter(tags.counts)
    counts += _placeholders(measured.input)

    incident = registry.add_incident(
        Incident(run.id, measured.suite, report.case_id, report.category, report.severity, user())
    )
    line = {
        "id": new_id,
        "input": asked.value,
        "expected": expected.value,
        "tags": tags.value,
        "source": f"incident:{incident}",
    }
    number = append_line(folder / REGRESSIONS, json.dumps(line, ensure_ascii=False))
    case = RegressionCase(
        incident=incident,
        suite=measured.suite,
        case_id=new_id,
        file=relative(folder / REGRESSIONS),
        line=number,
        input=asked.value,
        expected=expected.value,
        redacted=dict(sorted(counts.items())),
    )
    registry.add_regression_case(case)
    return case


def _known_secrets(registry: Registry, run: RunRow, environment: Mapping[str, str]) -> frozenset[str]:
    """What the variables of the manifests that the run measured hold now."""
    found: frozenset[str] = frozenset()
    for release in (run.release, run.baseline):
        stored = release and registry.release(release.name, release.version, release.digest)
        found |= values_of_variables(stored.manifest, environment) if stored else frozenset()
    return found


def _measured(registry: Registry, run_id: str, report: Report) -> MeasurementRow:
    rows = [
        row
        for row in registry.case_measurements(run_id, report.case_id)
        if report.suite in (row.suite, row.suite_folder)
    ]
    if not rows:
        raise Refusal(_not_measured(registry, run_id, report))
    outcome = rows[0].case_outcome
    if outcome == HIDDEN:
        raise Refusal(
            f"case {report.case_id!r} is sealed, and nobody may know what became of it; "
            "write a case of your own from what was seen in production"
        )
    if not any(row.side == "candidate" for row in rows):
        raise Refusal(f"run {run_id} measured case {report.case_id!r} on the baseline only")
    if outcome not in MISSED and not report.force:
        raise Refusal(
            f"case {report.case_id!r} came out as {outcome} in run {run_id}: it shows no bad output; "
            "--force takes it all the same"
        )
    return rows[0]


def _not_measured(registry: Registry, run_id: str, report: Report) -> str:
    cases = registry.cases(run_id)
    suites = {name for case in cases for name in (case.suite, case.suite_folder)}
    if report.suite not in suites:
        return f"run {run_id} measured no suite {report.suite!r}; {near(report.suite, sorted(suites))}"
    known = {case.case_id for case in cases if report.suite in (case.suite, case.suite_folder)}
    return (
        f"run {run_id} measured no case {report.case_id!r} in suite {report.suite!r}; "
        f"{near(report.case_id, sorted(known))}"
    )


def _new_id(folder: Path, report: Report, redactor: Redactor) -> str:
    taken = ids_in(folder)
    if report.id is None:
        number = 1
        while f"{report.case_id}-incident-{number}" in taken:
            number += 1
        return f"{report.case_id}-incident-{number}"
    if report.id in taken:
        raise Refusal(f"the suite has a case {report.id!r} already; give another with --id, or none")
    if redactor.find(report.id):
        raise Refusal("--id holds something that may not be stored; give another")
    if (
        not report.id
        or "::" in report.id
        or any(sign in "[]" or not sign.isprintable() for sign in report.id)
    ):
        raise Refusal(f"{report.id!r} is no case id: no '::', brackets or control characters")
    return report.id


def _check_expected(expected: Any, redactor: Redactor) -> None:
    """Refuse what could not be judged, or would be judged wrongly once it is redacted.

    A placeholder stands for anything of its type, which is right for a text that must be there, and wrong for
    a pattern or a text that must not.
    """
    try:
        read_assertions(expected)
    except ValueError as error:
        raise Refusal(f"--expected: {error}") from None
    others = {k: v for k, v in expected.items() if k != "contains"} if isinstance(expected, Mapping) else {}
    plain = json.dumps(others).replace("\\", "")
    if redactor.find(plain) or placeholder_types(plain):
        raise Refusal(
            "--expected holds what may not be stored in an assertion other than contains, where its "
            "placeholder would be compared wrongly; leave it out"
        )


def _check_not_there(folder: Path, asked: Any, expected: Any, report: Report) -> None:
    if report.force:
        return
    for row in rows_of(folder / REGRESSIONS):
        if row.value.get("input") == asked and row.value.get("expected") == expected:
            raise Refusal(f"{row.value.get('id')!r} asks and expects the same already; --force adds it again")


def _placeholders(value: Any) -> Counter[str]:
    """What was replaced already when the run was stored, by type and count."""
    if isinstance(value, str):
        return Counter(placeholder_types(value))
    found: Counter[str] = Counter()
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in items:
        found += _placeholders(item)
    return found


def _expected(text: str | None, tags: Mapping[str, Any]) -> Any:
    if text is None:
        if tags.get("harmful") is True:
            return {"refusal": True}
        raise Refusal("say what a right answer holds: --expected TEXT")
    if not text.strip():
        raise Refusal("--expected is empty: every answer would pass")
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError as error:
            raise Refusal(f"--expected looks like JSON but is none: {error}") from None
    return text


def append_line(path: Path, line: str) -> int:
    """Append a line by replacing the file in one step, and give the line's number.

    Raises:
        Refusal: the folder cannot be written.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before and not before.endswith("\n"):
            before += "\n"
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(f"{before}{line}\n")
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes a file that only its owner may read.
            os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be written: {error}") from None
    return before.count("\n") + 1
