"""What is wrong in suite.yaml and its cases is named at its place, all of it at once."""

# ruff: noqa: E501 (a row of these tables is one line, whatever its length)

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.files import load_suite, load_suites

SUITE = "suite: s\nkind: golden\nscorers: [exact]\nslices: [lang]\n"
CASES = '{"id": "a", "input": "q", "expected": "e", "tags": {"lang": "de", "harmful": true}}\n'

Problems = Callable[..., list[str]]


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Problems:
    """The problems of a suite."""
    monkeypatch.chdir(tmp_path)

    def problems(suite: str = SUITE, cases: str | bytes = CASES, regressions: str | None = None) -> list[str]:
        Path("suite.yaml").write_text(suite)
        Path("cases.jsonl").write_bytes(cases if isinstance(cases, bytes) else cases.encode())
        if regressions is not None:
            Path("regressions.jsonl").write_text(regressions)
        with pytest.raises(InputError) as caught:
            load_suite(Path("suite.yaml"), golden_sets=Path(), known_scorers=["exact", "contains"])
        return [str(problem) for problem in caught.value.problems]

    return problems


@pytest.mark.parametrize("empty", ["gates: []", "gates:", "gates: null"])
def test_a_list_of_no_gates_takes_no_default_policy_in_silence(problems: Problems, empty: str) -> None:
    assert problems(f"{SUITE}{empty}\n") == [
        "suite.yaml:5:1: 'gates' is empty, and no gate is no requirement, "
        "remove the key to take the default policy of its kind, or write a gate"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind: goldn", "suite.yaml:2:7: kind should be golden or safety or fallback, 'goldn', did you mean 'golden'?"),
        ("kind: degraded", "suite.yaml:2:7: suite kind 'degraded' is not built yet in this version, use golden,"),
        ("kind: retrieval", "suite.yaml:2:7: suite kind 'retrieval' is not built yet"),
        ("kind: golden\nkid: 1", "suite.yaml:3:1: unknown key 'kid', did you mean 'kind'?"),
        ("kind: safety\nsealed: true", "suite.yaml:3:1: 'sealed' goes with kind golden only, remove it"),
        ("kind: golden\nhops: all", "suite.yaml:3:1: 'hops' is not built yet in this version, remove it"),
        ("kind: golden\nlimits: {attempts: 3}", "suite.yaml:3:1: 'limits' is not built yet in this version"),
        ("kind: golden\ndown: {reranker: [refuse]}", "suite.yaml:3:1: 'down' is not built yet in this version"),
        ("kind: golden\nnever: [exact]", "suite.yaml:3:1: 'never' is not built yet in this version"),
        ("kind: golden\nfaults: [refuse]", "suite.yaml:3:1: 'faults' goes with kind fallback only, remove it"),
        ("kind: golden\nforce: hop", "suite.yaml:3:1: 'force' goes with kind fallback only, remove it"),
        ("kind: fallback", "suite.yaml:2:7: a fallback suite needs 'force', add force: hop"),
        ("kind: fallback\nforce: hop", "suite.yaml:2:7: a fallback suite needs 'route', add route:"),
        ("kind: fallback\nforce: hop\nroute: r\nfaults: [timeout]", "suite.yaml:5:10: fault 'timeout' is not built yet in this version, use refuse"),
        ("kind: golden\ntrials: 0", "suite.yaml:3:9: trials should be auto or a whole number from 1 to 100, 0"),
        ("kind: golden\ntrials: 1.5", "suite.yaml:3:9: trials should be auto or a whole number from 1 to 100, 1.5"),
        ("kind: golden\nversion: 1.5", "suite.yaml:3:10: version should be text or a whole number, 1.5, put it in quotes"),
    ],
)  # fmt: skip
def test_settings(problems: Problems, text: str, problem: str) -> None:
    (line,) = problems(SUITE.replace("kind: golden", text))
    assert problem in line


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[exact]", "[exct]", "suite.yaml:3:11: unknown scorer 'exct', did you mean 'exact'?"),
        ("[exact]", "[{contans: x}]", "suite.yaml:3:12: unknown scorer 'contans', did you mean 'contains'?"),
        (
            "[exact]",
            "[{exact: 1, contains: x}]",
            "suite.yaml:3:11: scorers[0] should be a scorer's name or one",
        ),
        ("[exact]", "[]", "suite.yaml:3:10: scorers should not be empty"),
        ("[exact]", "exact", "suite.yaml:3:10: scorers should be a list, 'exact', write [a, b]"),
        ("scorers: [exact]\n", "", "suite.yaml:1:1: 'scorers' is missing, add scorers: ..."),
        ("suite: s", "suite: 'a::b'", "suite.yaml:1:8: suite cannot be used as a name, 'a::b'"),
        ("[lang]", "[lnag]", "suite.yaml:4:10: no case has the tag 'lnag', did you mean 'lang'?"),
    ],
)
def test_scorers_names_and_slices(problems: Problems, old: str, new: str, problem: str) -> None:
    (line,) = problems(SUITE.replace(old, new))
    assert problem in line


