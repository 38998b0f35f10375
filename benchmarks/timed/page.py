"""docs/performance.md: the figures with their date, machine and command, and what misses its bound."""

from __future__ import annotations

from collections.abc import Sequence

from timed.figure import Figure, table


def page(figures: Sequence[Figure], measured: str, command: str) -> str:
    """The whole page.

    Args:
        figures: in the order in which they were measured.
        measured: when and on which machine, one line.
        command: what printed them.
    """
    missed = [figure for figure in figures if figure.missed]
    parts = [
        "# Performance",
        f"Measured by `{command}`: {measured}.",
        "Every ratio is the median over rounds; in each round relgate and the bare loop (or the other "
        "runner) ran one by one on the same cases against the same mock provider, as whole processes. "
        "relgate runs `pytest --manifest candidate.yaml --full` with a registry in SQLite: it reads, checks, "
        "plans, calls, keeps every answer, scores, judges and writes the scorecard. The bare loop is the "
        "fastest that we can write with aiohttp, and keeps nothing. Compare ratios; seconds are of that "
        "machine alone.",
        table(figures),
        "## What misses its bound",
        "\n".join(f"- {_line(figure)}" for figure in missed) or "Nothing.",
    ]
    return "\n\n".join(parts) + "\n"


def _line(figure: Figure) -> str:
    if figure.measured is None:
        return f"{figure.what}: not built"
    side = "at least" if figure.least else "at most"
    return f"{figure.what}: {figure.measured:.4g}{figure.unit}, {side} {figure.bound:g}{figure.unit} wanted"
