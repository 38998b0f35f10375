"""The one shape of everything that can be judged: a request in, a response out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol

from relgate.domain.release import Release
from relgate.domain.response import Outcome, Request, Response

Application = Callable[[Request], Response | str | Awaitable[Response | str]]
"""What a python builder returns: a callable, sync or async. A str is a Response with that output."""

Builder = Callable[[Release], Application]
"""``build(release) -> Application``, named in the manifest as ``python: "package.module:build"``."""

ServiceFactory = Callable[[Release], AbstractContextManager[dict[str, str]]]
"""``serve(release)``: a context manager that starts servers and gives the variables that ``${VAR}`` needs."""


class Responder(Protocol):
    """An application made ready by relgate; never raises for what a release does wrong."""

    async def open(self) -> None:
        """Make ready, in the loop that will ask.

        Raises:
            InputError: the application cannot be built.
        """
        ...

    async def respond(self, request: Request) -> Outcome:
        """Answer one request, or say why not."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
