"""``relgate power`` and ``relgate doctor``: what the gates can prove before anything is paid for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from relgate.catalog import Catalog
from relgate.cli.options import (
    import_from_here,
    json_option,
    place_of,
    print_json,
    print_table,
    registry_option,
)
from relgate.decision.simulation import Simulation
from relgate.domain.errors import InputError, Problem
from relgate.store.opening import NoRegistryError, open_registry
from relgate.store.registry import Registry
from relgate.usecases.check_project import nearest_golden_sets
from relgate.usecases.conftests import load_conftests
from relgate.usecases.golden_sets import golden_sets_folder
from relgate.usecases.options import DEFAULT_SEED
from relgate.usecases.planning.doctor import Cases, examine
from relgate.usecases.planning.plan_power import Power, PowerOptions, plan_power
from relgate.usecases.planning.simulated_project import (
    SimulatedProject,
    project_of_manifest,
    project_of_suites,
)

seed_option = click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True)
repetitions_option = click.option(
    "--repetitions",
    type=click.IntRange(100, 100_000),
    default=1000,
    show_default=True,
    help="Simulated runs per truth.",
)
DEFAULT_MANIFEST = Path("candidate.yaml")
_RATE = click.FloatRange(0.0, 1.0)
_LISTED = 3


@click.command()
@click.option("--golden-sets", metavar="DIR", help="Folder of the suites (default: as pytest finds it).")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help="The release whose application, hops and trials count.  [default: candidate.yaml, if it is valid]",
)
@click.option("--psi", type=_RATE, help="Share of cases whose single trial flips on an identical re-run.")
@click.option("--accuracy", type=_RATE, help="Production's accuracy.")
@click.option("--trials", type=click.IntRange(1, 50), help="Trials of every case.")
@click.option(
    "--cases", type=click.IntRange(1, 100_000), help="Cases of every suite, its slices in proportion."
)
@click.option(
    "--attempt",
    type=click.IntRange(1, 30),
    default=1,
    show_default=True,
    help="Which attempt on the same golden sets: it sets the promote-side alpha.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    help="Margin of every required non-inferiority gate.",
)
@click.option("--full", is_flag=True, help="Runs that make every call, without early stop.")
@json_option
@seed_option
@repetitions_option
@registry_option
def power(
    golden_sets: str | None,
    manifest: Path | None,
    psi: float | None,
    accuracy: float | None,
    trials: int | None,
    cases: int | None,
    attempt: int,
    margin: float | None,
    full: bool,
    as_json: bool,
    seed: int,
    repetitions: int,
    registry: str | None,
) -> None:
    """Simulate the gates of every suite: how often an identical candidate is promoted, and a fault found.

    Values that are not given come from stored runs, else they are assumed and said so.
    """
    options = PowerOptions(
        seed=seed,
        repetitions=repetitions,
        psi=psi,
        accuracy=accuracy,
        trials=trials,
        margin=margin,
        cases=cases,
        attempt=attempt,
        full=full,
    )
    project = _project(manifest, golden_sets_folder(golden_sets, os.environ, Path.cwd()), margin)
    store = _stored(registry)
    try:
        found = plan_power(options, project, store)
    finally:
        if store is not None:
            store.close()
    if as_json:
        print_json(found.document())
        return
    _print_power(found)
    for text in found.unlabelled.values():
        click.echo(f"\nbut {text}")


@click.command()
@click.option("--manifest", type=click.Path(path_type=Path), default=DEFAULT_MANIFEST, show_default=True)
@click.option("--golden-sets", type=click.Path(path_type=Path), help="Folder of the suites.")
@json_option
@seed_option
@repetitions_option
@registry_option
def doctor(
    manifest: Path,
    golden_sets: Path | None,
    as_json: bool,
    seed: int,
    repetitions: int,
    registry: str | None,
) -> None:
    """Examine a project by its stored runs: weak gates with remedies, cases that tell little.

    Exits 1 when the gates would promote an identical candidate less than 80 times in 100, as stored runs say.
    """
    if manifest == DEFAULT_MANIFEST and not manifest.is_file():
        raise click.UsageError(f"no {manifest} here: name a release with --manifest FILE")
    catalog, problems = _catalog(manifest, golden_sets)
    store = _stored(registry)
    try:
        found = examine(
            manifest,
            golden_sets=golden_sets or nearest_golden_sets(manifest),
            environment=os.environ,
            catalog=catalog,
            problems=problems,
            registry=store,
            repetitions=repetitions,
            seed=seed,
        )
    finally:
        if store is not None:
            store.close()
    if as_json:
        print_json(found.document())
    else:
        _print_power(found.power)
        for rate in found.violations:
            click.echo(
                f"\n{rate.suite}: production violates {rate.violations} times in {rate.calls} stored calls "
                f"(rate at most {100 * rate.upper:.1f} %); zero tolerance rejects an identical candidate "
                f"{100 * rate.rejects:.1f} % of the time"
            )
        _print_cases(found.cases, found.compared_by)
        for text in found.warnings:
            click.echo(f"\nwarning: {text}")
        for text in found.errors:
            click.echo(f"\nerror: {text}")
    if found.errors:
        sys.exit(1)


def _catalog(manifest: Path, golden_sets: Path | None) -> tuple[Catalog, list[Problem]]:
    """What the project's plugins register, and what of them could not be read."""
    import_from_here()
    conftests, unread = load_conftests(manifest, golden_sets)
    catalog, wrong = Catalog.read(conftests)
    return catalog, [*unread, *wrong]


