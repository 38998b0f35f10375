"""Whether a case needs the report of a teardown that it does not have."""

from __future__ import annotations

import pytest

_PASS_IT_OVER = frozenset(
    {
        "_pytest.cacheprovider",
        "_pytest.logging",
        "_pytest.main",
        "_pytest.runner",
        "_pytest.skipping",
        "_pytest.stepwise",
        "_pytest.subtests",
        "_pytest.terminal",
        "relgate.plugin.session",
    }
)
"""Modules whose hooks do nothing with a teardown that passed."""


def teardown_is_read(config: pytest.Config) -> bool:
    """Whether anybody waits for the teardown of a case that passed: JUnit, ``--durations``, another plugin.

    It would be a quarter of what pytest does for a case, and half of what its terminal remembers of it.
    """
    hooks = (config.hook.pytest_runtest_logreport, config.hook.pytest_report_teststatus)
    readers = {one.function.__module__ for hook in hooks for one in hook.get_hookimpls()}
    return not readers <= _PASS_IT_OVER or config.getoption("durations", None) is not None
