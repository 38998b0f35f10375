"""``relgate status``, ``history``, ``show`` and ``diff``: looking into the registry."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relgate.cli.options import (
    age,
    import_from_here,
    json_option,
    moment,
    number,
    opened,
    place_of,
    print_fields,
    print_json,
    print_table,
    registry_option,
)
from relgate.domain.digest import short
from relgate.domain.run import MeasurementRow, ReleaseRow
from relgate.domain.scorecard import Scorecard, WaiverPart
from relgate.render.printable import printable
from relgate.render.terminal import render_terminal
from relgate.store.location import shown
from relgate.store.opening import NoRegistryError
from relgate.store.registry import Registry
from relgate.store.rows import AliasRow, RunRow, Waiver
from relgate.usecases import inspect_registry
from relgate.usecases.find_release import find_release, find_run, newer_partial
from relgate.usecases.golden_sets import golden_sets_folder

NOTHING_YET = "nothing has been recorded yet; `pytest --manifest candidate.yaml` judges a release"


@click.command()
@registry_option
@json_option
def status(registry: str | None, as_json: bool) -> None:
    """Say what is in production and what was judged last."""
    place = shown(place_of(registry))
    try:
        with opened(registry) as store:
            lines = inspect_registry.status(store, datetime.now(UTC))
    except NoRegistryError:
        lines = []
    if as_json:
        print_json({"registry": place, "releases": [line.document() for line in lines]})
        return
    click.echo(f"registry  {place}")
    if not lines:
        click.echo(NOTHING_YET)
    for line in lines:
        click.echo(f"\n{line.release}")
        holders = {row.alias: _holder(row) for row in line.aliases}
        last = {} if line.last_run is None else _last_run(line.last_run, age(line.age_seconds))
        fields = {"production": "nobody"} | holders | last
        print_fields(fields | _waiver_field(line.waivers) | {"next step": line.next_step}, indent="  ")


def _holder(row: AliasRow) -> str:
    held = f"{row.release.label}  since {moment(row.since)} by {row.by}{waived(row.waived)}"
    if row.alias != "production":
        return held
    why = f": {row.reason}" if row.reason and not row.waived else ""  # waivers have a line of their own
    return f"{held}{why}\n" + (f"before: {row.before.label}" if row.before else "before: nobody")


def waived(flag: bool) -> str:
    """The mark of a promotion against the verdict."""
    return "  (waived)" if flag else ""


def _last_run(run: RunRow, when: str) -> dict[str, str]:
    attempt = "" if run.attempt is None else f", attempt {run.attempt}"
    partial = ", partial" if run.partial and not run.screen else ""
    return {
        "last run": f"{run.id}  {run.release.label}  {moment(run.finished)}{attempt}",
        "verdict": f"{run.said}{partial}, decided {when}",
        "reason": run.reason,
    }


def _waiver_field(waivers: tuple[Waiver, ...] | list[Waiver]) -> dict[str, str]:
    said = [
        f"{one.release}@{one.version} {one.alias} by {one.by} on {moment(one.at)}: {one.reason}"
        for one in waivers
    ]
    return {"waivers": "\n".join(said)}


@click.command()
@click.option("--release", metavar="NAME", help="Only runs, or moves, of this release name.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the newest N.")
@click.option("--alias", metavar="ALIAS", help="The moves of an alias, such as production, instead of runs.")
@registry_option
@json_option
def history(
    release: str | None, limit: int | None, alias: str | None, registry: str | None, as_json: bool
) -> None:
    """List the runs, or with --alias who held an alias when, newest first."""
    if alias is not None:
        _alias_history(alias, release, limit, registry, as_json)
        return
    try:
        with opened(registry) as store:
            runs = store.runs(limit, release)
    except NoRegistryError:
        runs = []
    if as_json:
        print_json([asdict(run) for run in runs])
    elif not runs:
        click.echo(NOTHING_YET if release is None else f"no run of {release!r} has been recorded")
    else:
        headers = ["run", "when", "release", "decision", "attempt", "partial", "baseline", "cases"]
        width = inspect_registry.short_id_length([run.id for run in runs])
        print_table(headers, [_history_cells(run, width) for run in runs])


def _alias_history(
    alias: str, release: str | None, limit: int | None, registry: str | None, as_json: bool
) -> None:
    try:
        with opened(registry) as store:
            moves = store.alias_moves(alias, release, limit)
            known = sorted({row.alias for row in store.aliases()})
    except NoRegistryError:
        moves, known = [], []
    if as_json:
        print_json([_move_document(move) for move in moves])
    elif not moves:
        of = "" if release is None else f" of {release!r}"
        there_are = f"; there are {', '.join(known)}" if known and alias not in known else ""
        click.echo(f"no move of {alias!r}{of} has been recorded{there_are}")
    else:
        print_table(["when", "line", "from", "to", "by", "reason"], [_move_cells(move) for move in moves])


def _move_document(move: AliasRow) -> dict[str, Any]:
    return {
        "when": move.since,
        "line": move.line,
        "alias": move.alias,
        "from": None if move.before is None else asdict(move.before),
        "to": asdict(move.release),
        "by": move.by,
        "reason": move.reason,
        "waived": move.waived,
    }


def _move_cells(move: AliasRow) -> list[str]:
    reason = " ".join(printable(move.reason).split()) + waived(move.waived)
    before = "nobody" if move.before is None else move.before.label
    return [moment(move.since), move.line, before, move.release.label, printable(move.by), reason.strip()]


def _history_cells(run: RunRow, width: int) -> list[str]:
    return [
        run.id[:width],
        moment(run.finished),
        run.release.label,
        run.said,
        "-" if run.attempt is None else str(run.attempt),
        "partial" if run.partial and not run.screen else "",
        "-" if run.baseline is None else run.baseline.label,
        _cases_text(run),
    ]


def _cases_text(run: RunRow) -> str:
    words = {"failed": "not measured", "not_run": "not run"}
    return ", ".join(f"{count} {words.get(name, name)}" for name, count in run.cases.items() if count)


@click.command()
@click.argument("run")
@click.argument("case", required=False)
@click.option("--golden-sets", metavar="DIR", help="The golden-set folder.  [default: ini, golden_sets]")
@click.option("--full", is_flag=True, help="Every gate, metric, slice and regression.")
@registry_option
@json_option
def show(
    run: str, case: str | None, golden_sets: str | None, full: bool, registry: str | None, as_json: bool
) -> None:
    """Show a RUN's scorecard, or one CASE of it with both sides' answers.

    RUN is the start of a run's id, or a release (release@version, a version, an alias, a digest): its newest
    whole run is shown.
    """
    with opened(registry) as store:
        if case is None:
            _show_run(store, run, as_json, full)
            return
        folder = golden_sets_folder(golden_sets, os.environ, Path.cwd())
        found = inspect_registry.show_case(store, run, case, folder)
        pooled = store.scorecard(found[0].run.id).get("pooled", []) if found else []
    if as_json:
        print_json([one.document() for one in found])
        return
    for position, one in enumerate(found):
        if position:
            click.echo()
        _show_case(one)
    if pooled:
        where = ", ".join(f"relgate show {earlier} {shlex.quote(case)}" for earlier in pooled)
        click.echo(f"\nwhat it was answered in earlier runs counts too: {where}")


def _show_run(store: Registry, run_id: str, as_json: bool, full: bool) -> None:
    run = find_run(store, run_id)
    scorecard = store.scorecard(run.id)
    waivers = store.waivers(run.release.name)
    if as_json:
        print_json(asdict(run) | {"waivers": [asdict(one) for one in waivers], "scorecard": scorecard})
        return
    card = Scorecard.model_validate(scorecard)
    kept = [
        WaiverPart(release=one.release, version=one.version, reason=one.reason, at=one.at, by=one.by)
        for one in waivers
    ]
    update: dict[str, Any] = {"waivers": kept}
    if run.decision == "promote" and not run.partial:
        update["next_step"] = inspect_registry.step_now(store, run)
    card = card.model_copy(update={"verdict": card.verdict.model_copy(update=update)})
    click.echo(render_terminal(card, full=full, closer=f"relgate show {run.id} --full"))
    click.echo(f"one case with both answers: relgate show {run.id} CASE")
    if (newer := newer_partial(store, run_id, run)) is not None:
        what = "a screen" if newer.screen else "a part of the cases"
        click.echo(f"newer, but only {what}: relgate show {newer.id}")


def _show_case(shown: inspect_registry.ShownCase) -> None:
    print_fields(
        {
            "case": f"{shown.case_id} of {shown.suite}",
            "run": f"{shown.run.id}, {shown.run.release.label}",
            "outcome": shown.outcome,
            "input": shown.input,
            "expected": shown.expected,
        }
    )
    for row in shown.measurements:
        click.echo(f"\n{_heading(row)}")
        marks = ", ".join(
            f"{metric} {'scorer failed' if value is None else number(value)}"
            for metric, value in row.scores.items()
        )
        calls = ", ".join(f"{call.get('name')} {call.get('arguments')}" for call in row.tool_calls)
        evidence = ", ".join(row.retrieved)
        answer = row.output if row.outcome == "response" else f"no response ({row.outcome}): {row.output}"
        fields = {"answer": answer, "tools": calls, "retrieved": evidence, "scores": marks}
        print_fields(fields, indent="  ")
    click.echo(f"\nrun it again: {shown.again}")


def _heading(row: MeasurementRow) -> str:
    parts = [f"{row.side}, trial {row.trial}"]
    if row.hop:
        parts.append(f"hop {row.hop}")
    if row.confirmation:
        parts.append("confirmation")
    if row.served_by:
        parts.append(f"served by {row.served_by}")
    if row.latency_ms is not None:
        parts.append(f"{number(row.latency_ms)} ms")
    return ", ".join(parts)


@click.command()
@click.argument("a")
@click.argument("b")
@registry_option
@json_option
def diff(a: str, b: str, registry: str | None, as_json: bool) -> None:
    """Compare the artifacts of releases A and B.

    Each is release@version, release@alias, a version, an alias, a digest, a run's id (the start of both is
    enough) or the path of a manifest.
    """
    import_from_here()
    with ExitStack() as stack:
        in_registry = [one for one in (a, b) if not inspect_registry.is_manifest(one)]
        store = stack.enter_context(opened(registry)) if in_registry else None
        result = inspect_registry.diff(_release(store, a), _release(store, b))
    if as_json:
        print_json(result.document())
        return
    before, after = result.before, result.after
    click.echo(f"from  {_release_text(before)}\nto    {_release_text(after)}\n")
    if result.changes:
        print_table(
            ["change", "artifact", "from", "to"],
            [
                [
                    change.what,
                    f"{change.kind}/{change.name}",
                    inspect_registry.version_text(change.before),
                    inspect_registry.version_text(change.after),
                ]
                for change in result.changes
            ],
        )
    elif before.digest == after.digest:
        click.echo("nothing differs: equal digests")
    else:
        click.echo("no artifact differs; the digests do, so routes, dependencies or the application changed")


def _release(store: Registry | None, reference: str) -> ReleaseRow:
    if store is None or inspect_registry.is_manifest(reference):
        return inspect_registry.release_of_manifest(Path(reference), os.environ)
    return find_release(store, reference)


def _release_text(release: ReleaseRow) -> str:
    return f"{release.name}@{release.version} ({short(release.digest)})"
