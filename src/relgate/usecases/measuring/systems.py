"""The two systems under test, made ready: services started, variables bound, hops forced, scorers built."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlsplit

from relgate.applications.chat import ChatResponder
from relgate.applications.command import CommandProcess, CommandResponder
from relgate.applications.http import HttpResponder
from relgate.applications.python import PythonResponder, load_builder, load_service
from relgate.applications.recording import RecordingResponder, Rows
from relgate.domain.application import Responder
from relgate.domain.case import Suite
from relgate.domain.errors import Place, ServiceError
from relgate.domain.release import Release, Route
from relgate.domain.transport import Transport
from relgate.faults.refuse import RefusedAddress
from relgate.files import bind_environment
from relgate.redaction import mask
from relgate.usecases.preparing.plan_suite import hops_of

HEALTH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a release: as it is (hop None), or with one hop of a route made to answer."""

    route: str | None = None
    hop: str | None = None


AS_IT_IS = Variant()


@dataclass(slots=True)
class System:
    """One release made ready to answer.

    Attributes:
        release: with bound variables.
        responders: one per variant.
    """

    release: Release
    responders: dict[Variant, Responder]

    async def open(self) -> None:
        """Build every variant's application.

        Raises:
            InputError: one cannot be built.
        """
        for responder in self.responders.values():
            await responder.open()

    async def close(self) -> None:
        """Give back every application's connections."""
        for responder in self.responders.values():
            await responder.close()


def variants(release: Release, suites: Sequence[Suite]) -> tuple[Variant, ...]:
    """Every way in which these suites need the release to run."""
    found: dict[Variant, None] = {}
    for suite in suites:
        hops = hops_of(release, suite)
        for variant in [Variant(suite.route, hop) for hop in hops] or [AS_IT_IS]:
            found.setdefault(variant)
    return tuple(found)


def start_services(release: Release, environment: Mapping[str, str], stack: ExitStack) -> Release:
    """Start the release's services and bind its variables; the stack stops them.

    Raises:
        ServiceError: a service does not start or is not healthy.
        InputError: a variable is still unset.
    """
    given = dict(environment)
    for reference in release.services:
        factory = load_service(reference, Place(str(release.path)))
        try:
            manager = cast(AbstractContextManager[dict[str, str]], factory(release))
            variables = dict(stack.enter_context(manager))
        except Exception as error:
            raise ServiceError(
                mask(f"the service {reference} did not start ({type(error).__name__}: {error})")
            ) from error
        for url in variables.values():
            _await_health(reference, url)
        given.update(variables)
    return bind_environment(release, given)


def _await_health(reference: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    deadline = time.monotonic() + HEALTH_SECONDS
    while True:
        try:
            socket.create_connection((parts.hostname, port), timeout=1.0).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise ServiceError(f"the service {reference} is not healthy: {url}: {error}") from error
            time.sleep(0.05)
        else:
            return


def make_system(
    release: Release,
    needed: Sequence[Variant],
    suites: Sequence[Suite],
    rows: Rows | None,
    stack: ExitStack,
    transport: Transport,
    environment: Mapping[str, str],
) -> System:
    """A bound release with one responder per variant; refused addresses live as long as the stack."""
    by_route = {suite.route: suite for suite in suites if suite.kind == "fallback"}
    responders: dict[Variant, Responder] = {}
    for variant in needed:
        changed = release
        if variant.hop is not None:
            assert variant.route is not None
            changed = force_hop(release, by_route[variant.route], variant, stack)
        responders[variant] = make_responder(changed, rows, transport, stack, environment)
    return System(release, responders)


def make_responder(
    release: Release,
    rows: Rows | None,
    transport: Transport,
    stack: ExitStack,
    environment: Mapping[str, str],
) -> Responder:
    """The application of the release's kind; the stack ends what was started for it.

    Raises:
        ServiceError: its process does not get ready.
    """
    match release.application.kind:
        case "python":
            return PythonResponder(load_builder(release), release)
        case "chat":
            return ChatResponder(release, transport)
        case "http":
            http = release.application.http
            assert http is not None
            return HttpResponder(http, release.providers[http.provider], release, transport)
        case "command":
            command = release.application.command
            assert command is not None
            process = stack.enter_context(CommandProcess(command, release, environment))
            return CommandResponder(process, command, release, transport)
        case "recording":
            assert rows is not None
            return RecordingResponder(rows)


def force_hop(release: Release, suite: Suite, variant: Variant, stack: ExitStack) -> Release:
    """The release with one hop made to answer.

    With ``faults: [refuse]`` the hops before it stand at closed loopback ports, so that the application's
    own way to it is measured; with ``force: hop`` alone the chain begins at the hop.
    """
    assert variant.route is not None
    route = release.routes[variant.route]
    position = [str(target) for target in route.chain].index(str(variant.hop))
    if not suite.faults:
        cut: Route = replace(route, chain=route.chain[position:])
        return replace(release, routes={**release.routes, route.name: cut})
    providers = dict(release.providers)
    for target in route.chain[:position]:
        address = stack.enter_context(RefusedAddress())
        # It is known to be away: trying again would only lengthen what the hop behind it takes.
        providers[target.provider] = replace(
            providers[target.provider], base_url=address.url, retry_seconds=0.0
        )
    return release.with_providers(providers)
