"""The answer cache of one desk, and the normal form of a question that it is keyed by."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from relgate.domain.response import Response


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What the cache policy's file says.

    Attributes:
        enabled: False answers every question anew and leaves it as it was written.
        max_entries: the oldest answers go first.
        drop_openings: greetings that are no part of a question.
        drop_closings: thanks that are no part of a question.
    """

    enabled: bool
    max_entries: int
    drop_openings: tuple[str, ...]
    drop_closings: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> CachePolicy:
        """Read a cache policy file."""
        document = yaml.safe_load(text)
        return cls(
            enabled=bool(document["enabled"]),
            max_entries=int(document["max_entries"]),
            drop_openings=tuple(document["drop_openings"]),
            drop_closings=tuple(document["drop_closings"]),
        )


class AnswerCache:
    """Answers by normalised question.

    Only equal normal forms hit, and the desk answers the normal form: whichever wording came first, the
    answer is the same, so neither trials nor the order of cases can change one.
    """

    def __init__(self, policy: CachePolicy) -> None:
        self._policy = policy
        self._answers: dict[tuple[str, ...], Response] = {}
        opening = "|".join(re.escape(text) for text in policy.drop_openings)
        closing = "|".join(re.escape(text) for text in policy.drop_closings)
        self._opening = re.compile(rf"^(?:{opening})\b[\s,.!:-]*") if opening else None
        self._closing = re.compile(rf"([?.!]*)[\s,.!?-]*\b(?:{closing})[\s,.!?]*$") if closing else None

    def normalise(self, question: str) -> str:
        """The form that equal questions share."""
        if not self._policy.enabled:
            return question
        text = " ".join(question.casefold().split())
        if self._opening is not None:
            text = self._opening.sub("", text, count=1)
        if self._closing is not None:
            text = self._closing.sub(r"\1", text, count=1)
        return text

    def find(self, conversation: tuple[str, ...]) -> Response | None:
        """The stored answer to a conversation that ends with a normalised question."""
        return self._answers.get(conversation) if self._policy.enabled else None

    def store(self, conversation: tuple[str, ...], response: Response) -> None:
        """Keep an answer.

        One that called a tool is not kept, because a tool does something; nor is one of a fallback, because
        the primary would have answered in another way.
        """
        if not self._policy.enabled or response.tool_calls or response.failed_hops:
            return
        self._answers[conversation] = response
        while len(self._answers) > self._policy.max_entries:
            del self._answers[next(iter(self._answers))]
