"""Where suites lie: every suite.yaml below the golden-set folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from relgate.files.paths import is_folder, resolved

SUITE_FILE = "suite.yaml"


def find_suites(golden_sets: Path) -> list[Path]:
    """Every suite.yaml in a folder and below it, in order.

    Links to folders are not followed, and what cannot be read is passed over.
    """
    if not is_folder(golden_sets):
        return []
    return sorted(Path(at, SUITE_FILE) for at, _, files in os.walk(golden_sets) if SUITE_FILE in files)


def below(suites: Iterable[Path], folders: Iterable[Path]) -> list[Path]:
    """The suites that lie in one of these folders, or below it."""
    wanted = [resolved(folder) for folder in folders]
    return [path for path in suites if any(folder in resolved(path).parents for folder in wanted)]
