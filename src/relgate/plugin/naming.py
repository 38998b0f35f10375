"""Which cases of a long file a session speaks of one by one, so that they need an item of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relgate.files.paths import resolved
from relgate.plugin.lastfailed import last_failed


def names_one_by_one(config: pytest.Config, file: pytest.File) -> Callable[[str], bool] | None:
    """Whether a case, by its id, is named: by a node id, ``--deselect``, ``--lf`` or ``--ff``.

    None where nothing is named. ``-k`` and ``-m`` look at each item, so they name every case.
    """
    option: Any = config.option
    if getattr(option, "keyword", "") or getattr(option, "markexpr", ""):
        return lambda case_id: True
    begin = f"{file.nodeid}::"
    exact = {name for path, name in _node_ids(config) if path == resolved(file.path)}
    if getattr(option, "lf", False) or getattr(option, "failedfirst", False):
        exact |= {node_id.removeprefix(begin) for node_id in last_failed(config) if node_id.startswith(begin)}
    deselected = tuple(getattr(option, "deselect", None) or ())
    if not exact and not deselected:
        return None
    return lambda case_id: case_id in exact or f"{begin}{case_id}".startswith(deselected)


def _node_ids(config: pytest.Config) -> list[tuple[Path, str]]:
    """The file and the name of every argument that names something in a file."""
    parts = [arg.split("::", 1) for arg in config.args if "::" in arg]
    return [(resolved(config.invocation_params.dir / path), name) for path, name in parts]
