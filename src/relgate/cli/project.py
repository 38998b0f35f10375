"""``relgate init``, ``validate`` and ``schema``: the files that a user writes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relgate.catalog import Catalog
from relgate.cli.options import import_from_here
from relgate.decision.duplicates import duplicated, unit_count
from relgate.domain.case import Suite
from relgate.domain.digest import short
from relgate.domain.errors import Refusal
from relgate.files import did_you_mean, schemas
from relgate.files.reading import shown
from relgate.usecases.check_project import Project, check_project, nearest_golden_sets
from relgate.usecases.conftests import load_conftests
from relgate.usecases.preparing.baseline import is_path
from relgate.usecases.scaffold import gate_line, init_demo, init_project, schema_files, schema_text

registry_option = click.option(
    "--registry", metavar="URL", expose_value=False, help="Accepted by every command; not needed by this one."
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--demo", is_flag=True, help="Copy the demo: a support desk with providers, suites and bad releases."
)
@registry_option
def init(folder: Path, demo: bool) -> None:
    """Write a project into FOLDER (default: here) that can be judged at once."""
    written = init_demo(folder) if demo else init_project(folder)
    listed = written if len(written) <= 20 else [*_summary(folder, written)]
    for path in listed:
        click.echo(f"wrote {shown(path)}")
    for path in written:
        if path.suffix == ".later":
            click.echo(
                f"{shown(path)} is not read yet: it needs an application that is called live. Once yours is, "
                f"name its route in it and rename it to {path.stem}."
            )
    where = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    click.echo(f"\nnext: {where}pytest --manifest candidate.yaml")


def _summary(folder: Path, written: list[Path]) -> list[Path]:
    """Top-level files and folders of many files."""
    return sorted({folder / path.relative_to(folder).parts[0] for path in written})


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path), default=Path("candidate.yaml"))
@click.option(
    "--golden-sets", type=click.Path(path_type=Path), help="Folder of the suites (default: the nearest)."
)
@registry_option
def validate(manifest: Path, golden_sets: Path | None) -> None:
    """Check MANIFEST (default: candidate.yaml) and its suites; every problem at once, no call is made."""
    import_from_here()
    conftests, unread = load_conftests(manifest, golden_sets)
    catalog, wrong = Catalog.read(conftests)
    project = check_project(
        manifest,
        problems=[*unread, *wrong],
        golden_sets=golden_sets or nearest_golden_sets(manifest),
        environment=os.environ,
        catalog=catalog,
    )
    for line in _report(project):
        click.echo(line)


def _report(project: Project) -> list[str]:
    release = project.release
    lines = [
        f"{release.label}  owner {release.owner}  digest {short(release.digest)}",
        f"application  {release.application.kind}: {release.application.value}",
        f"baseline     {release.baseline or 'the holder of production'}{_unread(release.baseline)}",
    ]
    lines += [
        f"artifact     {artifact.reference}  {short(artifact.digest)}" for artifact in release.artifacts
    ]
    for route in release.routes.values():
        lines.append(f"route        {route.name}: {' -> '.join(str(hop) for hop in route.chain)}")
    for suite in project.suites:
        lines += ["", *_suite_lines(suite)]
    if project.notes:
        lines += ["", *(f"note: {note}" for note in project.notes)]
    return [*lines, "", "valid"]


def _unread(baseline: str | None) -> str:
    return "" if baseline in (None, "none") or is_path(baseline) else " (looked up in the registry by a run)"


def _suite_lines(suite: Suite) -> list[str]:
    counts = _count(len(suite.cases), "case")
    if suite.clustered:
        counts += f" in {_count(unit_count(suite, suite.cases)[0], 'cluster')}"
    if copies := duplicated(suite):
        counts += f", {copies} with the input of another"
    if suite.regressions:
        counts += f", {_count(len(suite.regressions), 'regression case')}"
    route = f", route {suite.route}" if suite.route else ""
    policy = "default policy" if suite.default_policy else "gates"
    head = f"suite {suite.name} ({suite.kind}, {suite.folder}): {counts}{route}, trials {suite.trials}"
    return [head, f"  {policy}:", *(f"  - {gate_line(gate)}" for gate in suite.gates)]


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@click.command()
@click.argument("name", required=False)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("schemas"), show_default=True
)
@registry_option
def schema(name: str | None, out: Path) -> None:
    """Write the JSON Schemas of what users write and read, or print the one called NAME."""
    if name is not None:
        known = schemas()
        if name not in known:
            raise click.UsageError(f"no schema is called {name!r}: {did_you_mean(name, known)}")
        click.echo(schema_text(known[name]), nl=False)
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, content in schema_files().items():
            (out / file).write_bytes(content)
            click.echo(f"wrote {shown(out / file)}")
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror or error}") from None
