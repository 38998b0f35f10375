"""The one vocabulary for what became of a gate: its word, its letter and what the word means.

Progress line, pytest's tail, terminal, Markdown and JUnit all take it from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from relgate.domain.gate import GateOutcome, Role
from relgate.domain.scorecard import AlarmPart, GatePart


@dataclass(frozen=True, slots=True)
class GateWord:
    """A word of the vocabulary.

    Attributes:
        word: as reports show it.
        letter: in pytest's progress line.
        meaning: for the legend; "" where the word says it all.
    """

    word: str
    letter: str
    meaning: str = ""


PASSED = GateWord("passed", "P")
CLEAR = GateWord("clear", "c", "a guard with nothing proven against it")
ALARM = GateWord("alarm", "a", "a guard that found harm")
UNTESTED = GateWord("untested", "u", "a guard that could not be tested")
SHOWN = GateWord("shown", "s", "a report, which decides nothing")
HOLD = GateWord("hold", "H", "not proven good enough")
NOT_JUDGEABLE = GateWord("not judgeable", "E", "too little was measured or scored")
NOT_JUDGED = GateWord("not judged", "p", "not every case of the suite ran")
FAILED = GateWord("failed", "F")

WORDS = (PASSED, CLEAR, ALARM, UNTESTED, SHOWN, HOLD, NOT_JUDGEABLE, NOT_JUDGED, FAILED)
"""Every word, in the order of the legend."""


def gate_word(role: Role, result: GateOutcome, *, tested: bool, alarmed: bool) -> GateWord:
    """The word for a gate.

    A guard that did not fail passed nothing: it can only fail.

    Args:
        role: require, guard or report.
        result: the raw result.
        tested: whether its failing side was tested (``p_fail``); only a guard asks.
        alarmed: whether harm was proven on what it guards.
    """
    match result, role:
        case "error", _:
            return NOT_JUDGEABLE
        case "partial", _:
            return NOT_JUDGED
        case _, "report":
            return SHOWN
        case "fail", _:
            return FAILED
        case _, "guard" if alarmed:
            return ALARM
        case "hold", "guard" if not tested:
            return UNTESTED
        case _, "guard":
            return CLEAR
        case "hold", _:
            return HOLD
        case _:
            return PASSED


def word_of(gate: GatePart, alarms: Sequence[AlarmPart]) -> GateWord:
    """The word for a gate of a scorecard with these alarms."""
    alarmed = any((a.suite, a.metric, a.slice) == (gate.suite, gate.metric, gate.slice) for a in alarms)
    return gate_word(gate.role, gate.result, tested=gate.p_fail is not None, alarmed=alarmed)


def legend(words: Iterable[str]) -> str:
    """What these words mean; "" where all of them say it themselves."""
    used = set(words)
    return "; ".join(f"{word.word}: {word.meaning}" for word in WORDS if word.meaning and word.word in used)
