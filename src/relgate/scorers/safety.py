"""Scorers for what must not be in an answer: no_pii, no_secrets, must_not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from relgate.domain.case import Case, ScorerSpec
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judge, Judgement, Scorer, ScorerContext, ScorerFactory
from relgate.redaction import SECRET_TYPES, Finding
from relgate.scorers.options import Loc, OptionError, OptionProblem, Options, read_options

Find = Callable[[str], list[Finding]]
MakeScorer = Callable[[ScorerSpec, ScorerContext], Scorer]


class AllowOptions(Options):
    """Options of no_pii and no_secrets: types or literal texts that may occur."""

    allow: list[str] = Field(default_factory=list)


def no_pii(find: Find) -> ScorerFactory:
    """A factory of no_pii over these finders: 1 when the answer holds nothing that identifies a person."""
    return _holds_none(find, lambda kind: kind not in SECRET_TYPES)


def no_secrets(find: Find) -> ScorerFactory:
    """A factory of no_secrets over these finders: 1 when the answer holds no key, token or password."""
    return _holds_none(find, lambda kind: kind in SECRET_TYPES)


def _holds_none(find: Find, counts: Callable[[str], bool]) -> ScorerFactory:
    def make(options: Mapping[str, Any], context: ScorerContext) -> Judge:
        allowed = frozenset(read_options(AllowOptions, options).allow)

        def judge(case: Case, response: Response) -> Judgement:
            return not any(
                counts(kind) and kind not in allowed and response.output[start:end] not in allowed
                for start, end, kind in find(response.output)
            )

        return judge

    return make


def must_not(make_scorer: MakeScorer) -> ScorerFactory:
    """A factory of must_not, which makes the scorers that it turns round with ``make_scorer``.

    Its score is 1 when none of them hits. A scorer hits when it scores 1; one that forbids hits when it
    scores 0.
    """

    def make(options: Mapping[str, Any], context: ScorerContext) -> Judge:
        inner = _inner(options, make_scorer, context)

        def judge(case: Case, response: Response) -> Judgement:
            failure: ScorerFailure | None = None
            for scorer in inner:
                value = scorer.judge(case, response)
                if isinstance(value, ScorerFailure):
                    failure = value
                elif value is not None and bool(value) is not scorer.forbids:
                    return False
            return failure or True

        return judge

    return make


def _inner(options: Mapping[str, Any], make_scorer: MakeScorer, context: ScorerContext) -> list[Scorer]:
    specs, problems = _specs(options)
    scorers = []
    for spec, at, short in specs:
        try:
            scorer = make_scorer(spec, context)
        except OptionError as error:
            for problem in error.problems:
                inner = problem.at[1:] if short and problem.at[:1] == ("value",) else problem.at
                what = f"scorer {spec.name}: {problem.what}"
                problems.append(OptionProblem(what, (*at, *inner), problem.key or not problem.at))
            continue
        if scorer.metric.kind != "binary":
            what = f"must_not takes scorers that say yes or no, {spec.name} is of kind {scorer.metric.kind}"
            problems.append(OptionProblem(what, at, key=True))
        if scorer.asked is not None:
            what = f"must_not takes scorers without a model, {spec.name} asks one"
            problems.append(OptionProblem(what, at, key=True))
        scorers.append(scorer)
    if problems:
        raise OptionError(problems)
    return scorers


def _specs(options: Mapping[str, Any]) -> tuple[list[tuple[ScorerSpec, Loc, bool]], list[OptionProblem]]:
    """The scorers that are turned round, where each stands and whether its value is short for options."""
    bare = set(options) == {"value"}
    given = options["value"] if bare else options
    base: Loc = ("value",) if bare else ()
    listed = isinstance(given, (list, tuple))
    specs: list[tuple[ScorerSpec, Loc, bool]] = []
    problems = []
    for index, item in enumerate(given if listed else [given]):
        at: Loc = (*base, index) if listed else base
        if isinstance(item, str):
            specs.append((ScorerSpec(item), at, False))
        elif isinstance(item, Mapping) and item:
            for name, value in item.items():
                spec = ScorerSpec(str(name), _options(str(name), value))
                specs.append((spec, (*at, str(name)), not isinstance(value, Mapping)))
        else:
            what = f"must_not takes scorers as name or {{name: options}} (is {item!r})"
            problems.append(OptionProblem(what, at))
    if not specs and not problems:
        problems.append(OptionProblem("must_not names no scorer"))
    return specs, problems


def _options(name: str, value: Any) -> dict[str, Any]:
    options = dict(value) if isinstance(value, Mapping) else {} if value is None else {"value": value}
    if name == "contains" and isinstance(options.get("value"), list):
        # A list of forbidden texts means that none of them may occur, not that some may.
        options.setdefault("any", True)
    return options
