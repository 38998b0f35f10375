"""The CI's step summary (``GITHUB_STEP_SUMMARY``): the scorecard, or why there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from relgate.redaction import Redactor, number_placeholders
from relgate.render.markdown import escape

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
STEP_SUMMARY_LIMIT = 1_000_000
"""GitHub drops a summary over 1 MiB as a whole, so a longer one is cut."""

MOST_ERRORS = 20


def append_summary(summary: Path, markdown: str, notice: str) -> None:
    """Append Markdown, cut to the room that other steps' text left.

    Args:
        summary: the file.
        markdown: what to append.
        notice: the line that stands where something was cut.

    Raises:
        OSError: the file cannot be written.
    """
    text = (markdown + "\n").encode()
    room = STEP_SUMMARY_LIMIT - (summary.stat().st_size if summary.exists() else 0)
    if len(text) > room:
        end = f"\n\n{notice}\n".encode()
        lines = text[: max(0, room - len(end))]
        text = lines[: lines.rfind(b"\n") + 1] + end if len(end) < room else b""
    with summary.open("ab") as file:
        file.write(text)


def summarise_errors(errors: Sequence[str], environment: Mapping[str, str]) -> None:
    """Append what the user wrote wrong, redacted, where the CI keeps a step summary.

    A summary that cannot be written hides no error: all of them stand in the log as well.
    """
    summary = environment.get(STEP_SUMMARY)
    if not summary:
        return
    redactor = Redactor()
    redacted = [redactor.redact(error).text for error in errors[:MOST_ERRORS]]
    shown = number_placeholders({"errors": redacted}, ("errors",))["errors"]
    more = len(errors) - len(shown)
    lines = ["### relgate: no verdict, nothing was called", "", *(f"- {escape(error)}" for error in shown)]
    if more:
        lines.append(f"- and {more} more in the log")
    with contextlib.suppress(OSError):
        append_summary(Path(summary), "\n".join(lines) + "\n", "*Cut: all errors are in the log.*")
