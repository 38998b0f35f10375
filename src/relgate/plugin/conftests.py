"""The conftest.py files of the golden sets, loaded before the suites that use their scorers are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relgate.domain.errors import Problem
from relgate.files.paths import resolved
from relgate.usecases.conftests import golden_set_conftests, unread_conftest


def load_golden_set_conftests(config: pytest.Config, golden_sets: Path) -> list[Problem]:
    """Load them as pytest would while it collects, which is too late for what they register.

    Returns:
        A problem for each that cannot be imported.
    """
    manager: Any = config.pluginmanager  # pytest has no public way to load a conftest.py
    problems: list[Problem] = []
    if config.getoption("noconftest"):
        return problems
    for path in golden_set_conftests(resolved(golden_sets)):
        try:
            manager._importconftest(
                path,
                config.getoption("importmode"),
                config.rootpath,
                consider_namespace_packages=config.getini("consider_namespace_packages"),
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a project's own code may raise anything, pytest's Skipped as well
            problems.append(unread_conftest(path, getattr(error, "cause", error)))
    return problems
