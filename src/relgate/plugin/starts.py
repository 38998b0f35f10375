"""Whether anybody needs to hear that a case starts and ends, right after another one of its file."""

from __future__ import annotations

import pytest

_LOGGING = "_pytest.logging"
_STARTS = frozenset({"_pytest.terminal", _LOGGING})
_REPORTS = frozenset(
    {
        "_pytest.cacheprovider",
        "_pytest.junitxml",
        "_pytest.main",
        "_pytest.stepwise",
        "_pytest.terminal",
        "relgate.plugin.session",
        _LOGGING,
    }
)
"""Modules that write nothing to the terminal between two letters of a file."""


def starts_are_read(config: pytest.Config) -> bool:
    """Whether something but the terminal's letters or the log's records hears it.

    The terminal names the file once, unless it writes a line for each test or another plugin wrote into the
    letters; the log notes in whose time a record falls where it is shown live.
    """
    hook = config.hook
    starts, ends, reports = (
        {one.function.__module__ for one in hooks.get_hookimpls()}
        for hooks in (
            hook.pytest_runtest_logstart,
            hook.pytest_runtest_logfinish,
            hook.pytest_runtest_logreport,
        )
    )
    if not (starts <= _STARTS and ends <= {_LOGGING} and reports <= _REPORTS):
        return True
    logs = _LOGGING in starts and (config.getoption("log_cli_level") is not None or config.getini("log_cli"))
    return bool(logs) or config.get_verbosity(pytest.Config.VERBOSITY_TEST_CASES) > 0