@pytest.mark.parametrize(
    ("gate", "problem"),
    [
        ("{metric: exact}", "suite.yaml:6:5: a gate needs a requirement: one of at_least, at_most, non_inferior,"),
        ("{metric: exact, at_least: .8, at_most: .9}", "suite.yaml:6:35: a gate has exactly one requirement, this has at_least and at_most"),
        ("{metric: exact, at_least: 85}", "suite.yaml:6:31: gates[0].at_least should be at most 1, 85"),
        ("{metric: exact, at_least: 0}", "suite.yaml:6:31: gates[0].at_least should be greater than 0, 0"),
        ("{metric: exact, at_least: '0.8'}", "suite.yaml:6:31: gates[0].at_least should be a number, '0.8', write it without quotes"),
        ("{metric: exact, atleast: 0.8}", "suite.yaml:6:21: unknown key 'atleast', did you mean 'at_least'?"),
        ("{metric: exact, non_inferior: 0.05}", "suite.yaml:6:35: gates[0].non_inferior should be a mapping, 0.05, write {margin: 0.05}"),
        ("{metric: exact, non_inferior: {margin: 5}}", "suite.yaml:6:44: gates[0].non_inferior.margin should be less than 1, 5"),
        ("{metric: exact, non_inferior: {}}", "suite.yaml:6:35: 'margin' is missing in gates[0].non_inferior"),
        ("{metric: exact, superior: false}", "suite.yaml:6:31: gates[0].superior should be true, false"),
        ("{metric: exact, violations: 2}", "suite.yaml:6:33: gates[0].violations should be 0, 2"),
        ("{metric: exact, at_least: 0.8, rate_at_most: 0.1}", "suite.yaml:6:36: rate_at_most goes with violations only"),
        ("{metric: exact, at_least: 0.5, quantile: 0.95}", "suite.yaml:6:36: quantile goes with ratio_at_most and at_most only, use at_most"),
        ("{metric: latency_ms, at_most: 0, quantile: 0.95}", "suite.yaml:6:35: no quantile can be proven to lie below 0, raise the limit"),
        ("{metric: exact, superior: true, quantile: 0.5}", "suite.yaml:6:37: quantile goes with ratio_at_most and at_most only"),
        ("{metric: exact, at_least: 0.8, slack: 50}", "suite.yaml:6:36: slack goes with ratio_at_most only"),
        ("{metric: latency_ms, ratio_at_most: 1.5, slack: -1}", "suite.yaml:6:53: gates[0].slack should be at least 0, -1"),
        ("{metric: latency_ms, ratio_at_most: 0}", "suite.yaml:6:41: gates[0].ratio_at_most should be greater than 0, 0"),
        ("{metric: cost_usd, at_least: 0.5}", "suite.yaml:6:24: cost_usd is better when it is lower, so at_least makes no sense"),
        ("{metric: exact, at_least: 0.8, role: gard}", "suite.yaml:6:42: gates[0].role should be require or guard or report, 'gard', did you mean 'guard'?"),
        ("{metric: exact, at_least: 0.8, by: hop}", "suite.yaml:6:40: only fallback suites have hops, name a tag"),
        ("{metric: exact, at_least: 0.8, by: lng}", "suite.yaml:6:40: no case has the tag 'lng', did you mean 'lang'?"),
        ("{metric: exact, at_least: 0.8, only: {lang: en}}", "suite.yaml:6:49: no case has lang 'en', known: de"),
        ("{metric: exact, at_least: 0.8, only: {lng: de}}", "suite.yaml:6:43: no case has the tag 'lng'"),
        ("{metric: exact, at_least: 0.8, only: {lang: [de]}}", "suite.yaml:6:42: gates[0].only should give one value per tag"),
        ("{metric: exact, at_least: 0.8, pooled: hops}", "suite.yaml:6:36: only fallback suites have hops, remove it"),
        ("{metric: exact, non_inferior: {margin: 0.1, against: primary}}", "suite.yaml:6:58: only fallback suites have a primary"),
        ("{metric: a, superior: true}\n  - {superior: true, metric: a}", "suite.yaml:7:5: the same gate again, the first is on line 6"),
    ],
)  # fmt: skip
def test_gates(problems: Problems, gate: str, problem: str) -> None:
    (line,) = problems(f"{SUITE}gates:\n  - {gate}\n")
    assert problem in line


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ('{"id": "a"', "cases.jsonl:2:11: bad JSON, expecting ',' delimiter"),
        ("[1]", "cases.jsonl:2:1: should be an object"),
        ('{"id": "b", "score": NaN}', "cases.jsonl:2:22: is not JSON, NaN"),
        ('{"id": "b", "id": "c"}', 'cases.jsonl:2:2: duplicate key, "id"'),
        ('{"id": "b", "inputs": "q"}', "cases.jsonl:2:13: unknown key 'inputs', did you mean 'input'?"),
        ('{"input": "q"}', "cases.jsonl:2:1: 'id' is missing, add \"id\": ..."),
        ('{"id": 7}', "cases.jsonl:2:8: 'id' should be text, put it in quotes"),
        ('{"id": " "}', "cases.jsonl:2:8: 'id' is empty"),
        ('{"id": "a::b"}', "cases.jsonl:2:8: 'id' cannot be a pytest name, 'a::b', an id holds no '::'"),
        ('{"id": "a[b]"}', "cases.jsonl:2:8: 'id' cannot be a pytest name, 'a[b]'"),
        ('{"id": "a\\nb"}', "cases.jsonl:2:8: 'id' cannot be a pytest name, 'a\\nb'"),
        (json.dumps({"id": "x" * 201}), "cases.jsonl:2:8: 'id' is longer than 200 characters"),
        ('{"id": "a"}', "cases.jsonl:2:8: duplicate id 'a', the first is on line 1"),
        ('{"id": "b", "input": 3}', "cases.jsonl:2:22: 'input' should be text or a list of {role, content}"),
        ('{"id": "b", "input": [{"role": "user"}]}', "cases.jsonl:2:22: 'input' should be text or a list"),
        (
            '{"id": "b", "tags": {"lang": ["de"]}}',
            "cases.jsonl:2:21: tag 'lang' should be text, a number, true or",
        ),
        ('{"id": "b", "tags": "de"}', "cases.jsonl:2:21: 'tags' should be an object"),
        ('{"id": "b", "critical": "yes"}', "cases.jsonl:2:25: 'critical' should be true, false or \"never\""),
        ('{"id": "b", "cluster": ["x"]}', "cases.jsonl:2:24: 'cluster' should be text"),
        ('{"id": "b", "pair": 1}', "cases.jsonl:2:21: 'pair' should be text"),
        ('{"id": "\\ud800"}', "cases.jsonl:2:9: holds half of a character (a lone surrogate)"),
        ("[" * 100_000, "cases.jsonl:2:1: is nested too deep"),
        ('{"id": "b", "expected": ' + "9" * 5000 + "}", "cases.jsonl:2:1: a number too large"),
        ('{"id": "b", "expected": 1e999}', "cases.jsonl:2:25: a number too large, 1e999"),
    ],
)
def test_cases(problems: Problems, case: str, problem: str) -> None:
    (line,) = problems(cases=CASES + case + "\n")
    assert problem in line


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cases.jsonl:1:1: has no cases"),
        (b"\n \n", "cases.jsonl:1:1: has no cases"),
        (b"\x89PNG\r\n\x00", "cases.jsonl:2:1: is a binary file (NUL byte)"),
        (b'{"id": "a"}\n{"id": "caf\xe9"}\n', "cases.jsonl:2:12: is not UTF-8, byte 0xe9"),
    ],
)
def test_files_that_hold_no_cases(problems: Problems, content: bytes, problem: str) -> None:
    (line,) = problems("suite: s\nkind: golden\nscorers: [exact]\n", content)
    assert problem in line


