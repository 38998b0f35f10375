"""The safety policy: rules over the question, the evidence and requested tool calls, read from its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import yaml

from relgate.demo.corpus import Passage
from relgate.domain.response import ToolCall

Scope = Literal["question", "evidence", "tool_call"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: for logs.
        description: what the prompt tells the model about it.
        scope: what it looks at.
        groups: it applies when every group has a phrase that is found ...
        unless: ... and none of these is.
        tool: for tool calls: the tool's name.
        refusal: what the customer is told.
    """

    id: str
    description: str
    scope: Scope
    groups: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    tool: str | None
    refusal: str

    def applies(self, text: str) -> bool:
        """Whether a text breaks the rule."""
        text = " ".join(text.replace("’", "'").lower().split())
        if not self.groups or not all(group.search(text) for group in self.groups):
            return False
        return self.unless is None or self.unless.search(text) is None


class Policy:
    """The rules of one policy file, asked in the file's order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy file.

        Raises:
            ValueError: a rule looks at something that there is not.
        """
        return cls([_rule(entry) for entry in yaml.safe_load(text)["rules"]])

    def summary(self) -> str:
        """The rules in words, one per line, for the prompt."""
        return "\n".join(f"- {rule.description}" for rule in self.rules)

    def check_question(self, texts: Iterable[str]) -> Rule | None:
        """The first rule that something the user wrote breaks."""
        texts = list(texts)
        return next((r for r in self._of("question") if any(r.applies(text) for text in texts)), None)

    def check_passage(self, passage: Passage) -> Rule | None:
        """The first rule that a passage breaks."""
        return next((r for r in self._of("evidence") if r.applies(passage.text)), None)

    def check_call(self, call: ToolCall, approval_limit: float | None) -> Rule | None:
        """The first rule that a requested call breaks.

        A call is above the limit when any number in it is: a renamed argument must not open a way around.
        """
        if approval_limit is None or any("approval" in name for name in call.arguments):
            return None
        amounts = [v for v in call.arguments.values() if isinstance(v, int | float)]
        if not any(amount > approval_limit for amount in amounts):
            return None
        return next((r for r in self._of("tool_call") if r.tool == call.name), None)

    def _of(self, scope: Scope) -> Iterable[Rule]:
        return (rule for rule in self.rules if rule.scope == scope)


def _rule(entry: Mapping[str, Any]) -> Rule:
    scope = entry["scope"]
    if scope not in get_args(Scope):
        raise ValueError(
            f"policy rule {entry['id']}: scope {scope!r} is none of {', '.join(get_args(Scope))}"
        )
    return Rule(
        id=entry["id"],
        description=entry["description"],
        scope=cast(Scope, scope),
        groups=tuple(_any_of(phrases) for phrases in entry.get("when", ())),
        unless=_any_of(entry["unless"]) if entry.get("unless") else None,
        tool=entry.get("tool"),
        refusal=" ".join(entry["refuse"].split()),
    )


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    # Phrases are regular expressions over lower-case text and match whole words only.
    return re.compile("|".join(rf"\b(?:{phrase})\b" for phrase in phrases))
