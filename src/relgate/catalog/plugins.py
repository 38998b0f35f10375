"""Finding plugins and calling their hooks; what is wrong with one hides nothing of the others."""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
from collections.abc import Callable
from itertools import count

import pluggy

from relgate.catalog.blame import Blame
from relgate.catalog.hooks import CatalogHooks
from relgate.domain.errors import Problem

ENTRY_POINT_GROUP = "relgate"

_HOOK_PREFIX = "relgate_register_"
_HOOKS = tuple(name for name in vars(CatalogHooks) if name.startswith(_HOOK_PREFIX))
_ARGUMENT = "register"


class Plugins(pluggy.PluginManager):
    """pluggy's manager, which also takes unmarked functions and knows who each plugin is."""

    def __init__(self) -> None:
        super().__init__("relgate")
        self.add_hookspecs(CatalogHooks)
        self._blames: list[tuple[object, Blame]] = []
        self._numbers = count()
        self._unread: list[Problem] = []

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that plugins did wrong so far, in the order in which they were added."""
        return (*self._unread, *(p for _, blame in self._blames for p in blame.problems))

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Marked functions as pluggy reads them, and every function named like a hook that can be called."""
        marked = super().parse_hookimpl_opts(plugin, name)
        if not name.startswith(_HOOK_PREFIX):
            return marked
        function = getattr(plugin, name, None)
        if not inspect.isroutine(function) or name not in _HOOKS or _foreign_arguments(function):
            return None
        return marked or {
            "wrapper": False,
            "hookwrapper": False,
            "optionalhook": False,
            "tryfirst": False,
            "trylast": False,
            "specname": None,
        }

    def add_installed(self) -> None:
        """Add the plugins of installed packages."""
        for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
            package = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
            blame = Blame(entry, f"entry point {entry.name}{package}")
            try:
                plugin = entry.load()
            except (Exception, SystemExit) as error:  # another's code may end in any way
                blame.raised(error, "cannot be loaded")
                self._unread += blame.problems
            else:
                self.add(plugin, blame)

    def add(self, plugin: object, blame: Blame) -> None:
        """Register a plugin; the same one twice counts once."""
        if self.is_registered(plugin):
            return
        self._blames.append((plugin, blame))
        for name in dir(plugin):
            if name.startswith(_HOOK_PREFIX):
                _check_hook(name, getattr(plugin, name, None), blame)
        try:
            # Every conftest.py is a module of the same name, so pluggy needs another one.
            self.register(plugin, name=f"{blame.owner}#{next(self._numbers)}")
        except (Exception, SystemExit) as error:  # another's code may end in any way
            blame.raised(error, "cannot be registered")

    def call(self, what: str, register: Callable[[Blame], object]) -> None:
        """Call one hook of every plugin, each with a register that knows whom it serves."""
        name = _HOOK_PREFIX + what
        for plugin, blame in self._blames:
            if not self.is_registered(plugin):
                continue
            others = [other for other, _ in self._blames if other is not plugin]
            try:
                self.subset_hook_caller(name, others)(register=register(blame))
            except (Exception, SystemExit) as error:
                blame.raised(error, f"{name} fails", getattr(plugin, name, None))

    @property
    def added(self) -> tuple[object, ...]:
        """Every plugin."""
        return tuple(plugin for plugin, _ in self._blames)


def _check_hook(name: str, function: object, blame: Blame) -> None:
    if name not in _HOOKS:
        near = difflib.get_close_matches(name, _HOOKS, n=1, cutoff=0.0)
        blame.function(function, f"{name} is no hook of relgate", f"did you mean {near[0]}?")
    elif not inspect.isroutine(function):
        blame.function(function, f"{name} is {type(function).__name__}, not a function")
    elif foreign := _foreign_arguments(function):
        remedy = f"write def {name}({_ARGUMENT})"
        blame.function(function, f"{name} takes {_ARGUMENT} only, not {', '.join(foreign)}", remedy)


def _foreign_arguments(function: Callable[..., object]) -> list[str]:
    """The arguments of a hook that nothing is given for."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    needed = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return [p.name for p in needed if p.name != _ARGUMENT]
