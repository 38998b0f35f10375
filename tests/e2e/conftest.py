"""The demo as a user has it: a copied project, pytest and ``relgate`` as subprocesses.

A run is made when a test first looks at it; with ``--dist loadfile`` no other worker makes it again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MANIFESTS = "golden_sets/support_desk/manifests"
TIMEOUT = 600


@dataclass(frozen=True)
class Done:
    """A finished subprocess and, after a run, its scorecard."""

    exit_code: int
    output: str
    folder: Path

    @property
    def card(self) -> dict[str, Any]:
        """The only scorecard in the report folder."""
        (path,) = self.folder.glob("*/scorecard.json")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what the outer pytest or CI put into it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "RELGATE_", "GITHUB_", "COV_")) and name != "PYTHONPATH"
    }
    return {**kept, **more}


def call(folder: Path, *command: str, reports: str = "reports", **environment: str) -> Done:
    """Run a command in a folder."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    return Done(done.returncode, done.stdout, folder / reports)


def judge(
    folder: Path, manifest: str, *options: str, python: str = sys.executable, **environment: str
) -> Done:
    """``pytest --manifest``, with reports and registry of its own per manifest name."""
    return call(
        folder,
        *(python, "-m", "pytest", "--manifest", manifest, "-p", "no:cacheprovider", "-q", *options),
        **environment,
    )


def judge_apart(folder: Path, manifest: str, name: str) -> Done:
    """A run with a registry and reports of its own, so that runs in one project do not meet."""
    own = ("--registry", f"{name}.db", "--report-dir", f"reports-{name}")
    done = judge(folder, manifest, *own, *(("--full",) if name in WHOLE else ()))
    return Done(done.exit_code, done.output, folder / f"reports-{name}")


def relgate(folder: Path, *arguments: str) -> Done:
    """The ``relgate`` command."""
    return call(folder, sys.executable, "-m", "relgate", *arguments)


def copy_demo(folder: Path) -> Path:
    """The demo project: manifests, golden sets and artifacts, nothing else of the repository."""
    for part in ("golden_sets", "src/relgate/demo/artifacts"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "candidate.yaml", folder / "candidate.yaml")
    return folder


@pytest.fixture(scope="session")
def shell(bytecode: None) -> SimpleNamespace:
    """The helpers above, for tests in other modules: tests are no package."""
    return SimpleNamespace(
        root=ROOT, manifests=MANIFESTS, call=call, judge=judge, relgate=relgate, copy_demo=copy_demo
    )


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the demo for every run that keeps registry and reports to itself."""
    folder = copy_demo(tmp_path_factory.mktemp("desk"))
    for name in ("bad_policy", "bad_fallback"):
        source = (folder / MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")
        head, version = source.split('version: "', 1)
        other = f'{head}version: "9.9.9{version[version.index(chr(34)) :]}'
        (folder / MANIFESTS / f"spring_{name[4:]}.yaml").write_text(other, encoding="utf-8")
    return folder


WHOLE = ("full", "again")
"""Runs that make every call, so that two of them are alike."""

RUNS = {
    "candidate": "candidate.yaml",
    "full": "candidate.yaml",
    "again": "candidate.yaml",
    **{
        name: f"{MANIFESTS}/{name}.yaml"
        for name in (
            *("bad_prompt", "bad_index", "bad_policy", "bad_fallback"),
            *("spring_policy", "spring_fallback"),
        )
    },
}


def _next(folder: Path, name: str, version: str, *, keep_baseline: bool = True, router: str = "4") -> str:
    """Write a manifest that differs from the candidate in version and, if asked, in the router's version."""
    text = (folder / "candidate.yaml").read_text(encoding="utf-8").replace('"1.3.0"', f'"{version}"')
    text = text.replace('evidence: {version: "4"', f'evidence: {{version: "{router}"')
    if not keep_baseline:
        text = re.sub(r"(?m)^baseline:.*\n", "", text)
    (folder / name).write_text(text, encoding="utf-8")
    return name


def _missed(junit: Path) -> str:
    for case in ET.parse(junit).iter("testcase"):
        found = {p.get("name"): p.get("value") for p in case.iter("property")}
        if found.get("relgate.outcome") == "miss" and "support_desk.golden" in case.attrib["classname"]:
            return case.attrib["name"]
    raise AssertionError("no case was missed")


def _card(folder: Path, version: str) -> Any:
    return json.loads((folder / f"reports/support-desk-{version}/scorecard.json").read_text(encoding="utf-8"))


def tell_life(folder: Path) -> SimpleNamespace:
    """One project over several runs; each test of the story looks at one part of it."""
    told = SimpleNamespace(folder=folder)
    told.first = judge(folder, "candidate.yaml", "--junitxml=gate.xml")
    told.first_card = _card(folder, "1.3.0")
    told.again = judge(folder, "candidate.yaml")
    told.missed = _missed(folder / "gate.xml")
    told.incident = relgate(
        folder,
        *("incident", "add", "--run", told.first_card["run"]["id"], "--case", told.missed),
        *("--suite", "support-golden", "--expected", "write to jo.doe@customer-mail.net"),
    )
    told.second = judge(folder, _next(folder, "second.yaml", "1.3.9", router="5"))
    told.second_card = _card(folder, "1.3.9")
    told.refused = relgate(folder, "promote", "support-desk@1.3.9")
    told.promoted = relgate(folder, "promote", "support-desk@1.3.0")
    told.status = relgate(folder, "status")
    told.waived = relgate(folder, "promote", "support-desk@1.3.9", "--waive", "hotfix, agreed with Ann")
    told.third = judge(folder, _next(folder, "third.yaml", "1.4.0", keep_baseline=False))
    told.third_card = _card(folder, "1.4.0")
    return told


@pytest.fixture(scope="session")
def life(bytecode: None, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The story that ``tell_life`` tells."""
    return tell_life(copy_demo(tmp_path_factory.mktemp("life")))


@pytest.fixture(scope="session")
def run_of(bytecode: None, desk: Path) -> Callable[[str], Done]:
    """The run of a name in ``RUNS``, made when a test first looks at it."""
    return cache(lambda name: judge_apart(desk, RUNS[name], name))
