"""Whether evidence carries a claim, by signs of English."""

from __future__ import annotations

import re

from relgate.scorers.grounded_evidence import Evidence, read_evidence
from relgate.scorers.grounded_polarity import denies
from relgate.scorers.grounded_signs import certain, signs
from relgate.scorers.grounded_split import YES, claims
from relgate.scorers.grounded_weights import verdict
from relgate.scorers.grounded_words import words

__all__ = ["Evidence", "claims", "read_evidence", "unsupported"]


def unsupported(claim: str, evidence: Evidence, question: str = "") -> str | None:
    """None where the evidence carries the claim, else the reason in a few words."""
    if not evidence.sentences:
        return "there is no evidence"
    if claim == YES:
        return _denied_question(question, evidence)
    if evidence.quotes(claim):
        return None
    return certain(claim, evidence, question) or verdict(signs(claim, evidence, question))


_ASKS = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|will|would|may|must|should|has|have)(?:n't)?\s+",
    re.IGNORECASE,
)


def _denied_question(question: str, evidence: Evidence) -> str | None:
    """A yes claims what the question asks: it is not carried where the evidence says the contrary of that."""
    if denies(words(question)):
        return None
    asked = _ASKS.sub("", question.replace("’", "'").strip()).rstrip("?! ")
    return "the evidence denies it" if signs(asked, evidence, "")["denied"] else None
