"""The python application: sync, async and callable objects, and everything that they may do wrong."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest

from relgate.applications.python import PythonResponder, import_object, load_builder
from relgate.domain.errors import InputError, Place, ProviderOutage
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.response import Failure, Request, Response, ToolCall

RELEASE = Release(
    name="desk",
    version="1",
    owner="me",
    digest="sha256:ab",
    path=Path("candidate.yaml"),
    application=ApplicationSpec("python", "my_app:build"),
)


def _respond(application, *, times=1):
    async def ask():
        responder = PythonResponder(lambda _: application, RELEASE)
        await responder.open()
        try:
            return await asyncio.gather(*(responder.respond(Request("c", "hi", i)) for i in range(times)))
        finally:
            await responder.close()

    found = asyncio.run(ask())
    return found[0] if times == 1 else found


class _Object:
    def __init__(self):
        self.closed = False

    async def __call__(self, request):
        return f"object {request.text}"

    async def close(self):
        self.closed = True


async def _async(request):
    return Response(f"async {request.text}")


def test_a_sync_an_async_and_a_callable_object_answer():
    thing = _Object()
    assert _respond(lambda request: f"sync {request.text}").output == "sync hi"
    assert _respond(_async).output == "async hi"
    assert _respond(thing).output == "object hi"
    assert thing.closed


def test_a_sync_function_that_returns_an_awaitable_is_awaited():
    assert _respond(lambda request: _async(request)).output == "async hi"


def test_blocking_calls_run_at_once_however_few_cores_there_are():
    barrier = threading.Barrier(40, timeout=10)

    def application(request):
        barrier.wait()
        return "together"

    assert {found.output for found in _respond(application, times=40)} == {"together"}


def test_context_variables_reach_a_blocking_application():
    variable = contextvars.ContextVar("variable")

    async def ask():
        variable.set("seen")
        responder = PythonResponder(lambda _: lambda request: variable.get(), RELEASE)
        await responder.open()
        return await responder.respond(Request("c", "hi"))

    assert asyncio.run(ask()).output == "seen"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("bad"), "application"),
        (TimeoutError("own limit"), "application"),
        (SystemExit(3), "application"),
        (StopIteration("x"), "application"),
        (asyncio.CancelledError(), "application"),
        (ConnectionResetError("reset"), "outage"),
        (ProviderOutage("away"), "outage"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_exception_is_a_failure_of_its_kind_and_ends_nothing(error, kind, asynchronous):
    def application(request):
        raise error

    async def async_application(request):
        raise error

    found = _respond(async_application if asynchronous else application)
    assert isinstance(found, Failure)
    assert found.kind == kind


@pytest.mark.parametrize("answer", [None, 7, b"bytes", {"output": "x"}])
def test_a_wrong_type_is_the_applications_failure(answer):
    found = _respond(lambda request: answer)
    assert found == Failure(
        "application", f"the application returned {type(answer).__name__}, not a Response or str"
    )


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (Response(None), "output is NoneType"),
        (Response("x", tool_calls="refund"), "tool_calls is str"),
        (Response("x", tool_calls=({"name": "refund"},)), "no ToolCall"),
        (Response("x", tool_calls=(ToolCall("refund", [1]),)), "no ToolCall"),
        (Response("x", tool_calls=(ToolCall("refund", {"at": {1, 2}}),)), "arguments of refund are not JSON"),
        (Response("x", retrieved=(7,)), "retrieved"),
        (Response("x", cost_usd=float("nan")), "cost_usd is nan"),
        (Response("x", latency_ms=float("inf")), "latency_ms is inf"),
        (Response("x", tokens=-1), "tokens is -1"),
        (Response("x", tokens="12"), "tokens is str"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_response_with_a_wrong_part_is_the_applications_failure(response, why):
    found = _respond(lambda request: response)
    assert found.kind == "application"
    assert why in found.message


def test_lists_where_tuples_are_meant_are_taken():
    found = _respond(lambda request: Response("x", tool_calls=[ToolCall("a")], retrieved=["d1"]))
    assert (found.tool_calls, found.retrieved) == ((ToolCall("a"),), ("d1",))


@pytest.mark.parametrize(
    ("builder", "why"),
    [
        (lambda release: 1 / 0, "builder raised ZeroDivisionError"),
        (lambda release: None, "builder returned NoneType, which cannot be called"),
        (_async, "builder returned coroutine, which cannot be called"),
    ],
)
def test_a_builder_that_gives_no_application_is_an_error_of_the_user(builder, why):
    with pytest.raises(InputError, match=why):
        asyncio.run(PythonResponder(builder, RELEASE).open())


def test_the_application_is_built_in_a_running_loop():
    loops = []

    def builder(release):
        loops.append(asyncio.get_running_loop())
        return lambda request: "x"

    asyncio.run(PythonResponder(builder, RELEASE).open())
    assert len(loops) == 1


def test_a_cancelled_run_does_not_wait_for_a_blocking_call():
    release_it = threading.Event()

    async def ask():
        responder = PythonResponder(lambda _: lambda request: release_it.wait(30) and "", RELEASE)
        await responder.open()
        task = asyncio.create_task(responder.respond(Request("c", "hi")))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = time.monotonic()
    asyncio.run(ask())
    release_it.set()
    assert time.monotonic() - started < 5


def test_a_builder_is_found_by_its_name(monkeypatch):
    module = ModuleType("relgate_test_app")
    module.build = lambda release: None
    monkeypatch.setitem(sys.modules, "relgate_test_app", module)
    assert import_object("relgate_test_app:build", Place("m.yaml"), "it") is module.build


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("no_such_module_anywhere:build", "ModuleNotFoundError"),
        ("json:no_such_name", "AttributeError"),
        ("json.decoder", "cannot be imported"),
    ],
)
def test_a_builder_that_cannot_be_imported_is_an_error_of_the_user(reference, why):
    with pytest.raises(InputError, match=why):
        import_object(reference, Place("m.yaml"), "the application's builder")


def test_a_builder_that_is_no_callable_is_an_error_of_the_user():
    release = Release(
        name="desk",
        version="1",
        owner="me",
        digest="d",
        path=Path("candidate.yaml"),
        application=ApplicationSpec("python", "sys:maxsize"),
    )
    with pytest.raises(InputError, match="not callable"):
        load_builder(release)
