"""Whether the figures of a claim stand in the evidence, and with the same matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from relgate.scorers.grounded_evidence import Evidence, Part
from relgate.scorers.grounded_numbers import Quantity

_TIME = ("minute", "workingday", "month")
# "two choices" counts what was told one by one
_COUNTED = 3


def missing(part: Part, asked: Part, evidence: Evidence) -> bool:
    """Whether a figure is neither told, asked, nor one step of arithmetic from an asked one."""
    told = {(q.value, q.unit) for s in evidence.sentences for q in s.quantities}
    given = {(q.value, q.unit) for q in asked.quantities}
    values = {value for value, _ in told | given}
    known = [q for q in part.quantities if _known(q, told | given, values)]
    # an operand that the claim itself names may stand for one that the customer names
    given |= {(q.value, q.unit) for q in known}
    return any(
        q not in known and not (q.unit == "" and q.value <= _COUNTED) and not _reckoned(q, told, given)
        for q in part.quantities
    )


def _known(q: Quantity, known: set[tuple[float, str]], values: set[float]) -> bool:
    if (q.value, q.unit) in known:
        return True
    return q.value in values if q.unit == "" else (q.value, "") in known and q.unit in ("money", "degree")


def _reckoned(q: Quantity, told: set[tuple[float, str]], given: set[tuple[float, str]]) -> bool:
    """A sum, difference or product of a told figure with an asked one, or a difference of told prices."""
    for value, unit in given:
        for other, kind in told:
            same = unit == kind == q.unit
            if same and q.value in (round(value + other, 4), round(abs(value - other), 4)):
                return True
            if "" in (unit, kind) and q.unit in (unit, kind) and q.value == round(value * other, 4):
                return True
            if "percent" in (unit, kind) and q.unit in (unit, kind) and unit != kind:
                part = round(value * other / 100, 4)
                whole = value if kind == "percent" else other
                if q.value in (part, round(whole - part, 4)):
                    return True
    return False


def misplaced(clauses: Sequence[Part], part: Part, asked: Part, evidence: Evidence) -> bool:
    """Whether the matter of a figure has another figure of that unit in the evidence, clearly nearer."""
    given = {(q.value, q.unit) for q in asked.quantities}
    for clause in clauses:
        for q in clause.quantities:
            if (q.value, q.unit) in given:
                continue
            own, other = 0.0, 0.0
            for told in evidence.clauses:
                kinds = [p for p in told.quantities if _kind(p) == _kind(q)]
                if not kinds:
                    continue
                near = _nearness(clause, part, asked, told, evidence)
                if any(p.value == q.value and p.unit == q.unit for p in kinds):
                    own = max(own, near)
                else:
                    other = max(other, near)
            if own and other > 1.15 * own:
                return True
    return False


def _kind(q: Quantity) -> str:
    """Spans of time compete with one another whatever their unit."""
    return "time" if q.unit in _TIME else q.unit


def _nearness(clause: Part, part: Part, asked: Part, told: Part, evidence: Evidence) -> float:
    """What a clause of the evidence shares with the clause of the figure, its sentence and the question."""
    sentence = evidence.sentences[told.sentence].concepts
    score = 0.1
    for names, factor in ((clause.concepts, 1.0), (part.concepts, 0.5), (asked.concepts, 0.4)):
        score += factor * (_mass(names & told.concepts, evidence) + 0.6 * _mass(names & sentence, evidence))
    return score


def _mass(names: Iterable[str], evidence: Evidence) -> float:
    return sum(map(evidence.weight, names))
