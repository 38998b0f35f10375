"""Everything before the first call: files read, releases resolved, gates spread, feasibility known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.decision.feasibility import Feasibility, feasibility
from relgate.decision.policy import Gate, attempt_alpha, check_gates, policy_digest, spread_gates
from relgate.domain.case import Case, ScorerSpec, Suite
from relgate.domain.digest import digest_json
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.release import Release
from relgate.domain.response import Response, Side
from relgate.domain.run import AttemptKey
from relgate.domain.scorer import Scorer, ScorerContext
from relgate.files import find_suites, load_manifest, load_recording, load_suites, resolve_release
from relgate.scorers import infer_kind
from relgate.store import Registry, StoredVerdict
from relgate.usecases.baseline import Baseline, find_baseline
from relgate.usecases.options import RunOptions
from relgate.usecases.systems import build_scorers, check_application, check_hops, hops_of
from relgate.usecases.trials import TrialPlan


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """One suite made ready.

    Attributes:
        suite: the suite.
        metrics: every metric that it reports, by name.
        scorers: per side.
        regression_scorer: for regression cases that say what they expect.
        gates: spread over slices and hops.
        hops: targets measured one by one, empty outside fallback suites.
    """

    suite: Suite
    metrics: Mapping[str, Metric]
    scorers: Mapping[Side, tuple[Scorer, ...]]
    regression_scorer: Scorer
    gates: tuple[Gate, ...]
    hops: tuple[str, ...]

    def scorers_of(self, side: Side, case: Case) -> tuple[Scorer, ...]:
        """The scorers of one case: a regression case that says what it expects has its own assertion."""
        if case.regression and case.expected is not None:
            return (self.regression_scorer,)
        return self.scorers[side]


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
        narrowed: whether ``--suite`` left suites out.
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


def prepare(options: RunOptions, catalog: Catalog, registry: Registry) -> Prepared:
    """Read and check everything; nothing is called.

    Raises:
        InputError: everything that is wrong, at once.
    """
    problems: list[Problem] = []
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
    )
    suites, left_out = _choose_suites(options, candidate, catalog)
    releases: dict[Side, Release] = {"candidate": candidate}
    if baseline.release is not None:
        releases["baseline"] = baseline.release
    rows = {side: _recording(release) for side, release in releases.items()}
    for release in releases.values():
        try:
            check_application(release)
        except InputError as error:
            problems += error.problems
        problems += _check_routes(release, suites)
        problems += check_hops(release, suites)
    if problems:
        raise InputError(problems)
    suites = tuple(_fitted(suite, rows) for suite in suites)
    same = baseline.release is not None and baseline.release.digest == candidate.digest
    plans: list[SuitePlan] = []
    for suite in suites:
        try:
            plans.append(_plan_suite(suite, catalog, releases, rows, first=baseline.release is None))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    policy = policy_digest(suites)
    key = AttemptKey(
        line=candidate.name,
        baseline_digest=baseline.release.digest if baseline.release else "",
        golden_digest=_golden_digest(suites),
    )
    attempt = registry.next_attempt(key, candidate.digest)
    judged_key = _judged_key(candidate, baseline, suites, policy, options)
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
        notes=_notes(baseline, candidate, registry, attempt, alpha),
    )


def _choose_suites(
    options: RunOptions, candidate: Release, catalog: Catalog
) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """The suites that run and the names of those that ``--suite`` left out."""
    folder = options.golden_sets
    paths = find_suites(folder)
    if candidate.suites is not None:
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


def _fitted(suite: Suite, rows: Mapping[Side, Rows | None]) -> Suite:
    """Leave latency and cost out of a filled-in policy where the recordings do not hold them throughout."""
    if not suite.default_policy or any(found is None for found in rows.values()):
        return suite
    responses = [
        r for found in rows.values() if found is not None for r in found.values() if isinstance(r, Response)
    ]
    timed = all(r.latency_ms is not None for r in responses)
    priced = all(r.cost_usd is not None for r in responses)
    absent = {name for name, held in (("latency_ms", timed), ("cost_usd", priced)) if not held}
    return replace(suite, gates=tuple(gate for gate in suite.gates if gate.metric not in absent))


def _plan_suite(
    suite: Suite,
    catalog: Catalog,
    releases: Mapping[Side, Release],
    rows: Mapping[Side, Rows | None],
    *,
    first: bool,
) -> SuitePlan:
    scorers: dict[Side, tuple[Scorer, ...]] = {}
    for side, release in releases.items():
        built = build_scorers(catalog, suite, release)
        scorers[side] = tuple(_with_recorded_kind(s, suite, rows) for s in built)
    metrics: dict[str, Metric] = {}
    for scorer in scorers["candidate"]:
        if scorer.metric.name in metrics:
            raise InputError(
                [
                    Problem(
                        Place(str(suite.path)),
                        "two scorers report one metric",
                        repr(scorer.metric.name),
                        "give one of them another name with `as:`",
                    )
                ]
            )
        metrics[scorer.metric.name] = scorer.metric
    if suite.kind == "safety":
        metrics.update({m.name: m for m in SAFETY_METRICS})
    metrics.update({m.name: m for m in RESPONSE_METRICS})
    regression = catalog.make_scorer(
        ScorerSpec("regression"), ScorerContext(suite.path, releases["candidate"])
    )
    if suite.regressions:
        metrics[regression.metric.name] = regression.metric
    problems = check_gates(suite, metrics)
    if problems:
        raise InputError(problems)
    hops = hops_of(releases["candidate"], suite)
    gates = spread_gates(suite, metrics, hops, has_baseline=not first)
    return SuitePlan(
        suite=suite, metrics=metrics, scorers=scorers, regression_scorer=regression, gates=gates, hops=hops
    )


def _with_recorded_kind(scorer: Scorer, suite: Suite, rows: Mapping[Side, Rows | None]) -> Scorer:
    """Give a ``recorded`` scorer without ``kind:`` the kind that the scores on both sides have.

    Raises:
        InputError: they lie outside [0, 1], or the application is no recording.
    """
    if scorer.name != "recorded":
        return scorer
    spec = next(
        s
        for s in suite.scorers
        if s.name == "recorded" and (s.options.get("as") or s.options.get("name")) == scorer.metric.name
    )
    source = str(spec.options["name"])
    place = Place(str(suite.path), spec.line, spec.column)
    if any(found is None for found in rows.values()):
        raise InputError(
            [
                Problem(
                    place, "recorded scores need a recording on both sides", "", "use application: recording"
                )
            ]
        )
    if "kind" in spec.options:
        return scorer
    ids = {case.id for case in suite.all_cases}
    values = [
        r.scores[source]
        for found in rows.values()
        if found is not None
        for (case_id, _), r in found.items()
        if case_id in ids and isinstance(r, Response) and source in r.scores
    ]
    kind = infer_kind(values)
    if kind is None:
        raise InputError(
            [
                Problem(
                    place,
                    f"the recorded scores {source!r} lie outside [0, 1]",
                    f"{min(values):g} to {max(values):g}",
                    "say what they are with kind: count, latency or cost",
                )
            ]
        )
    return replace(scorer, metric=replace(scorer.metric, kind=kind))


def _golden_digest(suites: Sequence[Suite]) -> str:
    golden = [s for s in suites if s.kind == "golden"] or list(suites)
    return digest_json(sorted(s.cases_digest for s in golden))


def _judged_key(
    candidate: Release, baseline: Baseline, suites: Sequence[Suite], policy: str, options: RunOptions
) -> str:
    return digest_json(
        {
            "release": [candidate.name, candidate.version, candidate.digest],
            "baseline": baseline.release.digest if baseline.release else None,
            "suites": sorted(s.digest for s in suites),
            "policy": policy,
            "trials": options.trials,
        }
    )


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
