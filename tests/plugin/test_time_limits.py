"""A time limit of pytest-timeout on the whole session: exit status 1, no verdict, the answers are kept.

That its limit on one test never touches a case is in ``test_beside_other_plugins.py``. Under xdist only the
workers watch the session's limit, and cases run in none of them: ``--budget-seconds`` is relgate's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider


def test_a_session_that_takes_too_long_ends_without_a_verdict(
    python_app: Project, provider: Provider
) -> None:
    pytest.importorskip("pytest_timeout", reason="pytest-timeout is not installed")
    provider.seconds = 0.5
    result = python_app.spawn("-p", "no:xdist", "--session-timeout=1.2", "--concurrency=1")
    shown = python_app.text(result)
    assert result.ret == 1, shown
    assert "session-timeout: 1.2 sec exceeded" in shown
    assert "no verdict" in shown
    assert python_app.decisions == []
    asked = provider.calls
    assert 1 <= asked < 8
    provider.seconds = 0.0
    assert python_app.run().ret == 0
    assert python_app.decisions == ["promote"]
    assert provider.calls < asked + 8, "what was answered is not asked again"
