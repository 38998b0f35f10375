"""What plugins did wrong: each thing a problem, at the line of the plugin that did it where there is one."""

from __future__ import annotations

import inspect
import sys
import traceback

from relgate.domain.errors import Place, Problem
from relgate.files.reading import shown
from relgate.redaction import mask

_OWN_MODULES = ("relgate.catalog", "pluggy")


class Blame:
    """The problems of one plugin.

    Attributes:
        owner: who the plugin is, for the eye: its file, else its name.
        problems: found so far.
    """

    def __init__(self, plugin: object, owner: str = "") -> None:
        file = getattr(plugin, "__file__", None)
        self._file = str(file) if file and not owner else ""
        name = getattr(plugin, "__name__", None) or type(plugin).__qualname__
        self.owner = owner or (shown(self._file) if self._file else str(name))
        self.problems: list[Problem] = []

    def calling(self, what: str, remedy: str = "") -> None:
        """Blame the line that is running, in the plugin's file or in the one that it has its hook from."""
        frames = [frame for frame, _ in traceback.walk_stack(sys._getframe(1))]
        theirs = [f for f in frames if not str(f.f_globals.get("__name__", "")).startswith(_OWN_MODULES)]
        mine = [frame for frame in frames if frame.f_code.co_filename == self._file]
        running = next(iter([*mine, *theirs]), None)
        if running is None:
            self._note("", 0, what, remedy=remedy)
        else:
            self._note(running.f_code.co_filename, running.f_lineno, what, remedy=remedy)

    def function(self, function: object, what: str, remedy: str = "") -> None:
        """Blame a function of the plugin."""
        self._note(*_where(function), what, remedy=remedy)

    def raised(self, error: BaseException, what: str, function: object = None) -> None:
        """Blame the line that raised, else the function that was called."""
        file, line = _where(function)
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in (self._file, file)]
        if frames:
            file, line = frames[-1].filename, frames[-1].lineno or 0
        said = mask(" ".join(str(error).split()))
        kind = type(error).__name__
        self._note(file, line, what, f"{kind}: {said}" if said else kind)

    def _note(self, file: str, line: int, what: str, value: str = "", remedy: str = "") -> None:
        """What has no file of its own, such as an installed package, is named by its owner."""
        if not self._file:
            place = Place(self.owner)
        else:
            place = Place(shown(file), line) if file else Place(shown(self._file))
        self.problems.append(Problem(place, what, value, remedy))


def _where(function: object) -> tuple[str, int]:
    """File and line of a function; "" and 0 of anything else."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)
