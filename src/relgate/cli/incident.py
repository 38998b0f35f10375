"""``relgate incident``: from a bad output to a regression case."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import click

from relgate.cli.options import opened, print_fields, registry_option
from relgate.store.rows import Category, Severity
from relgate.usecases.golden_sets import golden_sets_folder
from relgate.usecases.inspect_registry import again, baseline_given
from relgate.usecases.intake_incident import CATEGORIES, SEVERITIES, Report, intake_incident

PLACEHOLDER_NOTE = "a placeholder in expected stands for anything of its type"


@click.group()
def incident() -> None:
    """Turn bad outputs into regression cases."""


@incident.command()
@click.option("--run", required=True, help="The run that showed it; the start of the id is enough.")
@click.option("--case", required=True, help="The case that was missed.")
@click.option("--suite", required=True, help="The suite's name, or its folder in the golden sets.")
@click.option(
    "--expected",
    metavar="TEXT",
    help="What a right answer must contain, or assertions as JSON: "
    """'{"contains": [...], "not_contains": [...], "regex": "...", "refusal": true}'. """
    "May be left out for a case tagged harmful: true, which then must be refused.",
)
@click.option("--id", "new_id", metavar="ID", help="Id of the new case.  [default: <case>-incident-<n>]")
@click.option("--category", type=click.Choice(CATEGORIES), default="correctness", show_default=True)
@click.option("--severity", type=click.Choice(SEVERITIES), default="medium", show_default=True)
@click.option("--golden-sets", metavar="DIR", help="The golden-set folder.  [default: ini, golden_sets]")
@click.option("--force", is_flag=True, help="Take a case that the run did not miss.")
@registry_option
def add(
    run: str,
    case: str,
    suite: str,
    expected: str | None,
    new_id: str | None,
    category: str,
    severity: str,
    golden_sets: str | None,
    force: bool,
    registry: str | None,
) -> None:
    """Append a missed case, redacted, to the suite's regressions.jsonl and to the registry."""
    report = Report(
        run=run,
        case_id=case,
        suite=suite,
        expected=expected,
        id=new_id,
        category=cast(Category, category),
        severity=cast(Severity, severity),
        force=force,
    )
    folder = golden_sets_folder(golden_sets, os.environ, Path.cwd())
    with opened(registry) as store:
        added = intake_incident(store, report, folder, os.environ)
        found = store.run(run)
        command = again(found.manifest_path, added.file, added.case_id, baseline_given(store, found.id))
    redacted = ", ".join(f"{count} {kind}" for kind, count in added.redacted.items())
    print_fields(
        {
            "incident": f"{added.incident} ({category}, {severity})",
            "case": added.case_id,
            "line": f"{added.file}:{added.line}",
            "redacted": redacted or "nothing",
            "note": PLACEHOLDER_NOTE if "<" in str(added.expected) and redacted else "",
            "next": _next(command),
        }
    )


def _next(command: str) -> str:
    return (
        f"{command}\n"
        "must exit 1 on the bad release; a release that mends it exits 10, for a part of the cases holds\n"
        "(it is asked once: where the application answers otherwise each time, add --trials 5)\n"
        "(a recording needs a line for the new case first)"
    )
