"""The router policy: how much evidence and which tools a question gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is served.

    Attributes:
        evidence_passages: passages in the prompt; 0 skips retrieval.
        tools: names of the tools that the model is shown.
    """

    evidence_passages: int
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    words_over: int | None
    matches: re.Pattern[str] | None
    changes: Mapping[str, Any]

    def applies(self, question: str) -> bool:
        if self.words_over is not None and len(question.split()) <= self.words_over:
            return False
        return self.matches is None or self.matches.search(question) is not None


class Router:
    """A router policy file: a default and rules; each rule that applies changes the plan, in order."""

    def __init__(self, default: Plan, rules: tuple[_Rule, ...]) -> None:
        self._default = default
        self._rules = rules

    @classmethod
    def parse(cls, text: str) -> Router:
        """Read a router policy file."""
        document = yaml.safe_load(text)
        default = Plan(int(document["default"]["evidence_passages"]), tuple(document["default"]["tools"]))
        return cls(default, tuple(_rule(entry) for entry in document["rules"]))

    def plan(self, question: str) -> Plan:
        """The plan for a question."""
        plan = self._default
        for rule in self._rules:
            if rule.applies(question):
                plan = replace(plan, **rule.changes)
        return plan


def _rule(entry: Mapping[str, Any]) -> _Rule:
    when, then = entry["when"], dict(entry["then"])
    if "tools" in then:
        then["tools"] = tuple(then["tools"])
    pattern = when.get("matches")
    return _Rule(when.get("words_over"), re.compile(pattern, re.IGNORECASE) if pattern else None, then)
