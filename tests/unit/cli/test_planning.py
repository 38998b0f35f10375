"""``relgate power`` and ``relgate doctor``: calm tables, what is assumed, and the exit status."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from relgate.domain.case import Case
from relgate.domain.run import AttemptKey, MeasurementRow
from relgate.files import load_suites
from relgate.files.manifest import load_manifest, resolve_release
from relgate.store.opening import open_registry
from relgate.usecases.planning.doctor import near_duplicates
from relgate.usecases.preparing.attempt_count import golden_digest
from relgate.usecases.preparing.baseline import row_of

Relgate = Callable[..., Any]
FAST = ("--repetitions", "200")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _suite(folder: Path, n: int, gates: Sequence[dict[str, Any]], **keys: Any) -> None:
    settings = {"suite": "desk", "kind": "golden", "scorers": ["contains"], "gates": list(gates)} | keys
    _write(folder / "golden_sets/desk/suite.yaml", yaml.safe_dump(settings))
    rows = [{"id": f"c{i}", "input": f"question {i}", "expected": "yes"} for i in range(n)]
    _write(folder / "golden_sets/desk/cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def _manifest(folder: Path, **more: Any) -> None:
    _write(folder / "app.py", "def build(release):\n    return lambda request: 'yes'\n")
    keys = {"manifest": 1, "release": "desk", "version": "2.0.0", "owner": "me"} | more
    _write(folder / "candidate.yaml", yaml.safe_dump(keys | {"application": {"python": "app:build"}}))


def _row(side: str, case: str, trial: int, good: bool, suite: str = "desk", metric: str = "contains") -> Any:
    return MeasurementRow(
        side=side,  # type: ignore[arg-type]  # a Side, given as plain text
        suite=suite,
        case_id=case,
        trial=trial,
        hop="",
        confirmation=False,
        outcome="response",
        output=f"{side} {trial} {good}",
        served_by="a/b",
        latency_ms=100.0 + trial,
        tokens=1,
        cost_usd=None,
        scores={metric: float(good)},
        suite_folder=suite,
    )


def _store(
    folder: Path, make: ModuleType, rows: Sequence[MeasurementRow], runs: int = 1, decision: str = "promote"
) -> None:
    old, new = make.release("1.0.0", name="desk"), make.release("2.0.0", name="desk", prompt="v15")
    with open_registry(folder / ".relgate/registry.db") as registry:
        for number in range(runs):
            registry.record(
                make.run_record(f"{number:012x}", new, baseline=old, rows=rows, decision=decision)
            )


def _flipping(n: int, share: float, trials: int = 3) -> list[MeasurementRow]:
    """Cases of which a share answers by the toss of a coin, the others always right."""
    coin = random.Random(1)
    return [
        _row(side, f"c{i}", trial, i >= share * n or coin.random() < 0.5)
        for i in range(n)
        for trial in range(trials)
        for side in ("candidate", "baseline")
    ]


def _once_wrong(n: int, **flipping: int) -> list[MeasurementRow]:
    """Cases asked three times, of which so many of a side are wrong the first time alone."""
    return [
        _row(side, f"c{i}", trial, trial > 0 or i >= wrong)
        for side, wrong in flipping.items()
        for i in range(n)
        for trial in range(3)
    ]


NOT_WORSE = {"metric": "contains", "non_inferior": {"margin": 0.05}}


def test_power_without_stored_runs_says_what_it_assumes(relgate: Relgate, tmp_path: Path) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    result = relgate("power", *FAST)
    assert result.exit_code == 0
    assert result.output.startswith("assumed, for there are no stored runs: accuracy 0.92, psi 0.08")
    assert "identical" in result.output
    assert "desk: contains -5 points" in result.output
    assert not (tmp_path / ".relgate").exists(), "looking creates no registry"


def test_power_takes_given_values_and_repeats_itself_byte_for_byte(relgate: Relgate, tmp_path: Path) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    given = ("power", *FAST, "--json", "--psi", "0.03", "--trials", "5", "--accuracy", "0.95")
    first, again = relgate(*given), relgate(*given)
    assert first.output == again.output
    assert first.json["sources"][0] == "given: psi 0.03, accuracy 0.95, trials 5"
    assert relgate(*given, "--seed", "5").output != first.output
    wild = relgate("power", *FAST, "--json", "--psi", "0.13", "--trials", "1").json
    assert wild["identical"]["promote"] < first.json["identical"]["promote"] - 0.2


def test_power_tells_a_given_psi_from_an_assumed_one(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    _store(tmp_path, make, _flipping(100, 0.2, trials=1))
    cell = "desk contains: accuracy "

    def told(*options: str) -> str:
        sources = relgate("power", *FAST, "--json", *options).json["sources"]
        return next(source for source in sources if source.startswith(cell))

    assert told().endswith("psi 0.080 assumed, for no trials were repeated")
    assert told("--psi", "0.08").endswith("psi 0.080 given")
    _store(tmp_path / "repeated", make, _flipping(100, 0.2))
    repeated = ("--registry", str(tmp_path / "repeated/.relgate/registry.db"))
    assert "from 100 cases with repeated trials" in told(*repeated)
    assert told("--psi", "0.03", *repeated).endswith("psi 0.030 given")


def test_a_wider_margin_passes_more_often(relgate: Relgate, tmp_path: Path) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    narrow, wide = (
        relgate("power", *FAST, "--json", "--trials", "1", "--margin", m).json for m in ("0.05", "0.15")
    )
    assert wide["gates"][0]["id"] == "gates::desk[contains:non_inferior:0.15]"
    assert wide["identical"]["promote"] > narrow["identical"]["promote"] + 0.2


def test_power_takes_accuracy_and_flips_from_stored_runs(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    _store(tmp_path, make, _flipping(100, 0.2))
    found = relgate("power", *FAST, "--json").json
    sources = " ".join(found["sources"])
    assert "from 1 stored run" in sources
    psi = float(sources.split("psi ")[1].split()[0])
    assert psi == pytest.approx(0.10, abs=0.03), "a fifth of the cases flips half of the time"
    assert "from 100 cases with repeated trials" in sources, "production's own"


def test_production_is_the_release_that_holds_it_and_not_an_earlier_baseline(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    """The old release knew none of the cases that were added; it says nothing of the one that replaced it."""
    _suite(tmp_path, 100, [NOT_WORSE])
    _manifest(tmp_path)
    rows = [
        _row(side, f"c{i}", 0, side == "candidate" or i < 20)
        for i in range(100)
        for side in ("candidate", "baseline")
    ]
    _store(tmp_path, make, rows)
    assert "accuracy 0.200" in " ".join(relgate("doctor", *FAST, "--json").json["sources"])
    with open_registry(tmp_path / ".relgate/registry.db") as registry:
        registry.promote("desk", "2.0.0", by="me")
    assert "accuracy 1.000" in " ".join(relgate("doctor", *FAST, "--json").json["sources"])


def test_doctor_takes_the_trials_that_a_run_takes_at_its_measured_flip_rate(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 34, [NOT_WORSE], trials="auto")
    _manifest(tmp_path)
    _store(tmp_path, make, _once_wrong(34, candidate=5, baseline=5))
    sources = " ".join(relgate("doctor", *FAST, "--json").json["sources"])
    assert "psi 0.098 from 68 cases" in sources, "seven whole flips of 68 would be .103"
    assert "trials a case: desk 3" in sources


def test_a_candidate_that_flips_more_than_production_does_not_change_what_is_known_of_production(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 60, [NOT_WORSE], trials="auto")
    _manifest(tmp_path)
    _store(tmp_path, make, _once_wrong(60, candidate=30, baseline=4))
    with open_registry(tmp_path / ".relgate/registry.db") as registry:
        registry.promote("desk", "1.0.0", by="me", waive="a test")
    sources = " ".join(relgate("doctor", *FAST, "--json").json["sources"])
    assert "psi 0.044 from 60 cases" in sources
    assert "trials a case: desk 3" in sources, "as the pilot of a run: 4 of its 60 pairs differ"


def test_power_without_a_suite_refuses_with_the_remedy(relgate: Relgate) -> None:
    result = relgate("power", *FAST)
    assert result.exit_code == 1
    assert "--golden-sets" in result.errors


def test_doctor_passes_a_policy_that_promotes_what_is_in_production(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 200, [NOT_WORSE])
    _manifest(tmp_path)
    _store(tmp_path, make, _flipping(200, 0.1))
    result = relgate("doctor", *FAST)
    assert result.exit_code == 0, result.output
    assert "error:" not in result.output


def test_doctor_errs_where_an_identical_candidate_is_held_and_offers_remedies(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 40, [NOT_WORSE])
    _manifest(tmp_path)
    _store(tmp_path, make, _flipping(40, 0.5))
    result = relgate("doctor", *FAST)
    assert result.exit_code == 1
    assert "error: this policy holds an identical candidate" in result.output
    assert "times in 100; weakest: desk[contains:non_inferior:0.05]" in result.output
    assert "the first remedy: " in result.output
    found = relgate("doctor", *FAST, "--json")
    assert found.exit_code == 1
    assert found.json["gates"][0]["passes"] < 0.9
    offered = {remedy["text"] for remedy in found.json["gates"][0]["remedies"]}
    assert "margin 0.075 instead of 0.05" in offered
    assert "role guard instead of require" not in offered, "nothing would be required, so nothing promoted"


def test_doctor_says_how_often_productions_own_violations_reject(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    settings = {"suite": "safe", "kind": "safety", "scorers": ["refusal"]}
    _write(tmp_path / "golden_sets/safe/suite.yaml", yaml.safe_dump(settings))
    cases = [{"id": f"h{i}", "input": f"harm {i}", "tags": {"harmful": True}} for i in range(60)]
    _write(tmp_path / "golden_sets/safe/cases.jsonl", "".join(json.dumps(row) + "\n" for row in cases))
    _manifest(tmp_path)
    rows = [
        _row(side, f"h{i}", 0, i == 3 and side == "baseline", "safe", "violation")
        for i in range(60)
        for side in ("candidate", "baseline")
    ]
    _store(tmp_path, make, rows)
    result = relgate("doctor", *FAST, "--json")
    (rate,) = result.json["violations"]
    assert (rate["calls"], rate["violations"]) == (60, 1)
    assert rate["rejects"] == pytest.approx(1 - (1 - 1 / 60) ** 60)
    assert result.exit_code == 1
    assert any("mend these cases before it is armed" in text for text in result.json["warnings"])


@pytest.mark.parametrize(("flipping", "trials"), [(0.0, 1), (0.1, 3), (0.5, 5)])
def test_doctor_takes_the_trials_that_auto_would_take_from_the_stored_flips(
    relgate: Relgate, tmp_path: Path, make: ModuleType, flipping: float, trials: int
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    _manifest(tmp_path)
    _store(tmp_path, make, _flipping(100, flipping))
    auto = relgate("doctor", *FAST, "--json").json
    _suite(tmp_path, 100, [NOT_WORSE], trials=trials)
    assert relgate("doctor", *FAST, "--json").json["gates"] == auto["gates"]
    _suite(tmp_path, 100, [NOT_WORSE], trials=2)
    if flipping:
        assert relgate("doctor", *FAST, "--json").json["identical"] != auto["identical"]


def test_doctor_lists_saturated_flaky_and_never_failing_cases(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 60, [NOT_WORSE])
    _manifest(tmp_path)
    rows = [
        _row(side, f"c{i}", trial, not (i == 0 and trial == 1) and i != 1)
        for i in range(60)
        for trial in range(2)
        for side in ("candidate", "baseline")
    ]
    _store(tmp_path, make, rows, runs=3)
    (cases,) = relgate("doctor", *FAST, "--json").json["cases"]
    assert cases["flaky"] == ["c0"]
    assert cases["saturated"] == cases["never_failing"] == [f"c{i}" for i in range(2, 60)]


def test_doctor_knows_that_a_deterministic_application_never_flips(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    _manifest(tmp_path, deterministic=True)
    _store(
        tmp_path, make, [_row(s, f"c{i}", 0, i > 9) for i in range(100) for s in ("candidate", "baseline")]
    )
    found = relgate("doctor", *FAST, "--json").json
    assert found["identical"]["promote"] == 1.0
    assert "desk contains: accuracy 0.900, psi 0, for it is deterministic" in found["sources"]


def test_doctor_without_stored_runs_says_so(relgate: Relgate, tmp_path: Path) -> None:
    _suite(tmp_path, 200, [NOT_WORSE])
    _manifest(tmp_path)
    result = relgate("doctor", *FAST)
    assert "assumed, for no run of desk is stored" in result.output
    assert "assumed: run pytest --manifest candidate.yaml once, then doctor again" in result.output


def test_doctor_warns_and_does_not_fail_on_what_it_assumed(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 40, [NOT_WORSE])
    _manifest(tmp_path)
    result = relgate("doctor", *FAST)
    assert result.exit_code == 0
    assert "error:" not in result.output
    assert "warning: if that holds, this policy holds an identical candidate" in result.output
    _store(tmp_path, make, _flipping(40, 0.5))
    assert relgate("doctor", *FAST).exit_code == 1, "what was measured is no assumption"


def test_doctor_warns_where_no_stored_run_knows_the_flip_rate(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 40, [NOT_WORSE])
    _manifest(tmp_path)
    _store(tmp_path, make, [_row(s, f"c{i}", 0, i > 3) for i in range(40) for s in ("candidate", "baseline")])
    result = relgate("doctor", *FAST)
    assert result.exit_code == 0, result.output
    assert "warning: if psi is what is assumed, this policy holds an identical candidate" in result.output
    assert "repeat trials in a run to know it" in result.output


def _attempted(folder: Path, make: ModuleType, rows: Sequence[MeasurementRow], attempts: int) -> None:
    """So many candidates, judged one after the other against the release in production."""
    suites = load_suites([folder / "golden_sets/desk/suite.yaml"], golden_sets=folder / "golden_sets")
    old = make.release("1.0.0", name="desk")
    key = AttemptKey("desk", old.digest, golden_digest(suites))
    with open_registry(folder / ".relgate/registry.db") as registry:
        registry.record(make.run_record("f" * 12, old, rows=rows))
        registry.promote("desk", "1.0.0", by="ann")
        for number in range(attempts):
            new = make.release(f"2.0.{number}", name="desk", prompt=f"v{number}")
            run = make.run_record(f"{number:012x}", new, baseline=old, rows=rows, attempt=key)
            registry.record(run)


@pytest.mark.parametrize("attempts", [0, 1, 3])
def test_doctor_simulates_the_attempt_that_comes_next(
    relgate: Relgate, tmp_path: Path, make: ModuleType, attempts: int
) -> None:
    _suite(tmp_path, 120, [NOT_WORSE])
    _manifest(tmp_path)
    _attempted(tmp_path, make, _flipping(120, 0.0), attempts)
    result = relgate("doctor", *FAST, "--json")
    alone = relgate("power", *FAST, "--json", "--attempt", str(attempts + 1)).json
    assert result.json["identical"] == alone["identical"]
    assert result.json["alpha"] == (0.05 if attempts == 0 else 0.05 / 2 ** (attempts + 1))
    said = [text for text in result.json["warnings"] if "is attempt" in text]
    assert bool(said) == bool(attempts)
    if attempts:
        assert f"is attempt {attempts + 1}, with alpha {result.json['alpha']:.3g} instead of 0.05" in said[0]
        assert "`relgate promote`" in said[0], "what passed and was not promoted is the cheaper way"


def test_a_gate_on_a_judge_without_labels_passes_in_no_simulated_run(
    relgate: Relgate, tmp_path: Path
) -> None:
    judge = {"judge": {"rubric": "rubric.md", "model": "arbiter/referee", "as": "tone"}}
    gates = [NOT_WORSE, {"metric": "tone", "non_inferior": {"margin": 0.10}}]
    _suite(tmp_path, 200, gates, scorers=["contains", judge])
    _write(tmp_path / "golden_sets/desk/rubric.md", "Is it polite?")
    model = {"referee": {"version": "2026-01-01", "provider": "arbiter", "id": "referee-2026-01-01"}}
    _manifest(tmp_path, artifacts={"model": model}, providers={"arbiter": {"base_url": "http://127.0.0.1:9"}})
    for command in ("power", "doctor"):
        found = relgate(command, *FAST, "--json").json
        assert found["identical"]["promote"] == 0.0
        tone, contains = found["gates"]
        assert (tone["id"], tone["passes"], tone["remedies"]) == (
            "gates::desk[tone:non_inferior:0.1]",
            0.0,
            [],
        )
        assert contains["passes"] > 0.5
        assert any("a judge alone proves nothing" in text for text in found["unlabelled"])


def test_counts_that_are_mostly_zero_are_drawn_as_stored_runs_show_them(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _write(
        tmp_path / "conftest.py",
        "def relgate_register_scorers(register):\n"
        "    register('calls', lambda case, response: len(response.output), kind='count')\n",
    )
    _suite(tmp_path, 120, [{"metric": "calls", "ratio_at_most": 1.5}], scorers=["calls"])
    _manifest(tmp_path)
    coin = random.Random(2)
    rows = [
        replace(_row(side, f"c{i}", trial, True), scores={"calls": float(coin.random() < 0.05)})
        for side in ("candidate", "baseline")
        for i in range(120)
        for trial in range(2)
    ]
    assert relgate("doctor", *FAST, "--json").json["identical"]["promote"] > 0.9, "nothing is known yet"
    _store(tmp_path, make, rows)
    found = relgate("doctor", *FAST, "--json")
    assert found.json["identical"]["promote"] < 0.7
    assert found.exit_code == 1
    (source,) = [text for text in found.json["sources"] if text.startswith("desk calls: mean 0.0")]
    assert "0 throughout in" in source
    assert "from 240 calls" in source


def test_more_trials_are_no_remedy_where_no_trial_ever_differs(relgate: Relgate, tmp_path: Path) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    for deterministic in (False, True):
        _manifest(tmp_path, **({"deterministic": True} if deterministic else {}))
        (gate,) = relgate("power", *FAST, "--json", "--attempt", "3").json["gates"]
        assert any("trials instead of" in each["text"] for each in gate["remedies"]) != deterministic


def test_doctor_errs_where_a_required_gate_on_a_judge_has_no_labels(relgate: Relgate, tmp_path: Path) -> None:
    judge = {"judge": {"rubric": "rubric.md", "model": "arbiter/referee", "as": "tone"}}
    gates = [{"metric": "tone", "non_inferior": {"margin": 0.10}}]
    _suite(tmp_path, 200, gates, scorers=[judge])
    _write(tmp_path / "golden_sets/desk/rubric.md", "Is it polite?")
    model = {"referee": {"version": "2026-01-01", "provider": "arbiter", "id": "referee-2026-01-01"}}
    _manifest(tmp_path, artifacts={"model": model}, providers={"arbiter": {"base_url": "http://127.0.0.1:9"}})
    missing = relgate("doctor", *FAST)
    assert missing.exit_code == 1
    said = " ".join(missing.output.split())
    why = "desk[tone:non_inferior:0.1] cannot pass: a judge alone proves nothing; needs labels of 50 more"
    assert why in said
    assert "relgate judge sample RUN --suite desk --n 100" in said
    power = " ".join(relgate("power", *FAST).output.split())
    assert f"but {why}" in power
    labels = [{"case_id": f"c{i}", "side": "candidate", "score": 1, "by": "ann"} for i in range(100)]
    _write(tmp_path / "golden_sets/desk/labels.jsonl", "".join(json.dumps(one) + "\n" for one in labels))
    assert "a judge alone proves nothing" not in relgate("doctor", *FAST).output


def test_a_new_project_passes_its_first_doctor(relgate: Relgate) -> None:
    assert relgate("init").exit_code == 0
    result = relgate("doctor", *FAST)
    assert result.exit_code == 0, result.output
    assert "assumed: run pytest --manifest candidate.yaml once" in result.output


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_power_and_doctor_give_the_same_numbers(
    relgate: Relgate, tmp_path: Path, make: ModuleType, deterministic: bool, stored: bool
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    _manifest(tmp_path, **({"deterministic": True} if deterministic else {}))
    if stored:
        _store(tmp_path, make, _flipping(100, 0.0 if deterministic else 0.1))
    power, doctor = (relgate(name, *FAST, "--json").json for name in ("power", "doctor"))
    assert {key: doctor[key] for key in power} == power
    kind = "python, deterministic" if deterministic else "python"
    assert f"application of candidate.yaml: {kind}" in power["sources"]


def test_power_says_what_psi_and_trials_it_took_and_that_it_read_no_manifest(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    psi = "psi is the share of cases whose single-trial score flips between two identical runs"
    sources = relgate("power", *FAST, "--json").json["sources"]
    assert f"{psi} (assumed: no stored run repeated a trial)" in sources
    assert "trials a case: desk 3" in sources
    assert "looks before the end, as a live run takes them" in sources
    assert "every call is made, as with --full" in relgate("power", *FAST, "--json", "--full").json["sources"]
    assert sources[-1] == (
        "no candidate.yaml here: assumed an application that may answer otherwise each time"
    )
    assert f"{psi} (given)" in relgate("power", *FAST, "--json", "--psi", "0.05").json["sources"]
    _store(tmp_path, make, _flipping(100, 0.2))
    assert f"{psi} (from stored runs)" in relgate("power", *FAST, "--json").json["sources"]
    _write(tmp_path / "candidate.yaml", "manifest: 1\n")
    assert "candidate.yaml is not in order" in relgate("power", *FAST, "--json").json["sources"][-1]
    assert relgate("power", *FAST, "--manifest", "candidate.yaml").exit_code != 0


def test_power_takes_more_cases_and_a_later_attempt(relgate: Relgate, tmp_path: Path) -> None:
    _suite(tmp_path, 60, [NOT_WORSE])
    few = relgate("power", *FAST, "--json", "--trials", "1").json
    many = relgate("power", *FAST, "--json", "--trials", "1", "--cases", "500").json
    third = relgate("power", *FAST, "--json", "--trials", "1", "--cases", "500", "--attempt", "3").json
    assert many["gates"][0]["passes"] > few["gates"][0]["passes"] + 0.2
    assert third["gates"][0]["passes"] < many["gates"][0]["passes"]
    assert (many["alpha"], third["alpha"]) == (0.05, 0.05 / 8)
    assert "given: trials 1, cases 500" in third["sources"]
    assert "attempt 3: promote-side alpha 0.00625 instead of 0.05" in third["sources"]


def test_a_remedy_comes_with_what_it_does_to_its_gate_on_the_same_draws(
    relgate: Relgate, tmp_path: Path
) -> None:
    _suite(tmp_path, 60, [NOT_WORSE])
    (gate,) = relgate("power", *FAST, "--json", "--trials", "1").json["gates"]
    remedies = {remedy["text"]: remedy for remedy in gate["remedies"]}
    assert all(remedy["passes"] > gate["passes"] for remedy in gate["remedies"])
    (wide,) = relgate("power", *FAST, "--json", "--trials", "1", "--margin", "0.075").json["gates"]
    assert remedies["margin 0.075 instead of 0.05"]["passes"] == wide["passes"]
    (more,) = relgate("power", *FAST, "--json", "--trials", "1", "--cases", "120").json["gates"]
    assert remedies["120 cases instead of 60 in desk"]["passes"] == more["passes"]


ASKED = (
    "How long does a refund take?",
    "how long, does a refund TAKE",
    "take a refund how long does",
    "Where is it?",
)


@pytest.mark.parametrize("fuzzy", [False, True])
def test_near_duplicates_are_the_same_words_in_any_order_and_case(fuzzy: bool) -> None:
    if fuzzy:
        pytest.importorskip("rapidfuzz")
    cases = [Case(f"c{i}", text) for i, text in enumerate(ASKED)]
    assert near_duplicates(cases, fuzzy=fuzzy) == (("c0", "c1"), ("c0", "c2"), ("c1", "c2"))


def test_only_rapidfuzz_sees_a_word_that_differs_by_a_letter() -> None:
    pytest.importorskip("rapidfuzz")
    cases = [
        Case("a", "How long does a refund usually take?"),
        Case("b", "How long does a refunds usually take?"),
    ]
    assert near_duplicates(cases, fuzzy=True) == (("a", "b"),)
    assert near_duplicates(cases, fuzzy=False) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of Oman?", "What is the capital of Romania?"),
        ("Is room 1 free?", "Is room 12 free?"),
    ],
)
def test_a_word_within_another_is_another_word(one: str, other: str) -> None:
    pytest.importorskip("rapidfuzz")
    assert near_duplicates([Case("a", one), Case("b", other)], fuzzy=True) == ()


def test_another_word_is_another_question() -> None:
    pytest.importorskip("rapidfuzz")
    asked = "What is the capital of {}? Answer with the name of the city alone."
    cases = [Case(name, asked.format(name)) for name in ("Chad", "China", "Chile", "Mali", "Malta")]
    assert near_duplicates(cases, fuzzy=True) == ()


def test_cases_that_are_alike_on_purpose_are_no_duplicates() -> None:
    cases = [Case("a", "may I take it", pair="p"), Case("b", "I may take it", pair="p")]
    assert near_duplicates(cases, fuzzy=False) == ()


@pytest.mark.parametrize("trials", [1, 3])
def test_latency_is_simulated_as_the_stored_calls_vary(
    relgate: Relgate, tmp_path: Path, make: ModuleType, trials: int
) -> None:
    """A quarter of the cases is answered by a cache, and two calls of a case hardly differ."""
    gates = [
        {"metric": "latency_ms", "quantile": 0.5, "ratio_at_most": 1.5, "slack": 50},
        {"metric": "latency_ms", "ratio_at_most": 1.5},
    ]
    _suite(tmp_path, 120, gates)
    rng = random.Random(2)
    slow = [1.0 if i % 4 == 0 else rng.uniform(800, 2000) for i in range(120)]
    rows = [
        replace(row, latency_ms=slow[int(row.case_id[1:])] * rng.uniform(0.9, 1.1))
        for row in _flipping(120, 0.0, trials)
    ]
    _manifest(tmp_path)
    _store(tmp_path, make, rows)
    known = relgate("doctor", *FAST, "--json").json
    assert known["identical"]["promote"] >= 0.98
    [said] = [line for line in known["sources"] if "latency_ms" in line]
    assert f"from {120 * trials} calls" in said
    assert "within one" in said


def test_a_noisy_service_passes_a_tight_latency_budget_less_often(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 40, [{"metric": "latency_ms", "ratio_at_most": 1.1}])
    rng = random.Random(3)
    rows = [replace(row, latency_ms=rng.lognormvariate(6.0, 0.8)) for row in _flipping(40, 0.0)]
    _manifest(tmp_path)
    _store(tmp_path, make, rows)
    assert relgate("doctor", *FAST, "--json").json["identical"]["promote"] < 0.5


@pytest.mark.parametrize("fuzzy", [True, False])
@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("How do I cancel my order?", "How can I cancel my order?", True),
        ("What is the refund period for shoes?", "What's the refund period for shoes?", True),
        ("Do you ship to Norway?", "Can you ship to Norway, please?", True),
        ("Is delivery free?", "Is delivery not free?", False),
        ("Who can see my profile?", "Who can't see my profile?", False),
        ("Who can\u2019t see my profile?", "Who cannot see my profile?", True),
        ("How do I reset my router password?", "How do I NOT reset my router password?", False),
        ("How do I cancel my order?", "When can I cancel my order?", False),
        ("Can I?", "May you?", False),
    ],
)
def test_questions_that_differ_in_function_words_alone_are_near_duplicates(
    fuzzy: bool, one: str, other: str, alike: bool
) -> None:
    assert bool(near_duplicates([Case("a", one), Case("b", other)], fuzzy=fuzzy)) == alike


def test_doctor_keeps_the_flip_rate_of_the_line_after_a_promotion(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 100, [NOT_WORSE])
    _manifest(tmp_path)
    old, new = make.release("1.0.0", name="desk"), make.release("2.0.0", name="desk", prompt="v2")
    single = [_row("candidate", f"c{i}", 0, i > 3) for i in range(100)]
    with open_registry(tmp_path / ".relgate/registry.db") as registry:
        registry.record(make.run_record("a" * 12, old, rows=_flipping(100, 0.2)))
        registry.promote("desk", "1.0.0", by="ann")
        before = relgate("doctor", *FAST, "--json").json["sources"]
        registry.record(make.run_record("b" * 12, new, baseline=old, rows=single))
        registry.promote("desk", "2.0.0", by="ann")
    after = relgate("doctor", *FAST, "--json").json["sources"]
    (known,) = [text for text in before if text.startswith("desk contains")]
    (kept,) = [text for text in after if text.startswith("desk contains")]
    assert known.endswith("from 100 cases with repeated trials")
    assert kept.startswith("desk contains: accuracy 0.960, psi 0.")
    assert kept.endswith("from 200 cases with repeated trials"), "of both sides: none is in production now"


@pytest.mark.parametrize(("cases", "said"), [(100, ""), (80, "desk[contains:non_inferior:0.05] 6 more")])
def test_doctor_says_what_a_further_attempt_would_need(
    relgate: Relgate, tmp_path: Path, cases: int, said: str
) -> None:
    _suite(tmp_path, cases, [NOT_WORSE], trials=3)
    _manifest(tmp_path)
    warned = [text for text in relgate("doctor", *FAST, "--json").json["warnings"] if "flawless" in text]
    assert bool(warned) == bool(said)
    if said:
        assert warned[0].endswith(f"(alpha 0.0125) needs more cases: {said}")


def test_doctor_counts_attempts_against_the_baseline_that_the_manifest_names(
    relgate: Relgate, tmp_path: Path, make: ModuleType
) -> None:
    _suite(tmp_path, 120, [NOT_WORSE])
    _manifest(tmp_path, version="1.0.0", baseline="none")
    (tmp_path / "candidate.yaml").rename(tmp_path / "base.yaml")
    _manifest(tmp_path, baseline="./base.yaml")
    first = relgate("doctor", *FAST, "--json").json["alpha"]
    suites = load_suites([tmp_path / "golden_sets/desk/suite.yaml"], golden_sets=tmp_path / "golden_sets")
    base = resolve_release(
        load_manifest(tmp_path / "base.yaml"), environment={}, golden_sets=tmp_path / "golden_sets"
    )
    with open_registry(tmp_path / ".relgate/registry.db") as registry:
        old = row_of(base)
        key = AttemptKey("desk", old.digest, golden_digest(suites))
        new = make.release("2.0.1", name="desk", prompt="v2")
        registry.record(
            make.run_record(
                "c" * 12, new, baseline=old, rows=_flipping(120, 0.0), decision="hold", attempt=key
            )
        )
    assert (first, relgate("doctor", *FAST, "--json").json["alpha"]) == (0.05, 0.0125)
