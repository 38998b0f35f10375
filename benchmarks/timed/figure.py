"""One figure: what, measured, bound, ok or miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate


@dataclass(frozen=True)
class Figure:
    """A measured figure.

    Attributes:
        what: was measured.
        measured: the number; None where it cannot be measured.
        bound: at most this, at least with ``least``; None for what is only told.
        unit: behind the numbers.
        note: what else was seen.
        least: whether more is better.
    """

    what: str
    measured: float | None
    bound: float | None = None
    unit: str = ""
    note: str = ""
    least: bool = False

    @property
    def missed(self) -> bool:
        """Whether there is a bound and it does not hold."""
        if self.bound is None:
            return False
        if self.measured is None:
            return True
        return self.measured < self.bound if self.least else self.measured > self.bound

    @property
    def word(self) -> str:
        """ok, miss, or nothing where there is no bound."""
        return "" if self.bound is None else "miss" if self.missed else "ok"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [
        (
            figure.what,
            "not built" if figure.measured is None else f"{figure.measured:.4g}{figure.unit}",
            ""
            if figure.bound is None
            else f"{'at least' if figure.least else 'at most'} {figure.bound:g}{figure.unit}",
            figure.word,
            figure.note,
        )
        for figure in figures
    ]
    return tabulate(rows, ("what", "measured", "bound", "", "seen"), tablefmt="github", disable_numparse=True)
