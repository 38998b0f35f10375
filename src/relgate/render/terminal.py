"""The scorecard as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tabulate import tabulate

from relgate.domain.scorecard import Scorecard
from relgate.render.commands import at_registry, glued, next_of, unglued
from relgate.render.footer import footer
from relgate.render.printable import printable
from relgate.render.view import (
    Table,
    anchor_text,
    answers,
    change_table,
    clip,
    fall_text,
    gate_legend,
    gate_messages,
    gate_summary,
    gate_table,
    headline,
    judge_text,
    metric_table,
    waiver_text,
)

WORST_IN_TERMINAL = 3


def render_terminal(
    card: Scorecard,
    *,
    width: int = 110,
    full: bool = False,
    closer: str | None = None,
    report: str = "scorecard.md",
    registry: str = "",
) -> str:
    """Verdict, reason and next step first; then gates, metrics, alarms, changes and the worst cases.

    Args:
        card: the scorecard.
        width: columns for sentences; tables take what they need.
        full: every gate and metric with slices and hops, every worst case.
        closer: the command that shows more; by default the one that shows this run.
        report: the file that holds what is left out here.
        registry: the registry as it was named on the command line, where it was: commands name it too.
    """
    lines = [
        headline(card),
        *_field("reason", card.verdict.reason, width),
        *_field("next", at_registry(next_of(card), registry), width),
    ]
    for other in card.verdict.others:
        lines += _field("also", other, width)
    for waiver in card.verdict.waivers:
        lines += _field("waived", waiver_text(waiver), width)
    gates = gate_table(card, brief=not full)
    lines += _table("gates", gates)
    if legend := gate_legend(gates):
        lines += textwrap.wrap(legend, width, initial_indent="  ", subsequent_indent="  ")
    if not full and (summary := gate_summary(card)):
        lines += [] if gates.rows else ["", "gates"]
        lines.append(f"  {summary}: all gates are in {report}")
    lines += _list("", [f"{name}: {message}" for name, message in gate_messages(card)], width)
    lines += _list("alarms", [f"{a.suite}: {a.message} (p = {a.p:.2g})" for a in card.alarms], width)
    lines += _list("anchor", [anchor_text(a) for a in card.anchor if full or a.holds], width)
    lines += _list("judges", [judge_text(j) for j in card.judges], width)
    lines += _list("critical", [f"{miss.suite}: {miss.message}" for miss in card.critical], width)
    lines += _table("changed", change_table(card))
    lines += _table("metrics", metric_table(card, slices=False, gated=not full))
    if full:
        lines += _table("slices and hops", metric_table(card, slices=True))
    lines += _worst(card, width, full, report)
    lines += _list("notes", card.notes, width)
    lines += ["", *footer(card)]
    if not full and (card.worst or card.verdict.decision != "promote"):
        lines.append(f"look closer: {closer or at_registry(f'relgate show {card.run.id}', registry)}")
    return printable("\n".join(line.rstrip() for line in lines))


def _field(name: str, text: str, width: int) -> list[str]:
    if not text:
        return []
    return _wrapped(text, width, f"{name:<8}", " " * 8)


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines of at most the width, but for a command between backquotes: who copies it copies one line."""
    lines = textwrap.wrap(
        glued(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [unglued(line) for line in lines]


def _table(title: str, table: Table) -> list[str]:
    if not table.rows:
        return []
    text = tabulate(table.rows, headers=table.headers, tablefmt="simple", disable_numparse=True)
    return ["", title, *("  " + line for line in text.splitlines())]


def _list(title: str, sentences: Sequence[str], width: int) -> list[str]:
    if not sentences:
        return []
    lines = ["", title] if title else [""]
    for sentence in sentences:
        lines += _wrapped(sentence, width, "  ", "    ")
    return lines


def _worst(card: Scorecard, width: int, full: bool, report: str) -> list[str]:
    if not card.worst:
        return []
    shown = card.worst if full else card.worst[:WORST_IN_TERMINAL]
    lines = ["", "worst cases"]
    if len(shown) < len(card.worst):
        lines[1] += f" ({len(shown)} of the {len(card.worst)} in {report})"
    for worst in shown:
        fell = fall_text(worst, paired=card.baseline is not None)
        candidate, baseline = answers(worst, width - 15)
        lines += [
            f"  {worst.suite} {worst.case_id} ({fell})",
            f"    asked      {clip(worst.input, width - 15)}",
            *([f"    expected   {clip(worst.expected, width - 15)}"] if worst.expected.strip() else []),
            f"    candidate  {candidate}",
            *([f"    baseline   {baseline}"] if card.baseline else []),
        ]
    return lines
