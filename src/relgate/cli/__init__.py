"""The ``relgate`` command: a thin shell over the use cases, one file per command group."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from relgate.domain.errors import InputError, RelgateError

COMMANDS: dict[str, str] = {
    "init": "relgate.cli.project",
    "validate": "relgate.cli.project",
    "schema": "relgate.cli.project",
    "power": "relgate.cli.planning",
    "doctor": "relgate.cli.planning",
    "status": "relgate.cli.history",
    "history": "relgate.cli.history",
    "show": "relgate.cli.history",
    "diff": "relgate.cli.history",
    "promote": "relgate.cli.promotion",
    "incident": "relgate.cli.incident",
    "judge": "relgate.cli.judge",
}
"""Command name -> the module that defines it under the same name; imported only when it is called."""

PLANNED: frozenset[str] = frozenset(
    {"report", "compare", "artifacts", "lineage", "at", "reproduce", "rollback"}
    | {"freeze", "runbook", "drill", "clean", "registry", "verify", "attest"}
)
"""Commands of the design that this version does not have yet: they say so instead of 'no such command'."""

INSTEAD = {"rollback": "; `relgate promote previous` gives production back to the release before"}
"""What does the work of a planned command already."""


class LazyGroup(click.Group):
    """Imports a command's module only when that command is called, so that ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every built command, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; a planned one refuses with a sentence."""
        if cmd_name in PLANNED:
            instead = INSTEAD.get(cmd_name, "")
            raise click.UsageError(f"'relgate {cmd_name}' is not built yet in this version{instead}")
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), cmd_name)
        assert isinstance(command, click.Command)
        return command


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=LazyGroup, context_settings=_CONTEXT)
@click.version_option(package_name="relgate", prog_name="relgate")
def relgate() -> None:
    """The release gate for LLM systems.

    A run is `pytest --manifest candidate.yaml`; this command does the rest.
    """


def main() -> None:
    """Entry point: exit 0, 1 when a command refuses or finds something, 2 on usage."""
    try:
        relgate.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("aborted", err=True)
        sys.exit(1)
    except InputError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(1)
    except RelgateError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
