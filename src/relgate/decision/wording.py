"""Sentences for gates: the numbers in words, with the boundary beside them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from math import floor, isfinite, log10

from relgate.decision.planning.needed import is_practical
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.sample import DISTINCT_INPUT, Sample
from relgate.domain.gate import GateForm, GateResult
from relgate.domain.metric import Metric
from relgate.late import np

_NAMED = 5
"""Ids that are told of many."""


def percent(value: float, digits: int = 1) -> str:
    """``2.95 %`` of .0295; trailing zeros are dropped."""
    text = f"{100 * value:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def level_of(error: float, *, digits: int = 0) -> str:
    """The level of an interval in percent, never rounded to one that it does not have: ``99.961 %``.

    Args:
        error: the share of intervals that may miss, in (0, 1): 2 alpha of two bounds, alpha of one.
        digits: behind the point at the least, as far as they are no zeros.
    """
    return percent(1.0 - error, max(digits, 1 - floor(log10(100 * error))))


def plain_rate(alpha: float) -> str:
    """An error rate with at most three significant digits and without an exponent: ``0.0000977``."""
    return f"{Decimal(f'{alpha:.3g}').normalize():f}"


def points(value: float) -> str:
    """A difference of rates in points: ``-2.1 points``."""
    return f"{_signed(100 * value)} points"


def count(number: int, noun: str) -> str:
    """``1 more case``, ``2 more cases``, ``12,000 more cases``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def independent(number: int, sample: Sample) -> str:
    """``100 independent cases``, ``20 independent clusters``, ``40 distinct inputs``: the units counted."""
    if not sample.clustered:
        return count(number, "independent case")
    noun = sample.unit_noun
    return count(number, noun if noun == DISTINCT_INPUT else f"independent {noun}")


def amount(value: float, metric: Metric) -> str:
    """A value in its metric's unit: ``3,210 ms``, ``$0.0021``, ``412``; the largest may have no end."""
    text = _number(value, metric)
    return f"{text} ms" if metric.kind == "latency" and isfinite(value) else text


def _number(value: float, metric: Metric) -> str:
    if not isfinite(value):
        return "unbounded"
    if metric.kind == "cost":
        return f"${value:.4g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def was(number: int) -> str:
    """The verb of ``1 of 40 cases was``, ``2 of 40 cases were``."""
    return "was" if number == 1 else "were"


def bounds(low: float, high: float, *, sign: bool = True) -> str:
    """``[-3.6, -0.6]`` in points."""
    if sign:
        return f"[{_signed(100 * low)}, {_signed(100 * high)}]"
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def _signed(value: float) -> str:
    text = f"{value:+.1f}"
    return "+0.0" if text == "-0.0" else text


def describe(gate: Gate, sample: Sample, result: GateResult) -> str:
    """The facts of a gate: estimate, interval, boundary and size."""
    assert result.estimate is not None
    spec, n = gate.spec, _size(sample)
    if result.lower is None or result.upper is None:
        return f"{_what_ratio(gate)} {_ratio(result.estimate)} in every case, limit {spec.boundary:g}, {n}"
    match spec.form:
        case "non_inferior" | "superior":
            must = f"margin {100 * spec.boundary:g}" if spec.form == "non_inferior" else "must be better"
            other = " against the primary hop" if spec.against == "primary" else ""
            return f"{points(result.estimate)} {bounds(result.lower, result.upper)}, {must}, {n}{other}"
        case "at_most" if spec.quantile is not None:
            low, high = (_number(bound, gate.metric) for bound in (result.lower, result.upper))
            limit, failed = amount(spec.boundary, gate.metric), int(np.sum(np.isinf(sample.candidate)))
            counted = (
                f", {count(failed, 'call')} failed and {'counts' if failed == 1 else 'count'} as over it"
            )
            return (
                f"p{spec.quantile * 100:g} {amount(result.estimate, gate.metric)} [{low}, {high}], "
                f"limit {limit}, {n}" + counted * bool(failed)
            )
        case "at_least" | "at_most":
            word = "floor" if spec.form == "at_least" else "ceiling"
            interval = bounds(result.lower, result.upper, sign=False)
            return f"{percent(result.estimate)} {interval}, {word} {percent(spec.boundary)}, {n}"
        case _:
            interval = f"[{_ratio(result.lower)}, {_ratio(result.upper)}]"
            return f"{_what_ratio(gate)} {_ratio(result.estimate)} {interval}, limit {spec.boundary:g}, {n}"


