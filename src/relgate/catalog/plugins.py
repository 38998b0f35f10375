"""Finding plugins and calling their hooks, each with its name at hand for errors."""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pluggy

from relgate.catalog.hooks import CatalogHooks
from relgate.domain.errors import CatalogError, RelgateError
from relgate.redaction import mask

ENTRY_POINT_GROUP = "relgate"

_HOOK_PREFIX = "relgate_register_"


class Plugins(pluggy.PluginManager):
    """pluggy's manager, which also takes unmarked functions and knows who each plugin is."""

    def __init__(self) -> None:
        super().__init__("relgate")
        self.add_hookspecs(CatalogHooks)
        self._owners: list[tuple[object, str]] = []

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Marked functions as pluggy reads them, and every function named like a hook."""
        marked = super().parse_hookimpl_opts(plugin, name)
        if marked is not None or not name.startswith(_HOOK_PREFIX):
            return marked
        if not inspect.isroutine(getattr(plugin, name, None)):
            return None
        return {
            "wrapper": False,
            "hookwrapper": False,
            "optionalhook": False,
            "tryfirst": False,
            "trylast": False,
            "specname": None,
        }

    def add(self, plugin: object, owner: str) -> None:
        """Register a plugin; the same one twice counts once."""
        if self.is_registered(plugin):
            return
        with _blaming(owner):
            # Every conftest.py is a module of the same name, so pluggy needs another one.
            self.register(plugin, name=f"{owner}#{len(self._owners)}")
        self._owners.append((plugin, owner))
        hooks = [name for name in vars(CatalogHooks) if name.startswith(_HOOK_PREFIX)]
        for name in dir(plugin):
            if name.startswith(_HOOK_PREFIX) and name not in hooks:
                near = difflib.get_close_matches(name, hooks, n=1, cutoff=0.0)
                raise CatalogError(
                    f"{owner} defines {name}, which is no hook of relgate, did you mean {near[0]}?"
                )

    def call(self, what: str, register: Callable[[str], object]) -> None:
        """Call one hook of every plugin, each with a register that knows whom it serves."""
        name = _HOOK_PREFIX + what
        for plugin, owner in self._owners:
            others = [other for other, _ in self._owners if other is not plugin]
            with _blaming(owner, name):
                self.subset_hook_caller(name, others)(register=register(owner))


@contextmanager
def _blaming(owner: str, hook: str = "") -> Iterator[None]:
    try:
        yield
    except RelgateError:
        raise
    except (Exception, SystemExit) as error:  # another's code may end in any way
        where = f" in {hook}" if hook else ""
        said = mask(" ".join(str(error).split()))
        raise CatalogError(f"{owner} fails{where}: {type(error).__name__}: {said}") from error


def installed() -> Iterator[tuple[object, str]]:
    """The plugins of installed packages, each with who it is."""
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        package = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
        owner = f"entry point {entry.name}{package}"
        with _blaming(owner):
            plugin = entry.load()
        yield plugin, owner


def owner_of(plugin: object) -> str:
    """Who a plugin is, for errors: its file, else its name."""
    name = getattr(plugin, "__file__", None) or getattr(plugin, "__name__", None)
    return str(name or type(plugin).__qualname__)
