"""Options: long names always, short names only in a run that names a manifest (they are generic words)."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest

LONG_MANIFEST = "--relgate-manifest"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
_NUMBERS: Mapping[str, type[int] | type[float]] = {"int": int, "float": float}
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        dest: where pytest keeps it.
        metavar: shown in the help; None for flags.
        help: one line.
        type: int, float or str; bool for flags; "list" may be given several times.
    """

    dest: str
    help: str
    metavar: str | None = None
    type: str = "str"

    @property
    def variable(self) -> str:
        """The environment variable: ``RELGATE_REPORT_DIR``."""
        return self.dest.upper()


def _option(name: str, help: str, metavar: str | None = None, type: str = "str") -> Option:
    return Option("relgate_" + name.replace("-", "_"), help, metavar, type)


OPTIONS: dict[str, Option] = {
    LONG_MANIFEST: _option("manifest", "judge the release of this manifest", "FILE"),
    "--relgate-baseline": _option(
        "baseline", "compare with this manifest (path), alias, version, stored run (run:ID) or `none`", "X"
    ),
    "--relgate-registry": _option("registry", "registry file or URL (default .relgate/registry.db)", "URL"),
    "--relgate-suite": _option(
        "suite", "run only this suite (name or folder); may be repeated", "NAME", "list"
    ),
    "--relgate-trials": _option("trials", "trials per case, instead of what the suites say", "K", "int"),
    "--relgate-full": _option(
        "full",
        "make every call and judge every gate: calls do not end when the verdict is certain",
        type="bool",
    ),
    "--relgate-concurrency": _option("concurrency", "calls in flight (default 8)", "N", "int"),
    "--relgate-advisory": _option("advisory", "a hold exits 0", type="bool"),
    "--relgate-report-dir": _option("report_dir", "where scorecards are written (default reports)", "DIR"),
    "--relgate-golden-sets": _option("golden_sets", "the golden-set folder (default golden_sets)", "DIR"),
    "--relgate-screen": _option(
        "screen", "pull-request mode: one trial, stored baseline, nothing is promoted", type="bool"
    ),
    "--relgate-budget-calls": _option(
        "budget_calls", "make no more calls than this in the whole run; what is missing holds", "N", "int"
    ),
    "--relgate-budget-usd": _option(
        "budget_usd", "spend no more than this in the whole run, in US dollars", "X", "float"
    ),
    "--relgate-budget-seconds": _option(
        "budget_seconds", "begin no call later than this after the first one", "S", "float"
    ),
    "--relgate-reuse": _option(
        "reuse",
        "kept answers that stand for calls: `run` those of an interrupted run (default), `always`, `never`",
        "WHICH",
    ),
    "--relgate-record": _option("record", "write every answer, redacted, to this file", "FILE"),
    "--relgate-replay": _option("replay", "take every answer from such a file and call nobody", "FILE"),
}
"""Every option by its long name."""


def add_options(parser: pytest.Parser) -> None:
    """The long names and the ini keys of the same names."""
    group = parser.getgroup("relgate", "relgate: the release gate for LLM systems")
    for name, option in OPTIONS.items():
        group.addoption(name, **_arguments(option))
        if name != LONG_MANIFEST:
            parser.addini(option.dest, option.help, default="")


def _arguments(option: Option) -> dict[str, Any]:
    arguments: dict[str, Any] = {"dest": option.dest, "help": option.help, "default": None}
    if option.type == "bool":
        return arguments | {"action": "store_true"}
    if option.type == "list":
        return arguments | {"action": "append", "metavar": option.metavar}
    return arguments | {"metavar": option.metavar, "type": _NUMBERS.get(option.type, str)}


def is_wanted(args: Sequence[str]) -> bool:
    """Whether these arguments name a manifest, or ask for the help that should show the short names."""
    wanted = ("--manifest", LONG_MANIFEST, "-h", "--help")
    return any(arg.split("=", 1)[0] in wanted for arg in args)


def add_short_options(config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> None:
    """Add ``--manifest`` and the other short names; a name that somebody else owns is left to its owner."""
    group = parser.getgroup("relgate")
    owners = _owners(parser)
    used = {arg.split("=", 1)[0] for arg in args}
    for name, option in OPTIONS.items():
        short = "--" + name.removeprefix("--relgate-")
        try:
            if short not in owners:
                group.addoption(short, **_arguments(option))
                continue
        except (ValueError, ArgumentError):
            pass
        if short in used:
            warn(config, f"{short} belongs to {owners.get(short, 'another plugin')}: use {name}")


def _owners(parser: pytest.Parser) -> dict[str, str]:
    """Option name -> who defined it; pytest before 9 finds a name that is taken only when it parses."""
    anonymous = getattr(parser, "_anonymous", None)
    groups = [*getattr(parser, "_groups", ()), anonymous]
    return {
        name: "a conftest.py or another plugin" if group is anonymous else f"the option group {group.name!r}"
        for group in groups
        for option in getattr(group, "options", ())
        for name in option.names()
    }


def warn(config: pytest.Config, text: str) -> None:
    """Warn while pytest starts; where warnings are errors this must not end other people's runs."""
    try:
        config.issue_config_time_warning(pytest.PytestConfigWarning(f"relgate: {text}"), stacklevel=2)
    except pytest.PytestConfigWarning as warning:
        sys.stderr.write(f"warning: {warning}\n")


def source_of(config: pytest.Config, name: str) -> Literal["option", "variable", "ini"] | None:
    """Where an option's value comes from."""
    option = OPTIONS[f"--relgate-{name}"]
    if config.getoption(option.dest, None) is not None:
        return "option"
    if os.environ.get(option.variable):
        return "variable"
    if name != "manifest" and config.getini(option.dest):
        return "ini"
    return None


def setting(config: pytest.Config, name: str) -> Any:
    """An option's value: option, then variable, then ini key, then None.

    Raises:
        pytest.UsageError: the text of a variable or an ini key does not fit.
    """
    option = OPTIONS[f"--relgate-{name}"]
    match source_of(config, name):
        case "option":
            return config.getoption(option.dest)
        case "variable":
            return _converted(option, option.variable, os.environ[option.variable])
        case "ini":
            return _converted(option, option.dest, str(config.getini(option.dest)))
        case None:
            return None


def _converted(option: Option, source: str, text: str) -> Any:
    if option.type == "bool":
        word = text.strip().lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise pytest.UsageError(f"{source}: yes or no is needed, not {text!r}")
        return word in TRUE_WORDS
    if option.type == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if option.type in _NUMBERS:
        try:
            return _NUMBERS[option.type](text)
        except ValueError:
            what = "a whole number" if option.type == "int" else "a number"
            raise pytest.UsageError(f"{source}: {what} is needed, not {text!r}") from None
    return text
