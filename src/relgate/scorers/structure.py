"""Scorers that look at the answer's form: json_schema and citations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import jsonschema_rs
from pydantic import AfterValidator, Field, ValidationInfo

from relgate.domain.case import Case
from relgate.domain.response import Response
from relgate.domain.scorer import Judge, Judgement, ScorerContext
from relgate.files.paths import unusable
from relgate.scorers.options import OptionProblem, Options, read_options
from relgate.scorers.text import LONGEST_SEARCH, Pattern, compiled

_FENCE = "```"
_NOT_JSON = object()


def is_schema(given: Any, info: ValidationInfo) -> Any:
    """A JSON Schema or the name of its file, when it can be used: for fields of options."""
    schema_check(read_schema(given, (info.context or {}).get("folder") or Path()))
    return given


Schema = Annotated[str | dict[str, Any], AfterValidator(is_schema)]


def _one_group(pattern: str) -> str:
    if compiled(pattern).groups > 1:
        raise ValueError(f"{pattern!r} has several groups, which one is the id?")
    return pattern


class JsonSchemaOptions(Options):
    """Options of json_schema."""

    schema_: Schema | None = Field(default=None, alias="schema")
    value: Schema | None = None

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """Exactly one schema."""
        if not cls.gives_one_of(given, ("schema", "value")):
            yield OptionProblem("give the schema once: a file beside suite.yaml, or the schema itself")


class CitationsOptions(Options):
    """Options of citations."""

    at_least: int = Field(default=1, ge=0)
    pattern: Annotated[Pattern, AfterValidator(_one_group)] = r"\[([A-Za-z0-9][\w./#-]*)\]"
    known: bool = True


def make_json_schema(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the answer is JSON that fits the schema; a fenced block counts as the answer."""
    folder = context.suite_path.parent
    settings = read_options(JsonSchemaOptions, options, folder=folder)
    given = settings.schema_ if settings.schema_ is not None else settings.value
    fits = schema_check(read_schema(given, folder))

    def judge(case: Case, response: Response) -> Judgement:
        value = _json_answer(response.output)
        return value is not _NOT_JSON and fits(value)

    return judge


def read_schema(given: Any, folder: Path) -> Any:
    """A JSON Schema: given inline, or in a JSON file relative to a folder.

    Raises:
        ValueError: the file is missing or holds no JSON.
    """
    if not isinstance(given, str):
        return given
    path = folder / given
    if reason := unusable(path):
        raise ValueError(f"cannot read the schema {given[:60]!r}: {reason}")
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read the schema {given!r}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{given!r} is not JSON: {error}") from None


def schema_check(schema: Any) -> Any:
    """The schema as a function that says whether a value fits.

    Raises:
        ValueError: it is no JSON Schema, or it refers to another file or address.
    """
    try:
        validator = jsonschema_rs.validator_for(schema, retriever=_refuse_to_fetch)
    except Exception as error:
        raise ValueError(f"not a JSON Schema: {str(error).splitlines()[0]}") from None

    def fits(value: Any) -> bool:
        try:
            return bool(validator.is_valid(value))
        except (ValueError, RecursionError):  # deeper than any schema could want
            return False

    return fits


def _refuse_to_fetch(address: str) -> NoReturn:
    raise ValueError(f"a schema may not refer to {address}: nothing is fetched")


def _json_answer(output: str) -> Any:
    for text in (output, _fenced(output)):
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            continue
    return _NOT_JSON


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _fenced(output: str) -> str:
    _, opened, rest = output.partition(_FENCE + "json")
    if not opened:
        _, _, rest = output.partition(_FENCE)
    return rest.partition(_FENCE)[0]


def make_citations(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the answer cites enough sources, and only sources that were retrieved."""
    settings = read_options(CitationsOptions, options)
    pattern = compiled(settings.pattern)

    def judge(case: Case, response: Response) -> Judgement:
        found = pattern.finditer(response.output[:LONGEST_SEARCH])
        cited = {match.group(pattern.groups) for match in found} - {None, ""}
        if settings.known and response.retrieved and not cited <= set(response.retrieved):
            return False
        return len(cited) >= settings.at_least

    return judge
