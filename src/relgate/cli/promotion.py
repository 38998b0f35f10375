"""``relgate promote``: move an alias."""

from __future__ import annotations

import click

from relgate.cli.options import opened, print_fields, registry_option
from relgate.domain.run import ReleaseRow
from relgate.store.rows import AliasChange
from relgate.usecases.promote_release import promote_release


@click.command()
@click.argument("release", metavar="RELEASE")
@click.option("--waive", metavar="REASON", help="Promote against the verdict; every later report shows it.")
@click.option("--reason", metavar="TEXT", help="Why; `relgate status` shows it.")
@click.option("--by", metavar="NAME", help="Who promotes.  [default: the login name]")
@click.option("--alias", metavar="NAME", default="production", show_default=True, help="The alias to move.")
@registry_option
def promote(
    release: str, waive: str | None, reason: str | None, by: str | None, alias: str, registry: str | None
) -> None:
    """Let RELEASE hold an alias, when its last verdict is promote or it held the alias before.

    RELEASE is release@version; a version, an alias, the start of a digest or of a run's id do where only one
    release has it. A release that production was taken from by a way back needs release@version and --reason.
    """
    with opened(registry) as store:
        known = {row.alias for row in store.aliases()}
        change = promote_release(store, release, alias=alias, by=by, waive=waive, reason=reason)
    after = _label(change.after)
    if not change.changed:
        click.echo(f"{after} holds {change.alias} already; nothing changed")
        return
    verdict = change.decision or "none"
    print_fields(
        {
            change.alias: f"{'nobody' if change.before is None else _label(change.before)} -> {after}",
            "by": change.by,
            "verdict": verdict if change.waived is None else f"{verdict}, waived: {change.waived}",
            "undo": _undo(change),
            **_new_alias(alias, known),
        }
    )


def _new_alias(alias: str, known: set[str]) -> dict[str, str]:
    """What shows a typing error: nothing moved, and what was meant still holds what it held."""
    others = sorted(known - {alias})
    if alias in {*known, "production"} or not others:
        return {}
    return {"note": f"{alias} is a new alias; the registry had {', '.join(others)}"}


def _label(release: ReleaseRow) -> str:
    return f"{release.name}@{release.version}"


def _undo(change: AliasChange) -> str:
    if change.before is None:
        return f"nobody held {change.alias} before; promote another release to replace this one"
    option = "" if change.alias == "production" else f" --alias {change.alias}"
    reason = " --reason TEXT" if change.way_back else ""
    return f"relgate promote {_label(change.before)}{option}{reason}"
