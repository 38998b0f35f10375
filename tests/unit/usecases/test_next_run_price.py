"""The price of a hold's next step: the whole next run, at the alpha that it would have."""

from __future__ import annotations

import re

import pytest

from relgate.decision.planning.next_step import Calls
from relgate.decision.policy import attempt_alpha
from relgate.stats import discordance_upper, nam_n
from relgate.usecases.judging.case_prices import _Priced

N, TRIALS, USD = 40, 1, 0.001
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.05}}]
APPLICATION = """
from relgate import Response

def build(release):
    return lambda request: Response("yes", cost_usd={usd!r})
"""


@pytest.fixture
def priced(project, request):
    """Forty cases asked once in one suite and twenty asked three times in another; no answer differs."""
    name = "".join(char if char.isalnum() else "_" for char in request.node.name)
    named = project.module(f"priced_{name}", APPLICATION.format(usd=USD))
    cases = [{"id": f"c{n}", "input": f"question {n}", "expected": "yes"} for n in range(N)]
    project.suite(cases, gates=GATES, trials=TRIALS)
    other = [{"id": f"d{n}", "input": f"other {n}", "expected": "yes"} for n in range(20)]
    floor = [{"metric": "contains", "at_least": 0.5}]
    project.suite(other, folder="other", gates=floor, trials=3)
    more = {"artifacts": {"limits": {"tokens": {"version": "2"}}}}
    project.manifest("old.yaml", "1.0.0", application=named, baseline="none")
    project.manifest(application=named, baseline="./old.yaml", **more)
    project.named, project.more = named, more
    return project


def _needed(alpha):
    return nam_n(0.05, discordance_upper(0, N), 0.0, alpha) - N


def test_a_live_hold_is_planned_for_the_next_attempt_and_priced_as_a_whole_run(priced):
    card = priced.card()
    gate = next(g for g in card.gates if g.suite == "mine")
    needed = _needed(attempt_alpha(2))
    assert (gate.result, gate.alpha) == ("hold", 0.05)
    assert f"{needed} more cases ({needed + N} in all) would decide" in gate.message
    calls = 2 * (N + needed) + 2 * 3 * 20
    assert card.verdict.next_step == (
        f"add {needed} cases to mine, then run again ({calls} calls, about ${calls * USD:.2f})"
    )


def test_so_many_cases_and_the_next_attempt_promotes_for_that_price(priced):
    held = priced.card()
    further, calls = (
        int(found.replace(",", ""))
        for found in re.search(r"add ([\d,]+) cases .* \(([\d,]+) calls", held.verdict.next_step).groups()
    )
    cases = [{"id": f"c{n}", "input": f"question {n}", "expected": "yes"} for n in range(N + further)]
    priced.suite(cases, gates=GATES, trials=TRIALS)
    card = priced.card(full=True)
    assert (card.verdict.decision, card.verdict.attempts) == ("promote", 2), card.verdict.reason
    assert card.calls.made == calls


def test_a_stale_baseline_names_the_calls_and_the_dollars_of_a_live_one(priced):
    run_id = priced.card("old.yaml").run.id
    card = priced.card(baseline=f"run:{run_id}")
    calls = N + 3 * 20
    assert "the baseline is stale" in card.verdict.reason
    assert card.verdict.next_step == (
        "name its manifest as the baseline: both sides are asked then, "
        f"about {2 * calls} calls, about ${2 * calls * USD:.2f}"
    )


def test_more_cases_of_a_deterministic_candidate_are_planned_as_the_attempt_that_they_are(priced):
    for name, version, more in (("old.yaml", "1.0.0", {}), ("candidate.yaml", "2.0.0", priced.more)):
        base = "none" if version == "1.0.0" else "./old.yaml"
        keys = {"application": priced.named, "baseline": base, "deterministic": True} | more
        priced.manifest(name, version, **keys)
    card = priced.card()
    further = _needed(0.0125)
    assert f"add {further} cases to mine" in card.verdict.next_step
    cases = [{"id": f"c{n}", "input": f"question {n}", "expected": "yes"} for n in range(N + further)]
    priced.suite(cases, gates=GATES, trials=TRIALS)
    assert priced.card().verdict.attempts == 2


def test_a_suite_costs_the_sum_of_its_cases(priced, monkeypatch):
    """Case by case it comes to the same, and one more case costs as much as the dearest."""
    quick, suites = _Priced.price, []

    def price(self, measured, judge_usd):
        found = quick(self, measured, judge_usd)
        prepared, suite = self._prepared, self._plan.suite
        once = dict.fromkeys(prepared.sides, 1)
        trials = [
            dict.fromkeys(prepared.sides, len(prepared.trials.trials("candidate", suite, case)))
            for case in suite.cases
        ]
        assert found.present == sum(map(self.present, suite.all_cases), Calls())
        assert found.trial == sum((self._calls(case, once) for case in suite.all_cases), Calls())
        assert found.case == max(map(self._calls, suite.cases, trials), key=lambda calls: calls.made)
        suites.append(suite.name)
        return found

    monkeypatch.setattr(_Priced, "price", price)
    priced.card()
    assert sorted(suites) == ["mine", "other"]
