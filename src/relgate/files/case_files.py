"""The case files of a suite: cases.jsonl and, beside it, regressions.jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.case import Case
from relgate.files.cases import CaseReader
from relgate.files.jsonl import is_long

CASES, REGRESSIONS, LABELS = "cases.jsonl", "regressions.jsonl", "labels.jsonl"


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """What the case files of a suite hold.

    Attributes:
        reader: knows what is wrong in them.
        cases: those that are right.
        regressions: regression cases that are right.
        digest: over all cases, "" where they are in memory (``suites`` digests them).
        expects: whether any case says what it expects.
        clustered: whether any case has a cluster.
    """

    reader: CaseReader
    cases: Sequence[Case]
    regressions: tuple[Case, ...]
    digest: str
    expects: bool
    clustered: bool


def read_case_files(folder: Path, suite: Mapping[str, Any], *, long: bool) -> CaseFiles:
    """Cases and regression cases.

    Args:
        folder: the suite's.
        suite: its suite.yaml as a value, whatever is wrong in it.
        long: whether the cases of a long golden file without labels may be left in it.
    """
    safety = suite.get("kind") == "safety"
    open_ = suite.get("kind") == "golden" and not suite.get("sealed")
    if long and open_ and not (folder / LABELS).exists() and is_long(folder / CASES):
        from relgate.files.long.case_scan import scanned  # numpy, which a worker of xdist must not wait for

        found = scanned(folder / CASES, set(_named_tags(suite)))
        if found is not None:
            cases, tags = found
            reader = CaseReader()
            regressions = _regressions(reader, folder, safety=safety)
            if not reader.problems and not any(case.id in cases.ids for case in regressions):
                reader.tags, reader.sure_of_expected = tags, not cases.table.expects
                table = cases.table
                clustered = table.clusters is not None
                return CaseFiles(reader, cases, regressions, table.digest, table.expects, clustered)
    reader = CaseReader()
    read = reader.read(folder / CASES, regression=False, safety=safety)
    return CaseFiles(
        reader,
        read,
        _regressions(reader, folder, safety=safety),
        digest="",
        expects=any(case.expected is not None for case in read),
        clustered=any(case.cluster is not None for case in read),
    )


def _regressions(reader: CaseReader, folder: Path, *, safety: bool) -> tuple[Case, ...]:
    file = folder / REGRESSIONS
    return reader.read(file, regression=True, safety=safety) if file.exists() else ()


def _named_tags(suite: Mapping[str, Any]) -> Iterator[str]:
    """Tags that slices and gates name, as far as they can be read."""
    slices, gates = suite.get("slices"), suite.get("gates")
    yield from (tag for tag in (slices if isinstance(slices, list) else ()) if isinstance(tag, str))
    for gate in gates if isinstance(gates, list) else ():
        if isinstance(gate, Mapping):
            only = gate.get("only")
            yield from (tag for tag in (only if isinstance(only, Mapping) else ()) if isinstance(tag, str))
            if isinstance(gate.get("by"), str):
                yield gate["by"]