def _project(manifest: Path | None, golden_sets: Path, margin: float | None) -> SimulatedProject:
    """The project of a manifest; of its suites alone where none is named and the usual one is no help."""
    chosen = manifest or DEFAULT_MANIFEST
    if manifest is None and not chosen.is_file():
        return project_of_suites(golden_sets, margin=margin, why=f"no {chosen} here")
    try:
        catalog, problems = _catalog(chosen, golden_sets)
        return project_of_manifest(
            chosen,
            golden_sets=golden_sets,
            environment=os.environ,
            catalog=catalog,
            problems=problems,
            margin=margin,
        )
    except InputError:
        if manifest is not None:
            raise
        why = f"{chosen} is not in order (`relgate validate` says why)"
        return project_of_suites(golden_sets, margin=margin, why=why)


def _stored(option: str | None) -> Registry | None:
    """The registry; None where nothing was stored yet and none was named."""
    try:
        return open_registry(place_of(option), create=False)
    except NoRegistryError:
        if option:
            raise
        return None


def _print_power(found: Power) -> None:
    result = found.simulation
    for line in found.sources:
        click.echo(line)
    click.echo(f"{result.repetitions:,} simulated runs per line\n")
    print_table(("truth", "promoted", "held", "by alarm", "rejected"), _truths(result))
    click.echo()
    rows = [(g.gate.id.removeprefix("gates::"), f"{g.passes:.3f}") for g in result.gates]
    print_table(("required gate, weakest first", "passes when identical"), rows)
    for gate in result.gates:
        offered = found.remedies.get(gate.gate.id, ())
        if offered:
            click.echo(f"\nremedies for {gate.gate.id.removeprefix('gates::')}")
            changes = [(r.text, f"{r.passes:.3f}", f"{r.promote:.3f}") for r in offered]
            print_table(("change", "gate passes", "identical promoted"), changes)
    if result.unsimulated:
        names = ", ".join(gate.removeprefix("gates::") for gate in result.unsimulated)
        click.echo(f"\nnot simulated, taken as passed: {names}")


def _truths(result: Simulation) -> list[tuple[str, ...]]:
    return [
        (c.label, *(f"{x:.3f}" for x in (c.promote, 1.0 - c.promote - c.reject, c.alarm, c.reject)))
        for c in (result.identical, result.better, *result.faults)
    ]


def _print_cases(cases: Sequence[Cases], by: str) -> None:
    click.echo(f"\ncases that tell little (near duplicates by {by})")
    rows = []
    for each in cases:
        kinds = {
            "saturated": each.saturated,
            "never failing": each.never_failing,
            "flaky": each.flaky,
            "near duplicates": tuple(f"{a} = {b}" for a, b in each.alike),
        }
        rows += [
            (
                each.suite,
                kind,
                f"{len(ids)} pairs" if kind == "near duplicates" else str(len(ids)),
                _some(ids),
            )
            for kind, ids in kinds.items()
            if ids
        ]
    if rows:
        print_table(("suite", "kind", "cases", "which"), rows)
    else:
        click.echo("none found")


def _some(ids: Sequence[str]) -> str:
    more = len(ids) - _LISTED
    return ", ".join(ids[:_LISTED]) + (f" and {more} more (--json lists all)" if more > 0 else "")
