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
"""GitHub drops a summary over 1 MiB as a whole, so a longer one is cut."""


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
        try:
            for name, text in (("scorecard.md", self._markdown), ("scorecard.json", document)):
                path = place / name
                fresh = path.with_name(f".{name}.{os.getpid()}.new")
                self._staged.append((fresh, path))
                fresh.write_text(text, encoding="utf-8")
        except BaseException:
            self.discard()
            raise

    def publish(self) -> tuple[Path, ...]:
        """Move the files to their places and append to the step summary.

        Raises:
            OSError: a file could not be moved, or the step summary not be written.
        """
        for fresh, path in self._staged:
            os.replace(fresh, path)
        if self._summary:
            self._append(Path(self._summary), self._staged[0][1])
        return tuple(path for _, path in self._staged)

    def _append(self, summary: Path, whole: Path) -> None:
        """Append the Markdown to the step summary, cut to the room that other steps' text left."""
        text = (self._markdown + "\n").encode()
        room = STEP_SUMMARY_LIMIT - (summary.stat().st_size if summary.exists() else 0)
        if len(text) > room:
            notice = f"\n\n*Cut: the whole scorecard is in {whole.parent.name}/{whole.name}.*\n".encode()
            lines = text[: max(0, room - len(notice))]
            text = lines[: lines.rfind(b"\n") + 1] + notice if len(notice) < room else b""
        with summary.open("ab") as file:
            file.write(text)

    def discard(self) -> None:
        """Remove what was staged."""
        for fresh, _ in self._staged:
            fresh.unlink(missing_ok=True)
