"""What this run was asked to do: options, variables and ini keys read and checked."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from relgate.engine.budget import Allowance
from relgate.files.paths import expanded, is_file, resolved, unusable
from relgate.plugin.options import setting, source_of
from relgate.plugin.places import golden_sets_folder, manifest_path
from relgate.store.location import normalise, project_root, registry_url, shown
from relgate.usecases.options import DEFAULT_CONCURRENCY, REUSES, Reuse, RunOptions

TRIALS_AT_MOST = 100


def run_options(config: pytest.Config, manifest: str) -> RunOptions:
    """The options of a run.

    Raises:
        pytest.UsageError: an option has a value that makes no sense.
        RegistryError: the registry's place is of no kind that relgate can use.
    """
    trials = setting(config, "trials")
    if trials is not None and not 1 <= trials <= TRIALS_AT_MOST:
        raise pytest.UsageError(f"--trials must lie between 1 and {TRIALS_AT_MOST}, not {trials}")
    concurrency = setting(config, "concurrency")
    if concurrency is not None and concurrency < 1:
        raise pytest.UsageError(f"--concurrency must be at least 1, not {concurrency}")
    record, replay = _file(config, "record"), _file(config, "replay")
    if record is not None and replay is not None:
        raise pytest.UsageError("--record and --replay exclude each other: a replay asks for nothing new")
    if replay is not None and not replay.is_file():
        raise pytest.UsageError(f"--replay {replay}: no such file; name one that --record wrote")
    if record is not None and record.is_dir():
        raise pytest.UsageError(f"--record {record} is a folder: name a file")
    allowance = Allowance(
        calls=_at_least(config, "budget-calls", 1),
        usd=_at_least(config, "budget-usd", 0.0),
        seconds=_at_least(config, "budget-seconds", 0.0),
    )
    registry, reports = setting(config, "registry"), setting(config, "report-dir")
    report_dir = _base(config, "report-dir") / expanded(reports) if reports else None
    if report_dir is not None and (reason := unusable(report_dir)):
        raise pytest.UsageError(f"--report-dir {reports[:60]!r} cannot be a folder: {reason}")
    return RunOptions(
        manifest=manifest_path(config, manifest),
        manifest_given=manifest,
        golden_sets=golden_sets_folder(config, manifest),
        rootdir=config.rootpath,
        folder=config.invocation_params.dir,
        registry=normalise(registry, _base(config, "registry")) if registry else None,
        report_dir=report_dir,
        baseline=_from_ini(config, setting(config, "baseline")),
        suites=tuple(setting(config, "suite") or ()),
        trials=trials,
        concurrency=concurrency or DEFAULT_CONCURRENCY,
        allowance=allowance,
        reuse=_reuse(config),
        record=record,
        replay=replay,
        full=bool(setting(config, "full")),
        screen=bool(setting(config, "screen")),
        environment=dict(os.environ),
    )


def registry_above(options: RunOptions) -> str:
    """The registry in use where nobody named it and it was found above the rootdir; "" elsewhere."""
    if options.registry is not None or project_root(options.rootdir) == options.rootdir.resolve():
        return ""
    return shown(registry_url(None, options.environment, options.rootdir))


def _reuse(config: pytest.Config) -> Reuse:
    given = setting(config, "reuse")
    if given is None:
        return "run"
    for reuse in REUSES:
        if given == reuse:
            return reuse
    raise pytest.UsageError(f"--reuse must be one of {', '.join(REUSES)}, not {given!r}")


def _file(config: pytest.Config, name: str) -> Path | None:
    given = setting(config, name)
    return None if given is None else _base(config, name) / expanded(given)


def _at_least(config: pytest.Config, name: str, least: float) -> Any:
    """A number that must not be smaller, None where it is not given.

    Raises:
        pytest.UsageError: it is, or it is no number at all.
    """
    value = setting(config, name)
    if value is not None and not (math.isfinite(value) and value >= least):
        raise pytest.UsageError(f"--{name} must be at least {least:g}, not {value:g}")
    return value


def make_importable(config: pytest.Config, manifest: Path) -> None:
    """Let ``python: "my_app:build"`` name modules beside the project's root, the manifest, or the caller."""
    called = config.invocation_params.dir
    for folder in map(str, (called, config.rootpath, resolved(manifest).parent)):
        if folder not in sys.path:
            sys.path.insert(0, folder)


def catalog_plugins(config: pytest.Config) -> list[object]:
    """The conftest.py modules and plugins that register something with relgate."""
    return [
        plugin
        for plugin in config.pluginmanager.get_plugins()
        if any(name.startswith("relgate_register_") for name in dir(plugin))
    ]


def _base(config: pytest.Config, name: str) -> Path:
    """What a relative path counts from: the ini file for an ini key, else where pytest was called."""
    if source_of(config, name) == "ini" and config.inipath is not None:
        return config.inipath.parent
    return config.invocation_params.dir


def _from_ini(config: pytest.Config, baseline: str | None) -> str | None:
    """A baseline's manifest named by the ini file lies relative to that file; names stay as they are."""
    if baseline is None or source_of(config, "baseline") != "ini":
        return baseline
    path = _base(config, "baseline") / baseline
    return str(path) if is_file(path) else baseline
