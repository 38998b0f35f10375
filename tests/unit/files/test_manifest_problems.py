"""What is wrong in a manifest is named at its place, all of it at once."""

# ruff: noqa: E501 (a row of these tables is one line, whatever its length)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Problems = Callable[..., list[str]]

CASES: list[tuple[str, str, str]] = [
    ("manifest: 1", "manifest: 2", "candidate.yaml:1:11: manifest should be 1, 2"),
    ("owner: support-ml\n", "", "candidate.yaml:1:1: 'owner' is missing, add owner: ..."),
    ("owner:", "ownr: x\nowner:", "candidate.yaml:4:1: unknown key 'ownr', did you mean 'owner'?"),
    ("1.3.0", "1.30", 'candidate.yaml:3:10: version should be text, 1.30, write "1.30" in quotes'),
    ("1.3.0", "latest", "candidate.yaml:3:10: version moves with time, 'latest', pin it: a number, a date or a digest"),
    ("1.3.0", "'>=1.0'", "candidate.yaml:3:10: version cannot be used as a name, '>=1.0', use letters, digits"),
    ("support-desk", "a/b", "candidate.yaml:2:10: release cannot be used as a name, 'a/b', use letters, digits"),
    ("baseline: production", "baseline: latest", "candidate.yaml:5:11: baseline moves with time, 'latest'"),
    ("baseline: production", "baseline: old.yaml", "candidate.yaml:5:11: no such file, 'old.yaml', paths are relative"),
    ("baseline: production", "baseline: canddate.yaml", "candidate.yaml:5:11: no such file, 'canddate.yaml', did you mean 'candidate.yaml'?"),
    ("artifacts:\n  model:", "artifacts:\n  modl: {}\n  model:", "candidate.yaml:7:3: unknown artifact kind 'modl', did you mean 'model'?"),
    ("provider: hosted,", "provider: hostd,", "candidate.yaml:8:49: unknown provider 'hostd', did you mean 'hosted'?"),
    ("gpt-5-2026-04-30", "gpt-latest", "candidate.yaml:8:61: model id moves with time, 'gpt-latest'"),
    ("gpt-5-2026-04-30", "gpt", "candidate.yaml:8:61: model id has no date, digest or number, 'gpt'"),
    ("v14", "~1.2", "candidate.yaml:10:23: version is a range, '~1.2', pin it"),
    ("v14", "''", "candidate.yaml:10:23: artifacts.prompt.answer.version should not be empty"),
    ("prompts/answer.md", "prompts/none.md", "candidate.yaml:10:34: no such file, 'prompts/none.md', paths are relative"),
    (", evidence]", "]", "prompts/answer.md:3:1: template variable 'evidence' is not declared, add it to variables of prompt/answer"),
    (", evidence]", ", evidense]", "prompts/answer.md:3:1: template variable 'evidence' is not declared, did you mean 'evidense'?"),
    (", evidence]", ", evidence, tone]", "candidate.yaml:10:85: template variable 'tone' is never used, remove it"),
    ("help@17", "help@18", "candidate.yaml:14:36: no retrieval_corpus is 'help@18', did you mean 'help@17'?"),
    ("help@17", "help", "candidate.yaml:14:36: should be name@version, 'help', such as help@17"),
    ("{chat: answer}", "{chat: anser}", "candidate.yaml:15:21: unknown route 'anser', did you mean 'answer'?"),
    ("{chat: answer}", "{http: {url: x, provider: hosted, request: {q: x}, response: {output: /a}}}", "candidate.yaml:15:22: unknown key 'url'"),
    ("{chat: answer}", "{http: {provider: hostd, request: {q: '{{ question }}'}, response: {output: /a}}}", "candidate.yaml:15:32: unknown provider 'hostd', did you mean 'hosted'?"),
    ("{chat: answer}", "{http: {provider: hosted, request: {q: '{{ qestion }}'}, response: {output: /a}}}", "candidate.yaml:15:53: unknown placeholder 'qestion', did you mean 'question'?"),
    ("{chat: answer}", "{http: {provider: hosted, request: {q: x}, response: {output: a}}}", "candidate.yaml:15:76: application.http.response.output should be a JSON pointer, 'a', such as /answer/text"),
    ("{chat: answer}", "{http: {provider: hosted, path: answer, request: {q: x}, response: {output: /a}}}", "candidate.yaml:15:46: application.http.path should begin with /, 'answer'"),
    ("{chat: answer}", "{http: {provider: hosted, request: {q: x}, response: {output: /a, tool_calls: {name: /n}}}}", "'at' is missing in application.http.response.tool_calls"),
    ("{chat: answer}", "{http: {provider: hosted, build: latest, request: {q: x}, response: {output: /a}}}", "candidate.yaml:15:47: build moves with time, 'latest'"),
    ("{chat: answer}", "{command: {run: [x], request: {q: x}, response: {output: /a}}}", "candidate.yaml:15:24: nothing says which code the command runs, list its files"),
    ("{chat: answer}", "{command: {run: [], request: {q: x}, response: {output: /a}}}", "candidate.yaml:15:30"),
    ("{chat: answer}", "{chat: answer, python: 'a:b'}", "candidate.yaml:15:1: application should be exactly one kind, keep one of chat, python"),
    ("{chat: answer}", "{}", "candidate.yaml:15:14: application is empty, write one of python, chat, http, command, recording"),
    ("{chat: answer}", "{python: nope}", "candidate.yaml:15:23: is not package.module:function, 'nope', write it like support.app:build"),
    ("{chat: answer}", "{python: 'no_such_pkg.app:build'}", "candidate.yaml:15:23: no module named 'no_such_pkg' (needed by 'no_such_pkg.app')"),
    ("{chat: answer}", "{python: 'json:lods'}", "json/__init__.py has no 'lods', 'json:lods', did you mean 'loads'?"),
    ("{chat: answer}", "{recording: none.jsonl}", "candidate.yaml:15:26: no such file, 'none.jsonl'"),
    ('"${HOSTED_KEY}"', "sk-live-abc", "candidate.yaml:17:48: a secret in the manifest, write api_key: ${NAME_OF_A_VARIABLE}"),
    ('"${HOSTED_URL}"', '"ftp://x"', "candidate.yaml:17:22: should be an http or https address, write https://host/..."),
    ('"${HOSTED_URL}"', '"https://me:pw@x"', "candidate.yaml:17:22: a secret in the manifest, write the credentials"),
    ('"${HOSTED_URL}"', '"${HOSTED URL}"', "candidate.yaml:17:22: a variable that is not written ${NAME}"),
    ("slot: green", 'slot: "${SLOT}"', "candidate.yaml:14:51: a variable in the wrong place, only providers and dependencies"),
    ("[hosted/answerer]", "[hostd/answerer]", "candidate.yaml:19:20: unknown provider 'hostd', 'hostd/answerer', did you mean 'hosted'?"),
    ("[hosted/answerer]", "[hosted/answrer]", "candidate.yaml:19:20: unknown model 'answrer', 'hosted/answrer', did you mean 'answerer'?"),
    ("[hosted/answerer]", "[answerer]", "candidate.yaml:19:20: a hop should be provider/model, 'answerer'"),
    ("[hosted/answerer]", "[]", "candidate.yaml:19:19: routes.answer.chain should not be empty"),
    ("allowed_regions: [eu]", "allowed_regions: [us]", "candidate.yaml:19:20: provider 'hosted' is in region 'eu', the route allows us"),
    (", region: eu", "", "candidate.yaml:19:20: provider 'hosted' has no region, give it one of eu"),
    ("dependencies:", "suites: [nowhere]\ndependencies:", "candidate.yaml:20:10: no such folder, 'nowhere'"),
    ("dependencies:", "services: [{python: 'x'}]\ndependencies:", "candidate.yaml:20:21: is not package.module:function, 'x'"),
    ("dependencies:", "deterministic: on\ndependencies:", "candidate.yaml:20:16: means different things to different YAML readers, on"),
    ("dependencies:", "dependencies: {}\ndependencies:", "candidate.yaml:21:1: duplicate key, 'dependencies', the first is on line 20"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), CASES, ids=[f"{new.strip()[:30]}" for _, new, _ in CASES])
