"""README.md says nothing that does not work: its commands, its tour, its workflow."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import yaml

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks(shell):
    """(language, text) of every fenced block, in order."""
    return FENCE.findall((shell.root / "README.md").read_text(encoding="utf-8"))


@pytest.fixture
def tour(blocks, shell):
    """The blocks of the ten-minute tour by what they are."""
    text = (shell.root / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Ten minutes") : text.index("## For CI")]
    return FENCE.findall(section)


def _block(tour, language, start):
    return next(text for found, text in tour if found == language and text.startswith(start))


@pytest.mark.parametrize("name", ["# main job", "# tests"])
def test_a_newcomers_command_is_one_line(blocks, name):
    (text,) = [text for language, text in blocks if language == "sh" and text.splitlines()[0] == name]
    lines = text.strip().splitlines()[1:]
    assert len(lines) == 1
    assert shlex.split(lines[0])[0] == "pip"


def test_the_main_job_judges_the_demos_candidate(blocks):
    (text,) = [text for _, text in blocks if text.startswith("# main job")]
    assert text.strip().endswith("pytest --manifest candidate.yaml")


def test_the_smallest_project_of_the_tour_is_judged(tour, shell, tmp_path):
    case = json.loads(_block(tour, "json", "{"))
    suite = tmp_path / "golden_sets" / "mine"
    suite.mkdir(parents=True)
    (suite / "cases.jsonl").write_text(_block(tour, "json", "{"), encoding="utf-8")
    (suite / "suite.yaml").write_text(_block(tour, "yaml", "suite: mine"), encoding="utf-8")
    manifest = _block(tour, "yaml", "manifest: 1")
    (tmp_path / "candidate.yaml").write_text(manifest, encoding="utf-8")
    before = manifest.replace('"1.1.0"', '"1.0.0"').replace("outputs.jsonl", "before.jsonl")
    (tmp_path / "production.yaml").write_text(before)
    answer = {"case_id": case["id"], "output": f"It takes {case['expected']}."}
    (tmp_path / "outputs.jsonl").write_text(json.dumps(answer) + "\n", encoding="utf-8")
    (tmp_path / "before.jsonl").write_text(json.dumps(answer | {"output": "No idea."}) + "\n")

    first = shell.judge(tmp_path, "candidate.yaml")
    assert first.exit_code == 10, first.output
    assert first.card["baseline"] is None

    (tmp_path / "candidate.yaml").write_text(manifest + "baseline: production.yaml\n", encoding="utf-8")
    done = shell.judge(tmp_path, "candidate.yaml")
    assert done.exit_code == 10, done.output
    card = done.card
    assert (card["verdict"]["decision"], card["cases"]["fixed"]) == ("hold", 1)
    assert card["baseline"]["version"] == "1.0.0"


def test_scores_of_another_tool_are_gated_by_their_name(tour, shell, tmp_path):
    text = (shell.root / "README.md").read_text(encoding="utf-8")
    row = json.loads("{" + re.search(r'`("scores": \{.*?\})`', text).group(1) + "}")
    scorers = yaml.safe_load(re.search(r"`(scorers: \[\{recorded.*?\])`", text).group(1))
    suite = tmp_path / "golden_sets" / "mine"
    suite.mkdir(parents=True)
    (suite / "suite.yaml").write_text(yaml.safe_dump({"suite": "mine", "kind": "golden", **scorers}))
    (suite / "cases.jsonl").write_text('{"id": "a"}\n')
    (tmp_path / "outputs.jsonl").write_text(json.dumps({"case_id": "a", **row}) + "\n")
    manifest = _block(tour, "yaml", "manifest: 1")
    (tmp_path / "candidate.yaml").write_text(re.sub(r"(?m)^baseline:.*\n", "", manifest))

    done = shell.judge(tmp_path, "candidate.yaml")
    assert done.exit_code == 10, done.output
    metrics = {m["metric"]: m["candidate"] for m in done.card["suites"][0]["metrics"]}
    assert metrics["judge"] == pytest.approx(0.8)


def test_the_tours_application_scorer_and_gates_work_as_pasted(tour, shell, tmp_path):
    (tmp_path / "my_app.py").write_text(
        _block(tour, "python", "# my_app.py")
        + "\ndef my_system(prompt, question):\n    return f'five working days, please ({question})'\n"
    )
    (tmp_path / "conftest.py").write_text(_block(tour, "python", "def polite"))
    suite = tmp_path / "golden_sets" / "mine"
    suite.mkdir(parents=True)
    (suite / "cases.jsonl").write_text(_block(tour, "json", "{"))
    head = "\n".join(_block(tour, "yaml", "suite: mine").splitlines()[:2])
    (suite / "suite.yaml").write_text(head + "\n" + _block(tour, "yaml", "scorers: [contains, polite]"))
    (tmp_path / "answer.md").write_text("Be brief. {{ question }}\n")
    base = re.sub(r"(?m)^(baseline|application):.*\n", "", _block(tour, "yaml", "manifest: 1"))
    base += _block(tour, "yaml", 'application: {python: "my_app:build"}')
    base += 'artifacts: {prompt: {answer: {version: "v1", path: answer.md, variables: [question]}}}\n'
    (tmp_path / "production.yaml").write_text(base.replace("1.1.0", "1.0.0"))
    (tmp_path / "answer2.md").write_text("Be very brief. {{ question }}\n")
    new = base.replace("v1", "v2").replace("answer.md", "answer2.md") + "baseline: production.yaml\n"
    (tmp_path / "candidate.yaml").write_text(new)

    done = shell.judge(tmp_path, "candidate.yaml")
    assert done.exit_code == 10, done.output
    card = done.card
    assert card["cases"]["hit"] == 1
    assert {gate["metric"] for gate in card["gates"]} == {"contains", "polite"}
    assert card["calls"]["made"] == 6


def test_init_without_options_makes_a_project_that_runs(shell, tmp_path):
    made = shell.relgate(tmp_path, "init")
    assert made.exit_code == 0, made.output
    done = shell.judge(tmp_path, "candidate.yaml")
    assert done.exit_code == 0, done.output


def test_every_yaml_and_json_block_is_valid(blocks):
    for language, text in blocks:
        if language == "yaml":
            assert yaml.safe_load(text) is not None
        if language == "json":
            json.loads(text)
        if language == "python":
            compile(text, "README.md", "exec")


def test_the_workflow_of_the_readme_judges_and_keeps_the_registry(blocks):
    (text,) = [text for _, text in blocks if text.startswith("# .github/workflows/gate.yml")]
    job = yaml.safe_load(text)["jobs"]["gate"]
    steps = job["steps"]
    assert any("pytest --manifest candidate.yaml" in step.get("run", "") for step in steps)
    assert any(step.get("with", {}).get("path") == ".relgate" for step in steps)
    assert "fork" in text


def test_the_readmes_scorecard_has_the_shape_of_a_real_one(blocks, run_of):
    (text,) = [text for _, text in blocks if text.startswith("PROMOTE")]
    shown = [line.split("  ")[0] for line in text.splitlines() if line and line[0] != " "]
    output = run_of("candidate").output
    for line in shown:
        assert line.split(":")[0] in output
    for gate in re.findall(r"(?m)^  \w+ +require +(\S+) +(\S+)", text):
        assert re.search(rf"require +{re.escape(gate[0])} +{re.escape(gate[1])} ", output)
