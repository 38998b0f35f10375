"""What the user wrote wrong, as a list that can be read in one go."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from relgate.domain.errors import Problem
from relgate.files.paths import resolved
from relgate.files.reading import shown
from relgate.usecases.check_project import nearest_golden_sets
from relgate.usecases.options import RunOptions


def usage_text(problems: Sequence[Problem], options: RunOptions) -> str:
    """A heading where there are several problems, one line each, and the command that checks again."""
    lines = [str(problem) for problem in problems]
    files = len({problem.place.path for problem in problems})
    if len(lines) > 1:
        lines.insert(0, f"{len(lines)} problems in {files} {'file' if files == 1 else 'files'}")
    if any(problem.place.line for problem in problems):
        lines.append(f"to check again without a call: {_validate(options)}")
    return "\n".join(lines)


def _validate(options: RunOptions) -> str:
    words = ["relgate", "validate", options.manifest_given]
    if not _same(nearest_golden_sets(options.manifest), options.golden_sets):
        words += ["--golden-sets", shown(options.golden_sets)]
    return shlex.join(words)


def _same(one: Path, other: Path) -> bool:
    return resolved(one) == resolved(other)
