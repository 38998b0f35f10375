"""Small projects in a temporary folder, run through the use case that pytest's shell drives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from relgate.domain.scorecard import Scorecard
from relgate.store import Registry, open_registry
from relgate.usecases.options import RunOptions
from relgate.usecases.report import Report
from relgate.usecases.run_release import ReleaseRun


class Project:
    """A folder with manifests, suites and recordings; ``run`` judges a manifest without pytest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self.opened: list[ReleaseRun] = []
        self.on_path: Callable[[str], None] | None = None

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def rows(self, name: str, rows: Sequence[dict[str, Any]]) -> Path:
        return self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def suite(self, cases: Sequence[dict[str, Any]], *, folder: str = "mine", **keys: Any) -> None:
        """A suite with these cases; golden with the scorer ``contains`` unless said otherwise."""
        settings = {"suite": folder, "kind": "golden", "scorers": ["contains"]} | keys
        self.write(f"golden_sets/{folder}/suite.yaml", yaml.safe_dump(settings, sort_keys=False))
        self.rows(f"golden_sets/{folder}/cases.jsonl", cases)

    def cases(self, number: int) -> list[dict[str, Any]]:
        """Cases c0, c1, … that expect a yes."""
        return [{"id": f"c{n}", "input": f"q{n}", "expected": "yes"} for n in range(number)]

    def manifest(self, name: str = "candidate.yaml", version: str = "2.0.0", **keys: Any) -> Path:
        settings = {"manifest": 1, "release": "desk", "version": version, "owner": "me"} | keys
        return self.write(name, yaml.safe_dump(settings, sort_keys=False))

    def recording(self, name: str, answers: dict[str, Any]) -> dict[str, str]:
        """A recording of ``{case: output or row}``; gives what stands below ``application:``."""
        rows = [
            {"case_id": case} | (answer if isinstance(answer, dict) else {"output": answer})
            for case, answer in answers.items()
        ]
        self.rows(name, rows)
        return {"recording": name}

    def module(self, name: str, text: str) -> dict[str, str]:
        """A Python application's module; its name must be unique among all tests."""
        self.write(f"code/{name}.py", text)
        assert self.on_path is not None
        self.on_path(str(self.folder / "code"))
        return {"python": f"{name}:build"}

    def options(self, manifest: str = "candidate.yaml", **more: Any) -> RunOptions:
        options = RunOptions(
            manifest=self.folder / manifest,
            manifest_given=manifest,
            golden_sets=self.folder / "golden_sets",
            rootdir=self.folder,
            folder=self.folder,
            environment=self.environment,
        )
        return replace(options, **more)

    def open(
        self, manifest: str = "candidate.yaml", plugins: Sequence[object] = (), **more: Any
    ) -> ReleaseRun:
        run = ReleaseRun(self.options(manifest, **more), plugins)
        self.opened.append(run)
        return run

    def run(self, manifest: str = "candidate.yaml", only: Sequence[str] | None = None, **more: Any) -> Report:
        """Judge a manifest, with all cases or only some."""
        run = self.open(manifest, **more)
        keys = {
            (s.name, case.id)
            for s in run.prepared.suites
            for case in s.all_cases
            if only is None or case.id in only
        }
        try:
            if run.settled is not None and only is None:
                return run.conclude_settled()
            run.start(keys)
            for suite, case in sorted(keys):
                run.case(suite, case)
            return run.conclude()
        finally:
            run.close()

    def card(self, manifest: str = "candidate.yaml", **more: Any) -> Scorecard:
        return self.run(manifest, **more).scorecard

    def registry(self, place: str = "") -> Registry:
        return open_registry(place or f"sqlite:///{self.folder}/.relgate/registry.db")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    made = Project(tmp_path)
    made.on_path = monkeypatch.syspath_prepend
    yield made
    with ExitStack() as stack:
        for run in made.opened:
            stack.callback(run.close)
