"""What an application is asked and what comes back: a response, or a failure that is a type of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from relgate.domain.case import Message
from relgate.domain.metric import MetricKind


@dataclass(frozen=True, slots=True)
class Request:
    """One question to an application.

    Attributes:
        case_id: the case.
        input: a string or a conversation.
        trial: which repetition, from 0.
        headers: to pass on to providers (carries ``X-Relgate-Release``).
    """

    case_id: str
    input: str | tuple[Message, ...]
    trial: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The input as one text; of a conversation, the last user message."""
        if isinstance(self.input, str):
            return self.input
        for message in reversed(self.input):
            if message.role == "user":
                return message.content
        return self.input[-1].content if self.input else ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the system called, with its arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What a release answered.

    Attributes:
        output: the text shown to the user.
        tool_calls: in order.
        retrieved: ids of the evidence, best first.
        served_by: the target ``provider/model`` that answered.
        degraded: the degraded mode that answered, None when a target did.
        failed_hops: targets that were tried before and did not answer.
        tokens: prompt + completion, None when unknown.
        cost_usd: None when unknown.
        latency_ms: filled by the engine when None.
        first_token_ms: until the first part of a streamed answer, None where it was not streamed.
        scores: scores that came with a recording.
        evidence: the texts that the answer had to go by, for scorers; never stored.
        model: the model id that the provider says answered, None when it does not say.
        backend: what the provider calls the system that answered (``system_fingerprint``); None when it
            does not say, and in answers that were kept.
    """

    output: str
    tool_calls: tuple[ToolCall, ...] = ()
    retrieved: tuple[str, ...] = ()
    served_by: str | None = None
    degraded: str | None = None
    failed_hops: tuple[str, ...] = ()
    tokens: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    first_token_ms: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    model: str | None = None
    backend: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """No response.

    Attributes:
        kind: "application" counts as score 0; "outage" (a provider was away) and "missing" (a recording
            holds nothing for the case) are not measured.
        message: why, for the report; redacted before it is stored.
        latency_ms: how long it took to fail, None when unknown.
    """

    kind: Literal["application", "outage", "missing"]
    message: str
    latency_ms: float | None = None


Outcome = Response | Failure


@dataclass(frozen=True, slots=True)
class Score:
    """A named number that a scorer gave one response."""

    metric: str
    value: float
    kind: MetricKind
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScorerFailure:
    """A scorer could not judge a response; never a neutral number."""

    metric: str
    message: str


Side = Literal["candidate", "baseline"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One call: a case, a trial and, in a fallback suite, a hop, on one side, with its scores.

    ``confirmation`` marks the extra trials of a critical miss: they enter no gate. ``stored`` marks what an
    earlier run measured: it cost nothing and is not recorded again. ``answer`` is the digest by which labels
    name the answer (``decision.judges.labels``), "" where the application failed, None without labels.
    """

    side: Side
    suite: str
    case_id: str
    trial: int
    outcome: Outcome
    scores: tuple[Score | ScorerFailure, ...] = ()
    hop: str | None = None
    confirmation: bool = False
    stored: bool = False
    answer: str | None = None

    def score(self, metric: str) -> Score | ScorerFailure | None:
        """The score of this metric, the failure to give it, or None where it does not apply."""
        for score in self.scores:
            if score.metric == metric:
                return score
        return None
