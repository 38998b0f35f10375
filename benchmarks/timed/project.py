"""Projects to be timed: a chat release at a mock provider, or a recording, with one golden suite."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM = "You are a helpful assistant. Answer briefly."
SUITE = """suite: bench
kind: golden
route: answer
trials: 1
scorers: [contains]
gates:
  - {metric: contains, at_least: 0.9}
"""
CHAT = """manifest: 1
release: bench
version: "1"
owner: bench
baseline: none
application: {chat: answer}
artifacts:
  model: {mock: {version: "1", provider: local, id: mock-2026-01-01, parameters: {}}}
  prompt: {answer: {version: "1", path: prompt.md, variables: []}}
providers:
  local: {base_url: "${BASE_URL}", api_key: "${MOCK_KEY}"}
routes:
  answer: {chain: [local/mock], approved_for: [answer]}
"""
RECORDED = """manifest: 1
release: bench
version: "1"
owner: bench
baseline: none
application: {recording: recording.jsonl}
"""
MISSING_EVERY = 50
"""One case in so many expects something else than what is answered."""


@dataclass(frozen=True)
class Project:
    """A project on disk.

    Attributes:
        folder: where it lies.
        cases: the same cases in the form of ``../shared/bench``, for the bare loop and other runners.
    """

    folder: Path
    cases: Path

    def command(self, concurrency: int, *more: str) -> list[str]:
        """The whole gate, every call made; the registry is at the newest schema and holds no run."""
        for name in ("registry.db-wal", "registry.db-shm", "registry.db"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "reports", ignore_errors=True)
        shutil.copy(self.folder / "empty.db", self.folder / "registry.db")
        return [*_pytest(concurrency), "--registry=registry.db", *more]

    def first_command(self, concurrency: int) -> list[str]:
        """The same in a folder that has no registry yet."""
        (self.folder / "new.db").unlink(missing_ok=True)
        return [*_pytest(concurrency), "--registry=new.db"]


def _pytest(concurrency: int) -> list[str]:
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:rerunfailures"]
    gate = ["--manifest=candidate.yaml", "--full", f"--concurrency={concurrency}"]
    return [sys.executable, "-m", "pytest", *quiet, "-p", "no:timeout", *gate]


def question(number: int) -> str:
    """What a case asks; the mock provider answers ``ans-`` and the number."""
    return f"Please tell me the canonical answer for case-{number} of the golden set, in one word."


def expected(number: int, every: int = MISSING_EVERY) -> str:
    """What the answer should hold."""
    return f"ans-{number}" + "x" * (number % every == every - 1)


def write_chat(folder: Path, count: int) -> Project:
    """A chat release with so many cases."""
    project = _write(folder, CHAT, count, MISSING_EVERY)
    (folder / "prompt.md").write_text(SYSTEM + "\n")
    _lines(
        project.cases,
        [
            {
                "id": f"c{i:07d}",
                "input": {
                    "messages": [
                        {"role": "system", "content": SYSTEM},
                        {"role": "user", "content": question(i)},
                    ]
                },
                "expect": {"type": "contains", "value": expected(i)},
            }
            for i in range(count)
        ],
    )
    return project


def write_recorded(folder: Path, count: int) -> Project:
    """A recording of so many cases, one in 20,000 of them missed."""
    project = _write(folder, RECORDED, count, 20_000)
    with (folder / "recording.jsonl").open("w") as out:
        for i in range(count):
            out.write(f'{{"case_id":"c{i:07d}","output":"The answer is ans-{i}."}}\n')
    return project


def _write(folder: Path, manifest: str, count: int, every: int) -> Project:
    suite = folder / "golden_sets" / "bench"
    suite.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "candidate.yaml").write_text(manifest)
    (suite / "suite.yaml").write_text(SUITE)
    with (suite / "cases.jsonl").open("w") as out:
        for i in range(count):
            out.write(
                f'{{"id":"c{i:07d}","input":"{question(i)}","expected":"{expected(i, every)}",'
                f'"tags":{{"topic":"t{i % 7}"}}}}\n'
            )
    empty = "import sys; from relgate.store import open_registry; open_registry(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", empty, str(folder / "empty.db")], check=True)
    return Project(folder, folder / "cases.jsonl")


def _lines(path: Path, rows: Sequence[object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
