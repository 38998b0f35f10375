"""pytest's categories, letters and words of cases and gates."""

from __future__ import annotations

from collections.abc import Mapping

from relgate.render.words import CLEAR, FAILED, PASSED, SHOWN, WORDS

Status = tuple[str, str, str | tuple[str, Mapping[str, bool]]]
CASE_STATUS: Mapping[str, Status] = {
    "hit": ("hit", ".", ("HIT", {"green": True})),
    "fixed": ("fixed", "+", ("FIXED", {"green": True})),
    "miss": ("miss", "m", ("MISS", {"yellow": True})),
    "regressed": ("regressed", "-", ("REGRESSED", {"red": True})),
    "sealed": ("sealed", "*", ("SEALED", {"yellow": False})),
    "not_run": ("not run", "s", ("NOT RUN", {"yellow": False})),
    "failed": ("not measured", "n", ("NOT MEASURED", {"yellow": True})),
    "not needed": ("not needed", "", ""),
}
"""Outcome of a case -> pytest's category, letter and word."""

FAILED_CASE: Status = ("failed", "F", "FAILED")
"""The same of a case that fails by itself, whatever its outcome."""

GATE_COLORS: Mapping[str, str] = {
    word.word: "green" if word in (PASSED, CLEAR, SHOWN) else "yellow" for word in WORDS
} | {FAILED.word: "red"}
