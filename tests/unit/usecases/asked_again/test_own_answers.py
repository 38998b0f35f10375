"""What counts of earlier runs: every answer once, however often it was scored, and of the same model."""

from __future__ import annotations

import pytest

from relgate.domain.response import Failure, Measurement, Response
from relgate.engine.budget import Allowance
from relgate.usecases.preparing.own_answers import OwnAnswers, models_of, of_these_models

SERVED = """
from relgate import Response
MODEL, WRONG = ["small-1"], [0]
def build(release):
    def answer(request):
        wrong = release.version == "2.0.0" and int(request.case_id[1:]) < WRONG[0]
        return Response("no" if wrong else "yes", model=MODEL[0], served_by="local/m")
    return answer
"""


def row(case="c0", *, latency=1.5, model="small-1", side="candidate", trial=0, tokens=None):
    outcome = Response("yes", latency_ms=latency, model=model, served_by="local/m", tokens=tokens)
    return Measurement(side, "mine", case, trial, outcome, ())


@pytest.mark.parametrize("scored", [0, 3])
def test_answers_that_were_scored_again_count_once(desk, scored):
    desk.card()
    for number in range(scored):
        scorers = ["contains", {"exact": {"as": f"exact_{number}"}}]
        desk.suite(desk.cases(80), gates=desk.gates, trials=1, scorers=scorers)
        again = desk.card(reuse="always")
        assert again.calls.made == 0
    desk.suite(desk.cases(80), gates=desk.gates, trials=1, scorers=["contains", "no_pii"])
    desk.wrong(20)
    card = desk.card(full=True)
    [gate] = card.gates
    # of two draws of each case one missed: not of five
    assert gate.estimate == pytest.approx(-20 / 2 / 80)
    assert card.calls.reused == 160


def test_who_always_takes_the_same_time_tells_no_copy():
    own = OwnAnswers([row("c0"), row("c1")])
    assert own.fresh([row("c0")]) == (row("c0"),)


def test_a_copy_is_the_same_call_of_the_same_time():
    own = OwnAnswers([row("c0", latency=1.5), row("c1", latency=2.5)])
    others = (
        row("c0", latency=1.6),
        row("c1", latency=1.5),
        row("c0", latency=1.5, trial=1),
        row("c0", latency=1.5, side="baseline"),
        row("c0", latency=1.5, tokens=3),
        row("c0", latency=None),
    )
    assert own.fresh([row("c0", latency=1.5), *others]) == others


def test_answers_of_another_model_are_left_out_and_what_says_nothing_stays():
    models = models_of([row(model="small-2"), row(model="small-3")])
    failed = Measurement("candidate", "mine", "c0", 0, Failure("application", "boom"), ())
    kept = (row(model="small-2"), row(model=None), row(model="small-1", side="baseline"), failed)
    assert of_these_models((*kept, row(model="small-1")), models) == kept


@pytest.fixture
def served(desk):
    name = f"{desk.modul}_served"
    desk.application = desk.module(name, SERVED)
    desk.manifest("old.yaml", "1.0.0", application=desk.application, baseline="none")
    desk.manifest(application=desk.application, artifacts=desk.prompt, baseline="./old.yaml")
    desk.modul = name
    return desk


@pytest.mark.parametrize(("model", "pooled"), [("small-1", 160), ("small-2", 0)])
def test_what_another_model_answered_before_does_not_speak_for_this_one(served, model, pooled):
    served.card()
    __import__(served.modul).MODEL[0] = model
    served.wrong(20)
    served.suite(served.cases(80), gates=served.gates, trials=1, scorers=["contains", "no_pii"])
    card = served.card(full=True)
    assert card.calls.reused == pooled


@pytest.mark.parametrize(("model", "decision"), [("small-1", "promote"), ("small-2", "hold")])
def test_a_run_that_goes_on_with_another_model_is_of_neither(served, model, decision):
    stopped = served.card(allowance=Allowance(calls=60))
    assert stopped.verdict.partial
    __import__(served.modul).MODEL[0] = model
    card = served.card(full=True)
    assert card.calls.reused == 60
    assert card.verdict.decision == decision, card.verdict.reason
    if decision == "hold":
        assert "local/m answered as small-1 before and as small-2 now" in card.verdict.reason
        assert card.verdict.next_step.endswith("run again with `--reuse never`")
