"""Applications that are spoken to over HTTP: deployed ones, and ones that relgate starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLACEHOLDERS = ("question", "messages", "case_id", "trial", "release", "prompt")
"""What a request template may name: the input as a text or as messages, the case, the trial, the release's
digest, and the text of the release's prompt artifact."""


@dataclass(frozen=True, slots=True)
class ToolCallMapping:
    """Where tool calls stand in an answer: pointers, the last two from each item."""

    at: str
    name: str = "/name"
    arguments: str = "/arguments"


@dataclass(frozen=True, slots=True)
class ResponseMapping:
    """Where the parts of a response stand in an answer: JSON pointers, ``*`` for every item of a list.

    Attributes:
        output: the text; the texts of several items are joined.
        values: ``Response`` field -> pointer, for everything but output and tool calls; ``prompt_tokens`` and
            ``completion_tokens`` are added up and priced.
        tool_calls: None where there are none.
    """

    output: str
    values: Mapping[str, str] = field(default_factory=dict)
    tool_calls: ToolCallMapping | None = None


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """How an application is asked over HTTP.

    Attributes:
        provider: whose address, key, limits and price apply; "" for an application that relgate starts.
        path: after the address.
        request: the JSON to send, with ``{{ placeholders }}`` in its texts.
        response: where the answer is.
        auth: how the provider's key is sent: ``bearer``, or the name of a header.
        headers: beside it.
        build: digest or version of what is deployed, None where nobody says.
    """

    provider: str
    path: str
    request: Any
    response: ResponseMapping
    auth: str = "bearer"
    headers: Mapping[str, str] = field(default_factory=dict)
    build: str | None = None


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A process that serves HTTP on a free loopback port, and how it is started and stopped.

    Attributes:
        run: program and arguments; ``{{ port }}`` is the port.
        folder: where it runs.
        environment: variables beside those of relgate's own process.
        ready_path: asked until it answers with a status below 400; None waits for the port alone.
        ready_seconds: how long it may take to get ready.
        grace_seconds: between asking it to end and killing it.
        http: how it is asked.
    """

    run: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    ready_path: str | None
    ready_seconds: float
    grace_seconds: float
    http: HttpSpec
