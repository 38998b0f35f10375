"""Gates on what a model judged: human labels correct them, and without labels they never pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from relgate import stats
from relgate.decision.evidence import means_method
from relgate.decision.judges.label_needs import (
    LABELS_NEEDED,
    UNCORRECTED,
    is_corrected,
    judged_metrics,
    labels_needed,
    more_labels,
)
from relgate.decision.judges.labels import draw_order, readings
from relgate.decision.judges.more_labels import LabelPlan, labels_or_cases
from relgate.decision.measurements import SuiteData, cases_in_scope
from relgate.decision.policy import ALPHA, SEED, Gate
from relgate.decision.sample import Floats
from relgate.decision.wording import count, plain_rate
from relgate.domain.gate import GateResult
from relgate.domain.response import Side
from relgate.late import np

APART = 0.25
"""Difference between a label and the judge, on the scale of scores, from which the judge missed something."""
FEW_MISSED = 0.01
"""Share of labels that show on one side what the judge missed, up to which it may have missed more."""
FOLDS = 10
"""Parts of the labels among which the trust in the judge is cross-fitted."""
UNLIKELY = 0.001
"""p of the drawn cases having kept their answers so often by chance, from which they are no random sample."""
SIDES: tuple[Side, ...] = ("candidate", "baseline")
_DIFFERENCES = (-1.0, 1.0)


def correct_judged(
    result: GateResult,
    gate: Gate,
    data: SuiteData,
    *,
    next_alpha: float | None = None,
    labels_alpha: float | None = None,
) -> GateResult:
    """A gate on a judged metric, corrected by human labels where it can be; else it may fail but not pass.

    Gates on a judge alone promoted 7 to 100 % of candidates that truly failed (statistics.md 9). The paired
    difference of a non-inferiority gate is corrected by prediction-powered inference (PPI++) when 50 cases or
    more have human labels on both sides, and half again as many as n_min; where labels and judge agree that
    nothing differs, or nothing is unlabelled, the labels decide alone. The labelled cases must be a random
    subset.

    Args:
        result: the gate as its method judged it on the judge's scores.
        gate: the gate.
        data: its suite's measurements.
        next_alpha: promote-side alpha of a further attempt, as which more labels would judge what labels
            judge now; None where it is the same.
        labels_alpha: that of the run that would judge more labels where these are too few to be looked at;
            None where it is the same.
    """
    if gate.spec.metric not in judged_metrics(data.suite) or result.result == "error":
        return result
    if data.hops or not is_corrected(gate, data.suite):
        return _never_passes(result, UNCORRECTED)
    needed = labels_needed(gate, result.alpha)
    drawn = _drawn(gate, data, needed)
    n = len(drawn.cases)
    if drawn.unread or drawn.spared or (n < needed and drawn.others):
        return _held_for_labels(result, gate, data, drawn, labels_alpha or result.alpha)
    split = _split(gate, data, drawn)
    found = infer_from_labels(split, gate.spec.boundary, result.alpha)
    margin, low, high = gate.spec.boundary, found.interval.low, found.interval.high
    missing = "" if not split.missing else f"; {count(split.missing, 'case')} without a score count as worst"
    passes = found.p_pass <= result.alpha
    # As for gates without a judge: what only misses a later attempt's smaller alpha is not proven worse.
    worse = found.p_harm <= ALPHA and result.role == "require" and (passes or found.p_pass > ALPHA)
    held = result.without_remedy()
    if not (passes or worse):
        held = _with_remedy(result, gate, split, found.estimate, next_alpha or result.alpha)
    return replace(
        held,
        result="pass" if passes else "hold",
        estimate=found.estimate,
        lower=low,
        upper=high,
        p_pass=found.p_pass,
        p_fail=found.p_fail,
        method=found.method,
        message=f"{100 * found.estimate:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}], "
        f"margin {100 * margin:g}: {found.words}; valid only for a random subset{missing}",
        p_harm=found.p_harm,
        regressed_within_margin=worse and passes,
        proven_worse=worse and not passes,
    )


def _with_remedy(
    result: GateResult, gate: Gate, split: LabelledDifferences, estimate: float, alpha: float
) -> GateResult:
    """What would let a gate decide that labels have judged and left open.

    Judged by labels again it is a further attempt at ``alpha``; with cases added, which must be asked before
    anybody can read an answer, that is the attempt after it, at half of this.
    """
    unseen = bool(np.mean(split.human - split.judged < -APART) <= FEW_MISSED)
    plan = LabelPlan.of(split.human, split.judged, split.rest, unseen=unseen)
    later = alpha if alpha == result.alpha else alpha / 2.0
    labels, cases = labels_or_cases(plan, gate, estimate, -split.at_worst(gate.spec.boundary), alpha, later)
    missing = 0 if labels or cases else result.missing
    return replace(
        result.without_remedy(),
        needed=cases,
        needed_labels=labels,
        missing=missing,
        missing_ids=result.missing_ids if missing else (),
    )


def _held_for_labels(
    result: GateResult, gate: Gate, data: SuiteData, drawn: _Drawn, later_alpha: float
) -> GateResult:
    """A gate whose labels are none of a random sample of these answers, or too few; how many more would do.

    The run that takes them counts at its own alpha, at which more may be needed than now.
    """
    now, needed = labels_needed(gate, result.alpha), labels_needed(gate, later_alpha)
    n, unread = len(drawn.cases), len(drawn.unread)
    if unread:
        later = _drawn(gate, data, needed)
        more = len(later.unread) + min(max(0, needed - len(later.cases)), later.others)
        have = "have answers" if unread > 1 else "has an answer"
        why = (
            f"{unread} of the {count(n, 'case')} drawn for labels {have} that nobody has "
            "read: those that kept their answers are no random sample"
        )
        told = f"; {count(more, 'case')} must be read for the {needed} that it needs" * (more > unread)
        return _never_passes(result, why + told, needed_labels=more)
    if drawn.spared:
        more = min(drawn.others, max(LABELS_NEEDED, needed - n))
        return _never_passes(result, drawn.spared, needed_labels=more)
    more, words = more_labels(needed, n, drawn.others)
    have = f"{count(n, 'case')} {'has' if n == 1 else 'have'} labels on both sides"
    later_needs = f" and {needed} in the run that takes more, at {plain_rate(later_alpha)}" * (needed > now)
    must = f"{now} must at alpha {plain_rate(result.alpha)}{later_needs}"
    few = f"too few cases have labels: {have}, {must}; {words}"
    return _never_passes(result, f"{have}: {words}", needed_labels=more, what=few if n else "")


@dataclass(frozen=True, slots=True)
class LabelledDifferences:
    """Paired differences of a gate's cases, candidate minus baseline, shape (cases,) each.

    Attributes:
        human: of the labels, on labelled cases.
        judged: of the judge on the very answers that people read.
        rest: of the judge on all other cases.
        missing: cases without a score of the judge on both sides.
    """

    human: Floats
    judged: Floats
    rest: Floats
    missing: int

    @property
    def scored(self) -> float:
        """Share of the cases that have scores."""
        n = self.human.size + self.rest.size
        return n / (n + self.missing)

    def at_worst(self, margin: float) -> float:
        """What the mean of the cases that have scores must be above, where the others are the worst."""
        return (-margin + (1.0 - self.scored)) / self.scored


@dataclass(frozen=True, slots=True)
class Corrected:
    """A judge's paired difference as labels correct it.

    Attributes:
        estimate: the difference.
        interval: one-sided bounds of it at alpha each.
        p_pass: evidence that it is above minus the margin, cases without a score counted as the worst.
        p_fail: evidence that it is below, these cases counted as the best.
        p_harm: evidence that it is below 0, cases without a score left out.
        method: what was used.
        words: the same for the reader.
    """

    estimate: float
    interval: stats.Interval
    p_pass: float
    p_fail: float
    p_harm: float
    method: str
    words: str


def infer_from_labels(split: LabelledDifferences, margin: float, alpha: float) -> Corrected:
    """Both p-values and the interval of the difference, by PPI++ or by the labels alone.

    A case without a score counts as the worst for a pass and as the best for a fail. These cases are a
    stratum of their own, with a known share and a known extreme: among the judge's scores they would lower
    the trust in the judge, and so hide themselves.

    Args:
        split: labels and scores; ``LEAST_LABELS`` labels or more.
        margin: how much worse the candidate may be.
        alpha: promote-side alpha.
    """
    share, at_worst = split.scored, split.at_worst(margin)
    at_best = (-margin - (1.0 - share)) / share
    n = split.human.size
    if split.rest.size >= 2:
        found = _prediction_powered(split)
        if found.se > 0.0:
            apart = split.human - split.judged
            down = _prediction_powered(split, -1.0) if np.mean(apart < -APART) <= FEW_MISSED else found
            up = _prediction_powered(split, 1.0) if np.mean(apart > APART) <= FEW_MISSED else found
            return Corrected(
                found.estimate,
                stats.Interval(
                    min(found.estimate, down.moments_of_losses.hall_interval(alpha).low),
                    max(found.estimate, up.moments.hall_interval(alpha).high, up.interval(alpha).high),
                ),
                down.moments_of_losses.hall_p(at_worst, "greater"),
                _worse_p(up, at_best),
                _worse_p(up, 0.0),
                f"PPI++ on {n} labels",
                f"PPI++ on {n} labels, trust in the judge {found.lam:.2f}",
            )
    needed, trusted = stats.n_min(margin, alpha), stats.trusted_n(margin, alpha)

    def p(boundary: float, side: stats.Alternative, least: int) -> float:
        if not -1.0 < boundary < 1.0:
            return 1.0
        return stats.bounded_mean_p(split.human, boundary, side, _DIFFERENCES, least, seed=SEED)

    return Corrected(
        float(split.human.mean()),
        stats.bounded_mean_interval(split.human, alpha, _DIFFERENCES, (trusted, needed), seed=SEED),
        p(at_worst, "greater", trusted),
        p(at_best, "less", stats.n_min(margin, ALPHA)),
        p(0.0, "less", needed),
        f"{means_method(n, trusted)}, {n} labels alone",
        f"{n} labels alone",
    )


def _worse_p(found: stats.PredictionPoweredMean, boundary: float) -> float:
    """Evidence that a difference is below a boundary, by Hall's t and by Student's, whichever has less.

    Where nearly all differences are losses Hall's correction is too easy on this side (.06 to .08 of the runs
    on the boundary with 60 labels), and Student's t too hard (.04).
    """
    return max(found.moments.hall_p(boundary, "less"), found.p(boundary, "less"))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The sample of a gate's cases that people were asked to label.

    Attributes:
        cases: those whose labels count.
        unread: those among them with an answer that nobody has read.
        spared: why they are no random sample, though all are read; "" where nothing says so.
        others: cases that were not drawn.
    """

    cases: frozenset[str]
    unread: frozenset[str]
    spared: str
    others: int


