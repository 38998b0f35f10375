"""Everything before the first call: files read, releases resolved, gates spread, feasibility known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.decision.feasibility import Feasibility, feasibility
from relgate.decision.policy import attempt_alpha, policy_digest
from relgate.domain.case import Case, Suite
from relgate.domain.digest import digest_json
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Release
from relgate.domain.response import Side
from relgate.domain.run import AttemptKey
from relgate.files import find_suites, load_manifest, load_recording, load_suites, resolve_release
from relgate.files.reading import tidy
from relgate.store import Registry, StoredVerdict
from relgate.usecases.baseline import Baseline, find_baseline
from relgate.usecases.check_suites import suite_problems
from relgate.usecases.options import RunOptions
from relgate.usecases.plan_suite import SuitePlan, plan_suite, without_absent
from relgate.usecases.systems import check_application, check_hops
from relgate.usecases.trials import TrialPlan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready for its first call.

    Attributes:
        candidate: the release under test.
        baseline: what it is compared with.
        plans: suites in order of their folders.
        rows: recordings per side, None for callable applications.
        trials: which trials are asked.
        policy_digest: all gates, digested before the first call.
        attempt_key: what counts attempts together.
        attempt: which attempt this would be.
        alpha: promote-side alpha of this attempt.
        judged_key: identifies a verdict that would be the same again.
        stored: the verdict stored under this key, if any.
        same_digest: whether candidate and baseline are the same release.
        left_out: names of the suites that it left out.
        feasibility: per gate whether it can pass.
        notes: what the reader must know.
    """

    candidate: Release
    baseline: Release | None
    plans: tuple[SuitePlan, ...]
    rows: Mapping[Side, Rows | None]
    trials: TrialPlan
    policy_digest: str
    attempt_key: AttemptKey
    attempt: int
    alpha: float
    judged_key: str
    stored: StoredVerdict | None
    same_digest: bool
    left_out: tuple[str, ...]
    feasibility: tuple[Feasibility, ...]
    notes: tuple[str, ...]

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The suites of the run."""
        return tuple(plan.suite for plan in self.plans)

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are measured."""
        return ("candidate",) if self.baseline is None else ("candidate", "baseline")

    def calls_of(self, plan: SuitePlan, case: Case) -> int:
        """Planned calls of one case, both sides."""
        hops = len(plan.hops) or 1
        return hops * sum(len(self.trials.trials(side, plan.suite, case)) for side in self.sides)


