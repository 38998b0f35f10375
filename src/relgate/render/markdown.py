"""The scorecard as Markdown for a pull request or a CI summary; everything a model wrote is escaped."""

from __future__ import annotations

import html
import re

from relgate.domain.scorecard import Scorecard
from relgate.render.commands import next_of
from relgate.render.cutting import cut, cut_around_difference, one_line
from relgate.render.footer import footer
from relgate.render.printable import printable
from relgate.render.view import (
    Table,
    alarm_text,
    anchor_text,
    change_table,
    fall_text,
    gate_legend,
    gate_messages,
    gate_table,
    headline,
    judge_text,
    metric_table,
    waiver_text,
)

ALERT = {"promote": "NOTE", "hold": "WARNING", "reject": "CAUTION"}
_MENTION = re.compile(r"(?<![A-Za-z0-9])@")
_LINK = re.compile(r"\b(?:https?|ftp):|\bwww(?=\.)", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")
LONGEST_ANSWER = 2_000


_COMMAND = re.compile(r"`(relgate [A-Za-z0-9 ._@:/-]+)`")


def escape(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line; it links to nothing and calls nobody."""
    line = html.escape(printable(" ".join(text.split())), quote=False)
    return _LINK.sub("\\g<0>\u200b", _MENTION.sub("@\u200b", _SPECIAL.sub(r"\\\1", line)))


def _with_code(text: str) -> str:
    """Escaped text in which relgate's own `commands` stay code."""
    parts = _COMMAND.split(text)
    return "".join(f"`{part}`" if odd % 2 else _spaced(part) for odd, part in enumerate(parts))


def _step(text: str) -> str:
    """A next step; one that is nothing but a command of relgate is code, ready to be copied."""
    return _with_code(f"`{text}`" if _COMMAND.fullmatch(f"`{text}`") else text)


def _spaced(text: str) -> str:
    """Escaped text that keeps the space before and after it."""
    if not text.strip():
        return " " * bool(text)
    return " " * text[0].isspace() + escape(text) + " " * text[-1].isspace()


def render_markdown(card: Scorecard) -> str:
    """Verdict, reason and next step first; long parts folded."""
    verdict = card.verdict
    lines = [
        f"### relgate: {escape(headline(card))}",
        "",
        f"> [!{ALERT['promote' if verdict.clear else verdict.decision]}]",
        f"> **{escape(verdict.reason)}**",
        ">",
        f"> Next: {_step(next_of(card))}" if verdict.next_step else "> Next: nothing to do",
        "",
        *(f"- also: {escape(other)}" for other in verdict.others),
        *[""] * bool(verdict.others),
    ]
    for waiver in verdict.waivers:
        lines += [
            f"**Waived**: {escape(waiver_text(waiver))}",
            "",
        ]
    gates = gate_table(card)
    lines += _table("Gates", gates)
    if legend := gate_legend(gates):
        lines += [f"{escape(legend)}.", ""]
    if messages := gate_messages(card):
        lines += [*(f"- {escape(name)}: {escape(message)}" for name, message in messages), ""]
    if card.alarms:
        lines += [
            "#### Alarms",
            "",
            *(f"- {escape(alarm_text(alarm))}" for alarm in card.alarms),
            "",
        ]
    if card.anchor:
        lines += ["#### Anchor", "", *(f"- {escape(anchor_text(anchor))}" for anchor in card.anchor), ""]
    if card.judges:
        lines += ["#### Judges", "", *(f"- {escape(judge_text(judge))}" for judge in card.judges), ""]
    if card.critical:
        lines += [
            "#### Critical cases",
            "",
            *(f"- {escape(m.suite)}: {escape(m.message)}" for m in card.critical),
            "",
        ]
    lines += _table("Changed artifacts", change_table(card))
    lines += _table("Metrics that gates judge", metric_table(card, slices=False, gated=True))
    lines += _folded("All metrics", metric_table(card, slices=False))
    lines += _folded("Slices and hops", metric_table(card, slices=True))
    lines += _worst(card)
    if card.notes:
        lines += ["#### Notes", "", *(f"- {escape(note)}" for note in card.notes), ""]
    lines += [f"{escape(line)}  " for line in footer(card)]
    if card.worst or verdict.decision != "promote":
        lines.append(f"look closer: `relgate show {card.run.id}`")
    return "\n".join(lines).rstrip() + "\n"


def _rows(table: Table) -> list[str]:
    head = "| " + " | ".join(table.headers) + " |"
    rule = "|" + "|".join("---" for _ in table.headers) + "|"
    return [head, rule, *("| " + " | ".join(escape(cell) for cell in row) + " |" for row in table.rows), ""]


def _table(title: str, table: Table) -> list[str]:
    return [f"#### {title}", "", *_rows(table)] if table.rows else []


def _folded(title: str, table: Table) -> list[str]:
    if not table.rows:
        return []
    return [f"<details><summary>{title}</summary>", "", *_rows(table), "</details>", ""]


def _answer(text: str) -> str:
    """The text on one line, cut."""
    return _shown(cut(one_line(text), LONGEST_ANSWER))


def _shown(line: str) -> str:
    return escape(line) or "*(empty)*"


def _worst(card: Scorecard) -> list[str]:
    if not card.worst:
        return []
    lines = [f"#### Worst cases ({len(card.worst)})", ""]
    for worst in card.worst:
        fell = fall_text(worst, paired=card.baseline is not None)
        candidate, baseline = cut_around_difference(worst.candidate, worst.baseline, LONGEST_ANSWER)
        lines += [
            f"<details><summary>{escape(f'{worst.suite} / {worst.case_id} ({fell})')}</summary>",
            "",
            f"- asked: {_answer(worst.input)}",
            *([f"- expected: {_answer(worst.expected)}"] if worst.expected.strip() else []),
            f"- candidate: {_shown(candidate)}",
            *([f"- baseline: {_shown(baseline)}"] if card.baseline else []),
            "",
            "</details>",
            "",
        ]
    return lines
