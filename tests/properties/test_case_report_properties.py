"""What is told of a case is what its suite would say of it, whether or not it is arranged as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from relgate.decision.measurements import arrange
from relgate.decision.outcomes import case_outcome, critical_misses, hit_metrics, outcome_of_calls
from relgate.decision.policy import spread_gates
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Failure, Measurement, Response, Score, ScorerFailure
from relgate.domain.scorer import Scorer
from relgate.usecases.measuring.case_failure import case_failure
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.reporting.case_report import CaseReporter

METRICS = {
    m.name: m
    for m in (
        Metric("right", "binary"),
        Metric("close", "unit"),
        Metric("harm", "binary", higher_is_better=False),
        Metric("answered", "binary"),
        Metric("latency_ms", "latency", higher_is_better=False),
    )
}
NEVER_ASKED = Scorer("regression", Metric("regression", "binary"), lambda case, response: None)
HOPS = ("a/one", "b/two")
RIGHT = GateSpec("right", "at_least", 0.5)
HARMLESS = GateSpec("harm", "violations", 0.0)
SHOWN = replace(HARMLESS, role="report")

outcomes = st.one_of(
    st.just(Response("text")),
    st.sampled_from(["application", "outage", "missing"]).map(lambda kind: Failure(kind, f"an {kind}")),
)


def _scores(values: list[float | None]) -> tuple[Score | ScorerFailure, ...]:
    named = zip(METRICS.values(), values, strict=True)
    return tuple(
        ScorerFailure(m.name, "no number") if value < 0 else Score(m.name, value, m.kind)
        for m, value in named
        if value is not None
    )


value = st.sampled_from([None, -1.0, 0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0])
calls = st.lists(
    st.builds(
        Measurement,
        side=st.sampled_from(["candidate", "baseline"]),
        suite=st.just("s"),
        case_id=st.just("c"),
        trial=st.integers(0, 4),
        outcome=outcomes,
        scores=st.lists(value, min_size=len(METRICS), max_size=len(METRICS)).map(_scores),
        hop=st.sampled_from([None, *HOPS]),
        confirmation=st.sampled_from([False, False, False, True]),
    ),
    max_size=7,
).map(tuple)
cases = st.builds(
    Case,
    id=st.just("c"),
    input=st.just("question"),
    critical=st.sampled_from([False, False, True, "never"]),
    regression=st.sampled_from([False, False, True]),
)


def _plan(case: Case, gates: tuple[GateSpec, ...], hops: tuple[str, ...]) -> SuitePlan:
    suite = Suite(
        name="s",
        kind="fallback" if hops else "golden",
        path=Path("suite.yaml"),
        folder="s",
        scorers=(),
        cases=() if case.regression else (case,),
        regressions=(case,) * case.regression,
        gates=gates,
    )
    spread = spread_gates(suite, METRICS, hops, has_baseline=True)
    return SuitePlan(suite, METRICS, {"candidate": (), "baseline": ()}, NEVER_ASKED, spread, hops)


@settings(max_examples=300)
@given(cases, calls, st.sampled_from([(), HOPS]), st.booleans())
def test_the_outcome_of_a_case_needs_no_suite(case, rows, hops, paired):
    plan = _plan(case, (RIGHT,), hops)
    data = arrange(plan.suite, METRICS, rows, hops=hops, paired=paired)
    assert outcome_of_calls(rows, hit_metrics(METRICS), hops, paired=paired) == case_outcome(data, case)


@settings(max_examples=300)
@given(
    cases, calls, st.sampled_from([(RIGHT,), (RIGHT, HARMLESS), (RIGHT, SHOWN)]), st.sampled_from([(), HOPS])
)
def test_no_case_fails_by_itself_untold(case, rows, gates, hops):
    plan = _plan(case, gates, hops)
    data = arrange(plan.suite, METRICS, rows, hops=hops, paired=True)
    told = CaseReporter([plan], frozenset(), paired=True).report(("s", "c"), rows, lambda text: text)
    assert told.outcome == case_outcome(data, case)
    assert bool(told.failure) == bool(case_failure(plan, data, case))
    assert told.failure.startswith(case_failure(plan, data, case))
    assert told.message.startswith("".join(miss.message for miss in critical_misses(data)))


def test_nothing_is_told_of_a_sealed_case():
    plan = _plan(Case("c", "question"), (RIGHT,), ())
    told = CaseReporter([plan], {("s", "c")}, paired=True).report(("s", "c"), (), str)
    assert (told.outcome, told.scores, told.trials) == ("sealed", {}, 0)


@given(calls)
def test_mean_scores_are_means_over_the_calls(rows):
    """Also of one call alone, which is told without sums."""
    told = CaseReporter(
        [_plan(Case(id="c", input="question"), (RIGHT,), ())], frozenset(), paired=False
    ).report(("s", "c"), rows, lambda text: text)
    values: dict[str, list[float]] = {}
    for row in rows:
        if row.side == "candidate" and not row.confirmation:
            for score in row.scores:
                if not isinstance(score, ScorerFailure):
                    values.setdefault(score.metric, []).append(score.value)
    assert told.scores == {name: sum(found) / len(found) for name, found in values.items()}
