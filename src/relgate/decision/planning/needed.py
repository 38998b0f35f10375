"""How many more cases would let a gate decide: planned at no true difference (statistics.md 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, isfinite, log, sqrt

from relgate import stats
from relgate.decision.absolute_quantile import EXCEEDS, exceeding, least_cases
from relgate.decision.evidence import DIFFERENCES, SCORES, Evidence, is_binary, oriented, paired_counts
from relgate.decision.planning.more_clusters import cases_in_clusters
from relgate.decision.policy import Gate
from relgate.decision.ratio_evidence import MIN_RATIO_UNITS, quantile_minimum, spending, spending_total
from relgate.decision.sample import DISTINCT_INPUT, Floats, Sample
from relgate.late import np, special
from relgate.stats.means import Support
from relgate.stats.unseen_unit import LEAST_CORRELATION

POWER = 0.8

MOST_CASES = 1_000_000
"""Beyond this no number is planned."""

PRACTICAL_CASES = 100_000
PRACTICAL_FACTOR = 50
"""Nobody writes more cases than this, in all or per case at hand: then the number is no advice."""

_TOO_CLOSE = "more cases are no remedy: it lies too close to the boundary"


@dataclass(frozen=True, slots=True)
class Need:
    """What would let a gate decide.

    Attributes:
        further: cases beyond those at hand; None where more cases of the same kind are no remedy.
        basis: what the number was planned for, or why there is none.
    """

    further: int | None
    basis: str


def is_practical(further: int, at_hand: int) -> bool:
    """Whether a team could add so many cases to the suite that it has."""
    return further <= (min(PRACTICAL_CASES, PRACTICAL_FACTOR * at_hand) if at_hand else PRACTICAL_CASES)


def cases_needed(
    gate: Gate, sample: Sample, found: Evidence, alpha: float, *, judged_at: float | None = None
) -> Need:
    """Further cases that would let the gate pass with power .8 at this alpha.

    Differences are planned at delta = 0, never at the observed difference, with the discordance at its upper
    80 % bound; floors at the observed rate, for there is no other. Where the cases at hand would already do
    at delta = 0, half of the observed difference is taken. Clusters multiply by the design effect.

    Args:
        gate: the gate.
        sample: what it judged.
        found: what that said.
        alpha: promote-side alpha of the run that would judge the further cases.
        judged_at: alpha of the bounds in ``found``; None where it is the same.
    """
    match gate.spec.form:
        case "non_inferior":
            need = _difference_need(gate, sample, alpha)
            return replace(
                need, basis="; ".join(filter(None, [need.basis, _trials_cannot(gate, sample, alpha)]))
            )
        case "superior":
            return _superior_need(gate, sample, alpha)
        case "at_most" if gate.spec.quantile is not None:
            return _quantile_need(gate, sample, gate.spec.quantile, alpha)
        case "at_least" | "at_most":
            return _level_need(gate, sample, found, alpha)
        case _:
            return _ratio_need(gate, sample, found, alpha, judged_at or alpha)


def _difference_need(gate: Gate, sample: Sample, alpha: float) -> Need:
    margin = gate.spec.boundary
    flat = _flat_difference(sample, margin, alpha)
    if flat is not None:
        return Need(flat - sample.n, _flat(sample))
    effect = _design_effect(sample, sample.difference)
    binary = is_binary(sample, gate.metric)
    values = oriented(sample, gate.metric)

    def total(delta: float) -> int | None:
        if binary:
            counts = paired_counts(sample)
            psi = max(stats.discordance_upper(counts.b + counts.c, counts.n), abs(delta))
            planned: float | None = stats.nam_n(margin, psi, delta, alpha, POWER)
        else:
            spread = sqrt(max(0.0, _square_upper(sample) - delta**2))
            planned = _planned_t(delta + margin, spread, alpha)
        if planned is None or planned > MOST_CASES:
            return None
        least = stats.ties_n(margin, alpha) if binary else _least_total(gate, sample, margin, alpha)
        clusters = _clusters(sample, values, delta, -margin, DIFFERENCES, alpha)
        return None if clusters is None else max(clusters, _whole(max(planned * effect, least)))

    at_none = total(0.0)
    if at_none is None:
        return Need(None, _TOO_CLOSE)
    half = float(np.mean(values)) / 2.0
    at_half = total(half) if half > -margin else None
    if at_none > sample.n:
        basis = "planned at no true difference"
        if half < 0.0:
            other = "no number" if at_half is None else f"{at_half - sample.n:,} more"
            basis += f" ({other} at half of the observed one)"
        return Need(at_none - sample.n, basis)
    enough = f"{at_none} cases are enough at no true difference"
    if at_half is not None and at_half > sample.n:
        return Need(at_half - sample.n, f"{enough}; planned at half of the observed one")
    return Need(None, f"{enough}, so the observed one speaks against it")


def _clusters(
    sample: Sample, values: Floats, mean: float, boundary: float, support: Support, alpha: float
) -> int | None:
    """Cases that clusters of the present size take, 0 where clusters are not counted."""
    if not sample.clustered:
        return 0
    return cases_in_clusters(
        sample,
        values,
        mean=mean,
        boundary=boundary,
        support=support,
        alpha=alpha,
        power=POWER,
        at_most=MOST_CASES,
    )


def _least_total(gate: Gate, sample: Sample, margin: float, alpha: float) -> int:
    """Cases below which the plan does not hold: Gaffke alone judges means there, and passes seldom."""
    means = not (sample.clustered or is_binary(sample, gate.metric))
    return (stats.trusted_n if means else stats.n_min)(margin, alpha)


def _whole(cases: float) -> int:
    """Cases rounded up, but for what the order of a sum adds in the last digits."""
    return ceil(cases - 1e-6)


def _flat(sample: Sample) -> str:
    return f"no {sample.unit_noun} differs from another, so each counts as one case"


def _square_upper(sample: Sample) -> float:
    """Upper bound of the mean squared difference of a case, what psi is to pass or fail (statistics.md 8).

    The share of cases that differ at all at its upper 80 % bound, times their mean squared difference; where
    none differs 1 / k, which no flip of one of k trials exceeds.
    """
    apart = sample.difference[sample.difference != 0.0]
    share = stats.discordance_upper(apart.size, sample.n)
    return share * (float(np.mean(apart**2)) if apart.size else sample.n / sample.candidate_rows.size)


def _trials_cannot(gate: Gate, sample: Sample, alpha: float) -> str:
    """Why asking the same cases more often is no way out: n_min counts cases (statistics.md 1)."""
    needed = stats.n_min(gate.spec.boundary, alpha)
    copies = sample.clustered and sample.unit_noun == DISTINCT_INPUT
    have, noun = (sample.unit_count, sample.unit_noun) if copies else (sample.n, "case")
    if have >= needed:
        return ""
    return (
        f"no number of trials helps: {have} {noun}{'s may all' if have > 1 else ' may'} miss a failure that "
        f"{100.0 * gate.spec.boundary:g} % of all cases have, {needed} {noun}s may not"
    )


def _superior_need(gate: Gate, sample: Sample, alpha: float) -> Need:
    half = float(np.mean(oriented(sample, gate.metric))) / 2.0
    planned = _planned_mean(half, sample.difference, alpha)
    if planned is None:
        return Need(None, "more cases are no remedy: it is not clearly better")
    total = _whole(planned * _design_effect(sample, sample.difference))
    if not (sample.clustered or is_binary(sample, gate.metric)):
        total = max(total, stats.unseen_loss_n(half, alpha))
    if total > MOST_CASES:
        return Need(None, _TOO_CLOSE)
    return _beyond(total, sample, "planned at half of the observed gain")


def _level_need(gate: Gate, sample: Sample, found: Evidence, alpha: float) -> Need:
    floor = gate.spec.form == "at_least"
    rate = found.estimate if floor else 1.0 - found.estimate
    bar = gate.spec.boundary if floor else 1.0 - gate.spec.boundary
    if rate <= bar or not 0.0 < bar < 1.0:
        return Need(
            None, f"more cases are no remedy: it is not {'above the floor' if floor else 'below the ceiling'}"
        )
    flat = _flat_total(sample, sample.candidate, 1.0 - bar, alpha) if rate == 1.0 else None
    if flat is not None:
        return Need(flat - sample.n, _flat(sample))
    if is_binary(sample, gate.metric):
        planned: float | None = stats.binomial_floor_n(rate, bar, alpha, POWER)
    else:
        planned = _planned_mean(rate - bar, sample.candidate, alpha)
    if planned is None or planned > MOST_CASES:
        return Need(None, _TOO_CLOSE)
    least = _least_total(gate, sample, 1.0 - bar, alpha)
    values = sample.candidate if floor else 1.0 - sample.candidate
    clusters = _clusters(sample, values, rate, bar, SCORES, alpha)
    if clusters is None:
        return Need(None, _TOO_CLOSE)
    total = max(clusters, _whole(max(planned * _design_effect(sample, sample.candidate), least)))
    return _beyond(total, sample, "planned at the observed rate")


def _quantile_need(gate: Gate, sample: Sample, quantile: float, alpha: float) -> Need:
    """Planned as a ceiling on the share of calls that reach the limit, at the observed share."""
    reached = exceeding(sample, gate.spec.boundary, reached=True)
    ceiling = replace(gate.spec, boundary=1.0 - quantile, quantile=None)
    share = float(np.mean(reached.candidate))
    found = Evidence(share, 0.0, 1.0, 1.0, 1.0, "")
    need = _level_need(replace(gate, spec=ceiling, metric=EXCEEDS), reached, found, alpha)
    if sample.clustered and need.further is not None:
        least = ceil(least_cases(quantile, alpha) * sample.n / sample.unit_count)
        return replace(need, further=max(need.further, least - sample.n))
    if need.further is None and share >= ceiling.boundary:
        within = " (a count of 3 is below 3.5, not below 3)" if gate.metric.kind == "count" else ""
        return Need(None, f"more cases are no remedy: the quantile is not below the limit{within}")
    return need


def _ratio_need(gate: Gate, sample: Sample, found: Evidence, alpha: float, judged_at: float) -> Need:
    """From the width of the interval of log(ratio), which shrinks with the root of n."""
    limit, quantile = gate.spec.boundary, gate.spec.quantile
    if sample.failed and not isfinite(found.upper):
        return Need(None, "more cases are no remedy while calls fail")
    if quantile is None and (rare := _rare_need(gate, sample, found, alpha)) is not None:
        return rare
    if not isfinite(found.upper) or found.estimate <= 0.0:
        return Need(None, "more cases are no remedy as long as the ratio has no bound")
    error = log(found.upper / found.estimate) / float(special.ndtri(1.0 - judged_at))
    least = quantile_minimum(quantile) if quantile is not None else MIN_RATIO_UNITS
    plans = [(1.0, "planned at a true ratio of 1")] if limit > 1.0 else []
    plans.append((sqrt(found.estimate), "planned at half of the observed change"))
    for ratio, basis in plans:
        if ratio < limit:
            reach = float(special.ndtri(1.0 - alpha) + special.ndtri(POWER)) * error / log(limit / ratio)
            total = max(least, ceil(sample.n * reach**2))
            if sample.n < total <= MOST_CASES:
                return Need(total - sample.n, basis)
    return Need(None, "more cases are no remedy: the ratio is too close to the limit or above it")


def _rare_need(gate: Gate, sample: Sample, found: Evidence, alpha: float) -> Need | None:
    """Where a count is so rare that its ratio has no bound yet, or would have none on the limit.

    At a true ratio of 1 both sides draw from the values of both; the variance of the log of the ratio of
    means is then 2 Var / (n mean^2) at most.
    """
    assert sample.baseline is not None
    limit, spend = gate.spec.boundary, spending(sample)
    short = spend < spending_total(limit) and found.p_pass == 1.0
    if not (short or not isfinite(found.upper)) or not spend or found.estimate > limit:
        return None
    total, basis = sample.n * spending_total(limit) / spend, "the least at as many cases above 0"
    if limit > 1.0:
        both: Floats = np.concatenate((sample.candidate, sample.baseline))
        reach = float(special.ndtri(1.0 - alpha) + special.ndtri(POWER)) / log(limit)
        planned = 2.0 * float(np.var(both)) * (reach / float(np.mean(both))) ** 2
        total = max(total, planned * _design_effect(sample, sample.difference))
        basis = "planned at a true ratio of 1"
    return _beyond(_whole(total), sample, basis) if total <= MOST_CASES else Need(None, _TOO_CLOSE)


def _beyond(total: int, sample: Sample, basis: str) -> Need:
    return Need(max(1, total - sample.n), basis)


def _planned_mean(distance: float, values: Floats, alpha: float) -> float | None:
    """Cases of a t-test at this distance from the boundary; None when there is none, or beyond all reason."""
    return _planned_t(distance, float(np.std(values, ddof=1)) if values.size > 1 else 1.0, alpha)


def _planned_t(distance: float, spread: float, alpha: float) -> float | None:
    spread = max(spread, 1e-3)
    if distance <= 0.0 or (3.0 * spread / distance) ** 2 > MOST_CASES:
        return None
    return stats.paired_t_n(distance, spread, alpha, POWER)


def _flat_difference(sample: Sample, margin: float, alpha: float) -> int | None:
    """As ``_flat_total``, but with room for the differences that the cases at hand may have missed."""
    flat = _flat_total(sample, sample.difference, margin, alpha)
    if flat is None or np.any(sample.difference):
        return flat
    size = sample.n / sample.unit_count
    effect = 1.0 + (size - 1.0) * LEAST_CORRELATION
    planned = stats.nam_n(margin, stats.discordance_upper(0, sample.n), 0.0, alpha, POWER)
    return max(flat, ceil(planned * effect))


def _flat_total(sample: Sample, values: Floats, margin: float, alpha: float) -> int | None:
    """Cases in n_min clusters of the present size, when clusters do not differ and are the only evidence."""
    if not sample.clustered or not stats.cluster_mean(values, sample.units).degenerate:
        return None
    clusters = stats.n_min(margin, alpha)
    if clusters <= sample.unit_count:
        return None
    return ceil(clusters * sample.n / sample.unit_count)


def _design_effect(sample: Sample, values: Floats) -> float:
    if not sample.clustered or sample.unit_count < 2 or sample.n < 3:
        return 1.0
    independent = float(np.std(values, ddof=1)) / sqrt(sample.n)
    if independent < 1e-12:
        return 1.0
    return max(1.0, (stats.cluster_mean(values, sample.units).se / independent) ** 2)