def test_the_problem_with_its_place(problems: Problems, old: str, new: str, problem: str) -> None:
    found = problems((old, new))
    assert any(problem in line for line in found), "\n".join(found)


@pytest.mark.parametrize(("old", "new", "problem"), CASES, ids=[f"{new.strip()[:30]}" for _, new, _ in CASES])
def test_no_problem_brings_an_avalanche(problems: Problems, old: str, new: str, problem: str) -> None:
    assert len(problems((old, new))) <= 2


def test_all_problems_come_together_in_order(problems: Problems) -> None:
    found = problems(
        ("owner: support-ml", "ownr: x"),
        ("v14", "latest"),
        ("prompts/answer.md", "nope.md"),
        ("hosted/answerer", "hosted/x"),
    )
    assert [line.split(": ")[0] for line in found] == [
        "candidate.yaml:1:1",
        "candidate.yaml:4:1",
        "candidate.yaml:10:23",
        "candidate.yaml:10:37",
        "candidate.yaml:19:20",
    ]


def test_unset_variables_are_listed(problems: Problems) -> None:
    assert problems(environment={}) == [
        "candidate.yaml:17:22: variable HOSTED_URL is not set, set it in the environment",
        "candidate.yaml:17:48: variable HOSTED_KEY is not set, set it in the environment",
    ]