class _Problems:
    """Collects what is wrong, so that a user sees everything at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, InputError):
            self.add(error.problems)
        return isinstance(error, InputError)

    def add(self, problems: Iterable[Problem]) -> None:
        self._found += problems

    @property
    def found(self) -> bool:
        """Whether anything was found."""
        return bool(self._found)

    def stop(self) -> None:
        """Raise what was found, if anything."""
        if self._found:
            raise InputError(tidy(self._found))


def prepare(options: RunOptions, catalog: Catalog, registry: Registry) -> Prepared:
    """Read and check everything; nothing is called.

    Raises:
        InputError: everything that is wrong, at once.
    """
    problems = _Problems()
    candidate, baseline = None, None
    with problems:
        candidate = resolve_release(
            load_manifest(options.manifest, extra_artifact_kinds=catalog.artifact_kinds),
            environment=options.environment,
            golden_sets=options.golden_sets,
        )
        baseline = find_baseline(
            candidate,
            options.baseline,
            registry,
            base=options.folder,
            environment=options.environment,
            golden_sets=options.golden_sets,
            artifact_kinds=catalog.artifact_kinds,
        )
    with problems:
        suites, left_out = _choose_suites(options, candidate, catalog)
    if problems.found:
        problems.add(_further(options, candidate, catalog))
    problems.stop()
    assert candidate is not None
    assert baseline is not None
    releases: dict[Side, Release] = {"candidate": candidate}
    if baseline.release is not None:
        releases["baseline"] = baseline.release
    rows: dict[Side, Rows | None] = {}
    for side, release in releases.items():
        with problems:
            rows[side] = _recording(release)
            check_application(release)
    problems.stop()
    for release in releases.values():
        problems.add(_check_routes(release, suites))
        problems.add(check_hops(release, suites))
    problems.stop()
    judge_of_policy = rows.get("baseline", rows["candidate"])
    dropped: tuple[str, ...] = ()
    if judge_of_policy is not None:
        fitted = tuple(without_absent(suite, judge_of_policy) for suite in suites)
        dropped = tuple(
            f"the default policy of {suite.name} judges no latency or cost that the recording does not hold"
            for suite, left in zip(suites, fitted, strict=True)
            if len(left.gates) < len(suite.gates)
        )
        suites = fitted
    same = baseline.release is not None and baseline.release.digest == candidate.digest
    plans: list[SuitePlan] = []
    for suite in suites:
        with problems:
            plans.append(plan_suite(suite, catalog, releases, rows, first=baseline.release is None))
    problems.stop()
    policy = policy_digest(suites)
    key = AttemptKey(
        line=candidate.name,
        baseline_digest=baseline.release.digest if baseline.release else "",
        golden_digest=_golden_digest(suites),
    )
    attempt = registry.next_attempt(key, candidate.digest)
    judged_key = _judged_key(candidate, baseline, suites, policy, options, catalog.plugins_digest)
    alpha = attempt_alpha(attempt)
    trials = TrialPlan(
        deterministic=all(release.deterministic for release in releases.values()),
        override=options.trials,
        rows={str(side): found for side, found in rows.items()},
    )
    return Prepared(
        candidate=candidate,
        baseline=baseline.release,
        plans=tuple(plans),
        rows=rows,
        trials=trials,
        policy_digest=policy,
        attempt_key=key,
        attempt=attempt,
        alpha=alpha,
        judged_key=judged_key,
        stored=registry.judged(judged_key),
        same_digest=same,
        left_out=left_out,
        feasibility=tuple(
            feasibility(gate, plan.suite, alpha=alpha, single_trial=trials.single(plan.suite))
            for plan in plans
            for gate in plan.gates
        ),
        notes=_notes(baseline, candidate, registry, attempt, alpha)
        + _unjudged(plans)
        + _unmatched(plans, rows)
        + dropped,
    )


def _choose_suites(
    options: RunOptions, candidate: Release | None, catalog: Catalog
) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """The suites that run and the names of those that ``--suite`` left out."""
    folder = options.golden_sets
    paths = find_suites(folder)
    if candidate is not None and candidate.suites is not None:
        wanted = [path.resolve() for path in candidate.suites]
        paths = [p for p in paths if any(p.parent.resolve() == w or w in p.resolve().parents for w in wanted)]
    if not paths:
        raise InputError(
            [
                Problem(
                    Place(str(folder)),
                    "no suite.yaml stands below this folder",
                    "",
                    "`relgate init` writes one",
                )
            ]
        )
    suites = load_suites(paths, golden_sets=folder, known_scorers=catalog.scorer_names)
    if not options.suites:
        return suites, ()
    chosen = tuple(s for s in suites if s.name in options.suites or s.folder in options.suites)
    known = {s.name for s in suites} | {s.folder for s in suites}
    unknown = [name for name in options.suites if name not in known]
    if unknown:
        have = ", ".join(f"{s.name} ({s.folder})" for s in suites)
        raise InputError(
            [Problem(Place("--suite"), "no such suite", repr(name), f"there is {have}") for name in unknown]
        )
    return chosen, tuple(s.name for s in suites if s not in chosen)


def _further(options: RunOptions, candidate: Release | None, catalog: Catalog) -> list[Problem]:
    rows = None
    if candidate is not None and candidate.application.kind == "recording":
        try:
            rows = _recording(candidate)
        except InputError as error:
            return list(error.problems)
    return suite_problems(
        find_suites(options.golden_sets),
        golden_sets=options.golden_sets,
        catalog=catalog,
        release=candidate,
        rows=rows,
    )


def _recording(release: Release) -> Rows | None:
    if release.application.kind != "recording":
        return None
    assert release.application.path is not None
    return load_recording(release.application.path)


def _check_routes(release: Release, suites: Sequence[Suite]) -> list[Problem]:
    return [
        Problem(
            Place(str(suite.path)),
            f"the suite's route is not in {release.label}",
            repr(suite.route),
            f"the release has {', '.join(release.routes) or 'no route'}",
        )
        for suite in suites
        if suite.route is not None
        and suite.route not in release.routes
        and release.application.kind != "recording"
    ]


def _golden_digest(suites: Sequence[Suite]) -> str:
    golden = [s for s in suites if s.kind == "golden"] or list(suites)
    return digest_json(sorted(s.cases_digest for s in golden))


def _judged_key(
    candidate: Release,
    baseline: Baseline,
    suites: Sequence[Suite],
    policy: str,
    options: RunOptions,
    plugins: str,
) -> str:
    return digest_json(
        {
            "release": [candidate.name, candidate.version, candidate.digest],
            "baseline": baseline.release.digest if baseline.release else None,
            "plugins": plugins,
            # not in the release's digest, but another endpoint may be another system
            "endpoints": {name: provider.base_url for name, provider in candidate.providers.items()},
            "suites": sorted(s.digest for s in suites),
            "policy": policy,
            "trials": options.trials,
        }
    )


def _unjudged(plans: Sequence[SuitePlan]) -> tuple[str, ...]:
    """Metrics of scorers that no gate judges; in a safety suite scorers speak through the violation gate."""
    notes = []
    for plan in plans:
        judged = {gate.metric for gate in plan.suite.gates}
        free = [s.metric.name for s in plan.scorers["candidate"] if s.metric.name not in judged]
        if free and plan.suite.kind != "safety":
            notes.append(f"no gate of {plan.suite.name} judges {', '.join(free)}")
    return tuple(notes)


def _unmatched(plans: Sequence[SuitePlan], rows: Mapping[Side, Rows | None]) -> tuple[str, ...]:
    """Recorded answers to cases that no suite of the run has."""
    known = {case.id for plan in plans for case in plan.suite.all_cases}
    notes = []
    for side, found in rows.items():
        strange = sorted({case_id for case_id, _ in found or {}} - known)
        if strange:
            shown = ", ".join(strange[:3]) + (" ..." if len(strange) > 3 else "")
            many = "1 case" if len(strange) == 1 else f"{len(strange)} cases"
            notes.append(f"the {side}'s recording answers {many} that no suite has: {shown}")
    return tuple(notes)


def _notes(
    baseline: Baseline, candidate: Release, registry: Registry, attempt: int, alpha: float
) -> tuple[str, ...]:
    notes = [baseline.note] if baseline.note else []
    known = registry.release(candidate.name, candidate.version)
    if known is not None and known.digest != candidate.digest:
        notes.append(
            f"{candidate.label} was recorded before with another content; the version was used twice"
        )
    twins = [
        r
        for r in registry.releases()
        if r.digest == candidate.digest and (r.name, r.version) != (candidate.name, candidate.version)
    ]
    if twins:
        notes.append(f"equal in content to {twins[0].name}@{twins[0].version} under another version")
    if attempt > 1:
        notes.append(
            f"attempt {attempt} on these golden sets: promote-side alpha {alpha:g} instead of 0.05; "
            "a promote would be one on a tuned set"
        )
    return tuple(notes)
