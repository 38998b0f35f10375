"""What of a suite a judge scores, and how many cases need labels before a gate on it can pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import ceil

from relgate import stats
from relgate.decision.duplicates import unit_count
from relgate.decision.judges.labels import labelled_cases
from relgate.decision.measurements import cases_in_scope
from relgate.decision.policy import Gate
from relgate.decision.wording import count
from relgate.domain.case import Suite

LABELS_NEEDED = 100
"""Random cases with human labels that a gate with too few of them is advised to get (statistics.md 9)."""
LEAST_LABELS = 50
"""Below it the t test on labels is off even with a cross-fitted trust."""
NEW_ANSWERS = "of the cases drawn before, answers that are new need labels as well"
"""What a plan cannot know: how many of the labels at hand are of the answers that come."""
UNCORRECTED = "labels correct only non_inferior gates without hops and clusters"


def judged_metrics(suite: Suite) -> Mapping[str, str]:
    """The metrics that a model judges, each with the name that its judge reports.

    A judge that reports ``refusal`` decides what a safety suite counts as a violation and as an
    over-refusal, so both are judged.
    """
    found = {}
    for spec in suite.scorers:
        if spec.name == "judge":
            name = str(spec.options.get("as") or spec.name)
            found[name] = name
            if name == "refusal" and suite.kind == "safety":
                found |= {"violation": name, "over_refusal": name}
    return found


def is_corrected(gate: Gate, suite: Suite) -> bool:
    """Whether labels can correct this gate on a judged metric at all."""
    _, clustered = unit_count(suite, cases_in_scope(suite, gate.only or {}))
    return (
        gate.spec.form == "non_inferior"
        and judged_metrics(suite).get(gate.spec.metric) == gate.spec.metric
        and suite.kind != "fallback"
        and not clustered
    )


def labels_needed(gate: Gate, alpha: float) -> int:
    """Cases with labels on both sides without which a judged gate cannot pass.

    One and a half times n_min: with fewer, .07 to .077 of candidates on the boundary passed (judges that err
    on both sides, 59 to 65 labels at a margin of 5 points).
    """
    return max(LEAST_LABELS, ceil(1.5 * stats.n_min(gate.spec.boundary, alpha)))


def labels_alpha(
    gates: Iterable[Gate], suite: Suite, judged: Collection[str], *, alpha: float, next_alpha: float
) -> float:
    """Promote-side alpha of the run that would judge the answers of this one by more labels.

    It is the same attempt until labels were looked at: then it is a further one (verdict.md 5).

    Args:
        gates: the suite's.
        suite: the suite.
        judged: names of the suites that labels judged in an earlier run of the candidate.
        alpha: promote-side alpha of this run.
        next_alpha: that of a further attempt.
    """
    looks = bool(suite.labels) and any(
        is_corrected(gate, suite) and not labels_lacking(gate, suite, alpha) for gate in gates
    )
    return next_alpha if looks or suite.name in judged else alpha


def labels_lacking(gate: Gate, suite: Suite, alpha: float) -> int:
    """How many cases without a label are best labelled so that a gate can pass at this alpha; 0: it can."""
    cases = [case.id for case in cases_in_scope(suite, gate.only or {})]
    needed, have = labels_needed(gate, alpha), labelled_cases(suite.labels, cases)
    return 0 if have >= min(needed, len(cases)) else more_labels(needed, have, len(cases) - have)[0]


def fresh_labels(
    gates: Iterable[Gate], suite: Suite, metric: str, alpha: float, *, fresh: int, more: int = 0
) -> tuple[int, bool]:
    """How many cases are to be labelled for a judge that changed, and whether such as have labels already.

    Further cases without which a required gate cannot pass anyway are labelled for the new judge as well, so
    that none need be read again for as many.

    Args:
        gates: the suite's.
        suite: the suite, with its labels.
        metric: what the judge reports.
        alpha: promote-side alpha of the run that takes the labels.
        fresh: cases whose fresh labels the judge needs.
        more: cases without labels of these answers, as far as a run has shown.
    """
    lacking = max(
        [
            more,
            *(
                labels_lacking(gate, suite, alpha)
                for gate in gates
                if gate.spec.role == "require" and gate.spec.metric == metric and is_corrected(gate, suite)
            ),
        ]
    )
    cases = [case.id for case in suite.cases]
    if not lacking:
        return fresh, True
    if max(lacking, len(cases) - labelled_cases(suite.labels, cases)) < fresh:
        return len(cases), True
    return max(lacking, fresh), False


def labels_missing(gate: Gate, suite: Suite, alpha: float, later_alpha: float | None = None) -> str:
    """What keeps a gate on a judged metric from passing whatever a run shows; "" where nothing does.

    Before the first answer only the cases with any label are known: of which answers they are, the run tells.

    Args:
        gate: the gate.
        suite: its suite.
        alpha: promote-side alpha of this attempt.
        later_alpha: that of the run that takes more labels (``labels_alpha``); None where it is the same.
    """
    if gate.spec.metric not in judged_metrics(suite):
        return ""
    if not is_corrected(gate, suite):
        return f"a judge alone proves nothing, and {UNCORRECTED}"
    if not labels_lacking(gate, suite, alpha):
        return ""
    cases = [case.id for case in cases_in_scope(suite, gate.only or {})]
    have = labelled_cases(suite.labels, cases)
    more, words = more_labels(labels_needed(gate, later_alpha or alpha), have, len(cases) - have)
    return (
        f"a judge alone proves nothing; {words} "
        f"(after a run: `relgate judge sample RUN --suite {suite.name} --n {more} --out FILE`)"
        + f"; {NEW_ANSWERS}"
        * (have > 0)
    )


def more_labels(needed: int, have: int, others: int) -> tuple[int, str]:
    """How many cases more are best labelled, and in words with how many it would do."""
    least, best = (min(wanted - have, others) for wanted in (needed, max(LABELS_NEEDED, needed)))
    words = f"needs labels of {count(least, 'more random case')}"
    return best, words if best == least else f"{words} at least, better {best}"
