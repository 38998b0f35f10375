"""Under any ``-n`` and ``--dist`` the controller asks every case exactly once; workers run ordinary tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

ORDINARY = """
import os, pytest

@pytest.mark.parametrize("n", range(4))
def test_worker(n):
    with open("workers.txt", "a") as file:
        file.write(os.environ.get("PYTEST_XDIST_WORKER", "none") + "\\n")
"""


def workers(project: Project) -> list[str]:
    return (project.path / "workers.txt").read_text().split()


@pytest.mark.parametrize("dist", ["load", "loadscope", "worksteal", "loadgroup"])
def test_every_case_is_asked_once(python_app: Project, provider: Provider, dist: str) -> None:
    python_app.write("test_ordinary.py", ORDINARY)
    result = python_app.spawn("-n", "2", f"--dist={dist}", "golden_sets", "test_ordinary.py")
    assert result.ret == 0
    assert provider.calls == 8
    assert set(provider.asked.values()) == {1}
    assert python_app.decisions == ["promote"]
    assert len(workers(python_app)) == 4
    assert set(workers(python_app)) <= {"gw0", "gw1"}
    assert "8 hit, 1 gate passed" in result.stdout.str().replace("4 passed, ", "")


@pytest.mark.parametrize("number", [(), ("-n", "0")], ids=["alone", "n0"])
def test_a_way_of_distribution_without_workers_collects_every_case_once(
    python_app: Project, provider: Provider, number: tuple[str, ...]
) -> None:
    python_app.write("test_ordinary.py", ORDINARY)
    result = python_app.spawn("--dist=loadfile", *number, "golden_sets", "test_ordinary.py")
    assert result.ret == 0
    assert provider.calls == 8
    assert len(workers(python_app)) == 4
    assert "8 hit, 1 gate passed" in result.stdout.str().replace("4 passed, ", "")


def test_dist_each_asks_every_case_once_too(python_app: Project, provider: Provider) -> None:
    python_app.write("test_ordinary.py", ORDINARY)
    result = python_app.spawn("--dist=each", "--tx", "2*popen", "golden_sets", "test_ordinary.py")
    assert result.ret == 0
    assert provider.calls == 8
    assert len(workers(python_app)) == 8, "each worker runs each ordinary test"


@pytest.mark.parametrize("flags", [("-n", "0"), ("-n", "1"), ("-n", "2")])
def test_cases_alone(python_app: Project, provider: Provider, flags: tuple[str, ...]) -> None:
    result = python_app.spawn(*flags)
    assert result.ret == 0
    assert provider.calls == 8
    assert python_app.decisions == ["promote"]


def test_mixed_in_one_folder(python_app: Project, provider: Provider) -> None:
    python_app.write("golden_sets/test_beside.py", ORDINARY)
    result = python_app.spawn("-n", "2", ".")
    assert result.ret == 0
    assert provider.calls == 8
    assert len(workers(python_app)) == 4


def test_mixed_node_ids(python_app: Project, provider: Provider) -> None:
    python_app.write("test_ordinary.py", ORDINARY)
    nodes = ["golden_sets/small/cases.jsonl::c2", "test_ordinary.py::test_worker[1]"]
    result = python_app.spawn("-n", "2", *nodes)
    assert result.ret == 10
    assert provider.calls == 1
    assert len(workers(python_app)) == 1


def test_a_killed_worker_hurts_no_case(python_app: Project, provider: Provider) -> None:
    python_app.write("test_ordinary.py", "import os\ndef test_dies(): os.kill(os.getpid(), 9)\n")
    result = python_app.spawn("-n", "2", "golden_sets", "test_ordinary.py")
    assert result.ret == 1
    assert "crashed" in result.stdout.str()
    assert provider.calls == 8
    assert python_app.decisions == ["promote"]


def test_workers_import_nothing_that_measures(python_app: Project, provider: Provider) -> None:
    python_app.write(
        "test_ordinary.py",
        "import sys\ndef test_light():\n"
        "    assert not {'numpy', 'sqlalchemy', 'relgate.plugin.session'} & set(sys.modules)\n",
    )
    result = python_app.spawn("-n", "1", "golden_sets", "test_ordinary.py")
    assert result.ret == 0
    assert "1 passed" in result.stdout.str()
