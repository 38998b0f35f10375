"""The wire models of a suite, its gates and its cases (design 4.2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from relgate.files.wire import Name, Text, Wire, user_error

TagValue = str | int | float | bool


def _trials(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100):
        return value
    raise user_error("should be auto or a whole number from 1 to 100")


def _version(value: Any) -> str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise user_error("should be text or a whole number", "put it in quotes")


def _scorer(value: Any) -> Any:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, dict) and len(value) == 1:
        return value
    raise user_error(
        "should be a scorer's name or one {name: options}", "write - exact or - {contains: text}"
    )


def _only(value: dict[str, Any]) -> dict[str, Any]:
    if value and all(isinstance(item, (str, int, float)) for item in value.values()):
        return value
    raise user_error("should give one value per tag", "such as {lang: de}")


Trials = Annotated[
    Any,
    AfterValidator(_trials),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": 100}]}),
]
Version = Annotated[
    Any, AfterValidator(_version), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
]
ScorerEntry = Annotated[
    Any,
    AfterValidator(_scorer),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "minProperties": 1, "maxProperties": 1},
            ]
        }
    ),
]
Only = Annotated[
    dict[str, Any],
    AfterValidator(_only),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }
    ),
]


class NonInferior(Wire):
    """Not worse than the baseline by more than a margin."""

    margin: Annotated[float, Field(gt=0, lt=1)]
    against: Literal["baseline", "primary"] = Field(
        default="baseline", description="primary: the first hop of the candidate itself (fallback suites)"
    )


class Gate(Wire):
    """One requirement with one boundary: exactly one form."""

    metric: Text
    at_least: Annotated[float, Field(gt=0, le=1)] | None = Field(default=None, description="floor")
    at_most: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="ceiling; with a quantile in the metric's unit"
    )
    non_inferior: NonInferior | None = Field(default=None, description="against the baseline, with a margin")
    superior: Literal[True] | None = Field(default=None, description="better than the baseline")
    ratio_at_most: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="candidate / baseline"
    )
    violations: Literal[0] | None = Field(default=None, description="zero tolerance")
    rate_at_most: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="with violations: the rate that the upper bound must prove"
    )
    role: Literal["require", "guard", "report"] | None = Field(
        default=None, description="default: require; with by: guard"
    )
    by: Text | None = Field(default=None, description="one gate per value of this tag, or per hop")
    only: Only | None = Field(default=None, description="only the cases with these tags")
    pooled: Literal["hops"] | None = Field(
        default=None, description="average a case over its hops (fallback)"
    )
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="with ratio_at_most and at_most: judge it instead of the mean"
    )
    slack: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="with ratio_at_most: absolute room, in the metric's unit"
    )


FORMS = ("at_least", "at_most", "non_inferior", "superior", "ratio_at_most", "violations")


class SuiteFile(Wire):
    """suite.yaml: what is measured on the cases beside it, and what a release must meet."""

    suite: Name = Field(description="the suite's name")
    kind: Literal["golden", "safety", "fallback"]
    scorers: list[ScorerEntry] = Field(min_length=1, description="a name, or {name: options}")
    version: Version | None = Field(default=None, description="a label; the digest is what counts")
    owner: Text | None = None
    changelog: Text | None = None
    description: Text | None = None
    route: Text | None = Field(default=None, description="the route that it measures")
    trials: Trials = "auto"
    sealed: bool | None = Field(
        default=None, description="true: half of the golden cases is sealed, only its aggregates are shown"
    )
    unchanged: Text | None = Field(
        default=None,
        description="a file of sampled inputs, {id, input} per line: few changed outputs may pass",
    )
    slices: list[Text] = Field(default=[], description="tags to report by")
    cluster: bool | None = Field(default=None, description="count clusters; default: any case has one")
    gates: list[Gate] | None = Field(default=None, description="default: the default policy of the kind")
    force: Literal["hop"] | None = Field(default=None, description="fallback: run every case once per hop")
    faults: list[Literal["refuse"]] | None = Field(
        default=None, description="fallback: how the hops before the measured one fail", min_length=1
    )


class MessageRow(Wire):
    """One message of a conversation."""

    role: Text
    content: str


class CaseRow(Wire):
    """One line of cases.jsonl or regressions.jsonl."""

    id: Annotated[
        str, Field(min_length=1, max_length=200, description="no ::, brackets or control characters")
    ]
    input: str | list[MessageRow] | None = Field(
        default=None, description="absent where only a recording answers"
    )
    expected: Any = Field(
        default=None, description="what a right answer holds; its shape is the scorers' matter"
    )
    tags: dict[str, TagValue] = Field(default={}, description="slices")
    cluster: str | int | None = Field(default=None, description="the independent unit it shares with others")
    critical: bool | Literal["never"] = Field(
        default=False, description="true: 2 of 3 misses reject; never: any miss rejects"
    )
    source: str | None = Field(default=None, description="where the case came from")
    pair: str | None = Field(default=None, description="marks deliberately similar cases")
