"""The wire models of artifacts: what each kind may say in a manifest (design 4.1)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from relgate.files.wire import Name, Text, Wire

NOT_DIGESTED = frozenset(
    {"version", "path", "files", "owner", "reviewed_by", "changelog", "rollback_to", "description"}
)
"""Keys of an entry that leave its digest alone: labels, people, history, and paths (their content counts)."""


class ArtifactEntry(Wire):
    """What every kind of artifact may say."""

    version: Text = Field(
        description="pinned: a number, a date or a digest, in quotes; never latest or a range"
    )
    path: Text | None = Field(default=None, description="the file that holds it, relative to the manifest")
    owner: Text | None = None
    reviewed_by: Text | list[Text] | None = None
    changelog: Text | None = None
    rollback_to: Text | None = Field(default=None, description="the version to go back to")
    description: Text | None = None
    settings: dict[str, Any] | None = Field(default=None, description="anything else that changes behaviour")
    compatible_models: list[Text] | None = None


class OtherArtifact(ArtifactEntry):
    """An artifact of a kind that the project registered itself: any further key is its own."""

    model_config = ConfigDict(extra="allow")


class TrainedOn(Wire):
    """The data that a fine-tuned model was trained on."""

    dataset: Text
    digest: Text | None = None
    examples: Annotated[int, Field(ge=0)] | None = None
    date: Text | None = None


class ModelArtifact(ArtifactEntry):
    """A model as a provider serves it."""

    provider: Text | None = Field(default=None, description="a name under providers")
    id: Text | None = Field(
        default=None, description="the provider's own id, pinned by a date, digest or number"
    )
    family: Text | None = None
    adapter: Text | None = None
    trained_on: TrainedOn | None = None
    context_length: Annotated[int, Field(ge=1)] | None = Field(default=None, description="in tokens")
    quantization: Text | None = None
    modalities: list[Text] | None = None
    parameters: dict[str, Any] | None = Field(
        default=None, description="sent with every request, such as temperature"
    )


class PromptArtifact(ArtifactEntry):
    """A prompt template with ``{{ name }}`` placeholders."""

    variables: list[Name] | None = Field(default=None, description="every placeholder of the template")


class ToolSchemaArtifact(ArtifactEntry):
    """The JSON Schema of a tool."""

    idempotency_required: bool | None = None
    approval_required_above_usd: Annotated[float, Field(ge=0)] | None = None


class SafetyPolicyArtifact(ArtifactEntry):
    """Rules on what to refuse."""


class EmbeddingModelArtifact(ArtifactEntry):
    """The model that embeds queries and documents."""

    provider: Text | None = None
    id: Text | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    parameters: dict[str, Any] | None = None


class RetrievalCorpusArtifact(ArtifactEntry):
    """The documents that are searched."""

    source: Text | None = None


class RetrievalIndexArtifact(ArtifactEntry):
    """An index over a corpus."""

    corpus: Text | None = Field(default=None, description="retrieval_corpus as name@version")
    embedding_model: Text | None = Field(default=None, description="embedding_model as name@version")
    slot: Text | None = Field(default=None, description="blue or green, where the index is deployed")
    parameters: dict[str, Any] | None = None


class RerankerArtifact(ArtifactEntry):
    """What reorders retrieved documents."""

    provider: Text | None = None
    id: Text | None = None
    enabled: bool | None = None
    parameters: dict[str, Any] | None = None


class CachePolicyArtifact(ArtifactEntry):
    """What is answered from a cache, for how long."""

    namespace: Text | None = None
    ttl_seconds: Annotated[float, Field(ge=0)] | None = None


class RouterPolicyArtifact(ArtifactEntry):
    """Which request takes which route."""


class PostProcessingArtifact(ArtifactEntry):
    """What happens to an answer before it is shown."""


class MemoryArtifact(ArtifactEntry):
    """What is remembered between turns."""


class LimitsArtifact(ArtifactEntry):
    """Limits on steps, tokens or money."""


class DatabaseSchemaArtifact(ArtifactEntry):
    """The schema that the application's database must have."""

    reversible: bool | None = None
    backup: Text | None = None


class ApplicationCodeArtifact(ArtifactEntry):
    """The application's own code."""

    files: list[Text] | None = Field(default=None, description="the files that are digested", min_length=1)


class Artifacts(Wire):
    """Every artifact of a release: kind, then name, then entry."""

    model: dict[Name, ModelArtifact] = Field(default={})
    prompt: dict[Name, PromptArtifact] = Field(default={})
    tool_schema: dict[Name, ToolSchemaArtifact] = Field(default={})
    safety_policy: dict[Name, SafetyPolicyArtifact] = Field(default={})
    embedding_model: dict[Name, EmbeddingModelArtifact] = Field(default={})
    retrieval_corpus: dict[Name, RetrievalCorpusArtifact] = Field(default={})
    retrieval_index: dict[Name, RetrievalIndexArtifact] = Field(default={})
    reranker: dict[Name, RerankerArtifact] = Field(default={})
    cache_policy: dict[Name, CachePolicyArtifact] = Field(default={})
    router_policy: dict[Name, RouterPolicyArtifact] = Field(default={})
    post_processing: dict[Name, PostProcessingArtifact] = Field(default={})
    memory: dict[Name, MemoryArtifact] = Field(default={})
    limits: dict[Name, LimitsArtifact] = Field(default={})
    database_schema: dict[Name, DatabaseSchemaArtifact] = Field(default={})
    application_code: dict[Name, ApplicationCodeArtifact] = Field(default={})


ARTIFACT_KINDS: tuple[str, ...] = tuple(Artifacts.model_fields)
"""The kinds that relgate knows; a project may register more through the catalog."""
