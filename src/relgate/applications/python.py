"""The application kind ``python``: a builder that gets the release and returns a callable."""

from __future__ import annotations

import asyncio
import inspect
import os
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from relgate.applications.checked import checked_response
from relgate.applications.outage import failure_of
from relgate.applications.threads import DaemonThreads
from relgate.domain.application import Application, Builder
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Release
from relgate.domain.response import Failure, Outcome, Request
from relgate.redaction import mask

_LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(__file__).parents[1]))
_NOT_THEIRS = (*(folder + os.sep for folder in _LIBRARIES), "<")
"""How file names begin that are no code of the project."""


def import_object(reference: str, place: Place, what: str) -> Any:
    """The object that ``package.module:name`` names.

    Raises:
        InputError: the module does not import, or has no such name.
    """
    module_name, _, name = reference.partition(":")
    try:
        found: Any = import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # a project's own module may raise anything
        said = mask(" ".join(f"{type(error).__name__}: {error}".split()))
        remedy = "give package.module:name of something importable from where pytest runs"
        problem = Problem(place, f"{what} cannot be imported ({said})", repr(reference), remedy)
        raise InputError([problem]) from error
    return found


def takes(function: Callable[..., object], count: int) -> bool:
    """Whether a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def load_service(reference: str, place: Place) -> Callable[[Release], object]:
    """What ``services`` names: a function of the release that gives a context manager.

    Raises:
        InputError: it cannot be imported or called.
    """
    factory = import_object(reference, place, "the service")
    _check_callable(factory, reference, place, "the service", "def serve(release)")
    return factory  # type: ignore[no-any-return]  # the user's object; what it gives is checked when called


def _check_callable(found: object, reference: str, place: Place, what: str, form: str) -> None:
    if not callable(found):
        raise InputError([Problem(place, f"{what} is not callable", repr(reference))])
    if not takes(found, 1):
        what += " cannot be called with the release alone"
        raise InputError([Problem(place, what, repr(reference), f"write it as {form}")])


def load_builder(release: Release, place: Place | None = None) -> Builder:
    """The release's builder.

    Args:
        release: the release.
        place: where its manifest names the builder; default: the manifest.

    Raises:
        InputError: it cannot be imported or called.
    """
    place = place or Place(str(release.path))
    builder = import_object(release.application.value, place, "the application's builder")
    what, form = "the application's builder", "def build(release)"
    _check_callable(builder, release.application.value, place, what, form)
    return builder  # type: ignore[no-any-return]  # the user's object; its results are checked when called


class PythonResponder:
    """Calls a Python application; sync ones run in threads, async ones in the engine's loop."""

    def __init__(self, builder: Builder, release: Release) -> None:
        self._builder = builder
        self._release = release
        self._application: Application | None = None
        self._threads = DaemonThreads()

    async def open(self) -> None:
        """Build the application, in the loop that will call it: clients may need a running loop.

        Raises:
            InputError: the builder raised, or returned nothing that can be called.
        """
        reference = repr(self._release.application.value)
        place = Place(str(self._release.path))
        try:
            application: object = self._builder(self._release)
        except (Exception, SystemExit) as error:
            what = mask(
                f"the application's builder raised {type(error).__name__}: {error}{_raised_at(error)}"
            )
            raise InputError([Problem(place, what, reference)]) from error
        if not callable(application):
            if inspect.iscoroutine(application):
                application.close()
            what = f"the application's builder returned {type(application).__name__}, which cannot be called"
            raise InputError([Problem(place, what, reference, "return the callable that answers a Request")])
        self._application = application

    async def respond(self, request: Request) -> Outcome:
        """Ask the application; its exceptions become failures, ``sys.exit`` too."""
        try:
            return checked_response(await self._call(request))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return _failure(error)
        except (Exception, SystemExit) as error:
            return _failure(error)

    async def _call(self, request: Request) -> object:
        assert self._application is not None
        application: Callable[[Request], object] = self._application
        if inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(
            getattr(application, "__call__", None)  # noqa: B004  # asks what calling does, not whether it can
        ):
            return await application(request)  # type: ignore[misc]  # a coroutine function by the line above
        answer = await self._threads.run(application, request)
        return await answer if inspect.isawaitable(answer) else answer

    async def close(self) -> None:
        """Call the application's ``close`` if it has one."""
        self._threads.close()
        close = getattr(self._application, "close", None)
        if close is None:
            return
        closed = close()
        if inspect.isawaitable(closed):
            await closed


def _failure(error: BaseException) -> Failure:
    found = failure_of(error)
    return found if found.kind == "outage" else replace(found, message=found.message + _raised_at(error))


def _raised_at(error: BaseException) -> str:
    """`` (file:line)`` of the innermost code of the project that an exception came through, else ""."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_NOT_THEIRS)]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
