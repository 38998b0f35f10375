"""The project's conftest.py modules, for commands that run without pytest."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from relgate.domain.errors import Place, Problem
from relgate.files.reading import shown
from relgate.redaction import mask


def load_conftests(manifest: Path) -> tuple[list[ModuleType], list[Problem]]:
    """Import the conftest.py files of the current folder, the manifest's folder and its golden sets.

    Returns:
        The modules, and a problem for each file that cannot be imported.
    """
    folder = manifest.resolve().parent
    places = dict.fromkeys([Path.cwd(), folder, Path.cwd() / "golden_sets", folder / "golden_sets"])
    modules: list[ModuleType] = []
    unread: list[Problem] = []
    for number, place in enumerate(places):
        path = place / "conftest.py"
        if not path.is_file():
            continue
        spec = importlib.util.spec_from_file_location(f"relgate_conftest_{number}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # a project's own code may raise anything
            what = mask(f"cannot be imported ({type(error).__name__}: {error})")
            unread.append(Problem(Place(shown(path)), what, remedy="its scorers cannot be checked"))
            continue
        if any(name.startswith("relgate_register_") for name in vars(module)):
            modules.append(module)
    return modules, unread
