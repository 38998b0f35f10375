"""Prompts: the template artifact filled with a question, the policy in words and the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from relgate.demo.corpus import Passage

_VARIABLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


def render(template: str, variables: Mapping[str, str]) -> str:
    """Fill ``{{ name }}`` once; braces inside a value stay as they are.

    Raises:
        ValueError: the template asks for a variable that there is not.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            have = ", ".join(sorted(variables))
            raise ValueError(f"the prompt asks for {{{{ {name} }}}}, there is {have}")
        return variables[name]

    return _VARIABLE.sub(value, template)


def evidence_text(passages: Iterable[Passage]) -> str:
    """Passages as blocks: ``[article-id] title``, then the text, then a blank line."""
    return "\n\n".join(f"[{p.article_id}] {p.title}\n{p.text}" for p in passages)


def one_line(question: str) -> str:
    """A question without line ends, so that it cannot open a section of the prompt of its own."""
    return " ".join(question.split())
