"""The wire model of a manifest (design 4.1); references between its parts are checked when it is resolved."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from relgate.files.artifact_models import Artifacts
from relgate.files.deployed_model import CommandEntry, HttpEntry
from relgate.files.wire import Name, Text, Wire

APPLICATION_KINDS = ("python", "chat", "http", "command", "recording")


class ApplicationEntry(Wire):
    """What turns a case's input into a response: exactly one of these."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    python: Text | None = Field(default=None, description="a builder, package.module:function")
    chat: Text | None = Field(default=None, description="a route; its prompt artifact is rendered and sent")
    http: HttpEntry | None = Field(default=None, description="a deployed application")
    command: CommandEntry | None = Field(default=None, description="an application that relgate starts")
    recording: Text | None = Field(default=None, description="JSON lines of recorded answers or scores")


class PriceEntry(Wire):
    """US dollars per million tokens."""

    input_per_million: Annotated[float, Field(ge=0)] = 0.0
    output_per_million: Annotated[float, Field(ge=0)] = 0.0


class ProviderEntry(Wire):
    """An endpoint with credentials and limits."""

    base_url: Text = Field(description="http(s) address, or ${VARIABLE}")
    api_key: Text | None = Field(default=None, description="exactly one ${VARIABLE}, never the key itself")
    region: Text | None = None
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    max_concurrency: Annotated[int, Field(ge=1)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="from sending a request to the last byte of its answer"
    )
    connect_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    first_byte_timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    retry_seconds: Annotated[float, Field(ge=0)] = Field(
        default=60.0, description='how long to try again where it refuses or says "too many"; 0 asks once'
    )
    price: PriceEntry | None = None
    prices: dict[Name, PriceEntry] = Field(
        default={}, description="of single models, by the artifact's name; the others cost `price`"
    )
    description: Text | None = None


class RouteEntry(Wire):
    """One task that the system serves."""

    chain: list[Text] = Field(
        min_length=1, description="provider/model, the primary first, then its fallbacks"
    )
    degraded: list[Text] = Field(default=[])
    approved_for: list[Text] = Field(default=[])
    allowed_regions: list[Text] = Field(default=[])
    description: Text | None = None


class DependencyEntry(Wire):
    """What the application needs and may lose."""

    url: Text | None = None
    when_down: Text | None = Field(default=None, description="the degraded mode when it is away")
    when_slow: Text | None = Field(default=None, description="the degraded mode when it is slow")
    timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    settings: dict[str, Any] | None = None
    description: Text | None = None


class CanaryEntry(Wire):
    """Share of traffic, step by step."""

    steps: list[Annotated[float, Field(gt=0, le=100)]] = Field(default=[])
    metrics: list[Text] = Field(default=[])
    triggers: list[Text] = Field(default=[])


class CacheInvalidationEntry(Wire):
    """Which cached answers a rollout makes void."""

    namespace: Text | None = None
    keys: list[Text] = Field(default=[])


class RolloutEntry(Wire):
    """How the release goes out."""

    canary: CanaryEntry | None = None
    cache_invalidation: CacheInvalidationEntry | None = None


class CostEstimateEntry(Wire):
    """What a request is expected to cost."""

    usd_per_request: Annotated[float, Field(ge=0)]
    reviewed_by: Text | None = None


class TracesReviewedEntry(Wire):
    """Who looked at how many production traces."""

    sampled: Annotated[int, Field(ge=0)]
    by: Text | None = None


class ServiceEntry(Wire):
    """A service that the release needs for a run."""

    python: Text = Field(description="a context manager, package.module:function")


class Manifest(Wire):
    """One release: everything that changes behaviour, who owns it and how to go back."""

    manifest: Literal[1] = Field(description="version of this format")
    release: Name = Field(description="the release line, such as support-desk")
    version: Name = Field(description="in quotes where it looks like a number: MAJOR.MINOR.PATCH")
    owner: Text
    application: ApplicationEntry
    baseline: Text | None = Field(
        default=None,
        description="alias, version, path of another manifest, or none; default: production's holder",
    )
    rollback_to: Text | None = None
    description: Text | None = None
    artifacts: Artifacts = Artifacts()
    deterministic: bool = Field(default=False, description="equal input gives equal output")
    providers: dict[Name, ProviderEntry] = Field(default={})
    routes: dict[Name, RouteEntry] = Field(default={})
    dependencies: dict[Name, DependencyEntry] = Field(default={})
    rollout: RolloutEntry | None = None
    cost_estimate: CostEstimateEntry | None = None
    traces_reviewed: TracesReviewedEntry | None = None
    suites: list[Text] | None = Field(default=None, description="folders that narrow what runs", min_length=1)
    services: list[ServiceEntry] = Field(default=[])
