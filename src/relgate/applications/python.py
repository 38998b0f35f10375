"""The application kind ``python``: a builder that gets the release and returns a callable."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from relgate.applications.outage import failure_of
from relgate.domain.application import Application, Builder
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Release
from relgate.domain.response import Failure, Outcome, Request, Response


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
    except Exception as error:
        remedy = "give package.module:name of something importable from where pytest runs"
        raise InputError(
            [
                Problem(
                    place,
                    f"{what} cannot be imported ({type(error).__name__}: {error})",
                    repr(reference),
                    remedy,
                )
            ]
        ) from error
    return found


def load_builder(release: Release) -> Builder:
    """The release's builder.

    Raises:
        InputError: it cannot be imported or called.
    """
    place = Place(str(release.path))
    builder = import_object(release.application.value, place, "the application's builder")
    if not callable(builder):
        raise InputError(
            [Problem(place, "the application's builder is not callable", repr(release.application.value))]
        )
    return builder  # type: ignore[no-any-return]  # the user's object; its results are checked when called


class PythonResponder:
    """Calls a Python application; sync ones run in a thread, async ones in the engine's loop."""

    def __init__(self, builder: Builder, release: Release) -> None:
        self._builder = builder
        self._release = release
        self._application: Application | None = None

    async def respond(self, request: Request) -> Outcome:
        """Ask the application; its exceptions become failures."""
        try:
            answer = await self._call(request)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            return failure_of(error)
        if isinstance(answer, str):
            return Response(answer)
        if isinstance(answer, Response):
            return answer
        return Failure(
            "application", f"the application returned {type(answer).__name__}, not a Response or str"
        )

    async def _call(self, request: Request) -> object:
        if self._application is None:
            self._application = self._builder(self._release)
        application: Callable[[Request], object] = self._application
        if inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(
            getattr(application, "__call__", None)  # noqa: B004  # asks what calling does, not whether it can
        ):
            return await application(request)  # type: ignore[misc]  # a coroutine function by the line above
        answer = await asyncio.to_thread(application, request)
        return await answer if inspect.isawaitable(answer) else answer

    async def close(self) -> None:
        """Call the application's ``close`` if it has one."""
        close = getattr(self._application, "close", None)
        if close is None:
            return
        closed = close()
        if inspect.isawaitable(closed):
            await closed
