"""Prompts: what a hop cannot hold and what is not closed is known before any call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from relgate.domain.release import Release

PROMPT = "prompts/answer.md"
SMALL = ("gpt-5-2026-04-30}", "gpt-5-2026-04-30, context_length: 100}")
SECOND = (
    "  prompt:\n",
    '    large: {version: "1", id: large-1, provider: hosted, context_length: 101}\n'
    '    tiny: {version: "1", id: tiny-1, provider: hosted, context_length: 10}\n  prompt:\n',
)
CHAIN = ("[hosted/answerer]", "[hosted/answerer, hosted/large, hosted/tiny]")
HELD = "{{ question }} {{evidence}} " + "word " * 100

Problems = Callable[..., list[str]]
Resolve = Callable[..., Release]


def test_a_prompt_that_is_too_long_for_a_hop_names_each(project: Path, problems: Problems) -> None:
    (project / PROMPT).write_text(HELD + "more")
    remedy = "shorten it, or name models that hold it"
    assert problems(SMALL, SECOND, CHAIN) == [
        "candidate.yaml:12:5: the prompt has at least 101 tokens, more than the context length of "
        f"hosted/answerer (100), hosted/tiny (10), {remedy}"
    ]


def test_as_many_words_as_the_context_is_long_are_no_false_alarm(project: Path, resolve: Resolve) -> None:
    (project / PROMPT).write_text(HELD)
    assert resolve(SMALL).of_kind("prompt")


@pytest.mark.parametrize(
    ("changes", "hop"),
    [
        ([("prompt:\n    answer:", "prompt:\n    other:")], "hosted/answerer (100)"),
        (
            [
                ("{chat: answer}", '{python: "json:loads"}'),
                ("evidence]}", "evidence], compatible_models: [answerer]}"),
                ("  answer: {chain", "  elsewhere: {chain"),
            ],
            "model answerer (100)",
        ),
        ([("{chat: answer}", '{python: "json:loads"}')], "hosted/answerer (100)"),
    ],
    ids=["only prompt of a chat", "compatible_models", "route of its name"],
)
def test_every_way_from_a_prompt_to_a_model_counts(
    project: Path, problems: Problems, changes: list[tuple[str, str]], hop: str
) -> None:
    (project / PROMPT).write_text(HELD + "more")
    [problem] = problems(SMALL, *changes)
    assert f"more than the context length of {hop}, shorten" in problem


def test_a_prompt_that_no_route_uses_is_not_measured(project: Path, resolve: Resolve) -> None:
    (project / PROMPT).write_text(HELD + "more")
    assert resolve(
        SMALL, ("{chat: answer}", '{python: "json:loads"}'), ("  answer: {chain", "  elsewhere: {chain")
    )


@pytest.mark.parametrize(
    "text", ["{{ question }} {{ evidence", "{{question}\n{{ evidence }}", "{{ question }\n"]
)
def test_a_placeholder_that_is_not_closed_is_a_problem(project: Path, problems: Problems, text: str) -> None:
    (project / PROMPT).write_text(text)
    name = "evidence" if "question }}" in text else "question"
    column = 16 if name == "evidence" else 1
    found = [problem for problem in problems() if "never used" not in problem]
    assert found == [
        f"prompts/answer.md:1:{column}: a placeholder is not closed, {{{{ {name}, write {{{{ {name} }}}}"
    ]
    assert not [problem for problem in problems() if f"'{name}' is never used" in problem]


@pytest.mark.parametrize("text", ['{{"a": {"b": 1}}}', "{{{ raw }}}", "\\\\frac{{a}{b}}", "{{ question\n }}"])
def test_other_braces_are_left_alone(project: Path, text: str, problems: Problems) -> None:
    (project / PROMPT).write_text(text)
    assert not [problem for problem in problems() if "not closed" in problem]
