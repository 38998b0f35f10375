"""Reading a file that a user wrote: every way in which that fails is a Problem, never a traceback."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from relgate.domain.errors import InputError, Place, Problem

BOM = "\ufeff"
MORE = "... and "
"""How the line begins that counts what a file's listing leaves out; it ends the listing."""


def shown(path: Path | str) -> str:
    """A path for the eye: relative to the current folder when it lies below it."""
    absolute = os.path.abspath(path)
    try:
        relative = os.path.relpath(absolute)
    except ValueError:  # another drive on Windows
        return str(path)
    return str(path) if relative.startswith("..") else Path(relative).as_posix()


def nearby(path: Path) -> str:
    """``did you mean 'candidate.yaml'?`` for a file that is not there; "" when none beside it is alike."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix == path.suffix]
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    return f"did you mean {close[0]!r}?" if close else ""


def read_bytes(path: Path, *, limit: int | None = None, missing: str = "") -> bytes:
    """The content of a file.

    Args:
        path: the file.
        limit: the greatest size in bytes that makes sense.
        missing: the remedy when there is no such file.

    Raises:
        InputError: it is missing, a folder, unreadable or too large.
    """
    with _explained(path, missing):
        _check_file(path, limit)
        return path.read_bytes()


def digest_of_file(path: Path) -> str:
    """``sha256:<hex>`` of the content of a file, which is never held as a whole.

    Raises:
        InputError: it is missing, a folder or unreadable.
    """
    with _explained(path, ""):
        _check_file(path, None)
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _check_file(path: Path, limit: int | None) -> None:
    place = Place(shown(path))
    if path.is_dir():
        raise InputError([Problem(place, "is a folder", remedy="name a file")])
    if path.exists() and not path.is_file():
        raise InputError([Problem(place, "is a device or a pipe", remedy="name a file")])
    size = path.stat().st_size
    if limit is not None and size > limit:
        size_mb = f"{size / 1_000_000:.1f} MB"
        raise InputError([Problem(place, f"is larger than {limit // 1_000_000} MB", size_mb)])


@contextmanager
def _explained(path: Path, missing: str) -> Iterator[None]:
    place = Place(shown(path))
    try:
        yield
    except FileNotFoundError:
        raise InputError([Problem(place, "no such file", remedy=missing)]) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([Problem(place, "cannot be read", reason)]) from None


def decode(content: bytes, path: Path | str) -> str:
    """The content as text without a byte order mark.

    Raises:
        InputError: it is binary or not UTF-8; the place is that of the first bad byte.
    """
    name = shown(path)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError([Problem(Place(name, 1, 1), "is UTF-16", remedy="save it as UTF-8")])
    nul = content.find(b"\0")
    if nul >= 0:
        place = _place_of_byte(content, nul, name)
        raise InputError([Problem(place, "is a binary file (NUL byte)", remedy="write it as UTF-8 text")])
    try:
        return content.decode("utf-8").removeprefix(BOM)
    except UnicodeDecodeError as error:
        place = _place_of_byte(content, error.start, name)
        byte = f"byte 0x{content[error.start]:02x}"
        raise InputError([Problem(place, "is not UTF-8", byte, "save it as UTF-8")]) from None


def _place_of_byte(content: bytes, offset: int, name: str) -> Place:
    start = content.rfind(b"\n", 0, offset) + 1
    column = len(content[start:offset].decode("utf-8", errors="replace")) + 1
    return Place(name, content.count(b"\n", 0, offset) + 1, column)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, with its path for the eye, in order of place."""
    named = [replace(p, place=replace(p.place, path=shown(p.place.path))) for p in problems]
    order = dict.fromkeys(named)
    return sorted(order, key=lambda p: (p.place.path, p.what.startswith(MORE), p.place.line, p.place.column))


def tidy(problems: Iterable[Problem], *, limit: int | None = None) -> list[Problem]:
    """Problems in order of place, in YAML one per place (the first that was found names the cause).

    Args:
        problems: in the order in which they were found.
        limit: the most that are listed per file; the rest is counted.
    """
    first: dict[tuple[str, int, int, str], Problem] = {}
    for problem in problems:
        place = problem.place
        # Several may share a place without a line, at a mapping's start (what is missing in it), or in a row.
        shared = not place.line or " is missing" in problem.what or place.path.endswith(".jsonl")
        first.setdefault((place.path, place.line, place.column, str(problem) if shared else ""), problem)
    ordered = in_order(first.values())
    if limit is None:
        return ordered
    kept: list[Problem] = []
    left: dict[str, int] = {}
    seen: dict[str, int] = {}
    for problem in ordered:
        path = problem.place.path
        seen[path] = seen.get(path, 0) + 1
        if seen[path] <= limit:
            kept.append(problem)
        else:
            left[path] = left.get(path, 0) + 1
    return kept + [Problem(Place(path), f"{MORE}{more} more") for path, more in left.items()]
