"""What a suite that is right becomes: scorers, cases, gates, the default policy, digests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from relgate.domain.case import Message, Suite
from relgate.domain.gate import GateSpec
from relgate.files import find_suites, load_suite

CASE = '{"id": "a", "input": "q", "expected": "e", "tags": {"lang": "de", "harmful": false}}\n'


def suite_of(folder: Path, text: str, cases: str = CASE, **files: str) -> Suite:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(text)
    (folder / "cases.jsonl").write_text(cases)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    return load_suite(folder / "suite.yaml", golden_sets=folder.parent)


def head(**keys: Any) -> str:
    given = {"suite": "s", "kind": "golden", "scorers": "[exact]", **keys}
    return "".join(f"{key}: {value}\n" for key, value in given.items())


def test_scorer_options_keep_their_shape(tmp_path: Path) -> None:
    scorers = (
        "[exact, {citations: {at_least: 1}}, {recorded: {name: N}}, {contains: [a, b]}, {must_not: [x]}, "
        "{regex: 'a+'}, {no_pii: }, {exact: {as: strict}}]"
    )
    suite = suite_of(tmp_path / "s", head(scorers=scorers))
    assert [(spec.name, spec.options) for spec in suite.scorers] == [
        ("exact", {}),
        ("citations", {"at_least": 1}),
        ("recorded", {"name": "N"}),
        ("contains", {"value": ["a", "b"]}),
        ("must_not", {"value": ["x"]}),
        ("regex", {"value": "a+"}),
        ("no_pii", {}),
        ("exact", {"as": "strict"}),
    ]
    assert (suite.scorers[1].line, suite.scorers[1].column) == (3, 19)


def test_cases_with_everything(tmp_path: Path) -> None:
    cases = (
        '\ufeff{"id": "talk", "input": [{"role": "user", "content": "hi"}], "cluster": 12, '
        '"critical": "never", "source": "x", "pair": "p"}\r\n\n{"id": "scores-only"}\n'
    )
    talk, alone = suite_of(tmp_path / "s", head(), cases).cases
    assert talk.input == (Message("user", "hi"),)
    assert (talk.cluster, talk.critical, talk.source, talk.pair, talk.line) == ("12", "never", "x", "p", 1)
    assert (alone.input, alone.line) == (None, 3)


def test_regression_cases_stand_apart(tmp_path: Path) -> None:
    suite = suite_of(tmp_path / "s", head(), regressions__jsonl='{"id": "r", "input": "x"}\n')
    assert [case.id for case in suite.regressions] == ["r"]
    assert suite.regressions[0].regression
    assert [case.id for case in suite.all_cases] == ["a", "r"]


def test_gates_with_every_key(tmp_path: Path) -> None:
    gates = """
  - {metric: exact, non_inferior: {margin: 0.05}}
  - {metric: exact, at_least: 0.85, role: guard, only: {lang: de}}
  - {metric: exact, by: lang, non_inferior: {margin: 0.10}}
  - {metric: latency_ms, quantile: 0.5, ratio_at_most: 1.5, slack: 50}
  - {metric: tokens, at_most: 4000}
  - {metric: exact, superior: true, role: report}
  - {metric: leak, violations: 0, rate_at_most: 0.05}"""
    suite = suite_of(tmp_path / "s", head(gates=gates))
    assert not suite.default_policy
    assert [gate.document() for gate in suite.gates] == [
        GateSpec("exact", "non_inferior", 0.05).document(),
        GateSpec("exact", "at_least", 0.85, "guard", only={"lang": "de"}).document(),
        GateSpec("exact", "non_inferior", 0.10, "guard", by="lang").document(),
        GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.5, slack=50).document(),
        GateSpec("tokens", "at_most", 4000).document(),
        GateSpec("exact", "superior", 0, "report").document(),
        GateSpec("leak", "violations", 0, rate_at_most=0.05).document(),
    ]
    assert (suite.gates[1].line, suite.gates[1].column) == (6, 5)


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (
            {"slices": "[lang]"},
            "require exact:non_inferior:0.05|guard exact:at_least:0.85|guard exact:non_inferior:0.1|"
            "require latency_ms:p50:ratio_at_most:1.5:slack-50|"
            "guard latency_ms:p95:ratio_at_most:1.5:slack-50|"
            "report cost_usd:ratio_at_most:2",
        ),
        ({"kind": "safety"}, "require violation:zero|require over_refusal:non_inferior:0.15"),
        (
            {"kind": "fallback", "force": "hop", "route": "r"},
            "require exact:at_least:0.65:pooled-hops|guard exact:at_least:0.7|"
            "report exact:non_inferior:0.1:against-primary",
        ),
    ],
)
def test_no_gates_means_the_default_policy(tmp_path: Path, keys: dict[str, str], names: str) -> None:
    suite = suite_of(tmp_path / "s", head(**keys))
    assert suite.default_policy
    assert "|".join(f"{gate.role} {gate.name}" for gate in suite.gates) == names
    assert suite.faults == (("refuse",) if "force" in keys else ())


@pytest.mark.parametrize(
    ("scorers", "metric"),
    [("[{recorded: {name: N}}]", "N"), ("[{recorded: N}]", "N"), ("[{exact: {as: right}}]", "right")],
)
def test_the_default_policy_judges_the_first_scorers_metric(
    tmp_path: Path, scorers: str, metric: str
) -> None:
    assert suite_of(tmp_path / "s", head(scorers=scorers)).gates[0].metric == metric


def test_clusters_count_when_any_case_has_one_unless_said(tmp_path: Path) -> None:
    with_cluster = CASE.replace('"input"', '"cluster": "x", "input"')
    assert not suite_of(tmp_path / "s", head()).clustered
    assert suite_of(tmp_path / "s", head(), with_cluster).clustered
    assert not suite_of(tmp_path / "s", head(cluster="false"), with_cluster).clustered


def test_digests_cover_what_counts_and_nothing_else(tmp_path: Path) -> None:
    base = suite_of(tmp_path / "s", head())
    same = suite_of(tmp_path / "t", head(suite="other", version="2", owner="me", description="words"))
    assert (same.digest, same.cases_digest) == (base.digest, base.cases_digest)
    for changed in (
        head(trials=3),
        head(scorers="[contains]"),
        head(gates="[{metric: exact, superior: true}]"),
    ):
        suite = suite_of(tmp_path / "t", changed)
        assert suite.digest != base.digest
        assert suite.cases_digest == base.cases_digest
    for cases in (
        CASE.replace('"e"', '"f"'),
        CASE.replace('"de"', '"en"'),
        CASE.replace('"q"', '"q", "critical": true'),
    ):
        suite = suite_of(tmp_path / "t", head(), cases)
        assert suite.cases_digest != base.cases_digest
        assert suite.digest != base.digest
    assert suite_of(tmp_path / "t", head(), regressions__jsonl='{"id": "r"}\n').digest != base.digest


def test_a_file_that_a_scorer_names_counts(tmp_path: Path) -> None:
    text = head(scorers="[{json_schema: {schema: answer__json}}]").replace("__", ".")
    one = suite_of(tmp_path / "s", text, answer__json="{}")
    two = suite_of(tmp_path / "s", text, answer__json='{"type": "object"}')
    assert one.digest != two.digest


def test_suites_are_found_below_in_order(tmp_path: Path) -> None:
    for name in ("b/deep", "a"):
        suite_of(tmp_path / name, head(suite=name[0]))
    assert [path.parent.relative_to(tmp_path).as_posix() for path in find_suites(tmp_path)] == ["a", "b/deep"]
    assert load_suite(tmp_path / "b/deep/suite.yaml", golden_sets=tmp_path).folder == "b/deep"


def test_what_cannot_be_read_hides_no_suite(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "suite.yaml").touch()
    listed = os.scandir

    def broken(path):
        if Path(path).name == "a":
            raise OSError(22, "Invalid argument")
        return listed(path)

    monkeypatch.setattr(os, "scandir", broken)
    assert [path.parent.name for path in find_suites(tmp_path)] == ["b"]
