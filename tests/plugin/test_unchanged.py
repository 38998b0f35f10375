"""``unchanged: traffic.jsonl``: both releases answer the sample once, and few changes let a gate pass."""

from __future__ import annotations

import json

import pytest

GATES = """unchanged: traffic.jsonl
gates:
  - {metric: exact, non_inferior: {margin: 0.05}}
"""
N, CASES = 130, 20


@pytest.fixture
def sampled(project, provider):
    """Twenty cases prove nothing at a margin of 5 points; 130 sampled inputs do."""
    project.write("desk_app.py", project.application)
    project.suite("golden", project.numbered(CASES), GATES)
    traffic = [{"id": f"t{i}", "input": f"question {1000 + i}"} for i in range(N)]
    project.write("golden_sets/golden/traffic.jsonl", project.lines(traffic))
    project.write("production.yaml", project.live("answerer-1", version="1.0.0"))
    project.write("candidate.yaml", project.live("answerer-2", baseline="production.yaml"))
    return project


@pytest.mark.parametrize("mode", [(), ("-n", "2")])
def test_few_changed_outputs_let_an_open_gate_pass(sampled, provider, mode):
    provider.wrong["answerer-2"] = {"question 1003", "question 1100"}
    result = sampled.judge(mode)
    card = sampled.scorecard()
    assert result.ret == 0, sampled.text(result)
    [gate] = card["gates"]
    assert (gate["result"], gate["method"]) == ("pass", "unchanged outputs, Clopper-Pearson")
    assert gate["message"].startswith(
        "unchanged outputs: 2 of 130 sampled outputs changed: at most 4.8 % (95 % confidence), margin 5; "
        "by its own cases: "
    )
    assert card["unchanged"] == [
        {
            "suite": "golden",
            "n": N,
            "changed": 2,
            "unmeasured": 0,
            "upper": pytest.approx(0.0476, abs=5e-4),
            "changed_ids": ["t3", "t100"],
            "passed": [gate["id"]],
            "digest": card["unchanged"][0]["digest"],
        }
    ]
    assert card["unchanged"][0]["digest"].startswith("sha256:")
    assert provider.calls == 2 * (N + CASES) == card["calls"]["made"] == card["calls"]["planned"]
    assert "unchanged outputs: 2 of 130" in sampled.text(result)


def test_more_changes_leave_the_gate_open_and_say_so(sampled, provider):
    provider.wrong["answerer-2"] = {f"question {1000 + i}" for i in range(5)}
    result = sampled.run()
    assert result.ret == 10
    [gate] = sampled.scorecard()["gates"]
    assert gate["result"] == "hold"
    assert "5 of 130 sampled outputs changed: at most 7.9 % (95 % confidence), margin 5" in gate["message"]


def test_an_open_gate_is_told_the_lines_beside_the_cases_with_the_price_of_the_next_run(sampled, provider):
    few = [{"id": f"t{i}", "input": f"question {1000 + i}"} for i in range(40)]
    sampled.write("golden_sets/golden/traffic.jsonl", sampled.lines(few))
    result = sampled.run()
    card = sampled.scorecard()
    [gate] = card["gates"]
    shown = " ".join(sampled.text(result).split())
    assert (result.ret, shown.count(gate["message"])) == (10, 1), "the reason is said once"
    # more lines are a further attempt, as more cases are
    assert (
        "margin 5 (46 more lines, 86 in all, would prove it): 330 more cases (350 in all) would decide;"
        in gate["message"]
    )
    calls = 2 * (40 + CASES)
    assert card["verdict"]["next_step"] == (
        f"add 46 lines to the traffic sample of golden ({calls + 92} calls), or add 330 cases to golden "
        f"({calls + 660} calls), then run again"
    )


def test_no_text_of_the_sample_is_stored(sampled, provider):
    provider.wrong["answerer-2"] = {"question 1003"}
    sampled.run()
    assert b"question 1003" not in sampled.registry.read_bytes()
    for path in (sampled.path / "reports").rglob("scorecard.*"):
        assert "question 1003" not in path.read_text()


@pytest.mark.parametrize("flags", [("-k", "c1"), ("--screen",)])
def test_a_part_of_the_cases_and_a_screen_do_not_ask_it(sampled, provider, flags):
    sampled.run(*flags)
    assert not [
        text for _, text in provider.asked if text.split()[-1] >= "1000" and len(text.split()[-1]) == 4
    ]


def test_a_provider_that_is_away_is_never_taken_for_unchanged(sampled, provider):
    provider.status = 503
    sampled.write("prompt.md", "{{ question }}")
    sampled.write("production.yaml", sampled.live("answerer-1", kind="chat", version="1.0.0"))
    sampled.write("candidate.yaml", sampled.live("answerer-2", kind="chat", baseline="production.yaml"))
    assert sampled.run().ret == 10
    [found] = sampled.scorecard()["unchanged"]
    assert found["changed"] == found["unmeasured"] == N


def test_recordings_answer_what_they_hold(project):
    project.suite("golden", project.numbered(CASES), GATES)
    traffic = [{"id": f"t{i}", "input": f"question {1000 + i}"} for i in range(N)]
    project.write("golden_sets/golden/traffic.jsonl", project.lines(traffic))
    answers = [{"case_id": f"c{i}", "output": f"answer {i}"} for i in range(CASES)]
    sample = [{"case_id": f"t{i}", "output": "the same"} for i in range(N)]
    for name, version, baseline in (
        ("production", "1.0.0", "none"),
        ("candidate", "1.1.0", "production.yaml"),
    ):
        tail = [{"case_id": "t0", "trial": 1, "output": name}]
        project.write(f"{name}.jsonl", project.lines([*answers, *sample, *tail]))
        text = project.manifest(f"{{recording: {name}.jsonl}}", version=version, baseline=baseline)
        project.write(f"{name}.yaml", text)
    result = project.run()
    assert result.ret == 0, project.text(result)
    assert json.dumps(project.scorecard()["unchanged"]).startswith(
        '[{"suite": "golden", "n": 130, "changed": 0'
    )


def test_byte_equal_recordings_of_releases_that_differ_are_an_error(project):
    project.suite("golden", project.numbered(CASES))
    rows = project.lines([{"case_id": f"c{i}", "output": f"answer {i}"} for i in range(CASES)])
    prompt = "artifacts:\n  prompt: {p: {version: v%s, path: p%s.md, variables: []}}\n"
    for number, name, baseline in ((1, "production", "none"), (2, "candidate", "production.yaml")):
        project.write(f"p{number}.md", f"prompt {number}\n")
        project.write(f"{name}.jsonl", rows)
        more = prompt % (number, number)
        text = project.manifest(
            f"{{recording: {name}.jsonl}}", more, version=f"{number}.0.0", baseline=baseline
        )
        project.write(f"{name}.yaml", text)
    result = project.run()
    assert result.ret == 4
    assert (
        "candidate.yaml:6:26: the recording is byte for byte that of desk@1.0.0, but the releases differ, "
        "'candidate.jsonl', record the candidate's own answers; production.jsonl belongs to the baseline"
    ) in " ".join(project.text(result).split())
