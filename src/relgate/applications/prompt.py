"""Rendering a prompt artifact: ``{{ name }}`` is replaced, nothing else is touched."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def placeholders(template: str) -> tuple[str, ...]:
    """Names of the template's variables in order of first use."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(template)))


def render_prompt(template: str, values: Mapping[str, str]) -> str:
    """The template with its variables filled in.

    Raises:
        KeyError: a variable has no value.
    """
    return PLACEHOLDER.sub(lambda match: values[match.group(1)], template)
