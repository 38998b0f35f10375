"""Writing the scorecard: scorecard.md, scorecard.json and, where there is one, the CI's step summary."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from relgate.domain.scorecard import Scorecard
from relgate.render.markdown import render_markdown

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
STEP_SUMMARY_LIMIT = 1_000_000
"""GitHub drops a summary over 1 MiB as a whole (study/peers.md), so a longer one is cut."""


def write_report(scorecard: Scorecard, folder: Path, *, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Write both files into ``<folder>/<release>-<version>/`` and append to the step summary.

    Raises:
        OSError: a file could not be written.
    """
    place = folder / f"{scorecard.release.name}-{scorecard.release.version}"
    place.mkdir(parents=True, exist_ok=True)
    markdown = render_markdown(scorecard)
    document = json.dumps(scorecard.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    written = []
    for name, text in (("scorecard.md", markdown), ("scorecard.json", document)):
        path = place / name
        fresh = path.with_suffix(path.suffix + ".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
        written.append(path)
    summary = environment.get(STEP_SUMMARY)
    if summary:
        cut = markdown.encode()[:STEP_SUMMARY_LIMIT].decode(errors="ignore")
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(cut + "\n")
    return tuple(written)
