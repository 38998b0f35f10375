"""What a run was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from relgate.engine.budget import Allowance

DEFAULT_CONCURRENCY = 8
Reuse = Literal["run", "never", "always"]
REUSES: tuple[Reuse, ...] = ("run", "never", "always")
DEFAULT_SEED = 20260101


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of one run.

    Attributes:
        manifest: the candidate's manifest.
        manifest_given: as written on the command line.
        golden_sets: the golden-set folder.
        folder: where the command was called; ``baseline`` is relative to it.
        rootdir: where ``.relgate/`` and ``reports/`` lie.
        registry: path or URL; None finds the default.
        report_dir: where scorecards go.
        baseline: path, alias, version, ``run:ID`` or ``none``; None takes the manifest's.
        suites: names or folders that narrow the run.
        trials: overrides every suite's trials.
        concurrency: calls in flight.
        allowance: what the run may spend.
        reuse: which kept answers may stand for calls.
        record: a file that every answer is written to.
        replay: a file that every answer is taken from; nobody is called.
        full: make every call, also those that the verdict does not need.
        screen: look for harm only: one trial, a stored baseline where there is one, no promote.
        seed: of everything random.
        environment: variables for ``${VAR}`` and secrets.
    """

    manifest: Path
    golden_sets: Path
    rootdir: Path
    folder: Path
    manifest_given: str = ""
    registry: str | None = None
    report_dir: Path | None = None
    baseline: str | None = None
    suites: tuple[str, ...] = ()
    trials: int | None = None
    concurrency: int = DEFAULT_CONCURRENCY
    allowance: Allowance = field(default_factory=Allowance)
    reuse: Reuse = "run"
    record: Path | None = None
    replay: Path | None = None
    full: bool = False
    screen: bool = False
    seed: int = DEFAULT_SEED
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked_environment(self) -> Mapping[str, str] | None:
        """Variables of who is asked; None in a replay, which asks nobody."""
        return None if self.replay is not None else self.environment

    @property
    def report_folder(self) -> Path:
        """Where scorecards go."""
        return self.report_dir or self.rootdir / "reports"
