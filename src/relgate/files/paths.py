"""Paths as a user writes them: whatever stands there, asking about it ends in an answer."""

from __future__ import annotations

from pathlib import Path

_ELSEWHERE = (FileNotFoundError, NotADirectoryError, PermissionError)


def unusable(path: Path) -> str:
    """Why no file can ever have this path (a NUL, a name that is too long), "" where one can."""
    try:
        path.lstat()
    except _ELSEWHERE:
        return ""
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half a surrogate pair
        return getattr(error, "strerror", None) or str(error)
    return ""


def is_file(path: Path) -> bool:
    """Whether a file stands there; False where none can."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder stands there; False where none can."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def resolved(path: Path) -> Path:
    """The absolute path with links followed; as it is where that cannot be done."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
        return path


def expanded(path: str) -> Path:
    """The path with ``~`` put in; as it is where nobody has that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
