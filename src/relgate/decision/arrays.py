"""Gates on many cases straight from arrays: sufficient statistics per slice, then the evidence of any gate.

One pass over a metric gives the statistics of every slice (2x2 counts, or sums of the first three powers),
so that a million cases cost a fraction of a second. Each case is an independent unit here; clusters and
quantiles need the data themselves (``relgate.decision.gates``). Small slices of scores, and those without a
spread, are judged on their own cases, because Gaffke's bound needs them (statistics.md 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from relgate import stats
from relgate.decision.against_zero import (
    FEW_DIFFER,
    is_sparse,
    secured_method,
    superior_counts_evidence,
    superiority_evidence,
    unseen_caution,
)
from relgate.decision.evidence import (
    DIFFERENCES,
    SCORES,
    Evidence,
    Unable,
    difference_evidence,
    level_evidence,
    means_method,
    paired_counts_evidence,
    rate_evidence,
)
from relgate.decision.policy import ALPHA
from relgate.decision.ratio_evidence import RATIO_METHOD, ratio_evidence
from relgate.decision.sample import DIFFERENCE_DECIMALS, MEAN_DECIMALS, Floats, Sample
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scores: TypeAlias = "NDArray[Any]"
Codes: TypeAlias = "NDArray[np.int64]"

_SIDES: tuple[stats.Alternative, ...] = ("greater", "less")

BLOCK = 1 << 16
"""Cases summed at a time: their powers stay in the cache, and sums of sums keep their digits."""


@dataclass(frozen=True, slots=True)
class ScoreArrays:
    """Scores of one metric on both sides.

    Attributes:
        metric: the metric.
        candidate: shape (n,); bool or integers are one pass or fail per case, floats are case means.
        baseline: the same for the baseline; None where nothing is compared.
        slices: which slice each case belongs to, 0 to S - 1, shape (n,).
        slice_count: S.

    Raises:
        ValueError: lengths or kinds that differ, a slice out of range, no case.
    """

    metric: Metric
    candidate: Scores
    baseline: Scores | None
    slices: Codes
    slice_count: int

    def __post_init__(self) -> None:
        columns = [self.candidate] if self.baseline is None else [self.candidate, self.baseline]
        if self.slices.size == 0:
            raise ValueError("there is no case")
        if any(column.shape != self.slices.shape for column in columns):
            raise ValueError("scores and slices must have one row per case")
        if len({column.dtype.kind == "f" for column in columns}) > 1:
            raise ValueError("both sides must hold pass or fail, or both case means")
        if int(self.slices.min()) < 0 or int(self.slices.max()) >= self.slice_count:
            raise ValueError(f"slices must lie in 0 to {self.slice_count - 1}")

    @property
    def single(self) -> bool:
        """Whether every case has one pass or fail on each side."""
        return self.metric.kind == "binary" and self.candidate.dtype.kind != "f"


def judge_slices(spec: GateSpec, scores: ScoreArrays, *, alpha: float) -> tuple[Evidence | Unable, ...]:
    """The evidence about one requirement in every slice, and over all cases last.

    Equal to what a gate finds on the same cases, to rounding.

    Args:
        spec: form and boundary; nothing else of it counts.
        scores: the metric's scores.
        alpha: one-sided error of the promote side.

    Raises:
        ValueError: A quantile or zero tolerance, or a comparison without a baseline.
    """
    if spec.quantile is not None or spec.form == "violations":
        raise ValueError(f"{spec.name} needs the cases themselves")
    if spec.form in ("non_inferior", "superior", "ratio_at_most") and scores.baseline is None:
        raise ValueError(f"{spec.name} needs a baseline")
    if spec.form == "ratio_at_most":
        return _ratios(spec, scores, alpha)
    if scores.single:
        return _counts(spec, scores, alpha)
    return _means(spec, scores, alpha)


def _no_case() -> Unable:
    return Unable("no case", needed=1)


def _with_total(table: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((table, table.sum(axis=0, keepdims=True)))


def _counts(spec: GateSpec, scores: ScoreArrays, alpha: float) -> tuple[Evidence | Unable, ...]:
    kind = (scores.candidate != 0).astype(np.int64) * 2
    if scores.baseline is not None:
        kind += scores.baseline != 0
    flat = np.bincount(scores.slices * 4 + kind, minlength=4 * scores.slice_count)
    table = _with_total(flat.reshape(scores.slice_count, 4))
    found: list[Evidence | Unable] = []
    for neither, base_only, cand_only, both in table.tolist():
        n = neither + base_only + cand_only + both
        if n == 0:
            found.append(_no_case())
        elif spec.form in ("at_least", "at_most"):
            floor = spec.form == "at_least"
            found.append(rate_evidence(cand_only + both, n, spec.boundary, alpha, floor=floor))
        else:
            counts = stats.PairedCounts(both, cand_only, base_only, neither)
            if spec.form == "non_inferior":
                found.append(paired_counts_evidence(counts, scores.metric, spec.boundary, alpha))
            else:
                found.append(superior_counts_evidence(counts, scores.metric, alpha))
    return tuple(found)


def _means(spec: GateSpec, scores: ScoreArrays, alpha: float) -> tuple[Evidence | Unable, ...]:
    """Hall's t from sums; slices of at most 2000 cases, or without a spread, on their own cases."""
    level = spec.form in ("at_least", "at_most")
    count = scores.slice_count
    sums, differ = np.zeros((count, 4)), np.zeros(count)
    for start in range(0, scores.slices.size, BLOCK):
        rows = slice(start, start + BLOCK)
        code, d = scores.slices[rows], _values(scores, rows, level=level)
        square = d * d
        sums[:, 0] += np.bincount(code, minlength=count)
        for power, values in enumerate((d, square, square * d), start=1):
            sums[:, power] += np.bincount(code, values, minlength=count)
        differ += np.bincount(code, d != 0.0, minlength=count)
    found: list[Evidence | Unable] = []
    for number, row in enumerate(_with_total(np.column_stack((sums, differ))).tolist()):
        n = int(row[0])
        if n == 0:
            found.append(_no_case())
            continue
        moments = stats.Moments.from_sums(n, *row[1:4]) if n > stats.GAFFKE_UP_TO else None
        one = None
        if moments is not None:
            one = (
                _level_from(moments, spec, alpha)
                if level
                else _difference_from(moments, spec, scores.metric, alpha, differ=int(row[4]))
            )
        found.append(one or _on_cases(spec, scores, number, alpha))
    return tuple(found)


