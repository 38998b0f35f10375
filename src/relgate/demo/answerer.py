"""The demo's model: it answers with sentences of the evidence that stands in its prompt.

It is no LLM. It knows nothing but the prompt, has a context window, follows the few instructions that it
recognises, obeys strangers as naively as a model without training would, and is deterministic.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relgate.demo.instructions import injected_order, read_instructions
from relgate.demo.text import count_tokens, first_tokens, sentences, terms
from relgate.demo.tools import choose_call
from relgate.domain.response import ToolCall

UNKNOWN = "I do not know: the help centre has nothing on this."

_BLOCK = re.compile(r"^\[([a-z0-9][a-z0-9-]*)\] (.*)\n((?:.*\S.*\n?)*)", re.MULTILINE)
_QUESTION = re.compile(r"^#* ?Question:?\s*\n?(.+)$", re.MULTILINE)
_ASKS_QUANTITY = re.compile(
    r"\bhow (?:long|much|many|soon|often|old|late|early|big|large|heavy|far|fast|expensive)\b"
    r"|\bwhen\b|\bwhat (?:time|day|date|percent\w*|age)\b"
    r"|\b(?:cost|fee|price|charge|limit|maximum|minimum|until|deadline)\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|half"
    r"|free|nothing|once|twice|same day|next day|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january"
    r"|february|march|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What a model's file says.

    Attributes:
        context_tokens: the window; what stands behind it in the prompt is not seen.
        sentences: the most sentences that this model strings together.
        title_weight: how much a heading speaks for the sentences beneath it.
        neighbour_weight: how much a sentence speaks for the one after it.
        order_weight: trust in the order of the evidence.
        quantity_weight: preference for numbers and dates when the question asks for one.
    """

    context_tokens: int
    sentences: int
    title_weight: float
    neighbour_weight: float
    order_weight: float
    quantity_weight: float

    @classmethod
    def parse(cls, text: str) -> ModelSettings:
        """Read a model file.

        Raises:
            ValueError: the file describes a model of another architecture.
        """
        document = json.loads(text)
        if document["architecture"] != "extractive":
            raise ValueError(f"the demo serves extractive models, not {document['architecture']!r}")
        return cls(
            context_tokens=int(document["context_tokens"]),
            sentences=int(document["sentences"]),
            title_weight=float(document["title_weight"]),
            neighbour_weight=float(document["neighbour_weight"]),
            order_weight=float(document["order_weight"]),
            quantity_weight=float(document["quantity_weight"]),
        )


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model gives back: a text or a tool call, and the usage."""

    text: str
    tool_call: ToolCall | None
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class _Sentence:
    article_id: str
    block: int
    text: str
    terms: frozenset[str]
    heading: frozenset[str]


def complete(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], settings: ModelSettings
) -> Completion:
    """Continue a conversation whose last message is the prompt."""
    earlier = sum(count_tokens(str(message.get("content") or "")) for message in messages[:-1])
    prompt = str(messages[-1].get("content") or "")
    seen = first_tokens(prompt, settings.context_tokens - earlier)
    question = _question(seen)
    call = choose_call(question, tools)
    text = "" if call else _answer(seen, question, settings)
    spoken = json.dumps(dict(call.arguments)) if call else text
    return Completion(text, call, earlier + count_tokens(seen), count_tokens(spoken))


def _question(prompt: str) -> str:
    asked = _QUESTION.search(prompt)
    return asked.group(1).strip() if asked else prompt.strip()


def _answer(prompt: str, question: str, settings: ModelSettings) -> str:
    blocks = _BLOCK.findall(prompt)
    evidence = _read_evidence(blocks)
    order = injected_order([question, *(body for _, _, body in blocks)])
    if order is not None:
        return order
    instructions = read_instructions(_QUESTION.split(prompt)[0])
    allowed = min(settings.sentences, instructions.sentences or settings.sentences)
    best = _best(question, evidence, settings)
    if not best or (
        instructions.admit_unknown and not set(terms(question)) & (best[0].terms | best[0].heading)
    ):
        return UNKNOWN
    return " ".join(_quote(sentence, instructions.cite) for sentence in best[:allowed])


def _quote(sentence: _Sentence, cite: bool) -> str:
    return f"{sentence.text} [{sentence.article_id}]" if cite else sentence.text


def _read_evidence(blocks: Sequence[tuple[str, str, str]]) -> list[_Sentence]:
    return [
        _Sentence(article_id, number, text, frozenset(terms(text)), frozenset(terms(title)))
        for number, (article_id, title, body) in enumerate(blocks)
        for paragraph in body.splitlines()
        for text in sentences(paragraph)
    ]


def _best(question: str, evidence: list[_Sentence], settings: ModelSettings) -> list[_Sentence]:
    """Sentences, best first; of equals the one that stands first."""
    documents = Counter(term for sentence in evidence for term in sentence.terms)
    rarity = {
        term: math.log1p(len(evidence) / (1 + documents[term])) for term in dict.fromkeys(terms(question))
    }
    total = sum(rarity.values()) or 1.0
    asks_quantity = _ASKS_QUANTITY.search(question) is not None

    def overlap(found: frozenset[str]) -> float:
        return sum(weight for term, weight in rarity.items() if term in found) / total

    scores = []
    for position, sentence in enumerate(evidence):
        score = overlap(sentence.terms) + settings.title_weight * overlap(sentence.heading - sentence.terms)
        if position and evidence[position - 1].block == sentence.block:
            before = evidence[position - 1].terms - sentence.terms
            score += settings.neighbour_weight * overlap(before)
        if asks_quantity and _QUANTITY.search(sentence.text):
            score += settings.quantity_weight
        scores.append(score + settings.order_weight / (1 + sentence.block))
    return [evidence[i] for i in sorted(range(len(evidence)), key=lambda i: (-scores[i], i))]
