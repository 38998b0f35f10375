"""How many more labels, or cases, would let a gate on a judge pass: planned from what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt

from relgate import stats
from relgate.decision.judges.label_needs import labels_needed
from relgate.decision.policy import Gate
from relgate.decision.sample import Floats
from relgate.late import np, special

POWER = 0.8
LEAST_SPREAD = 1e-3
LEAST_REST = 2
"""Cases without labels below which the labels decide alone."""
MOST_CASES = 1_000_000
"""Beyond this no number is planned."""
UNSEEN = -1.0
"""The label that no draw has met: a loss, beside a judge who sees no difference."""


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What labels and judge showed, as far as it says how sure more labels would be.

    The difference of a case is slope x + r: x is what the judge sees, known of every case; r, what it cannot
    explain of the labels, is known of the labelled cases. With a trust lam in the judge and m labels of N
    cases the corrected mean has the variance lam^2 Var(x) / (N - m) + ((slope - lam)^2 Var(x) + Var(r)) / m,
    at lam = slope (N - m) / N (Angelopoulos et al. 2023b; statistics.md 9). Third cumulants add up likewise.

    Attributes:
        n: labelled cases.
        cases: all of them that have scores.
        slope: of the labels on the judge.
        judge: mean, variance and third central moment of x, differences of scores.
        rest: variance and third central moment of r.
        unseen: whether one more loss counts, for no label shows what the judge may miss.
    """

    n: int
    cases: int
    slope: float
    judge: tuple[float, float, float]
    rest: tuple[float, float]
    unseen: bool

    @classmethod
    def of(cls, human: Floats, judged: Floats, others: Floats, *, unseen: bool) -> LabelPlan:
        """What is planned from.

        Args:
            human: differences by the labels, shape (n,), n >= 1.
            judged: the judge's on the same answers, shape (n,).
            others: the judge's on all other cases.
            unseen: whether one more loss counts.
        """
        spread = float(judged.var())
        slope = float(np.mean((human - human.mean()) * (judged - judged.mean()))) / spread if spread else 1.0
        x, r = np.concatenate((judged, others)), human - slope * judged
        return cls(
            n=human.size,
            cases=x.size,
            slope=slope,
            judge=(float(x.mean()), float(x.var()), _third(x)),
            rest=(float(r.var(ddof=min(1, r.size - 1))), _third(r)),
            unseen=unseen,
        )

    def decides(self, labels: int, delta: float, margin: float, alpha: float) -> bool:
        """Whether the gate passes with power .8 on so many labels where the true difference is ``delta``."""
        if margin + delta <= 0.0:
            return False
        plain = self._planned(labels, delta, unseen=False)
        if plain.se < LEAST_SPREAD / sqrt(labels):
            return labels >= stats.n_min(margin + delta, alpha)
        alone = plain.n_unlabeled < LEAST_REST
        judged = self._planned(labels, delta, unseen=True) if self.unseen and not alone else plain
        judged = replace(judged, estimate=judged.estimate - float(special.ndtri(POWER)) * plain.se)
        moments = judged.moments if alone else judged.moments_of_losses
        return moments.hall_p(-margin, "greater") <= alpha

    def _planned(self, labels: int, delta: float, *, unseen: bool) -> stats.PredictionPoweredMean:
        """What so many labels would find; by themselves where hardly any case is without one."""
        left = self.cases - labels
        mean, of_judge, third_of_judge = self.judge
        lam = min(1.0, max(0.0, self.slope * left / self.cases)) if left >= LEAST_REST else 0.0
        apart, rest = self.slope - lam, max(1, left)
        variance = apart**2 * of_judge + self.rest[0]
        third = apart**3 * third_of_judge + self.rest[1]
        n = labels
        if unseen:
            far = UNSEEN - (delta - lam * mean)
            n, moved = labels + 1, far / (labels + 1)
            third = (labels * (third - 3.0 * moved * variance - moved**3) + (far - moved) ** 3) / n
            variance = (labels * (variance + moved**2) + (far - moved) ** 2) / labels
            delta += moved
        parts = (variance / n, lam**2 * of_judge / rest)
        error = sqrt(sum(parts))
        squares = parts[0] ** 2 / max(1, n - 1) + parts[1] ** 2 / max(1, left - 1)
        skewness = (third / n**2 + lam**3 * third_of_judge / rest**2) * sqrt(n) / error**3 if error else 0.0
        df = error**4 / squares if squares else max(1.0, n - 1.0)
        return stats.PredictionPoweredMean(delta, error, lam, n, left, skewness, df)

    def more_labels(self, delta: float, margin: float, alpha: float) -> int | None:
        """Further labels of the present cases that decide; None where those of every case do not."""
        low, high = self.n, self.cases
        if low >= high or not self.decides(high, delta, margin, alpha):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.decides(middle, delta, margin, alpha) else (middle, high)
        return high - self.n

    def more_cases(self, delta: float, margin: float, alpha: float) -> int | None:
        """Further cases that decide where every one has labels (paired t test); None where no number does."""
        distance = margin + delta
        spread = max(sqrt(self.slope**2 * self.judge[1] + self.rest[0]), LEAST_SPREAD)
        if distance <= 0.0 or (3.0 * spread / distance) ** 2 > MOST_CASES:
            return None
        return max(1, ceil(stats.paired_t_n(distance, spread, alpha, POWER)) - self.cases)


def labels_or_cases(
    plan: LabelPlan, gate: Gate, estimate: float, margin: float, alpha: float, later_alpha: float
) -> tuple[int | None, int | None]:
    """How many more labels would let a gate pass, else how many more cases that have labels as well.

    Planned at no true difference, as for gates without a judge; where the labels at hand would do for that,
    at half of the observed loss, and where they would do for that as well, at all of it (``cases_needed``).

    Args:
        plan: what labels and judge showed.
        gate: the gate.
        estimate: its corrected difference.
        margin: how much worse the candidate may be, less what cases without a score may hide.
        alpha: promote-side alpha of the run that judges more labels.
        later_alpha: of the run that judges labels of cases that another run has asked before.

    Returns:
        Further labels of present cases and None, None and further cases, or twice None: neither helps.
    """
    tried = [0.0, estimate / 2.0, estimate] if estimate < 0.0 else [0.0]
    delta = next((d for d in tried if not plan.decides(plan.n, d, margin, alpha)), tried[-1])
    least = labels_needed(gate, alpha)
    more = plan.more_labels(delta, margin, alpha) if plan.cases >= least else None
    if more is not None:
        return max(more, least - plan.n), None
    further = plan.more_cases(delta, margin, later_alpha)
    return None, None if further is None else max(further, labels_needed(gate, later_alpha) - plan.cases)


def _third(values: Floats) -> float:
    return float(np.mean((values - values.mean()) ** 3))
