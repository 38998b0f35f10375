"""``{{ name }}`` in prompts, rubrics and request templates."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def placeholders(template: str) -> tuple[str, ...]:
    """Names of the template's variables in order of first use."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(template)))
