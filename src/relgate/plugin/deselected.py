"""Cases that were collected and then left out by what selects tests."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pytest

from relgate.plugin.items import MeasuredItem


class Deselected:
    """Counts the cases that ``-k`` and its like leave out.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._option = config.option
        self._count = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count them."""
        self._count += sum(len(item.cases) for item in items if isinstance(item, MeasuredItem))

    @property
    def why_none(self) -> str:
        """Why a run without any case has none; "" where none was left out."""
        if not self._count:
            return ""
        named = " and ".join(self._named()) or "another plugin"
        which = "the only case" if self._count == 1 else f"all {self._count:,} cases"
        return f"no case was selected: {named} left out {which}"

    def _named(self) -> list[str]:
        option = self._option
        words = [
            f"{flag} {shlex.quote(given)}"
            for flag, given in (("-k", option.keyword), ("-m", option.markexpr))
            if given
        ]
        words += ["--deselect"] * bool(option.deselect)
        return [*words, *["--lf"] * bool(getattr(option, "lf", False))]
