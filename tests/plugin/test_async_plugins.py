"""pytest-asyncio in auto mode and anyio run their loops beside an application that is asynchronous itself.

This is the run with ``--dist=loadfile``; the other ways of distribution are in ``test_xdist.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Crowd, Project

APPLICATION = """
import asyncio

def build(release):
    async def application(request):
        await asyncio.sleep(0.01)
        with open("asked.txt", "a") as file:
            file.write(request.case_id + "\\n")
        return "answer " + request.case_id[1:]

    return application
"""
CONFTEST = """
import asyncio
import pytest_asyncio

@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def connection():
    await asyncio.sleep(0)
    yield asyncio.get_running_loop()
    await asyncio.sleep(0)

@pytest_asyncio.fixture(autouse=True)
async def every_test():
    await asyncio.sleep(0)
    yield
"""
ORDINARY = """
import asyncio
import anyio
import pytest

async def test_automatic():
    await asyncio.sleep(0.01)

@pytest.mark.asyncio(loop_scope="session")
async def test_of_the_session(connection):
    assert connection is asyncio.get_running_loop()

@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio(anyio_backend_name):
    await anyio.sleep(0.01)
    assert anyio_backend_name == "asyncio"

def test_plain():
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
"""


@pytest.mark.parametrize("mode", [(), ("-n", "2", "--dist=loadfile")], ids=["serial", "n2"])
def test_loops_do_not_meet(python_app: Project, crowd: Crowd, mode: tuple[str, ...]) -> None:
    python_app.write("desk_app.py", APPLICATION)
    python_app.write("conftest.py", CONFTEST)
    for name in ("test_before.py", "test_after.py"):
        python_app.write(name, ORDINARY)
    nodes = [f"golden_sets/small/cases.jsonl::c{n}" for n in range(8)]
    result = crowd.run(
        python_app,
        *mode,
        *("-o", "asyncio_mode=auto"),
        *("test_before.py", *nodes[:3], "test_after.py", *nodes[3:]),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert python_app.decisions == ["promote"]
    assert sorted((python_app.path / "asked.txt").read_text().split()) == [f"c{n}" for n in range(8)]
    assert "8 passed" in result.stdout.replace("8 hit, ", "").splitlines()[-1]
