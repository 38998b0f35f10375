"""The wheel works without the source tree: `relgate init --demo`, then the main job."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import venv
import zipfile
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def installed(shell, tmp_path_factory):
    """A virtual environment with the wheel; its dependencies are those of this interpreter."""
    place = tmp_path_factory.mktemp("wheel")
    offline = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    command = ("-m", "pip", "wheel", "-q", "--no-deps", *offline, "-w", str(place), str(shell.root))
    built = shell.call(place, sys.executable, *command, PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert built.exit_code == 0, built.output
    (wheel,) = place.glob("relgate-*.whl")
    home = place / "venv"
    venv.create(home, with_pip=False)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = shell.call(place, str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    packages = where.output.strip()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # Paths that a .pth file names are not searched for .pth files: an editable relgate stays out of sight.
    others = "\n".join([*site.getsitepackages(), site.getusersitepackages()])
    with open(os.path.join(packages, "zz_dependencies.pth"), "w", encoding="utf-8") as file:
        file.write(others + "\n")
    return SimpleNamespace(python=str(python), packages=packages, wheel=wheel)


def test_the_wheel_is_imported_from_its_own_place(installed, shell, tmp_path):
    done = shell.call(tmp_path, installed.python, "-c", "import relgate; print(relgate.__file__)")
    assert done.output.startswith(installed.packages)


def test_the_wheel_holds_no_tests_and_no_reports(installed):
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
    assert [n for n in names if n.split("/")[0] not in ("relgate", names[-1].split("/")[0])] == []
    assert [n for n in names if "__pycache__" in n or n.startswith("tests/")] == []


def test_init_demo_and_the_main_job_need_nothing_but_the_wheel(installed, shell, tmp_path):
    made = shell.call(tmp_path, installed.python, "-m", "relgate", "init", "--demo")
    assert made.exit_code == 0, made.output
    valid = shell.call(tmp_path, installed.python, "-m", "relgate", "validate", "candidate.yaml")
    assert valid.exit_code == 0, valid.output
    done = shell.judge(tmp_path, "candidate.yaml", python=installed.python)
    assert done.exit_code == 0, done.output
    assert done.card["verdict"]["decision"] == "promote"
