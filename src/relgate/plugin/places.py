"""Where things lie: the manifest and the golden-set folder."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import pytest

from relgate.files.paths import expanded, is_folder
from relgate.plugin.options import OPTIONS

DEFAULT_FOLDER = "golden_sets"


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
