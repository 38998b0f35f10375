"""A rootdir that pytest took from the value of an option of relgate's, and so another project's registry.

pytest looks for its rootdir before plugins define options. Of ``--record ../answers.jsonl`` it then knows two
words, and takes the second one for a path of tests once there is such a file.
"""

from __future__ import annotations

import inspect
import os
import shlex
from argparse import Namespace
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from relgate.plugin.options import LONG_MANIFEST, OPTIONS


class _Given(NamedTuple):
    """An option of relgate's that was written in two words."""

    flag: str
    dest: str
    value: str


def refuse_moved_rootdir(config: pytest.Config, known: Namespace) -> None:
    """Refuse a run whose rootdir is another one than it would be without the values of relgate's options.

    A manifest in a folder below the one that pytest was called in may bring its own project's rootdir.

    Args:
        config: pytest's, before any conftest.py of the golden sets is loaded.
        known: the options as they are understood.

    Raises:
        pytest.UsageError: with the cause and the remedy.
    """
    given = _in_two_words(config, known)
    if not given or known.rootdir or known.inifilename or getattr(known, "help", False):
        return
    here, paths = config.invocation_params.dir, tuple(known.file_or_dir)

    @cache
    def rootdir(*values: str) -> Path:
        return _rootdir(here, [*paths, *values])

    try:
        wanted = rootdir()
    except ImportError:
        return
    manifests = [one.value for one in given if one.dest == OPTIONS[LONG_MANIFEST].dest]
    if manifests and here.resolve() in rootdir(*manifests).parents:
        wanted = rootdir(*manifests)
    taken = config.rootpath.resolve()
    if taken == wanted or taken != rootdir(*(one.value for one in given)):
        return
    blamed = [one for one in given if rootdir(one.value) != wanted] or given
    raise pytest.UsageError(_refusal(blamed, wanted, config, manifests=manifests))


def _refusal(
    blamed: Sequence[_Given], wanted: Path, config: pytest.Config, *, manifests: Sequence[str]
) -> str:
    written = " ".join(f"{one.flag} {shlex.quote(one.value)}" for one in blamed)
    joined = " ".join(f"{one.flag}={shlex.quote(one.value)}" for one in blamed)
    # pytest looks for it beside every path that it was given in a word of its own
    helps = config.inipath is None and manifests and all(one.value not in manifests for one in blamed)
    return (
        f"{written}: pytest takes a value in a word of its own for a path of tests, and so {config.rootpath} "
        f"for its rootdir instead of {wanted}; the registry and the reports would be those of that folder: "
        f"write {joined}{', or put a pytest.ini beside the manifest' if helps else ''}"
    )


def _in_two_words(config: pytest.Config, known: Namespace) -> list[_Given]:
    """Options of relgate's with a value, as they were given when pytest looked for its rootdir."""
    dests = {
        name: option.dest
        for long, option in OPTIONS.items()
        for name in (long, "--" + long.removeprefix("--relgate-"))
        if option.metavar is not None
    }
    words = [*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *map(str, config.invocation_params.args)]
    return [
        _Given(flag, dests[flag], value)
        for flag, value in pairwise(words)
        if flag in dests and value in _values(getattr(known, dests[flag], None))
    ]


def _values(known: object) -> list[str]:
    """What an option was given; a short name that belongs to another plugin gives relgate's nothing."""
    return [*map(str, known)] if isinstance(known, list) else [str(known)]


def _rootdir(here: Path, args: Sequence[str]) -> Path:
    """The rootdir that pytest takes for these paths.

    Raises:
        ImportError: this pytest has another way to find it.
    """
    from _pytest.config.findpaths import determine_setup  # private: nothing public tells it

    wanted = {"inifile": None, "override_ini": None, "rootdir_cmd_arg": None, "invocation_dir": here}
    taken = inspect.signature(determine_setup).parameters  # pytest before 9 knows no override_ini
    given = {name: value for name, value in wanted.items() if name in taken}
    return determine_setup(args=args, **given)[0].resolve()  # type: ignore[arg-type]
