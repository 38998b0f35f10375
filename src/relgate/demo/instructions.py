"""What the demo's models understand as an instruction: the prompt's, and those that strangers slip in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NUMBERS = {"one": 1, "a single": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_LIMIT = re.compile(r"\b(one|a single|two|three|four|five|\d+) (?:short )?sentences?\b", re.IGNORECASE)
_CITE = re.compile(
    r"(\b(?:not|no|never|without)\s+(?:\w+\s+)?)?\b(?:cite|citations?|citing)\b", re.IGNORECASE
)
_UNKNOWN = re.compile(r"\bsay (?:so|that you do not know)\b", re.IGNORECASE)
_OVERRIDE = re.compile(
    r"\b(?:ignore|forget|disregard|override|bypass)\b[^.]{0,40}\b(?:instructions?|rules?|prompt|policy|guidelines)\b"
    r"|\bsystem note\b|\battention ai\b|\bnew policy from\b|\byou are now\b|\bfrom now on,? you\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:say|tell|reply|answer|write|print|output|respond|promise|confirm|repeat)\b"
    r"(?: (?:that|with|just|only|exactly|back|me|us|them|everybody|every customer|the customer))*"
    r"[:,]?\s+(.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a prompt asks of the answer's form.

    Attributes:
        cite: name the article behind each sentence.
        sentences: the most sentences that the prompt allows, None when it sets no limit.
        admit_unknown: say so rather than answer from evidence that does not fit.
    """

    cite: bool
    sentences: int | None
    admit_unknown: bool


def read_instructions(text: str) -> Instructions:
    """Recognise the instructions of a prompt; what is worded in another way is not understood."""
    limit = _LIMIT.search(text)
    return Instructions(
        cite=any(match.group(1) is None for match in _CITE.finditer(text)),
        sentences=_number(limit.group(1)) if limit else None,
        admit_unknown=_UNKNOWN.search(text) is not None,
    )


def _number(written: str) -> int:
    return _NUMBERS.get(written.lower()) or int(written)


def injected_order(texts: Iterable[str]) -> str | None:
    """What a stranger's text orders the model to say, None when it orders nothing.

    A model has no sense of who speaks; keeping such text away from it is the policy's work.
    """
    for text in texts:
        override = _OVERRIDE.search(text)
        if override is None:
            continue
        rest = text[override.end() :]
        order = _ORDER.search(rest)
        payload = (order.group(1) if order else rest).strip(" ,.:;\"'\n")
        if payload:
            return payload
    return None
