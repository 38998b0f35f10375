"""What else is wrong in suites that can be read when something else cannot: no error waits for another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.domain.errors import InputError, Problem
from relgate.domain.release import ApplicationSpec, Release
from relgate.files import load_suite
from relgate.usecases.plan_suite import plan_suite

NEED_A_RELEASE = frozenset({"recorded", "tool_call"})
"""Scorers that cannot be made without the release's recording or tool schemas."""


def suite_problems(
    paths: Iterable[Path],
    *,
    golden_sets: Path,
    catalog: Catalog,
    release: Release | None,
    rows: Rows | None = None,
) -> list[Problem]:
    """Problems of scorers and gates in every suite whose grammar is sound.

    Without a release, scorers that need one are passed over, and so are the gates on them.
    """
    problems: list[Problem] = []
    for path in paths:
        try:
            suite = load_suite(path, golden_sets=golden_sets, known_scorers=catalog.scorer_names)
        except InputError:
            continue  # its own problems are known already
        subject = release
        if subject is None:
            subject = Release("", "", "", "", path, ApplicationSpec("python", ""))
            left = tuple(spec for spec in suite.scorers if spec.name not in NEED_A_RELEASE)
            if len(left) < len(suite.scorers):
                suite = replace(suite, scorers=left, gates=())
        if suite.kind == "fallback" and suite.route not in subject.routes:
            continue
        try:
            plan_suite(suite, catalog, {"candidate": subject}, {"candidate": rows}, first=False)
        except InputError as error:
            problems += error.problems
    return problems