def _prediction_powered(
    split: LabelledDifferences, unseen: float | None = None
) -> stats.PredictionPoweredMean:
    """PPI++ on the labels, with one more where hardly any of them shows what the judge may have missed.

    Losses that a judge misses show only in labels below what it says, gains in labels above it. With no such
    label, or one in a hundred at most, most of them may be unseen, and then the corrected labels lean the
    other way: judges that overlook one loss in ten or take it for a win, and see none where there is none,
    passed .08 to .18 of candidates on the boundary. The trust in the judge is cross-fitted at any number of
    labels: tuned on those that it is applied to, it passed .065 to .11 of them, up to 400 labels.

    Args:
        split: labels and scores.
        unseen: the label that was not drawn, beside a judge who sees no difference; None for none.
    """
    human, judged = split.human, split.judged
    if unseen is not None:
        human, judged = np.append(human, unseen), np.append(judged, 0.0)
    return stats.ppi_mean_cross_fitted(human, judged, split.rest, folds=FOLDS)


def _drawn(gate: Gate, data: SuiteData, needed: int) -> _Drawn:
    """The random sample of a gate's cases that people were asked to label.

    Every case with any label was drawn. In a new run some of them have new answers, and those that kept
    theirs are no random sample: they are the ones where nothing changed. So either all drawn cases are read,
    or the first of them, in an order that no answer can influence, as many as are enough.
    """
    read = readings(data, gate.spec.metric)
    ever = {label.case_id for label in data.suite.labels}
    cases = draw_order(case.id for case in cases_in_scope(data.suite, gate.only or {}) if case.id in ever)
    unread = [case for case in cases if any((side, case) not in read for side in SIDES)]
    if unread:
        cases = cases[: max(LABELS_NEEDED, needed)]
    others = [case.id for case in cases_in_scope(data.suite, gate.only or {}) if case.id not in ever]
    return _Drawn(
        frozenset(cases), frozenset(unread) & frozenset(cases), _spared(data, cases, others), len(others)
    )


