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


class StagedReport:
    """Both files written beside their places: what can fail fails before the run is recorded.

    Args:
        scorecard: what is shown.
        folder: reports go to ``<folder>/<release>-<version>/``.
        environment: may name the step summary.

    Raises:
        OSError: a file could not be written.
    """

    def __init__(self, scorecard: Scorecard, folder: Path, *, environment: Mapping[str, str]) -> None:
        place = folder / f"{scorecard.release.name}-{scorecard.release.version}"
        place.mkdir(parents=True, exist_ok=True)
        self._summary = environment.get(STEP_SUMMARY)
        self._markdown = render_markdown(scorecard)
        document = json.dumps(scorecard.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        self._staged: list[tuple[Path, Path]] = []
        for name, text in (("scorecard.md", self._markdown), ("scorecard.json", document)):
            path = place / name
            fresh = path.with_name(f".{name}.{os.getpid()}.new")
            self._staged.append((fresh, path))
            fresh.write_text(text, encoding="utf-8")

    def publish(self) -> tuple[Path, ...]:
        """Move the files to their places and append to the step summary.

        Raises:
            OSError: a file could not be moved, or the step summary not be written.
        """
        for fresh, path in self._staged:
            os.replace(fresh, path)
        if self._summary:
            cut = self._markdown.encode()[:STEP_SUMMARY_LIMIT].decode(errors="ignore")
            with Path(self._summary).open("a", encoding="utf-8") as file:
                file.write(cut + "\n")
        return tuple(path for _, path in self._staged)

    def discard(self) -> None:
        """Remove what was staged."""
        for fresh, _ in self._staged:
            fresh.unlink(missing_ok=True)