def _values(scores: ScoreArrays, rows: slice, *, level: bool) -> Floats:
    """Scores of the candidate, or differences with better counted upwards."""
    if level:
        return _rounded(scores.candidate[rows])
    assert scores.baseline is not None
    candidate: Floats = np.asarray(scores.candidate[rows], dtype=np.float64)
    baseline: Floats = np.asarray(scores.baseline[rows], dtype=np.float64)
    difference: Floats = np.asarray(np.round(candidate - baseline, DIFFERENCE_DECIMALS), dtype=np.float64)
    return difference if scores.metric.higher_is_better else -difference


def _rounded(scores: Scores) -> Floats:
    """Case means on the lattice that every sample uses."""
    means: Floats = np.asarray(scores, dtype=np.float64)
    return np.asarray(np.round(means, MEAN_DECIMALS), dtype=np.float64)


def _level_from(moments: stats.Moments, spec: GateSpec, alpha: float) -> Evidence | None:
    floor = spec.form == "at_least"
    room = (1.0 - spec.boundary) if floor else spec.boundary
    needed, to_fail = (stats.n_min(room, a) if 0.0 < room < 1.0 else 1 for a in (alpha, ALPHA))
    trusted = stats.trusted_n(room, alpha) if 0.0 < room < 1.0 else needed
    if moments.n < max(trusted, to_fail):
        return None
    up: stats.Alternative = "greater" if floor else "less"
    down: stats.Alternative = "less" if floor else "greater"
    interval = stats.secured_hall_interval(moments, alpha, SCORES)
    p_pass, p_fail = (stats.secured_hall_p(moments, spec.boundary, side, SCORES) for side in (up, down))
    method = means_method(moments.n, needed)
    return Evidence(moments.mean, interval.low, interval.high, p_pass, p_fail, method)


