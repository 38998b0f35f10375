"""The cheapest next step of a hold, in cases, calls and money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.planning.next_step import Calls, SuitePrice, cheapest_step, reject_step


def _hold(build: Any, **numbers: Any) -> Any:
    return build.result(result="hold", n=200, units=200, **numbers)


def _price(calls: int, trials: int, present: int = 200, **more: Any) -> SuitePrice:
    """A suite of so many cases whose trial costs so many calls."""
    each = Calls(calls * trials)
    return SuitePrice(present=each * present, case=each, trial=Calls(calls * present), **more)


def test_a_recording_costs_no_calls(build: Any) -> None:
    prices = {"s": SuitePrice()}
    assert cheapest_step([_hold(build, needed=340)], prices) == "add 340 cases to s, then run again"


@pytest.mark.parametrize(
    ("usd", "money"), [(None, ""), (0.0021, ", about $6.80"), (0.000001, ", about $0.00")]
)
def test_the_price_is_that_of_all_present_and_added_cases(build: Any, usd: float | None, money: str) -> None:
    prices = {"s": _price(2, 3, usd=usd)}
    assert cheapest_step([_hold(build, needed=340)], prices) == (
        f"add 340 cases to s, then run again (3,240 calls{money})"
    )


def test_the_price_holds_the_other_suites_and_the_judges(build: Any) -> None:
    s = SuitePrice(Calls(1200, 600), Calls(6, 3), usd=0.001, judge_usd=0.01, traffic=Calls(50))
    prices = {"s": s, "t": _price(6, 1, 40, usd=0.002)}
    assert cheapest_step([_hold(build, needed=100)], prices) == (
        "add 100 cases to s, then run again (2,090 calls and 900 calls to judges, about $11.33)"
    )
    unpriced = replace(s, judge_usd=None)
    assert cheapest_step([_hold(build, needed=100)], {"s": unpriced}).endswith(
        "(1,850 calls and 900 calls to judges)"
    )


def test_a_metric_with_cases_of_its_own_has_their_price(build: Any) -> None:
    price = replace(_price(2, 3, 80), case_of={"violation": Calls(2)})
    gate = _hold(build, needed=10, metric="violation", form="violations")
    assert (
        cheapest_step([gate], {"s": price}) == "add 10 cases (harmful: true) to s, then run again (500 calls)"
    )


def test_clusters_are_priced_at_the_size_of_the_present_ones(build: Any) -> None:
    prices = {"s": _price(2, 3, usd=0.001)}
    few = build.result(result="hold", n=30, units=3, needed_clusters=19)
    assert cheapest_step([few], prices) == (
        "add 19 clusters (about 190 cases, as large as now) to s, then run again (2,340 calls, about $2.34)"
    )
    many = build.result(result="hold", n=200, units=20, needed=390)
    assert cheapest_step([many], {}) == (
        "add 39 clusters (about 390 cases, as large as now) to s, then run again"
    )
    pairs = build.result(result="hold", n=20, units=20, needed_clusters=1)
    assert cheapest_step([pairs], {}) == "add 1 cluster to s, then run again"


def test_asking_the_present_cases_more_often_is_told_beside_it(build: Any) -> None:
    prices = {"s": _price(2, 3, usd=0.001)}
    dear = cheapest_step([_hold(build, needed=900, needed_trials=5)], prices)
    assert dear == (
        "ask every case 5 times with --trials 5 (2,000 calls, about $2.00), "
        "or add 900 cases to s (6,600 calls, about $6.60), then run again"
    )
    cheap = cheapest_step([_hold(build, needed=100, needed_trials=5)], prices)
    assert cheap.startswith("add 100 cases to s (1,800 calls, about $1.80), or ask every case 5 times")


def test_more_trials_are_no_way_where_they_leave_a_gate_undecided(build: Any) -> None:
    prices = {"s": _price(2, 3)}
    gates = [_hold(build, needed=340, needed_trials=5), _hold(build, needed=20)]
    assert "ask" not in cheapest_step(gates, prices)


def test_several_suites_are_one_run_with_one_price(build: Any) -> None:
    prices = {"s": _price(2, 3), "t": _price(6, 1, 40)}
    gates = [_hold(build, needed=10), build.result(result="hold", suite="t", needed=10, n=40, units=40)]
    assert cheapest_step(gates, prices) == (
        "add 10 cases to s and add 10 cases to t, then run again (1,560 calls)"
    )


@pytest.mark.parametrize(
    ("missing", "ids", "words"),
    [
        (1, ("c7",), "measure case c7 of s again, then run again (1,200 calls)"),
        (3, ("c1", "c2", "c3"), "measure cases c1, c2, c3 of s again, then run again (1,200 calls)"),
        (
            9,
            ("c1", "c2", "c3"),
            "measure cases c1, c2, c3 and 6 more of s again, then run again (1,200 calls)",
        ),
        (2, (), "measure 2 cases without a score of s again, then run again (1,200 calls)"),
    ],
)
def test_cases_without_a_score_are_to_be_measured_again(
    build: Any, missing: int, ids: tuple[str, ...], words: str
) -> None:
    gate = _hold(build, missing=missing, missing_ids=ids, metric="latency_ms", form="ratio_at_most")
    assert cheapest_step([gate], {"s": _price(2, 3)}) == words


def test_cases_of_a_gate_that_labels_judge_are_to_be_labelled_as_well(build: Any) -> None:
    open_gate = _hold(build, needed=40, method="PPI++ on 100 labels")
    step = "add 40 cases to s and, after a run of them, label every case of it on both sides, then run again"
    assert cheapest_step([open_gate], {}) == step
    passed = build.result(n=200, units=200, needed=40, method="PPI++ on 100 labels")
    assert "label" not in cheapest_step([_hold(build, needed=10), passed], {})


def test_lines_of_traffic_would_do_as_well_as_cases(build: Any) -> None:
    prices = {"s": _price(2, 3, traffic=Calls(60), line=Calls(2))}
    gate = _hold(build, needed=340, needed_lines=29)
    assert cheapest_step([gate], prices) == (
        "add 29 lines to the traffic sample of s (1,318 calls), or add 340 cases to s (3,300 calls), "
        "then run again"
    )
    beside = [gate, _hold(build, needed=20, form="at_least")]
    assert cheapest_step(beside, {}) == (
        "add 340 cases to s, or add 20 cases to s and add 29 lines to the traffic sample of s, then run again"
    )
    no_cases = _hold(build, needed_lines=29)
    assert cheapest_step([no_cases], {}) == "add 29 lines to the traffic sample of s, then run again"


def test_lines_decide_where_no_practical_number_of_cases_does(build: Any) -> None:
    step = cheapest_step([_hold(build, needed=900_000, needed_lines=29)], {})
    assert "add 29 lines to the traffic sample of s" in step


def test_cases_of_a_slice_are_named_as_such(build: Any) -> None:
    gate = _hold(build, needed=40, slice="lang=de")
    assert cheapest_step([gate], {}) == "add 40 cases (lang=de) to s, then run again"


def test_a_reject_that_ended_the_run_says_how_to_see_every_gate() -> None:
    assert reject_step((), ranked=False, ended_early=True).endswith(
        "; the same run with `--full` makes every call and judges every gate"
    )
    assert "--full" not in reject_step(("prompt/a",), ranked=False, ended_early=False)


def test_a_reject_for_cost_alone_sends_to_no_case():
    dearer = reject_step(("model/a",), ranked=False, ended_early=False, by_answers=False)
    assert dearer == "look first at model/a"
    assert "CASE" not in reject_step((), ranked=False, ended_early=False, by_answers=False)


def test_cases_that_a_gate_chooses_by_tags_are_named_as_such(build: Any) -> None:
    scores = [1.0] * 20
    data = build.data(scores, scores, tags={"lang": ["en"] * 20})
    gate = build.gate("non_inferior", 0.05, only={"lang": "en"})
    result = judge_gate(gate, data, alpha=0.05)
    assert result.result == "hold"
    assert cheapest_step([result], {}) == f"add {result.needed} cases (lang=en) to s, then run again"


def test_cases_for_a_gate_that_passed_say_what_they_are_for(build: Any) -> None:
    holding = _hold(build, needed=340)
    outgrown = build.result(id="gates::t[over_refusal]", suite="t", n=12, units=12, needed=4)
    assert cheapest_step([holding, outgrown], {}) == (
        "add 340 cases to s and add 4 cases to t (its gate passed, but cannot on as few in a further "
        "attempt), then run again"
    )
