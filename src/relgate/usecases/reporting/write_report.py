"""Writing a scorecard as Markdown and JSON and, where there is one, to the CI's step summary."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relgate.domain.errors import Place, Problem
from relgate.domain.scorecard import Scorecard
from relgate.files.reading import shown
from relgate.render.markdown import render_markdown
from relgate.usecases.reporting.step_summary import STEP_SUMMARY, append_summary


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what could not be.

    Attributes:
        files: the Markdown and the JSON file; empty where they could not be written.
        problems: one sentence each. The verdict is recorded before, so nothing measured is lost.
    """

    files: tuple[Path, ...]
    problems: tuple[str, ...] = ()


def folder_problems(folder: Path) -> list[Problem]:
    """Why reports cannot be written there; known before the first call, so that none is paid for in vain."""
    nearest = next((place for place in (folder, *folder.parents) if _is_there(place)), folder)
    if not nearest.is_dir():
        return [Problem(Place(shown(nearest)), "reports go here, but this is not a folder", "", "move it")]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [Problem(Place(shown(nearest)), "reports go here, but the folder is not writable")]
    return []


def _is_there(place: Path) -> bool:
    return os.path.lexists(place)


def _is_itself(scorecard: Scorecard) -> bool:
    return scorecard.baseline is not None and scorecard.baseline.digest == scorecard.release.digest


def write_report(scorecard: Scorecard, folder: Path, *, environment: Mapping[str, str]) -> Written:
    """Write both files, each whole or not at all, and append to the step summary.

    Args:
        scorecard: what is shown.
        folder: reports go to ``<folder>/<release>-<version>/``: ``scorecard.md`` and ``.json``, or
            ``partial.md`` and ``.json`` for a partial run or a screen, ``unchanged.md`` and ``.json`` for a
            run that compared a release with itself, beside a whole scorecard of the same release.
        environment: may name the step summary.
    """
    place = folder / f"{scorecard.release.name}-{scorecard.release.version}"
    markdown = render_markdown(scorecard)
    beside = "partial" if scorecard.verdict.partial or scorecard.verdict.screen else ""
    beside = beside or "unchanged" * (not scorecard.suites or _is_itself(scorecard))
    stem = beside if beside and _whole_of(scorecard, place) else "scorecard"
    document = json.dumps(scorecard.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    texts = {place / f"{stem}.md": markdown, place / f"{stem}.json": document}
    files: tuple[Path, ...] = tuple(texts)
    problems: list[str] = []
    try:
        _write_all(texts)
    except OSError as error:
        files = ()
        why = error.strerror or type(error).__name__
        problems.append(f"the scorecard could not be written to {shown(place)}: {why}; `relgate show` has it")
    summary = environment.get(STEP_SUMMARY)
    if summary:
        notice = f"*Cut: the whole scorecard is in {place.name}/{stem}.md.*"
        try:
            append_summary(Path(summary), markdown, notice)
        except OSError as error:
            problems.append(f"the step summary could not be written: {error.strerror or error}")
    return Written(files, tuple(problems))


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write every file beside its place, then move them there.

    Raises:
        OSError: one of them could not be written.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
            staged.append((fresh, path))
            fresh.write_text(text, encoding="utf-8")
        for fresh, path in staged:
            os.replace(fresh, path)
    finally:
        for fresh, _ in staged:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)


def _whole_of(scorecard: Scorecard, place: Path) -> bool:
    """Whether the folder holds the scorecard of a whole run of the same release already."""
    try:
        there = Scorecard.model_validate_json((place / "scorecard.json").read_bytes())
    except (OSError, ValueError):
        return False
    beside = there.verdict.partial or there.verdict.screen or not there.suites
    return not beside and there.release.digest == scorecard.release.digest
