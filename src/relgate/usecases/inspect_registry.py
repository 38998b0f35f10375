"""Looking into the registry: what is in production, what was judged, one run, one case, two releases."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from relgate.decision.sealing import HIDDEN
from relgate.domain.digest import short
from relgate.domain.errors import Refusal
from relgate.domain.run import ArtifactRow, MeasurementRow, ReleaseRow, stands_for, told_apart
from relgate.files.manifest import load_manifest, resolve_release
from relgate.render.commands import HOLDS_PRODUCTION, example_case, judge_against, mend_what_fled, next_step
from relgate.store.reading import near
from relgate.store.registry import Registry
from relgate.store.rows import AliasRow, ReleaseName, RunRow, Waiver
from relgate.usecases.find_release import find_run
from relgate.usecases.golden_sets import case_place
from relgate.usecases.preparing.artifact_rows import artifact_rows


@dataclass(frozen=True, slots=True)
class LineStatus:
    """How one release line stands.

    Attributes:
        age_seconds: how long ago the last decision was written, None before the first.
    """

    release: str
    aliases: tuple[AliasRow, ...]
    last_run: RunRow | None
    age_seconds: int | None
    waivers: tuple[Waiver, ...]
    next_step: str

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        return asdict(self) | {"aliases": {row.alias: asdict(row) for row in self.aliases}}


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One case of one run: what both sides answered, and the command that runs it again."""

    run: RunRow
    suite: str
    case_id: str
    input: str
    expected: str
    outcome: str
    measurements: tuple[MeasurementRow, ...]
    again: str

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        return asdict(self) | {"run": self.run.id}


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """An artifact that differs; None on the side that lacks it."""

    kind: str
    name: str
    before: ArtifactRow | None
    after: ArtifactRow | None

    @property
    def what(self) -> str:
        """added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What differs between two releases."""

    before: ReleaseRow
    after: ReleaseRow
    changes: tuple[ArtifactChange, ...]

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        return {
            "from": _named(self.before),
            "to": _named(self.after),
            "changes": [
                {
                    "change": change.what,
                    "kind": change.kind,
                    "name": change.name,
                    "from": _versioned(change.before),
                    "to": _versioned(change.after),
                }
                for change in self.changes
            ],
        }


def status(registry: Registry, now: datetime) -> list[LineStatus]:
    """Every release line with its last whole run, a partial one only where there is no other."""
    lines: dict[str, RunRow | None] = {}
    partial: dict[str, RunRow] = {}
    for run in registry.runs(by_verdict=True):
        if run.partial:
            partial.setdefault(run.release.name, run)
        else:
            lines.setdefault(run.release.name, run)
    for line, run in partial.items():
        lines.setdefault(line, run)
    aliases = registry.aliases()
    for row in aliases:
        lines.setdefault(row.line, None)
    return [
        _line_status(registry, line, run, tuple(row for row in aliases if row.line == line), now)
        for line, run in lines.items()
    ]


def _line_status(
    registry: Registry, line: str, run: RunRow | None, aliases: tuple[AliasRow, ...], now: datetime
) -> LineStatus:
    age = None if run is None else age_seconds(run.finished, now)
    step = _next_step(registry, run, aliases, registry.former_holders(line))
    return LineStatus(line, aliases, run, age, tuple(registry.waivers(line)), step)


def step_now(registry: Registry, run: RunRow) -> str:
    """What to do next of a whole run that promoted, as things are now."""
    line = run.release.name
    aliases = [row for row in registry.aliases() if row.line == line]
    return _next_step(registry, run, aliases, registry.former_holders(line))


def _next_step(
    registry: Registry, run: RunRow | None, aliases: Sequence[AliasRow], former: Collection[ReleaseName]
) -> str:
    """What to do next; a release that production was taken from is never proposed again."""
    if run is None:
        return "judge a release: pytest --manifest candidate.yaml"
    held = next((row for row in aliases if row.alias == "production"), None)
    holder = None if held is None else held.release
    if held is not None and held.release == run.release and held.since >= run.finished and not run.partial:
        return HOLDS_PRODUCTION
    if holder is not None and run.baseline is not None and _replaces_unseen(registry, run, holder, former):
        what = run.release.label if run.decision == "promote" and not run.partial else "the next version"
        compared, replaced = told_apart(run.baseline, holder)
        return judge_against(what, replaced, compared)
    if run.decision != "promote" or run.partial:
        return next_step(run.next_step, run.id, example_case(registry.scorecard(run.id)), run.release.label)
    if holder == run.release:
        return HOLDS_PRODUCTION
    if holder is not None and run.release.digest in {each.digest for each in former} - {holder.digest}:
        if run.release.digest not in {gone.digest for gone in registry.fled(run.release.name)}:
            return f"judge the next version: {holder.label} took production after {run.release.label}"
        return f"{mend_what_fled(run.release.label)}; {holder.label} is in production"
    if (against := registry.spoken_against(run.id)) is not None:
        return f"run all cases again: run {against[0]} of the same content since then says: {against[1]}"
    return f"relgate promote {run.release.label}"


