"""Rendering a prompt artifact: ``{{ name }}`` is replaced, nothing else is touched."""

from __future__ import annotations

from collections.abc import Mapping

from relgate.domain.placeholders import PLACEHOLDER


def place_of(template: str, name: str) -> tuple[int, int]:
    """Line and column, from 1, where the template first uses a variable; (0, 0) where it does not."""
    for found in PLACEHOLDER.finditer(template):
        if found.group(1) == name:
            before = template[: found.start()]
            return before.count("\n") + 1, found.start() - before.rfind("\n")
    return 0, 0


def render_prompt(template: str, values: Mapping[str, str]) -> str:
    """The template with its variables filled in.

    Raises:
        KeyError: a variable has no value.
    """
    return PLACEHOLDER.sub(lambda match: values[match.group(1)], template)