def _spared(data: SuiteData, drawn: Sequence[str], others: Sequence[str]) -> str:
    """That the releases answer the drawn cases alike too often for chance: who tuned one knew them.

    One-sided hypergeometric test of the cases whose answers differ between the releases.
    """

    def differ(case: str) -> bool:
        ours, theirs = ({answer.digest for answer in data.answers.get((side, case), ())} for side in SIDES)
        return ours != theirs

    mine, rest = sum(map(differ, drawn)), sum(map(differ, others))
    if not others or stats.fewer_drawn_p(mine, len(drawn), mine + rest, len(drawn) + len(others)) > UNLIKELY:
        return ""
    return (
        f"the releases answer {mine} of the {count(len(drawn), 'case')} drawn for labels differently, but "
        f"{rest} of the {len(others)} others: they are no random sample any more, so draw others"
    )


def _split(gate: Gate, data: SuiteData, drawn: _Drawn) -> LabelledDifferences:
    metric = gate.spec.metric
    read = readings(data, metric)
    candidate = data.series("candidate", metric)
    baseline = data.series("baseline", metric)
    human, judged, rest = [], [], []
    missing = 0
    # Labels are cross-fitted in parts by position: no order of the lines in a file may move the verdict.
    for case in draw_order(case.id for case in cases_in_scope(data.suite, gate.only or {})):
        if case not in candidate or case not in baseline:
            missing += case not in data.not_applicable.get(metric, frozenset())
            continue
        if case not in drawn.cases:
            rest.append(float(np.mean(candidate[case]) - np.mean(baseline[case])))
            continue
        ours, theirs = read["candidate", case], read["baseline", case]
        if ours.judged is None or theirs.judged is None:
            missing += 1
            continue
        human.append(ours.human - theirs.human)
        judged.append(ours.judged - theirs.judged)
    return LabelledDifferences(np.array(human), np.array(judged), np.array(rest), missing)


def _never_passes(
    result: GateResult, why: str, needed_labels: int | None = None, what: str = ""
) -> GateResult:
    if result.role != "require" or result.result not in ("pass", "hold") or result.proven_worse:
        return result
    what = what or f"a judge alone cannot pass a required gate; {why}"
    message = what if result.result == "pass" else f"{result.message}; {what}"
    return replace(result.without_remedy(), result="hold", message=message, needed_labels=needed_labels)