def _replaces_unseen(
    registry: Registry, run: RunRow, holder: ReleaseName, former: Collection[ReleaseName]
) -> bool:
    if holder.digest == run.release.digest or run.release in former or run.baseline is None:
        return False
    compared, replaced = (
        registry.release(one.name, one.version, one.digest) for one in (run.baseline, holder)
    )
    return compared is not None and replaced is not None and not stands_for(compared, replaced)


def age_seconds(then: str, now: datetime) -> int | None:
    """Seconds since a stored time; None when the text is no time."""
    try:
        moment = datetime.fromisoformat(then)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, round((now - moment).total_seconds()))


def short_id_length(ids: Sequence[str]) -> int:
    """How many characters tell these run ids apart, at least date and time."""
    length = 15
    while len({run_id[:length] for run_id in ids}) < len(ids):
        length += 1
    return length


def show_case(registry: Registry, run_id: str, case_id: str, golden_sets: Path) -> list[ShownCase]:
    """A case in every suite of the run that has it.

    Raises:
        Refusal: run or release is unknown, or measured no such case.
    """
    run = find_run(registry, run_id)
    rows = registry.case_measurements(run.id, case_id)
    if not rows:
        known = {case.case_id for case in registry.cases(run.id)}
        raise Refusal(f"run {run.id} measured no case {case_id!r}; {near(case_id, sorted(known))}")
    if any(row.case_outcome == HIDDEN for row in rows):
        raise Refusal(f"case {case_id!r} is sealed: what became of it is shown in its gates only")
    shown = []
    for suite in dict.fromkeys(row.suite for row in rows):
        of_suite = _side_by_side(row for row in rows if row.suite == suite)
        first = of_suite[0]
        shown.append(
            ShownCase(
                run=run,
                suite=suite,
                case_id=case_id,
                input=first.input,
                expected=first.expected,
                outcome=first.case_outcome,
                measurements=of_suite,
                again=_again(run, first, golden_sets, baseline_given(registry, run.id)),
            )
        )
    return shown


def _side_by_side(rows: Iterable[MeasurementRow]) -> tuple[MeasurementRow, ...]:
    """The calls hop by hop and trial by trial, the candidate's before the baseline's."""
    held = list(rows)
    hops = list(dict.fromkeys(row.hop for row in held))
    return tuple(sorted(held, key=lambda row: (hops.index(row.hop), row.trial, row.side != "candidate")))


def baseline_given(registry: Registry, run_id: str) -> str:
    """The ``--baseline`` of a run, "" where it had none."""
    return str(registry.scorecard(run_id).get("run", {}).get("baseline_given", ""))


def _again(run: RunRow, row: MeasurementRow, golden_sets: Path, baseline: str) -> str:
    file = case_place(golden_sets / row.suite_folder, row.case_id).path
    return again(run.manifest_path, file, row.case_id, baseline)


def again(manifest: str, file: str, case_id: str, baseline: str = "") -> str:
    """The command that runs one case of a file.

    Args:
        manifest: of the run, "" where it did not keep it.
        file: the case's.
        case_id: the case.
        baseline: the run's ``--baseline``, "" where it had none.
    """
    against = f" --baseline {shlex.quote(baseline)}" if baseline else ""
    named = shlex.quote(manifest or "candidate.yaml")
    return f"pytest --manifest {named}{against} {_quoted(f'{file}::{case_id}')}"


def _quoted(node: str) -> str:
    quoted = shlex.quote(node)
    return quoted if quoted.startswith("'") else f"'{node}'"


def is_manifest(reference: str) -> bool:
    """Whether a reference names a manifest's file and nothing in the registry."""
    return reference.endswith((".yaml", ".yml"))


def release_of_manifest(path: Path, environment: Mapping[str, str]) -> ReleaseRow:
    """The release that a manifest describes now, judged or not.

    Raises:
        InputError: with every problem of the manifest.
    """
    release = resolve_release(load_manifest(path), environment=environment)
    return ReleaseRow(
        release.name,
        release.version,
        release.digest,
        release.owner,
        "",
        path.as_posix(),
        artifact_rows(release),
    )


def diff(before: ReleaseRow, after: ReleaseRow) -> ReleaseDiff:
    """Artifacts that were added, removed or changed, by kind and name."""
    old = {(artifact.kind, artifact.name): artifact for artifact in before.artifacts}
    new = {(artifact.kind, artifact.name): artifact for artifact in after.artifacts}
    changes = tuple(
        ArtifactChange(*key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if _versioned(old.get(key)) != _versioned(new.get(key))
    )
    return ReleaseDiff(before, after, changes)


def _named(release: ReleaseRow) -> dict[str, str]:
    return {"name": release.name, "version": release.version, "digest": release.digest}


def _versioned(artifact: ArtifactRow | None) -> dict[str, str] | None:
    return None if artifact is None else {"version": artifact.version, "digest": artifact.digest}


def version_text(artifact: ArtifactRow | None) -> str:
    """``version@digest``, short, "" where there is none."""
    return "" if artifact is None else f"{artifact.version} ({short(artifact.digest)})".lstrip()
