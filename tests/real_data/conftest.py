"""A project of recorded outputs in a temporary folder, judged by a real pytest run of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

MANIFEST = """\
manifest: 1
release: {release}
version: {version}
owner: eval-team
application: {{recording: {recording}}}
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run left: its exit status, what it printed and the scorecard, None where it wrote none."""

    status: int
    output: str
    scorecard: dict[str, Any]
    raw: str

    @property
    def verdict(self) -> dict[str, Any]:
        return dict(self.scorecard["verdict"])

    def gate(self, name: str, suite: str = "recorded") -> dict[str, Any]:
        wanted = f"gates::{suite}[{name}]"
        return dict(next(gate for gate in self.scorecard["gates"] if gate["id"] == wanted))

    def accuracy(self, metric: str, slice_: str = "") -> tuple[float, float]:
        """Candidate and baseline as the scorecard shows them."""
        rows = [row for suite in self.scorecard["suites"] for row in suite["metrics"]]
        row = next(row for row in rows if row["metric"] == metric and row["slice"] == slice_)
        return row["candidate"], row["baseline"]


@dataclass(slots=True)
class Project:
    """A folder with one suite, recordings and their manifests."""

    folder: Path
    releases: list[str] = field(default_factory=list)

    def suite(self, text: str, cases: Iterable[Mapping[str, Any]]) -> None:
        folder = self.folder / "golden_sets" / "recorded"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "suite.yaml").write_text(text, encoding="utf-8")
        write_lines(folder / "cases.jsonl", cases)

    def release(self, name: str, version: str, rows: Iterable[Mapping[str, Any]]) -> None:
        write_lines(self.folder / f"{name}.jsonl", rows)
        text = MANIFEST.format(release="recorded-system", version=version, recording=f"{name}.jsonl")
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def run(self, *options: str, registry: str = "registry.db", baseline: bool = True) -> Finished:
        command = [sys.executable, "-m", "pytest", "--manifest", "cand.yaml", "-p", "no:cacheprovider", "-q"]
        if baseline:
            command += ["--baseline", "./base.yaml"]
        command += ["--registry", f"sqlite:///{self.folder / registry}", *options]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RELGATE_", "PYTEST_", "GITHUB_"))}
        done = subprocess.run(
            command, cwd=self.folder, env=kept, capture_output=True, text=True, timeout=120, check=False
        )
        found = sorted(self.folder.glob("reports/*/scorecard.json"))
        raw = found[0].read_text(encoding="utf-8") if found else ""
        return Finished(done.returncode, done.stdout + done.stderr, json.loads(raw) if raw else {}, raw)


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project in a temporary folder: no pyproject, no conftest."""
    return Project(tmp_path)


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same, for the tests of one module that look at one run."""
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def project_in() -> Callable[[Path], Project]:
    """An empty project in a folder of one's choice."""
    return Project


@pytest.fixture(scope="session")
def cases_of(shared_data: Path) -> Callable[..., list[dict[str, Any]]]:
    """The cases of a set as relgate reads them: the reference becomes what is expected."""

    def cases(name: str, *, tags: Sequence[str] = ()) -> list[dict[str, Any]]:
        rows = []
        for row in read_lines(shared_data / name / "cases.jsonl"):
            case: dict[str, Any] = {"id": row["id"]}
            if row.get("input") is not None:
                case["input"] = row["input"]
            if "reference" in row:
                case["expected"] = row["reference"]
            if row.get("cluster") is not None:
                case["cluster"] = row["cluster"]
            if tags:
                case["tags"] = {tag: row["tags"][tag] for tag in tags}
            rows.append(case)
        return rows

    return cases


@pytest.fixture(scope="session")
def outputs_of(shared_data: Path) -> Callable[..., list[dict[str, Any]]]:
    """The rows of one system of a set."""

    def outputs(name: str, system: str, **where: object) -> list[dict[str, Any]]:
        wanted = {"system": system, **where}
        found = [
            row
            for row in read_lines(shared_data / name / "outputs.jsonl")
            if all(row[key] == value for key, value in wanted.items())
        ]
        assert found, f"{name} holds no {wanted}"
        return found

    return outputs
