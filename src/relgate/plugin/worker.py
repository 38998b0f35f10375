"""What an xdist worker does in a run with a manifest: it leaves the suites to the controller."""

from __future__ import annotations

from pathlib import Path

import pytest


class WorkerSession:
    """Drops suite arguments, so that workers run ordinary tests only."""

    def __init__(self, golden_sets: Path) -> None:
        self._golden_sets = golden_sets.resolve()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Keep only the arguments that lie outside the golden sets."""
        config = session.config
        config.args[:] = [arg for arg in config.args if not in_folder(config, arg, self._golden_sets)]


def in_folder(config: pytest.Config, arg: str, folder: Path) -> bool:
    """Whether a command-line argument names something in this folder, or the folder itself."""
    path = config.invocation_params.dir / arg.split("::", 1)[0]
    resolved = path.resolve()
    return resolved == folder or folder in resolved.parents
