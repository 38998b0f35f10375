"""The fingerprint of a stored baseline: does the system still answer as it did when it was stored?

Verdict.md 7: 40 seeded cases are asked once more. If nothing changed, the new call and the stored trials of a
case are exchangeable: which of them is the new one says nothing. Three tests, Holm at .10 over them: how
often the new text is one of the stored ones (exact permutation), how long it is (t on log lengths), how
it scores (exact permutation, two-sided mid-p). A false alarm costs only a live run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from relgate import stats
from relgate.decision.permutation import on_grid, sum_distribution
from relgate.late import np, special

CASES = 40
ALPHA = 0.10


@dataclass(frozen=True, slots=True)
class Asked:
    """One case: the stored trials, two or more, and the new call.

    Attributes:
        stored: texts of the stored trials.
        text: the new text.
        stored_scores: mean score in [0, 1] of each stored trial; empty where nothing scores it.
        score: of the new call, None where nothing scores it.
    """

    stored: tuple[str, ...]
    text: str
    stored_scores: tuple[float, ...] = ()
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The three p-values and what follows.

    Attributes:
        p_text: one-sided, small when the new texts match the stored ones too rarely.
        p_length: two-sided.
        p_score: two-sided.
        passed: whether none of them is rejected by Holm at .10.
        message: one line for the reader.
    """

    p_text: float
    p_length: float
    p_score: float
    passed: bool
    message: str


def fingerprint(asked: Sequence[Asked]) -> Fingerprint:
    """Compare new calls with stored trials.

    Raises:
        ValueError: a case has fewer than two stored trials, or there is no case.
    """
    if not asked or any(len(one.stored) < 2 for one in asked):
        raise ValueError("a fingerprint needs cases with two or more stored trials each")
    p_text, p_length, p_score = _text(asked), _length(asked), _score(asked)
    named = {"text": p_text, "length": p_length, "score": p_score}
    adjusted = stats.holm(list(named.values()))
    passed = bool(adjusted.min() > ALPHA)
    listed = ", ".join(f"{name} p = {p:.2g}" for name, p in named.items())
    verb = "passed" if passed else "differs"
    return Fingerprint(
        p_text, p_length, p_score, passed, f"the fingerprint of {len(asked)} cases {verb} ({listed})"
    )


def _text(asked: Sequence[Asked]) -> float:
    """P(as few matches or fewer), over which of the k + 1 texts of each case is the new one."""
    parts, observed = [], 0
    for one in asked:
        texts = (*one.stored, one.text)
        matches = [texts.count(text) - 1 for text in texts]
        observed += matches[-1]
        parts.append(matches)
    below = sum_distribution(parts)[: observed + 1]
    return min(float(below.sum()), 1.0)


def _length(asked: Sequence[Asked]) -> float:
    """Two-sided t test of the new log length against the mean of the stored ones."""
    d = np.array(
        [
            math.log1p(len(one.text)) - float(np.mean([math.log1p(len(text)) for text in one.stored]))
            for one in asked
        ]
    )
    spread = float(np.std(d, ddof=1)) if d.size > 1 else 0.0
    if spread < 1e-12:
        return 1.0 if abs(float(d.mean())) < 1e-12 else 0.0
    t = float(d.mean()) * math.sqrt(d.size) / spread
    return min(2.0 * float(special.stdtr(d.size - 1, -abs(t))), 1.0)


def _score(asked: Sequence[Asked]) -> float:
    """Two-sided mid-p of the sum of the new scores, over which score of each case is the new one."""
    parts, observed = [], 0
    for one in asked:
        if one.score is None or len(one.stored_scores) < 2:
            continue
        scores = [on_grid(score) for score in (*one.stored_scores, one.score)]
        observed += scores[-1]
        parts.append(scores)
    if not parts:
        return 1.0
    mass = sum_distribution(parts)
    at = float(mass[observed])
    low = float(mass[:observed].sum()) + 0.5 * at
    high = float(mass[observed + 1 :].sum()) + 0.5 * at
    return min(2.0 * min(low, high), 1.0)
