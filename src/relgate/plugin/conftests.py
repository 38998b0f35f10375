"""The conftest.py files of the golden sets, loaded before the suites that use their scorers are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relgate.catalog import Catalog
from relgate.domain.errors import InputError, Problem
from relgate.usecases.check_project import check_project
from relgate.usecases.conftests import golden_set_conftests, unread_conftest
from relgate.usecases.options import RunOptions


def load_golden_set_conftests(config: pytest.Config, golden_sets: Path) -> list[Problem]:
    """Load them as pytest would while it collects, which is too late for what they register.

    Returns:
        A problem for each that cannot be imported.
    """
    manager: Any = config.pluginmanager  # pytest has no public way to load a conftest.py
    problems: list[Problem] = []
    if config.getoption("noconftest"):
        return problems
    for path in golden_set_conftests(golden_sets.resolve()):
        try:
            manager._importconftest(
                path,
                config.getoption("importmode"),
                config.rootpath,
                consider_namespace_packages=config.getini("consider_namespace_packages"),
            )
        except (Exception, SystemExit) as error:  # a project's own code may raise anything
            problems.append(unread_conftest(path, getattr(error, "cause", error)))
    return problems


def every_problem(options: RunOptions, unread: list[Problem]) -> InputError:
    """What ``relgate validate`` would say of a project some of whose conftest.py cannot be imported."""
    try:
        check_project(
            options.manifest,
            golden_sets=options.golden_sets,
            environment=options.environment,
            catalog=Catalog.load([]),
            problems=unread,
        )
    except InputError as error:
        return error
    raise AssertionError(f"problems were lost: {unread}")
