"""An application that leaks is named by Python's own warnings; its verdict stands, and nothing of ours leaks.

``test_nothing_leaks`` in ``test_beside_other_plugins.py`` runs one that does not leak under the same flags.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

LEAKS = """
async def never():
    pass

def leak(number):
    if number == 1:
        open(__file__)
    if number == 2:
        never()

def build(release):
    ask = build_quietly(release)

    def application(request):
        leak(int(request.case_id[1:]))
        return ask(request)

    return application
"""


@pytest.mark.parametrize(
    ("flags", "status"), [(("-X", "dev", "-W", "error"), 1), (("-W", "default"), 0)], ids=["strict", "lax"]
)
def test_the_verdict_of_a_leaking_application_is_recorded(
    python_app: Project, provider: Provider, flags: tuple[str, ...], status: int
) -> None:
    application = python_app.application.replace("def build", "def build_quietly")
    python_app.write("desk_app.py", application + LEAKS)
    command = [sys.executable, *flags, "-m", "pytest", "-p", "no:replay", "-p", "no:hypothesispytest"]
    found = subprocess.run(
        [*command, "--manifest=candidate.yaml"],
        cwd=python_app.path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    shown = found.stdout + found.stderr
    assert found.returncode == status, shown
    assert provider.calls == 8
    assert python_app.rows("verdicts", "decision, exit_status") == [("promote", 0)]
    assert "PROMOTE  desk@1.1.0" in shown
    assert "desk_app.py' mode='r'" in shown
    assert "coroutine 'never' was never awaited" in shown
    assert shown.count("ResourceWarning: unclosed") == 1
