"""The signs that evidence does not carry a claim, as numbers: each 0 where it is absent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from relgate.scorers.grounded_conditions import added, widened
from relgate.scorers.grounded_evidence import Evidence, Part, cut, read_part
from relgate.scorers.grounded_figures import misplaced, missing
from relgate.scorers.grounded_polarity import denies, hints_denial, opposites
from relgate.scorers.grounded_words import STOP, concept

_DONE = re.compile(
    r"\bI(?:'ve| have|'m| am) (?:(?:just|now|already|also|gone ahead and) )?"
    r"(?!not |no |only |never )\w+(?:ed|ent|ut|ade|iven|one|ing|wn)\b|"
    r"\bI can see\b|\bI see that\b|\byour \w+ (?:has|have) (?:(?:already|now|just) )?been\b|"
    r"\b(?:has|have) (?:already|just|now) been \w+ed\b|\bis (?:already )?on its way\b",
    re.IGNORECASE,
)
_NO_DONE = re.compile(r"\bI(?:'m| am) (?:afraid|sorry|not|glad|happy|here|pleased|delighted)", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@,;()<>\"']{1,80}@[^\s@,;()<>\"']{1,80}|https?://\S+|\b\d{3}-\d{3,4}\b")
# how much of a clause must be repeated for a denial to be of the same matter
_SAME = 0.6
# a claim of fewer words cannot be placed; of the others this share has to be found
_FEW, _SHARED = 3, 0.41
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w-]*")


def certain(claim: str, evidence: Evidence, question: str) -> str | None:
    """A reason that is certain by itself."""
    if _DONE.search(_NO_DONE.sub("", claim)):
        return "it claims something done for the customer"
    if any(found.group().rstrip(".!?") not in evidence.text + question for found in _ADDRESS.finditer(claim)):
        return "an address is not in the evidence"
    return None


def mass(names: Iterable[str], evidence: Evidence) -> float:
    """The weight of concepts together."""
    return sum(map(evidence.weight, names))


def align(names: Collection[str], hints: Collection[str], evidence: Evidence, count: int = 2) -> list[int]:
    """The sentences that share the most with the claim, hints of the question counting less."""
    scores: dict[int, float] = {}
    for given, factor in ((names, 1.0), (hints, 0.35)):
        for name in given:
            for at in evidence.places.get(name, ()):
                scores[at] = scores.get(at, 0.0) + factor * evidence.weight(name)
    return sorted(scores, key=lambda at: (-scores[at], at))[:count]


def elsewhere(part: Part, evidence: Evidence) -> bool:
    """Whether evidence speaks of something else: it has few words of the claim, or no two in one sentence."""
    size = len(part.concepts)
    if size < _FEW:
        return False
    found = sum(name in evidence.places for name in part.concepts)
    best = align(part.concepts, (), evidence, 1)
    together = len(part.concepts & evidence.sentences[best[0]].concepts) if best else 0
    return found < _SHARED * size or together < 2


@lru_cache(maxsize=8)
def _asked(question: str) -> Part:
    """The question, read once for all claims of an answer."""
    return read_part(question)


def signs(claim: str, evidence: Evidence, question: str) -> dict[str, float]:
    """Every sign of the claim by name."""
    part, asked = read_part(claim), _asked(question)
    hints = asked.concepts - part.concepts
    best = align(part.concepts, hints, evidence)
    near = [evidence.sentences[at] for at in best]
    known = asked.concepts | evidence.places.keys()
    total = mass(part.concepts, evidence) or 1.0
    clauses = [read_part(piece) for piece in cut(claim)]
    first = near[:1]
    return {
        "unknown": mass(part.concepts - known, evidence) / total,
        "elsewhere": float(elsewhere(part, evidence)),
        "missing": float(missing(part, asked, evidence)),
        "misplaced": float(misplaced(clauses, part, asked, evidence)),
        "denied": float(_denied(part, clauses, hints, evidence)),
        "opposite": float(any(opposites(set(part.words), set(s.words) | set(asked.words)) for s in first)),
        "widened": float(widened(part, first)),
        "added": float(added(part, asked, evidence)),
        "name": float(_invented(claim, evidence, asked)),
    }


def _denied(part: Part, clauses: list[Part], hints: frozenset[str], evidence: Evidence) -> bool:
    """Whether a clause says the contrary of the clause of the evidence that it repeats."""
    for clause in clauses:
        names = clause.concepts
        if len(names) < 2:
            continue
        best = align(names, hints, evidence, 1)
        pieces = [c for at in best for c in evidence.clauses_of(at)]
        total = mass(names, evidence)
        near = max(pieces, key=lambda p: mass(names & p.concepts, evidence), default=None)
        if near is None:
            continue
        shared = mass(names & near.concepts, evidence)
        if shared < _SAME * max(total, mass(near.concepts, evidence)):
            continue
        both = hints_denial(part.words) and hints_denial(evidence.sentences[near.sentence].words)
        if not both and denies(clause.words) != denies(near.words):
            return True
    return False


def _invented(claim: str, evidence: Evidence, asked: Part) -> bool:
    """Whether a name (a capital letter inside a sentence) is nowhere in the evidence or question."""
    for found in _NAME.finditer(claim):
        for token in read_part(found.group()).words:
            if token in STOP or token[0].isdigit() or len(token) < 3:
                continue
            if (
                token not in evidence.words
                and token not in asked.words
                and (concept(token) not in evidence.places and concept(token) not in asked.concepts)
            ):
                return True
    return False
