"""What a calibration has measured so far, kept in a file: a long form that is stopped goes on from there."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MEASURING = ("src/relgate/stats", "src/relgate/decision", "src/relgate/domain", "benchmarks/simulated")
"""The code that a figure comes from; a figure of other code is not taken again."""

TELLING = ("report.py", "kept.py")
"""What only writes figures down."""


def code() -> str:
    """Digest of the code that measures and is measured."""
    digest = hashlib.sha256()
    for folder in MEASURING:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name not in TELLING:
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def kept(path: Path, digest: str) -> Iterator[tuple[Any, Any, float]]:
    """Job, result and CPU seconds of everything that this code measured; the last may be cut off."""
    if not path.exists():
        return
    with path.open("rb") as file:
        while True:
            try:
                found, job, result, seconds = pickle.load(file)
            except (EOFError, pickle.UnpicklingError):
                return
            if found == digest:
                yield job, result, seconds


def keep(path: Path, digest: str, job: object, result: object, seconds: float) -> None:
    """Append one result."""
    with path.open("ab") as file:
        pickle.dump((digest, job, result, seconds), file)