def _what_ratio(gate: Gate) -> str:
    quantile = gate.spec.quantile
    return "ratio of means" if quantile is None else f"p{quantile * 100:g} ratio"


def harm_apart(harm_method: str, method: str, alpha: float) -> str:
    """Why harm is proven beside an interval that holds 0: both are true, for they are of two tests.

    Args:
        harm_method: of the test against 0.
        method: of the test against the margin, to which the interval belongs.
        alpha: of each bound of the interval.
    """
    return (
        f"the interval is of the test against the margin ({method}, alpha {plain_rate(alpha)}), "
        f"harm of the test against 0 ({harm_method}, alpha {ALPHA:g})"
    )


def conclude(result: GateResult) -> str:
    """The facts with what follows from them: proven broken, proven worse, or how many more cases."""
    facts = result.message
    basis = f"; {result.basis}" if result.basis else ""
    if result.result == "fail" and result.p_fail is not None:
        why = basis if result.needed is None else ""
        return f"requirement proven broken ({p_value(result.p_fail)}): {facts}{why}"
    if result.regressed_within_margin and result.p_harm is not None:
        return f"regressed within margin ({p_value(result.p_harm)}): {facts}"
    if result.proven_worse and result.p_harm is not None:
        return f"proven worse ({p_value(result.p_harm)}): {facts}; {result.outlook}; fix, do not measure"
    if result.result == "hold" and result.needed and result.p_pass is not None:
        clusters = clusters_lacking(result)
        alike = f" in about {count(clusters, f'new {result.unit_noun}')}" if clusters else ""
        more, total = count(result.needed, "more case"), f"{result.needed + result.n:,} in all"
        if result.needed_total is not None:
            total = f"half of them count here: {result.needed_total:,} in all"
        if is_practical(result.needed, result.n):
            return f"{facts}: {more} ({total}){alike} would decide{basis}"
        never = f"more cases will not decide it in practice (it would take {more}, {total}{alike})"
        return f"{facts}: {remedy(result.form)}; {never}{basis}"
    return facts + basis


def clusters_lacking(result: GateResult) -> int | None:
    """Further clusters that let a gate decide; None where it judges cases."""
    if result.needed_clusters is not None:
        return result.needed_clusters
    if not result.needed or result.units == result.n:
        return None
    if result.form == "violations":
        return result.needed
    return max(1, round(result.needed * result.units / max(1, result.n)))


def remedy(form: GateForm) -> str:
    """What to change in a gate that no practical number of cases decides."""
    return f"{_REMEDIES.get(form, 'loosen its limit')} or give it another role (guard, report)"


_REMEDIES: dict[str, str] = {
    "non_inferior": "widen its margin",
    "superior": "take non_inferior with a margin",
    "at_least": "lower its floor",
    "at_most": "raise its ceiling",
    "violations": "raise its rate_at_most",
}


def p_value(p: float) -> str:
    """``p = 0.013``, ``p < 0.0001``."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "unbounded"


def _size(sample: Sample) -> str:
    if sample.clustered:
        return f"n = {sample.n} in {sample.counted_units}"
    return f"n = {sample.n}"


def some(ids: Iterable[str]) -> str:
    """``a, b, c, d, e ...``: the first few of many."""
    first = list(islice(ids, _NAMED + 1))
    return ", ".join(first[:_NAMED]) + (" ..." if len(first) > _NAMED else "")
