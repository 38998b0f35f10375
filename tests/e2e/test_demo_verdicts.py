"""The demo's candidate is promoted; each of the four bad ones is rejected by the gate that should see it."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
import yaml

BAD = {
    "bad_prompt": ("citations", "non_inferior", "prompt/support_answer"),
    "bad_index": ("correct", "non_inferior", "retrieval_index/help_green"),
    "bad_policy": ("violation", "violations", "safety_policy/support"),
    "bad_fallback": ("correct", "at_least", "model/answerer_small"),
}
SUITE = {
    "bad_prompt": "support-golden",
    "bad_index": "support-golden",
    "bad_policy": "support-safety",
    "bad_fallback": "support-fallback",
}


def _failed(card):
    return [gate for gate in card["gates"] if gate["result"] == "fail" and gate["role"] != "report"]


def _stable(card):
    """A scorecard without what time decides: run id, times, durations and the methods' figures on them."""
    gates = [gate for gate in card["gates"] if gate["metric"] != "latency_ms"]
    suites = [
        suite | {"metrics": [m for m in suite["metrics"] if not m["metric"].startswith("latency_ms")]}
        for suite in card["suites"]
    ]
    run = {key: value for key, value in card["run"].items() if key not in ("id", "started", "finished")}
    return card | {"gates": gates, "suites": suites, "run": run}


def test_the_candidate_is_promoted_with_exit_status_zero(run_of):
    done = run_of("candidate")
    assert done.exit_code == 0, done.output
    assert done.card["verdict"]["decision"] == "promote"
    assert done.card["verdict"]["next_step"] == "relgate promote support-desk@1.3.0"
    assert "PROMOTE  support-desk@1.3.0  against support-desk@1.2.4" in done.output


def test_the_scorecard_is_valid_against_the_published_schema(run_of, shell):
    schema = json.loads((shell.root / "docs/schemas/scorecard.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    for name in ("candidate", "bad_policy"):
        validator.validate(run_of(name).card)


def test_every_planned_call_of_the_demo_is_made_or_saved(run_of):
    calls = run_of("candidate").card["calls"]
    assert calls["made"] + calls["saved"] == calls["planned"] > 0
    assert run_of("full").card["calls"]["made"] == calls["planned"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_release_is_rejected_with_a_part_of_the_calls(run_of, name):
    calls = run_of(name).card["calls"]
    assert 0 < calls["made"] < calls["planned"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_release_is_rejected_by_the_gate_that_should_see_it(run_of, name):
    done = run_of(name)
    metric, form, _ = BAD[name]
    assert done.exit_code == 1, done.output
    assert done.card["verdict"]["decision"] == "reject"
    seen = {(gate["suite"], gate["metric"], gate["form"]) for gate in _failed(done.card)}
    assert (SUITE[name], metric, form) in seen


@pytest.mark.parametrize("name", BAD)
def test_the_suspects_of_a_bad_release_hold_the_faulty_artifact(run_of, name):
    assert BAD[name][2] in run_of(name).card["suspects"]


def test_a_lost_fallback_fails_the_floor_of_its_own_hop(run_of):
    gates = [gate for gate in _failed(run_of("bad_fallback").card) if "hop=" in gate["id"] + gate["slice"]]
    assert any("self_hosted/answerer_small" in gate["id"] for gate in gates)


@pytest.mark.parametrize("name", ["policy", "fallback"])
def test_a_bad_manifest_under_another_name_and_version_gets_the_same_verdict(run_of, name):
    first, renamed = run_of(f"bad_{name}").card, run_of(f"spring_{name}").card
    assert renamed["release"]["version"] == "9.9.9"
    assert renamed["release"]["digest"] == first["release"]["digest"]
    assert renamed["verdict"]["decision"] == first["verdict"]["decision"] == "reject"
    metric, form, artifact = BAD[f"bad_{name}"]
    assert artifact in renamed["suspects"]
    assert set(renamed["suspects"]) == set(first["suspects"])
    assert (metric, form) in {(g["metric"], g["form"]) for g in _failed(renamed)}


def test_two_runs_of_the_same_release_give_the_same_scorecard_but_for_times(run_of):
    first, second = run_of("full").card, run_of("again").card
    assert first["run"]["id"] != second["run"]["id"]
    assert _stable(first) == _stable(second)


def test_the_demos_code_names_no_manifest_and_no_version_of_one(shell):
    manifests = [shell.root / "candidate.yaml", *(shell.root / shell.manifests).glob("*.yaml")]
    names = {path.stem for path in manifests}
    versions = {yaml.safe_load(path.read_text(encoding="utf-8"))["version"] for path in manifests}
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (shell.root / "src/relgate/demo").rglob("*.py")
    )
    assert [word for word in sorted(names | versions) if word in code] == []


@pytest.mark.parametrize("name", BAD)
def test_a_bad_manifest_differs_from_the_candidate_in_one_artifact_file(shell, name):
    def paths(manifest):
        folder = manifest.parent
        return {
            (folder / entry["path"]).resolve()
            for entries in yaml.safe_load(manifest.read_text(encoding="utf-8"))["artifacts"].values()
            for entry in entries.values()
        }

    candidate = paths(shell.root / "candidate.yaml")
    assert len(paths(shell.root / shell.manifests / f"{name}.yaml") - candidate) == 1
