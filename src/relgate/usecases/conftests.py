"""The project's conftest.py modules: read for commands without pytest, and explained where they fail."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from relgate.domain.errors import Place, Problem
from relgate.files import find_suites
from relgate.files.paths import is_file, resolved
from relgate.files.reading import shown
from relgate.redaction import mask
from relgate.usecases.check_project import nearest_golden_sets

CONFTEST = "conftest.py"


def golden_set_conftests(golden_sets: Path) -> Iterator[Path]:
    """The conftest.py files that pytest reads in a golden-set folder: its own, then those of its suites."""
    folders = dict.fromkeys([golden_sets, *(path.parent for path in find_suites(golden_sets))])
    return (folder / CONFTEST for folder in folders if is_file(folder / CONFTEST))


def load_conftests(manifest: Path, golden_sets: Path | None = None) -> tuple[list[ModuleType], list[Problem]]:
    """Import the conftest.py files of the current folder, the manifest's folder and the golden sets.

    Args:
        manifest: the manifest's path.
        golden_sets: the golden-set folder; by default the nearest to the manifest.

    Returns:
        The modules, and a problem for each file that cannot be imported.
    """
    folder = resolved(manifest).parent
    golden_sets = resolved(golden_sets or nearest_golden_sets(manifest))
    above = [place / CONFTEST for place in (Path.cwd(), folder) if is_file(place / CONFTEST)]
    modules: list[ModuleType] = []
    unread: list[Problem] = []
    for number, path in enumerate(dict.fromkeys([*above, *golden_set_conftests(golden_sets)])):
        spec = importlib.util.spec_from_file_location(f"relgate_conftest_{number}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        _let_import_neighbours(path)
        try:
            spec.loader.exec_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a project's own code may raise anything, pytest's Skipped as well
            unread.append(unread_conftest(path, error))
            continue
        if any(name.startswith("relgate_register_") for name in vars(module)):
            modules.append(module)
    return modules, unread


def unread_conftest(path: Path, error: BaseException) -> Problem:
    """What a conftest.py that cannot be imported is reported as, at the line of it that failed."""
    line = column = 0
    said = str(error)
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == path:
        line, column, said = error.lineno or 0, error.offset or 1, error.msg
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
        line = (frames[-1].lineno or 0) if frames else 0
    said = " ".join(said.split())
    kind = type(error).__name__
    return Problem(
        Place(shown(path), line, column),
        "cannot be imported",
        mask(f"{kind}: {said}" if said else kind),
        "without it the scorers that it registers cannot be checked",
    )


def _let_import_neighbours(path: Path) -> None:
    """Put the folder on the path that pytest would, so that the same imports work with and without it."""
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
