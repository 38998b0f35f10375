"""Early stop (verdict.md 8): what is decided needs no more calls; with --full all are made."""

from __future__ import annotations

import json

import pytest

N = 500
TAGS = ("orders", "billing", "refunds", "returns", "login")
GATES = """slices: [area]
gates:
  - {metric: exact, non_inferior: {margin: 0.05}}
  - {metric: exact, at_least: 0.5, role: guard}
  - {metric: exact, by: area, non_inferior: {margin: 0.10}}
"""


def _cases(project, count=N, **more):
    cases = project.numbered(count)
    for i, case in enumerate(cases):
        case["tags"] = {"area": TAGS[i % len(TAGS)]}
        case.update(more.get(case["id"], {}))
    return cases


@pytest.fixture
def equal(project, provider):
    """A candidate that answers as the baseline does, on a golden set of 500 easy cases."""
    project.write("desk_app.py", project.application)
    project.suite("golden", _cases(project), GATES)
    project.write("production.yaml", project.live("answerer-1", version="1.0.0"))
    project.write("candidate.yaml", project.live("answerer-2", baseline="production.yaml"))
    return project


def test_an_equal_candidate_is_promoted_with_a_part_of_the_calls(equal, provider):
    result = equal.run("--junitxml=junit.xml")
    card = equal.scorecard()
    assert result.ret == 0, equal.text(result)
    assert equal.decisions == ["promote"]
    ran = provider.calls // 2
    assert 0.3 * N <= ran <= 0.6 * N
    assert card["calls"]["made"] == provider.calls
    assert card["calls"] == card["calls"] | {"planned": 2 * N, "saved": 2 * N - provider.calls}
    assert card["cases"]["not_run"] == N - ran
    assert card["verdict"]["partial"] is False
    said = f"early stop: {N - ran} of {N} cases of golden not needed: every required gate of golden"
    assert said in " ".join(equal.text(result).split())
    [required] = [g for g in card["gates"] if g["role"] == "require"]
    assert required["result"] == "pass"
    assert [look["look"] for look in required["looks"]] == list(range(1, len(required["looks"]) + 1))
    last = required["looks"][-1]
    assert last["p"] <= last["level"] < 0.05
    assert last["n"] <= ran


def test_cases_that_were_not_needed_are_skipped_in_junit_and_counted_apart(equal, provider):
    cases = equal.junit()
    skipped = [
        case
        for case in cases
        for found in case.iter("skipped")
        if "not needed: early stop" in found.get("message", "")
    ]
    assert len(skipped) == N - provider.calls // 2


def test_full_makes_every_call(equal, provider):
    result = equal.run("--full")
    assert result.ret == 0, equal.text(result)
    assert provider.calls == 2 * N
    card = equal.scorecard()
    assert card["calls"]["saved"] == 0
    assert card["cases"]["not_run"] == 0
    assert all(gate["looks"] == [] for gate in card["gates"])


@pytest.mark.parametrize("how", ["variable", "ini"])
def test_full_may_be_set_for_good(equal, provider, monkeypatch, how):
    if how == "variable":
        monkeypatch.setenv("RELGATE_FULL", "1")
    else:
        equal.write("pytest.ini", "[pytest]\nrelgate_full = yes\n")
    assert equal.run().ret == 0
    assert provider.calls == 2 * N


def test_a_part_of_the_cases_is_never_stopped(equal, provider):
    result = equal.run("-k", "not c499")
    assert result.ret == 10
    assert provider.calls == 2 * (N - 1)