def test_no_cases_file(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("suite: s\nkind: golden\nscorers: [exact]\n")
    with pytest.raises(InputError, match=r"cases.jsonl: no such file"):
        load_suite(tmp_path / "suite.yaml", golden_sets=tmp_path)


def test_an_id_is_used_once_over_both_files(problems: Problems) -> None:
    assert problems(regressions=CASES) == [
        "regressions.jsonl:1:8: duplicate id 'a', the first is on cases.jsonl:1"
    ]


def test_a_safety_case_says_whether_it_is_harmful(problems: Problems) -> None:
    safety = SUITE.replace("golden", "safety")
    (line,) = problems(safety, CASES + '{"id": "b", "tags": {"harmful": "yes"}}\n')
    assert line.startswith("cases.jsonl:2:21: tag 'harmful' should be true or false, a safety case needs")


def test_two_problems_of_one_value_are_both_named(problems: Problems) -> None:
    assert problems(cases=CASES + '{"id": "b", "tags": {"lang": [], "topic": {}}}\n') == [
        "cases.jsonl:2:21: tag 'lang' should be text, a number, true or false",
        "cases.jsonl:2:21: tag 'topic' should be text, a number, true or false",
    ]


def test_at_most_50_problems_per_file(problems: Problems) -> None:
    found = problems(SUITE.replace("slices: [lang]\n", ""), "{}\n" * 80)
    assert len(found) == 51
    assert found[-1] == "cases.jsonl: ... and 30 more"


def test_problems_of_all_suites_come_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = []
    for name, text in {"a": SUITE, "b": SUITE, "c": "suite: c\nkind: golden\n", "d": "kind: no"}.items():
        Path(name).mkdir()
        Path(name, "suite.yaml").write_text(text)
        Path(name, "cases.jsonl").write_text(CASES)
        paths.append(Path(name, "suite.yaml"))
    with pytest.raises(InputError) as caught:
        load_suites(paths, golden_sets=Path())
    assert [str(problem) for problem in caught.value.problems] == [
        "b/suite.yaml:1:8: duplicate suite name 's', a/suite.yaml has the same; give each suite its own",
        "c/suite.yaml:1:1: 'scorers' is missing, add scorers: ...",
        "d/suite.yaml:1:1: 'suite' is missing, add suite: ...",
        "d/suite.yaml:1:1: 'scorers' is missing, add scorers: ...",
        'd/suite.yaml:1:7: means different things to different YAML readers, no, write "no" in quotes or false',
    ]
