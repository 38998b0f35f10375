"""Drawing the sample that a gate or a table judges from what was measured of a suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from relgate.decision.duplicates import counts_clusters, units_of
from relgate.decision.long_suites.column_sample import column_sample, violating_columns, violating_ids
from relgate.decision.measurements import SuiteData, cases_in_scope
from relgate.decision.sample import NAMED, Floats, Sample, lattice, nameable, unit_noun
from relgate.domain.case import Case
from relgate.domain.response import Side
from relgate.late import np


def draw_sample(
    data: SuiteData,
    metric: str,
    *,
    only: Mapping[str, object] | None = None,
    hops: tuple[str, ...] = ("",),
    relative: bool,
    against_hop: str | None = None,
) -> Sample:
    """The cases that a gate judges.

    Args:
        data: the suite's measurements.
        metric: the metric's name.
        only: tags that a case must carry.
        hops: hops to average over.
        relative: whether a case needs a score on both sides.
        against_hop: compare with this hop of the candidate itself instead of the baseline.
    """
    if data.columns is not None:
        return column_sample(data, data.columns, metric, only or {}, relative=relative)
    scope = _scope(data, metric, only or {}, relative=relative or against_hop is not None)
    if relative and against_hop is None and data.unpaired:
        scope = tuple(case for case in scope if case.id not in data.unpaired)
    candidate = [data.series("candidate", metric, hop) for hop in hops]
    sides: list[tuple[Side, str]] = [("candidate", hop) for hop in hops]
    baseline: list[Mapping[str, tuple[float, ...]]] = []
    if against_hop is not None:
        baseline = [data.series("candidate", metric, against_hop) for _ in hops]
        sides.append(("candidate", against_hop))
    elif relative:
        baseline = [data.series("baseline", metric, hop) for hop in hops]
        sides += [("baseline", hop) for hop in hops]
    unit_labels = units_of(data.suite)
    if len(hops) == 1:
        plain = _plain_sample(data, scope, sides, [*candidate, *baseline], metric, unit_labels)
        if plain is not None:
            return plain
    outages = [cases for key in sides if (cases := data.unmeasured.get(key))]
    failures = [
        cases for side, hop in sides if (cases := data.judge_failures.get((side, metric, hop))) is not None
    ]
    labels: dict[str, int] = {}
    c_mean: list[float] = []
    b_mean: list[float] = []
    units: list[int] = []
    c_rows: list[float] = []
    b_rows: list[float] = []
    c_units: list[int] = []
    b_units: list[int] = []
    missing_units: list[int] = []
    missing_ids: list[str] = []
    single, unmeasured, judged_badly = True, 0, 0
    reasons: dict[str, None] = {}
    why_failed: Counter[str] = Counter()
    for case in scope:
        c_scores = [series.get(case.id, ()) for series in candidate]
        b_scores = [series.get(case.id, ()) for series in baseline]
        unit = labels.setdefault(unit_labels[case.id], len(labels))
        away = [reason for cases in outages if (reason := cases.get(case.id)) is not None]
        failed = [why for cases in failures if (why := cases.get(case.id)) is not None]
        if away or failed or not all(c_scores) or not all(b_scores):
            only_the_judge = bool(failed) and not away
            judged_badly += only_the_judge
            why_failed.update(failed[:1] if only_the_judge else ())
            unmeasured += not only_the_judge
            reasons.update(dict.fromkeys(away))
            missing_units.append(unit)
            missing_ids.append(case.id)
            continue
        units.append(unit)
        c_mean.append(_mean([_mean(scores) for scores in c_scores]))
        for scores in c_scores:
            c_rows += scores
            c_units += [unit] * len(scores)
        single = single and sum(map(len, c_scores)) == 1 and sum(map(len, b_scores)) in (0, 1)
        if b_scores:
            b_mean.append(_mean([_mean(scores) for scores in b_scores]))
            for scores in b_scores:
                b_rows += scores
                b_units += [unit] * len(scores)
    judge_reason, judge_reason_cases = next(iter(why_failed.most_common(1)), ("", 0))
    return Sample(
        candidate=lattice(c_mean),
        baseline=lattice(b_mean) if baseline else None,
        units=np.array(units, dtype=np.int64),
        clustered=counts_clusters(data.suite, [unit_labels[case.id] for case in scope]),
        single=single,
        candidate_rows=np.array(c_rows, dtype=np.float64),
        candidate_units=np.array(c_units, dtype=np.int64),
        baseline_rows=np.array(b_rows, dtype=np.float64),
        baseline_units=np.array(b_units, dtype=np.int64),
        expected=len(scope),
        unmeasured=unmeasured,
        judge_failures=judged_badly,
        missing_units=np.array(missing_units, dtype=np.int64),
        reasons=tuple(reasons)[:3],
        judge_reason=judge_reason,
        judge_reason_cases=judge_reason_cases,
        missing_ids=nameable(data.suite, missing_ids)[:NAMED],
        unit_noun=unit_noun(data.suite),
    )


def _mean(scores: Sequence[float]) -> float:
    """NumPy's mean, which is slow for the few scores of a case, and a single one is its own."""
    return float(scores[0]) if len(scores) == 1 else float(np.mean(scores))


