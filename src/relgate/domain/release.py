"""A release: a manifest after every file was read and digested and every reference checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from relgate.domain.deployed import CommandSpec, HttpSpec

ApplicationKind = Literal["python", "chat", "http", "command", "recording"]


class Secret:
    """A value that never shows itself: repr and str are dots; ask for ``reveal()``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One versioned thing that changes behaviour.

    Attributes:
        kind: model, prompt, tool_schema, ...
        name: its name within the kind.
        version: pinned.
        digest: over the settings that the manifest gives and the content of its file.
        settings: the manifest's entry without owner, reviewer and the like.
        path: the file, None when the manifest says everything.
        content: the file's bytes at the time of resolving; what was digested is what the application gets.
    """

    kind: str
    name: str
    version: str
    digest: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    content: bytes | None = None

    @property
    def key(self) -> str:
        """``kind/name``."""
        return f"{self.kind}/{self.name}"

    @property
    def reference(self) -> str:
        """``kind/name@version``."""
        return f"{self.kind}/{self.name}@{self.version}"

    @property
    def text(self) -> str:
        """The file's content as text.

        Raises:
            ValueError: the artifact has no file.
        """
        if self.content is None:
            raise ValueError(f"{self.reference} has no file")
        return self.content.decode("utf-8")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input_per_million: float = 0.0
    output_per_million: float = 0.0


@dataclass(frozen=True, slots=True)
class Provider:
    """An endpoint with credentials and limits. ``base_url`` and ``api_key`` hold ``${VAR}`` until bound.

    Attributes:
        requests_per_minute: over all callers; None for no limit.
        tokens_per_minute: prompt and completion; None for no limit.
        max_concurrency: requests in flight; None leaves it to the run.
        timeout_seconds: from sending a request to the last byte of its answer.
        connect_timeout_seconds: until a connection stands.
        first_byte_timeout_seconds: until the answer begins; None for no limit of its own.
        retry_seconds: how long a provider that refuses connections or says "too many" is tried again; 0 asks
            once.
        price: None where it is unknown.
        prices: of single models, by the name of the artifact.
    """

    name: str
    base_url: str
    api_key: Secret | None = None
    region: str | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrency: int | None = None
    timeout_seconds: float = 60.0
    connect_timeout_seconds: float = 10.0
    first_byte_timeout_seconds: float | None = None
    retry_seconds: float = 60.0
    price: Price | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)

    def price_of(self, model: str) -> Price | None:
        """What a target costs: the model's own price, else the provider's."""
        return self.prices.get(model, self.price)


@dataclass(frozen=True, slots=True)
class Target:
    """Provider + model: one hop of a route, written ``provider/model``."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``provider/model``.

        Raises:
            ValueError: there is no slash, or a part is empty.
        """
        provider, slash, model = text.partition("/")
        if not slash or not provider or not model:
            raise ValueError(f"{text!r} is not provider/model")
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Route:
    """One task that the system serves: an ordered chain of targets, then degraded modes."""

    name: str
    chain: tuple[Target, ...]
    degraded: tuple[str, ...] = ()
    approved_for: tuple[str, ...] = ()
    allowed_regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationSpec:
    """What turns a case's input into a response.

    Attributes:
        kind: python, chat, http, command or recording.
        value: ``module:function``, the route's name, provider and path, the program, or the recording's path
            as written.
        path: the recording's file.
        code_digest: the builder's code, the entry of an http application, that of a command with its code,
            or the recording's content.
        http: of an http application.
        command: of a command.
    """

    kind: ApplicationKind
    value: str
    path: Path | None = None
    code_digest: str = ""
    http: HttpSpec | None = None
    command: CommandSpec | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A resolved manifest; immutable; identified by its digest.

    A python builder gets it: ``build(release) -> Application``.
    """

    name: str
    version: str
    owner: str
    digest: str
    path: Path
    application: ApplicationSpec
    baseline: str | None = None
    rollback_to: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    providers: Mapping[str, Provider] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    dependencies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    suites: tuple[Path, ...] | None = None
    deterministic: bool = False
    manifest_text: str = ""

    def artifact(self, kind: str, name: str | None = None) -> Artifact:
        """The artifact of this kind, by name where the release has several.

        Raises:
            KeyError: there is none, or more than one and no name was given.
        """
        found = [a for a in self.artifacts if a.kind == kind and name in (None, a.name)]
        if len(found) == 1:
            return found[0]
        have = ", ".join(a.key for a in self.artifacts if a.kind == kind) or "none"
        raise KeyError(f"{kind}/{name or '?'} in {self.label}: the release has {have}")

    def of_kind(self, kind: str) -> tuple[Artifact, ...]:
        """Every artifact of this kind, in the manifest's order."""
        return tuple(a for a in self.artifacts if a.kind == kind)

    @property
    def label(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"

    def with_providers(self, providers: Mapping[str, Provider]) -> Release:
        """The same release with other endpoints (bound variables, injected faults); equal digest."""
        return replace(self, providers=dict(providers))