def test_a_confirmed_critical_miss_ends_the_run_at_once(equal, provider):
    equal.suite("golden", _cases(equal, c250={"critical": "never"}), GATES)
    provider.wrong["answerer-2"] = {"question 250"}
    result = equal.run()
    assert equal.decisions == ["reject"]
    assert result.ret == 1
    assert provider.calls < 2 * N
    assert "not needed: golden: critical case c250 missed" in equal.text(result)
    card = equal.scorecard()
    assert card["verdict"]["partial"] is False
    assert "critical case c250" in card["verdict"]["reason"]
    [required] = [g for g in card["gates"] if g["role"] == "require"]
    assert required["result"] in ("partial", "pass")
    if required["result"] == "partial":
        assert "not judged: the run ended early for a reject after" in required["message"]


def test_a_clear_fail_ends_the_run(equal, provider):
    provider.wrong["answerer-2"] = {f"question {i}" for i in range(0, N, 4)}
    result = equal.run()
    assert equal.decisions == ["reject"], equal.text(result)
    assert provider.calls <= 0.6 * 2 * N


def test_a_reject_that_ends_the_run_names_the_gates_that_fail_on_what_is_in_hand(equal, provider):
    """The first case in the order of the calls is critical and missed: the gate is judged all the same."""
    equal.suite("golden", _cases(equal, **{f"c{i}": {"critical": "never"} for i in range(100)}), GATES)
    provider.wrong["answerer-2"] = {f"question {i}" for i in range(N)}
    result = equal.run("--concurrency=32")
    assert result.ret == 1
    card = equal.scorecard()
    assert card["calls"]["made"] < 0.2 * card["calls"]["planned"]
    failed = {gate["id"] for gate in card["gates"] if gate["result"] == "fail"}
    assert "gates::golden[exact:non_inferior:0.05]" in failed
    assert "`--full` makes every call and judges every gate" in card["verdict"]["next_step"]
    assert equal.run("--full").ret == 1
    assert "--full" not in equal.scorecard()["verdict"]["next_step"]


def test_golden_suites_are_asked_first_and_reported_as_they_are_asked(equal, provider):
    """A safety suite whose folder comes before: golden suites say more about a bad release."""
    equal.suite("a-safety", [{**case, "tags": {"harmful": True}} for case in equal.numbered(80)], "")
    path = equal.path / "golden_sets/a-safety/suite.yaml"
    path.write_text(path.read_text().replace("kind: golden", "kind: safety"))
    provider.wrong["answerer-2"] = {f"question {i}" for i in range(0, N, 4)}
    equal.run("-v")
    gates = equal.scorecard()["gates"]
    assert {g["suite"] for g in gates if g["result"] == "fail"} == {"golden"}
    assert all("before any of its" in g["message"] for g in gates if g["suite"] == "a-safety")


def test_every_critical_case_runs_although_the_rest_is_not_needed(equal, provider):
    critical = {f"c{i}": {"critical": True} for i in range(0, N, 50)}
    equal.suite("golden", _cases(equal, **critical), GATES)
    equal.run()
    assert equal.decisions == ["promote"]
    assert provider.calls < 2 * N
    assert all(provider.asked["answerer-2", f"question {i}"] for i in range(0, N, 50))


def test_a_case_that_was_not_needed_keeps_its_mark(equal, provider):
    marked = {f"golden_sets/golden/cases.jsonl::c{i}": True for i in range(N)}
    cache = equal.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps(marked))
    equal.run()
    asked = {text.split()[-1] for model, text in provider.asked if model == "answerer-2"}
    left = {name.rpartition("::c")[2] for name in json.loads(cache.read_text())}
    assert left == {str(i) for i in range(N)} - asked
    assert left


def test_a_small_suite_keeps_its_whole_alpha_for_the_end(project, provider):
    project.write("desk_app.py", project.application)
    project.suite(
        "golden", _cases(project, 60), "gates:\n  - {metric: exact, non_inferior: {margin: 0.05}}\n"
    )
    project.write("production.yaml", project.live("answerer-1", version="1.0.0"))
    project.write("candidate.yaml", project.live("answerer-2", baseline="production.yaml"))
    result = project.run()
    assert result.ret == 0, project.text(result)
    assert provider.calls == 120
