"""Where things lie: the manifest and the golden-set folder."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import pytest

from relgate.files.paths import expanded, is_folder, resolved
from relgate.plugin.options import OPTIONS, warn

DEFAULT_FOLDER = "golden_sets"
PATH_OPTIONS = ("manifest", "baseline", "registry", "record", "replay", "report-dir", "golden-sets")
INI_FILES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)


def manifest_path(config: pytest.Config, manifest: str) -> Path:
    """The manifest's absolute path; relative to where pytest was called."""
    path = expanded(manifest)
    return path if path.is_absolute() else config.invocation_params.dir / path


def golden_sets_folder(config: pytest.Config, manifest: str, known: Namespace | None = None) -> Path:
    """The golden-set folder: option, variable, ini key (relative to the ini file), else ``golden_sets``.

    The default is looked for where pytest was called, in the rootdir and in the manifest's parents.
    """
    option = OPTIONS["--relgate-golden-sets"]
    given = getattr(known, option.dest, None) if known is not None else config.getoption(option.dest, None)
    given = given or os.environ.get(option.variable)
    if given:
        path = expanded(given)
        return path if path.is_absolute() else config.invocation_params.dir / path
    ini = str(config.getini(option.dest) or "")
    if ini:
        base = config.inipath.parent if config.inipath else config.rootpath
        return base / ini
    for folder in (config.invocation_params.dir, config.rootpath, *manifest_path(config, manifest).parents):
        if is_folder(folder / DEFAULT_FOLDER):
            return folder / DEFAULT_FOLDER
    return config.invocation_params.dir / DEFAULT_FOLDER


def warn_of_moved_rootdir(config: pytest.Config, known: Namespace, args: Sequence[str]) -> None:
    """Say that an option with a path, in two words, moved the rootdir away from the project.

    pytest looks for its rootdir before plugins define options, and takes the path for a test path.
    """
    here = config.invocation_params.dir.resolve()
    outside = [
        (name, value)
        for name in PATH_OPTIONS
        if (value := getattr(known, OPTIONS[f"--relgate-{name}"].dest, None)) in args
        and value is not None
        and here not in resolved(here / expanded(value)).parents
    ]
    if not outside or known.rootdir or known.inifilename:
        return
    project = next(
        (folder for folder in (here, *here.parents) if any((folder / name).is_file() for name in INI_FILES)),
        here,
    )
    if config.rootpath.resolve() != project:
        name, value = outside[0]
        warn(
            config,
            f"--{name} names a place outside {project}, and in two words it made pytest take "
            f"{config.rootpath} as rootdir, where reports go now, without the project's settings: "
            f"write --{name}={value}",
        )
