"""What the commands over the registry share: their options, and how values look in a table."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from relgate.render.printable import printable
from relgate.store.location import registry_url
from relgate.store.opening import open_registry
from relgate.store.registry import Registry

registry_option = click.option(
    "--registry",
    metavar="URL",
    help="Path or URL of the registry.  [default: RELGATE_REGISTRY, ini, .relgate/registry.db]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def import_from_here() -> None:
    """Let manifests name modules of this folder, as pytest's rootdir would in a run."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def place_of(option: str | None) -> str:
    """Where the registry is for a command run in the current folder."""
    return registry_url(option, os.environ, Path.cwd())


def opened(option: str | None) -> Registry:
    """The registry, which must be there already."""
    return open_registry(place_of(option), create=False)


def print_json(value: Any) -> None:
    """Print a JSON value for other programs."""
    click.echo(json.dumps(value, indent=2))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an aligned table; cells are text, so that nothing is read as a number."""
    click.echo(tabulate(rows, headers, tablefmt="simple", disable_numparse=True))


def print_fields(fields: Mapping[str, str], indent: str = "") -> None:
    """Print names and values in two columns, without those that are empty."""
    shown = {name: printable(value) for name, value in fields.items() if value}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        first, *more = value.splitlines() or [""]
        click.echo(f"{indent}{name:<{width}}  {first}")
        for line in more:
            click.echo(f"{indent}{'':<{width}}  {line}")


def number(value: float | None) -> str:
    """A number with four significant digits, "-" where there is none."""
    return "-" if value is None else f"{value:.4g}"


def moment(text: str) -> str:
    """A stored time to the minute, in UTC as it is stored."""
    return text[:16].replace("T", " ")


def age(seconds: int | None) -> str:
    """How long ago, in the largest unit that fits."""
    if seconds is None:
        return "at an unknown time"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
