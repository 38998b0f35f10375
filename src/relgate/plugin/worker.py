"""What an xdist worker does in a run with a manifest: it leaves the cases to the controller."""

from __future__ import annotations

from pathlib import Path

import pytest

CASE_FILES = {"cases.jsonl": False, "regressions.jsonl": True}
"""Files that hold cases -> whether they are regression cases."""


class WorkerSession:
    """Drops arguments that name cases; folders of suites stay, for ordinary tests may lie in them."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Keep the arguments that may hold ordinary tests."""
        session.config.args[:] = [arg for arg in session.config.args if not names_cases(arg)]


def names_cases(arg: str) -> bool:
    """Whether a command-line argument names a file of cases, or cases in it."""
    return Path(arg.split("::", 1)[0]).name in CASE_FILES


def may_hold_cases(config: pytest.Config, arg: str, folder: Path) -> bool:
    """Whether an argument lies in the golden sets or is a folder around them."""
    path = (config.invocation_params.dir / arg.split("::", 1)[0]).resolve()
    return path == folder or folder in path.parents or path in folder.parents
