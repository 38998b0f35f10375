"""The key ``unchanged`` and the file that it names: read strictly, every problem at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.files import load_suite

SUITE = "suite: s\nkind: golden\nscorers: [exact]\nunchanged: traffic.jsonl\n"
GOOD = '{"id": "t1", "input": "where is my parcel?"}\n'


def _load(folder: Path, traffic: str | None, suite: str = SUITE):
    (folder / "suite.yaml").write_text(suite)
    (folder / "cases.jsonl").write_text('{"id": "a", "input": "q", "expected": "e"}\n')
    if traffic is not None:
        (folder / "traffic.jsonl").write_text(traffic)
    return load_suite(folder / "suite.yaml", golden_sets=folder, known_scorers=["exact"])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_sampled_inputs_are_no_cases_and_enter_the_suites_digest(tmp_path: Path) -> None:
    suite = _load(tmp_path, GOOD + '{"id": "t2", "input": [{"role": "user", "content": "hi"}]}\n')
    assert [case.id for case in suite.traffic] == ["t1", "t2"]
    assert [case.id for case in suite.all_cases] == ["a"]
    other = _load(tmp_path, GOOD.replace("parcel", "refund"))
    assert other.digest != suite.digest
    assert other.cases_digest == suite.cases_digest
    (tmp_path / "plain").mkdir()
    assert _load(tmp_path / "plain", None, SUITE.replace("unchanged: traffic.jsonl\n", "")).traffic == ()


@pytest.mark.parametrize(
    ("traffic", "problem"),
    [
        (None, "suite.yaml:4:12: there is no file 'traffic.jsonl', name a file of {id, input} lines"),
        ("", "traffic.jsonl"),
        ('{"id": "t1"}\n', "traffic.jsonl:1:1: 'input' is missing"),
        ('{"id": "t1", "input": null}\n', "traffic.jsonl:1:23: 'input' should be text or a list"),
        ('{"id": "t1", "input": ""}\n', "traffic.jsonl:1:23: 'input' should be text or a list"),
        ('{"id": "t1", "input": "x", "expected": "y"}\n', "traffic.jsonl:1:28: unknown key 'expected'"),
        ('{"id": "t::1", "input": "x"}\n', "traffic.jsonl:1:8: 'id' cannot be a pytest name"),
        (GOOD + GOOD, "traffic.jsonl:2:8: duplicate id 't1', the first is on line 1"),
        ("{nonsense\n", "traffic.jsonl:1:2"),
    ],
)
def test_what_is_wrong_is_named_at_its_place(tmp_path: Path, traffic: str | None, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, traffic)
    assert any(str(found).startswith(problem) or problem in str(found) for found in caught.value.problems), [
        str(found) for found in caught.value.problems
    ]


def test_a_fallback_suite_has_no_use_for_it(tmp_path: Path) -> None:
    suite = SUITE.replace("golden", "fallback") + "route: r\nforce: hop\n"
    with pytest.raises(InputError, match="'unchanged' goes with kind golden or safety"):
        _load(tmp_path, GOOD, suite)