def test_no_value_of_a_secret_is_shown(problems: Problems) -> None:
    for written in ("sk-live-abc", "0123456789", "[sk-live-abc]", "12345"):
        text = "\n".join(problems(('"${HOSTED_KEY}"', written)))
        assert "sk-live" not in text
        assert "12345" not in text


def test_a_chat_application_needs_one_prompt(problems: Problems) -> None:
    other = "    a: {version: v1, path: prompts/answer.md, variables: [question, evidence]}\n    b: {version: v1}\n"
    line = "    answer: {version: v14, path: prompts/answer.md, variables: [question, evidence]}\n"
    assert problems((line, other)) == [
        "candidate.yaml:16:21: which prompt is meant is not clear, name one of them 'answer': a, b"
    ]
    assert problems(("  prompt:\n" + line, "")) == [
        "candidate.yaml:13:21: a chat application needs a prompt artifact, add artifacts.prompt.answer"
    ]


def test_bad_artifact_files(project: Path, problems: Problems) -> None:
    (project / "help.json").write_text('{"a": 1,\n "b": [1,]}')
    (line,) = problems()
    assert line.startswith("help.json:2:")  # the column and the words are those of the Python version
    assert ": bad JSON, " in line
    (project / "help.json").write_text('{"a": 1, "a": 2}')
    assert problems() == ['help.json:1:2: duplicate key, "a"']
    (project / "help.yaml").write_text("a: no\n")
    assert problems(("help.json", "help.yaml"))[0].startswith("help.yaml:1:4: means different things")
    (project / "prompts/answer.md").write_bytes(b"\xff\xfe\x00")
    assert problems(("help.json", "help.yaml"))[1].startswith("prompts/answer.md:1:1: is UTF-16")


def test_placeholders_that_are_no_plain_names(project: Path, problems: Problems) -> None:
    (project / "prompts/answer.md").write_text("{{ question | upper }} {{question}} {{ evidence }}")
    assert problems() == [
        "prompts/answer.md:1:1: a placeholder should be a plain name, {{ question | upper }}, write {{ name }}"
    ]


def test_a_builder_module_with_broken_syntax(
    project: Path, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(project))
    (project / "broken_app.py").write_text("def build(:\n")
    (line,) = problems(("{chat: answer}", "{python: 'broken_app:build'}"))
    assert "broken_app.py:1:11: bad Python" in line
    package = project / "raising_pkg"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('boom')")
    (line,) = problems(("{chat: answer}", "{python: 'raising_pkg.app:build'}"))
    assert "package 'raising_pkg' fails to import (RuntimeError: boom)" in line
