"""The weights of the signs, fitted to labelled answers, and the reason that weighs most."""

from __future__ import annotations

from collections.abc import Mapping

_BIAS = -1.0
_WEIGHTS = {
    "missing": 1.3,
    "elsewhere": 1.3,
    "misplaced": 1.3,
    "denied": 1.3,
    "name": 1.3,
    "widened": 1.1,
    "opposite": 0.5,
    "unknown": 0.8,
    "added": 0.3,
}
_REASONS = {
    "elsewhere": "the evidence does not speak of it",
    "missing": "a figure is not in the evidence",
    "misplaced": "the evidence gives another figure for it",
    "denied": "the evidence denies it",
    "opposite": "the evidence says the opposite",
    "widened": "the evidence does not speak of all",
    "added": "a condition is added",
    "name": "a name is not in the evidence",
}


def verdict(signs: Mapping[str, float]) -> str | None:
    """None below the threshold, else the sign that weighs most in words."""
    parts = {name: _WEIGHTS.get(name, 0.0) * value for name, value in signs.items()}
    if _BIAS + sum(parts.values()) <= 0:
        return None
    return _REASONS.get(max(parts, key=lambda name: parts[name]), "the evidence does not say it")
