"""The wire models of ``application: http`` and ``command``, and what is checked of them."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from relgate.domain.deployed import (
    PLACEHOLDERS,
    CommandSpec,
    HttpSpec,
    ResponseMapping,
    ToolCallMapping,
)
from relgate.domain.digest import digest_json
from relgate.domain.placeholders import placeholders
from relgate.domain.release import ApplicationSpec
from relgate.files.checking import Check
from relgate.files.environment import strings_of
from relgate.files.paths import is_folder
from relgate.files.versions import unpinned_version
from relgate.files.wire import PATH_PATTERN, POINTER_PATTERN, Text, Wire, did_you_mean
from relgate.files.yamldoc import Loc

Pointer = Annotated[str, Field(pattern=POINTER_PATTERN, description="a JSON pointer; * is every item")]
Seconds = Annotated[float, Field(gt=0)]
E = TypeVar("E", bound=Wire)


class ToolCallsEntry(Wire):
    """Where tool calls stand in an answer."""

    at: Pointer = Field(description="each item that is one; items without a name are none")
    name: Pointer = "/name"
    arguments: Pointer = "/arguments"


class ResponseEntry(Wire):
    """Where the parts of a response stand in the JSON that the application answers."""

    output: Pointer = Field(description="the text; the texts of several items are joined")
    tool_calls: ToolCallsEntry | None = None
    retrieved: Pointer | None = None
    evidence: Pointer | None = None
    served_by: Pointer | None = None
    degraded: Pointer | None = None
    failed_hops: Pointer | None = None
    model: Pointer | None = None
    tokens: Pointer | None = None
    prompt_tokens: Pointer | None = None
    completion_tokens: Pointer | None = None
    cost_usd: Pointer | None = None


class HttpEntry(Wire):
    """A deployed application: where it is and how it is asked."""

    provider: Text = Field(description="whose address, key, limits and price apply")
    path: Annotated[str, Field(pattern=PATH_PATTERN)] = "/"
    request: dict[str, Any] = Field(description="the JSON to send, with {{ placeholders }} in its texts")
    response: ResponseEntry
    auth: Text = Field(default="bearer", description="how the key is sent: bearer, or the name of a header")
    headers: dict[Text, Text] = Field(default={})
    build: Text | None = Field(default=None, description="digest or version of what is deployed")


class CommandEntry(Wire):
    """An application that relgate starts: a process that serves HTTP."""

    run: list[Text] = Field(min_length=1, description="program and arguments; {{ port }} is a free port")
    folder: Text = Field(default=".", description="where it runs, relative to the manifest")
    environment: dict[Text, str] = Field(default={}, description="variables beside PORT and RELGATE_RELEASE")
    ready_path: Annotated[str, Field(pattern=PATH_PATTERN)] | None = Field(
        default=None, description="asked until it answers; without it the port is waited for"
    )
    ready_seconds: Seconds = 30.0
    grace_seconds: Seconds = 5.0
    path: Annotated[str, Field(pattern=PATH_PATTERN)] = "/"
    request: dict[str, Any] = Field(description="the JSON to send, with {{ placeholders }} in its texts")
    response: ResponseEntry
    headers: dict[Text, Text] = Field(default={})


def http_application(check: Check, loc: Loc, value: dict[str, Any]) -> ApplicationSpec | None:
    """The application of an ``http`` entry, None where it is not whole; what it names wrongly is noted.

    Args:
        check: the manifest.
        loc: of the entry.
        value: its sound part.
    """
    provider, build = value.get("provider"), value.get("build")
    if provider is not None and provider not in check.names("providers"):
        remedy = did_you_mean(provider, check.names("providers"), none="there are no providers")
        check.at((*loc, "provider"), f"unknown provider {provider!r}", remedy)
    if build is not None and (reason := unpinned_version(build)):
        check.at((*loc, "build"), f"build {reason}", "pin it: a digest, a number or a date", repr(build))
    _check_template(check, (*loc, "request"), value.get("request"), PLACEHOLDERS)
    entry = _whole(HttpEntry, value)
    if entry is None:
        return None
    spec = HttpSpec(
        provider=entry.provider,
        path=entry.path,
        request=entry.request,
        response=_response(entry.response),
        auth=entry.auth,
        headers=entry.headers,
        build=entry.build,
    )
    digest = digest_json(entry.model_dump(mode="json", exclude_none=True))
    return ApplicationSpec("http", f"{entry.provider}{entry.path}", None, digest, http=spec)


def command_application(
    check: Check, loc: Loc, value: dict[str, Any], code: list[str]
) -> ApplicationSpec | None:
    """The application of a ``command`` entry, None where it is not whole; what it names wrongly is noted.

    Args:
        check: the manifest.
        loc: of the entry.
        value: its sound part.
        code: digests of the ``application_code`` artifacts.
    """
    folder = check.folder / value.get("folder", ".")
    if not is_folder(folder):
        check.at(
            (*loc, "folder"), "no such folder", "write it relative to the manifest", repr(value["folder"])
        )
    _check_template(check, (*loc, "request"), value.get("request"), PLACEHOLDERS)
    _check_template(check, (*loc, "run"), value.get("run"), ("port",))
    if not code:
        remedy = "list its files: artifacts.application_code.app: {version: ..., files: [...]}"
        check.at(loc, "nothing says which code the command runs", remedy)
    entry = _whole(CommandEntry, value)
    if entry is None:
        return None
    http = HttpSpec(
        provider="",
        path=entry.path,
        request=entry.request,
        response=_response(entry.response),
        headers=entry.headers,
    )
    spec = CommandSpec(
        run=tuple(entry.run),
        folder=folder,
        environment=entry.environment,
        ready_path=entry.ready_path,
        ready_seconds=entry.ready_seconds,
        grace_seconds=entry.grace_seconds,
        http=http,
    )
    said = entry.model_dump(mode="json", exclude={"ready_path", "ready_seconds", "grace_seconds", "folder"})
    digest = digest_json([said, sorted(code)])
    return ApplicationSpec("command", entry.run[0], None, digest, command=spec)


def _whole(model: type[E], value: dict[str, Any]) -> E | None:
    """The entry, None where parts of it were wrong: they are noted already."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def _response(entry: ResponseEntry) -> ResponseMapping:
    calls = entry.tool_calls
    values = entry.model_dump(exclude={"output", "tool_calls"}, exclude_none=True)
    return ResponseMapping(
        entry.output, values, ToolCallMapping(calls.at, calls.name, calls.arguments) if calls else None
    )


def _check_template(check: Check, loc: Loc, value: Any, known: tuple[str, ...]) -> None:
    for where, text in strings_of(value, loc):
        for name in placeholders(text):
            if name not in known:
                check.at(where, f"unknown placeholder {name!r}", did_you_mean(name, known))