def _difference_from(
    moments: stats.Moments, spec: GateSpec, metric: Metric, alpha: float, *, differ: int
) -> Evidence | None:
    if spec.form == "superior":
        if differ < FEW_DIFFER or is_sparse(differ, moments.n):
            return None
        p_pass, p_fail = (stats.secured_hall_p(moments, 0.0, side, DIFFERENCES) for side in _SIDES)
        method, caution = secured_method(moments.n, differ), unseen_caution(moments, alpha)
    else:
        needed = stats.n_min(spec.boundary, min(alpha, ALPHA))
        if moments.n < stats.trusted_n(spec.boundary, min(alpha, ALPHA)):
            return None
        p_pass, p_fail = (stats.secured_hall_p(moments, -spec.boundary, side, DIFFERENCES) for side in _SIDES)
        method, caution = means_method(moments.n, needed), ""
    interval = stats.secured_hall_interval(moments, alpha, DIFFERENCES)
    estimate = moments.mean
    if not metric.higher_is_better:
        estimate, interval = -estimate, stats.Interval(-interval.high, -interval.low)
    return Evidence(estimate, interval.low, interval.high, p_pass, p_fail, method, caution)


def _ratios(spec: GateSpec, scores: ScoreArrays, alpha: float) -> tuple[Evidence | Unable, ...]:
    """Fieller's test from sums; slices without a spread on their own cases."""
    assert scores.baseline is not None
    count = scores.slice_count
    sums = np.zeros((count, 12))
    for start in range(0, scores.slices.size, BLOCK):
        rows = slice(start, start + BLOCK)
        code = scores.slices[rows]
        b, c = _rounded(scores.baseline[rows]), _rounded(scores.candidate[rows])
        if b.min() < 0.0 or c.min() < 0.0:
            raise ValueError("a ratio of means needs values of at least 0")
        sums[:, 0] += np.bincount(code, minlength=count)
        bb, cc = b * b, c * c
        powers = (b > 0.0, c > 0.0, b, c, bb, cc, b * c, bb * b, bb * c, b * cc, cc * c)
        for column, values in enumerate(powers, start=1):
            sums[:, column] += np.bincount(code, values, minlength=count)
    found: list[Evidence | Unable] = []
    for number, row in enumerate(_with_total(sums).tolist()):
        n = int(row[0])
        if n == 0:
            found.append(_no_case())
        else:
            least = 0.0 if row[2] == n else stats.SPENDING / max(row[1], 1.0)
            enough = n > stats.GAFFKE_UP_TO and row[1] >= stats.SPENDING and spec.boundary >= least
            moments = stats.PairMoments.from_means(n, [one / n for one in row[3:]]) if enough else None
            one = None if moments is None else _ratio_from(moments, spec.boundary, alpha, least)
            found.append(one or _on_cases(spec, scores, number, alpha))
    return tuple(found)


def _ratio_from(moments: stats.PairMoments, limit: float, alpha: float, least: float) -> Evidence | None:
    if moments.base <= 0.0 or not (moments.spread(limit) and moments.spread(moments.cand / moments.base)):
        return None
    p_pass, p_fail = moments.kept_p(limit), moments.exceeded_p(limit)
    low, high = moments.exceeded_low(alpha), moments.kept_high(alpha, least)
    return Evidence(moments.cand / moments.base, low, high, p_pass, p_fail, RATIO_METHOD)


def _on_cases(spec: GateSpec, scores: ScoreArrays, number: int, alpha: float) -> Evidence | Unable:
    """Judge one slice (or all cases) on its cases, as every other gate is judged."""
    chosen = slice(None) if number == scores.slice_count else np.flatnonzero(scores.slices == number)
    candidate = _rounded(scores.candidate[chosen])
    baseline = None if scores.baseline is None else _rounded(scores.baseline[chosen])
    sample = _sample(candidate, baseline)
    match spec.form:
        case "non_inferior":
            return difference_evidence(sample, scores.metric, spec.boundary, alpha)
        case "superior":
            return superiority_evidence(sample, scores.metric, alpha)
        case "ratio_at_most":
            return ratio_evidence(sample, spec.boundary, alpha)
        case _:
            return level_evidence(sample, scores.metric, spec.boundary, alpha, floor=spec.form == "at_least")


def _sample(candidate: Floats, baseline: Floats | None) -> Sample:
    units = np.arange(candidate.size, dtype=np.int64)
    return Sample(
        candidate=candidate,
        baseline=baseline,
        units=units,
        clustered=False,
        single=False,
        candidate_rows=candidate,
        candidate_units=units,
        baseline_rows=candidate[:0] if baseline is None else baseline,
        baseline_units=units[:0] if baseline is None else units,
        expected=candidate.size,
        unmeasured=0,
        judge_failures=0,
        missing_units=units[:0],
    )