def _plain_sample(
    data: SuiteData,
    scope: Sequence[Case],
    sides: Sequence[tuple[Side, str]],
    series: Sequence[Mapping[str, tuple[float, ...]]],
    metric: str,
    unit_labels: Mapping[str, str],
) -> Sample | None:
    """The sample of cases with one score on each side and nothing missing; None of any other.

    Args:
        data: the suite's measurements.
        scope: the cases that the gate judges.
        sides: the candidate and, where something is compared, what it is compared with.
        series: their scores by case id.
        metric: the metric's name.
        unit_labels: the label of each case's unit.
    """
    if any(data.unmeasured.get(key) or data.judge_failures.get((key[0], metric, key[1])) for key in sides):
        return None
    columns: list[Floats] = []
    for scores in series:
        found = [scores.get(case.id, ()) for case in scope]
        if any(len(one) != 1 for one in found):
            return None
        columns.append(np.array([value for (value,) in found], dtype=np.float64))
    labels = [unit_labels[case.id] for case in scope]
    codes: dict[str, int] = {}
    units = np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)
    candidate, baseline = columns[0], columns[1] if len(columns) > 1 else None
    return Sample(
        candidate=lattice(candidate.tolist()),
        baseline=None if baseline is None else lattice(baseline.tolist()),
        units=units,
        clustered=counts_clusters(data.suite, labels),
        single=True,
        candidate_rows=candidate,
        candidate_units=units,
        baseline_rows=candidate[:0] if baseline is None else baseline,
        baseline_units=units[:0] if baseline is None else units,
        expected=len(scope),
        unmeasured=0,
        judge_failures=0,
        missing_units=units[:0],
        unit_noun=unit_noun(data.suite),
    )


def violating_units(
    data: SuiteData, metric: str, *, only: Mapping[str, object] | None, hops: tuple[str, ...]
) -> frozenset[str]:
    """Labels of the units in which the candidate violated on any trial.

    A violation counts although another trial of its case was not measured or could not be judged.
    """
    if data.columns is not None:
        return violating_columns(data, data.columns, metric, only or {})
    unit_labels = units_of(data.suite)
    return frozenset(unit_labels[case_id] for case_id in violating_cases(data, metric, only=only, hops=hops))


def violating_cases(
    data: SuiteData, metric: str, *, only: Mapping[str, object] | None, hops: tuple[str, ...]
) -> tuple[str, ...]:
    """Ids of the cases in which the candidate violated on any trial, in the order of the suite."""
    if data.columns is not None:
        return violating_ids(data.columns, metric, only or {})
    return tuple(
        case.id
        for case in _scope(data, metric, only or {}, relative=False)
        if any(
            score > 0.0 for hop in hops for score in data.series("candidate", metric, hop).get(case.id, ())
        )
    )


def _scope(data: SuiteData, metric: str, only: Mapping[str, object], *, relative: bool) -> Sequence[Case]:
    """Cases that the metric applies to: safety metrics live on their own subset of the cases."""
    cases = cases_in_scope(data.suite, only)
    if data.suite.kind == "safety" and metric == "over_refusal":
        return tuple(case for case in cases if case.tags.get("harmful") is False)
    if data.suite.kind == "safety" and metric == "violation":
        # a case that is not harmful has the score only where something forbidden was said: it counts then,
        # but it cannot be paired
        hit = set() if relative else _cases_hit(data)
        return tuple(case for case in cases if case.tags.get("harmful") is True or case.id in hit)
    beside = data.not_applicable.get(metric, frozenset())
    return tuple(case for case in cases if case.id not in beside) if beside else cases


def _cases_hit(data: SuiteData) -> set[str]:
    return {
        case_id
        for hop in data.hop_keys
        for case_id, scores in data.series("candidate", "violation", hop).items()
        if any(scores)
    }
