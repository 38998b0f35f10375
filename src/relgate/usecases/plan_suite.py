"""One suite made ready for a run: its scorers, metrics, gates and hops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.decision.policy import Gate, check_gates, spread_gates
from relgate.domain.case import Case, ScorerSpec, Suite
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.release import Release
from relgate.domain.response import Response, Side
from relgate.domain.scorer import Scorer, ScorerContext
from relgate.files.reading import shown, tidy
from relgate.files.wire import did_you_mean
from relgate.scorers import infer_kind, read_assertions
from relgate.usecases.systems import hops_of

COMPARING = frozenset({"exact", "contains", "one_of", "numeric"})
"""Scorers that compare the answer with ``expected``, unless they are given a value."""

RECORDED_OR_NOT = ("latency_ms", "cost_usd")
"""What a filled-in policy judges only where a recording holds it."""


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


def without_absent(suite: Suite, rows: Rows) -> Suite:
    """Leave latency and cost out of a filled-in policy where the baseline's recording holds none of them.

    Args:
        suite: the suite.
        rows: the baseline's recording, or the candidate's on a first release. Never the candidate's beside
            a baseline: what is judged cannot set its own bar.
    """
    ids = {case.id for case in suite.cases}
    responses = [r for (case, _), r in rows.items() if case in ids and isinstance(r, Response)]
    absent = {name for name in RECORDED_OR_NOT if all(getattr(r, name) is None for r in responses)}
    if not suite.default_policy or not absent:
        return suite
    return replace(suite, gates=tuple(gate for gate in suite.gates if gate.metric not in absent))


def plan_suite(
    suite: Suite,
    catalog: Catalog,
    releases: Mapping[Side, Release],
    rows: Mapping[Side, Rows | None],
    *,
    first: bool,
) -> SuitePlan:
    """Build the scorers of every side, know the metrics, and spread the gates over slices and hops.

    Args:
        suite: the suite.
        catalog: where scorers come from.
        releases: per side.
        rows: recordings per side, None for callable applications.
        first: whether there is no baseline.

    Raises:
        InputError: scorers or gates make no sense.
    """
    problems: list[Problem] = []
    broken: set[str] = set()
    scorers: dict[Side, tuple[Scorer, ...]] = {}
    for side, release in releases.items():
        scorers[side] = tuple(_build(catalog, suite, release, rows, problems, broken))
    metrics: dict[str, Metric] = {}
    for scorer in scorers["candidate"]:
        if scorer.metric.name in metrics:
            what, remedy = "two scorers report one metric", "give one of them another name with `as:`"
            problems.append(Problem(Place(str(suite.path)), what, repr(scorer.metric.name), remedy))
        metrics[scorer.metric.name] = scorer.metric
    problems += _nothing_expected(suite) + _unreadable_assertions(suite)
    if suite.kind == "safety":
        metrics.update({m.name: m for m in SAFETY_METRICS})
    metrics.update({m.name: m for m in RESPONSE_METRICS})
    regression = catalog.make_scorer(
        ScorerSpec("regression"), ScorerContext(suite.path, releases["candidate"])
    )
    if suite.regressions:
        metrics[regression.metric.name] = regression.metric
    # A gate on a scorer that could not be made would only repeat that problem.
    judgeable = tuple(gate for gate in suite.gates if gate.metric not in broken)
    problems += check_gates(replace(suite, gates=judgeable), metrics)
    if problems:
        raise InputError(tidy([_relative(problem) for problem in problems]))
    hops = hops_of(releases["candidate"], suite)
    gates = spread_gates(suite, metrics, hops, has_baseline=not first)
    return SuitePlan(
        suite=suite, metrics=metrics, scorers=scorers, regression_scorer=regression, gates=gates, hops=hops
    )


def _build(
    catalog: Catalog,
    suite: Suite,
    release: Release,
    rows: Mapping[Side, Rows | None],
    problems: list[Problem],
    broken: set[str],
) -> Iterator[Scorer]:
    """The suite's scorers for one release; what cannot be made goes to ``problems`` and ``broken``."""
    context = ScorerContext(suite.path, release)
    for spec in suite.scorers:
        try:
            yield _with_recorded_kind(catalog.make_scorer(spec, context), suite, rows)
        except InputError as error:
            problems += error.problems
            named = spec.options.get("as") or (_recorded_name(spec) if spec.name == "recorded" else spec.name)
            broken.add(str(named))


def _nothing_expected(suite: Suite) -> list[Problem]:
    """Scorers that compare with ``expected`` in a suite whose cases expect nothing."""
    if any(case.expected is not None for case in suite.cases):
        return []
    return [
        Problem(
            Place(str(suite.path), spec.line, spec.column),
            f"{spec.name} compares with what a case expects, but no case of the suite says it",
            "",
            "add `expected` to the cases, or give the scorer a value",
        )
        for spec in suite.scorers
        if spec.name in COMPARING and "value" not in spec.options
    ]


def _unreadable_assertions(suite: Suite) -> list[Problem]:
    """Regression cases whose ``expected`` asserts nothing that can be judged."""
    problems = []
    for case in suite.regressions:
        if case.expected is None:
            continue
        try:
            read_assertions(case.expected)
        except ValueError as error:
            place = Place(str(suite.path.parent / "regressions.jsonl"), case.line)
            problems.append(Problem(place, f"expected of {case.id!r} cannot be judged: {error}"))
    return problems


def _relative(problem: Problem) -> Problem:
    return replace(problem, place=replace(problem.place, path=shown(problem.place.path)))


def _with_recorded_kind(scorer: Scorer, suite: Suite, rows: Mapping[Side, Rows | None]) -> Scorer:
    """Give a ``recorded`` scorer without ``kind:`` the kind that the scores on both sides have.

    Raises:
        InputError: there are none, they lie outside [0, 1], or the application is no recording.
    """
    if scorer.name != "recorded":
        return scorer
    spec = next(
        s
        for s in suite.scorers
        if s.name == "recorded" and (s.options.get("as") or _recorded_name(s)) == scorer.metric.name
    )
    source = _recorded_name(spec)
    place = Place(str(suite.path), spec.line, spec.column)
    if any(found is None for found in rows.values()):
        what = "recorded scores need a recording on both sides"
        raise InputError([Problem(place, what, "", "use application: recording")])
    ids = {case.id for case in suite.all_cases}
    recorded = [
        r.scores
        for found in rows.values()
        if found is not None
        for (case_id, _), r in found.items()
        if case_id in ids and isinstance(r, Response)
    ]
    values = [scores[source] for scores in recorded if source in scores]
    if not values:
        known = sorted({name for scores in recorded for name in scores})
        remedy = did_you_mean(source, known, none="they hold no scores")
        raise InputError([Problem(place, "no recording holds this score", repr(source), remedy)])
    if "kind" in spec.options:
        return scorer
    kind = infer_kind(values)
    if kind is None:
        what, span = (
            f"the recorded scores {source!r} lie outside [0, 1]",
            f"{min(values):g} to {max(values):g}",
        )
        remedy = "say what they are with kind: count, latency or cost"
        raise InputError([Problem(place, what, span, remedy)])
    return replace(scorer, metric=replace(scorer.metric, kind=kind))


def _recorded_name(spec: ScorerSpec) -> str:
    return str(spec.options.get("name") or spec.options.get("value"))
