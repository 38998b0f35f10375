"""The cheapest next step of a hold, in cases, calls and money."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.next_step import CasePrice, cheapest_step, reject_step


def _hold(build: Any, **numbers: Any) -> Any:
    return build.result(result="hold", n=200, units=200, **numbers)


def test_a_recording_costs_no_calls(build: Any) -> None:
    prices = {"s": CasePrice(calls=0, trials=1, usd=None)}
    assert cheapest_step([_hold(build, needed=340)], prices) == "add 340 cases to s, then run again"


@pytest.mark.parametrize(
    ("usd", "money"), [(None, ""), (0.0021, ", about $4.28"), (0.000001, ", about $0.00")]
)
def test_further_cases_cost_both_sides_and_every_trial(build: Any, usd: float | None, money: str) -> None:
    prices = {"s": CasePrice(calls=2, trials=3, usd=usd)}
    assert cheapest_step([_hold(build, needed=340)], prices) == (
        f"add 340 cases to s (2,040 calls{money}), then run again"
    )


def test_asking_the_present_cases_more_often_is_told_beside_it(build: Any) -> None:
    prices = {"s": CasePrice(calls=2, trials=3, usd=0.001)}
    dear = cheapest_step([_hold(build, needed=900, needed_trials=5)], prices)
    assert dear == (
        "ask its cases 5 times each with --trials 5 (2,000 calls, about $2.00), "
        "or add 900 cases to s (5,400 calls, about $5.40), then run again"
    )
    cheap = cheapest_step([_hold(build, needed=100, needed_trials=5)], prices)
    assert cheap.startswith("add 100 cases to s (600 calls, about $0.60), or ask its cases 5 times")


def test_more_trials_are_no_way_where_they_leave_a_gate_undecided(build: Any) -> None:
    prices = {"s": CasePrice(calls=2, trials=3, usd=None)}
    gates = [_hold(build, needed=340, needed_trials=5), _hold(build, needed=20)]
    assert "ask" not in cheapest_step(gates, prices)


def test_every_suite_has_its_own_price(build: Any) -> None:
    prices = {"s": CasePrice(2, 3, None), "t": CasePrice(6, 1, None)}
    gates = [_hold(build, needed=10), build.result(result="hold", suite="t", needed=10, n=40, units=40)]
    assert cheapest_step(gates, prices) == (
        "add 10 cases to s (60 calls) and add 10 cases to t (60 calls), then run again"
    )


def test_a_reject_that_ended_the_run_says_how_to_see_every_gate() -> None:
    assert reject_step((), ranked=False, ended_early=True).endswith(
        "; `--full` makes every call and judges every gate"
    )
    assert "--full" not in reject_step(("prompt/a",), ranked=False, ended_early=False)
