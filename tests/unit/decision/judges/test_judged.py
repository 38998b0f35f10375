"""What human labels do to a gate on a judged metric, and when they cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relgate import stats
from relgate.decision.early_stop.look_plan import gate_class
from relgate.decision.gates import judge_gate
from relgate.decision.judges.judged import LabelledDifferences, correct_judged, infer_from_labels
from relgate.decision.judges.label_needs import labels_needed
from relgate.decision.judges.labels import draw_order, readings
from relgate.decision.measurements import arrange
from relgate.decision.planning.feasibility import feasibility
from relgate.decision.planning.next_step import cheapest_step
from relgate.decision.policy import Gate
from relgate.domain.case import Case, Label, ScorerSpec, Suite
from relgate.domain.gate import GateResult, GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Failure, Measurement, Response, Score

METRIC = Metric("tone", "binary")


def hits(i: int, side: str) -> bool:
    """Which answers fail: other ones on each side, equally many."""
    return i % 20 == (3 if side == "candidate" else 7)


def judged(
    labelled: int,
    *,
    n: int = 400,
    measured: int = 400,
    human: float = 1.0,
    fails: Callable[[int, str], bool] = hits,
    of: Callable[[int, str], str] = lambda i, side: f"{side} {i}",
    wrong: Callable[[int, str], bool] = lambda i, side: False,
    shuffled: bool = False,
    margin: float = 0.1,
    alpha: float = 0.05,
    alphas: dict[str, float] | None = None,
    **suite: Any,
) -> GateResult:
    """A judge that passes all answers of both sides but a few; people say the same but for ``human``.

    ``of`` names the answer that each label is of; the answers given are ``<side> <number>``. ``wrong`` is
    where the judge says the opposite of people. ``alphas`` are those of the runs that take more labels.
    """
    numbers = [int(i) for i in np.random.default_rng(5).permutation(n)] if shuffled else list(range(n))
    cases = tuple(Case(f"c{i}", f"question {i}") for i in numbers)
    labels = [
        Label(
            f"c{i}",
            side,
            0.0 if fails(i, side) else (human if side == "candidate" else 1.0),
            "ann",
            of(i, side),
        )
        for i in range(labelled)
        for side in ("candidate", "baseline")
    ]
    data = arrange(
        Suite("s", "golden", Path("suite.yaml"), "s", (ScorerSpec("judge", {"as": "tone"}),), cases, (),
              labels=tuple(labels), **suite),
        {"tone": METRIC},
        [
            Measurement(
                side, "s", case.id, 0, Response("x"),
                (Score("tone", float(fails(i, side) == wrong(i, side)), "binary"),),
                answer=f"{side} {i}",
            )
            for i, case in list(zip(numbers, cases, strict=True))[:measured]
            for side in ("candidate", "baseline")
        ],
    )  # fmt: skip
    gate = Gate("g", "s", GateSpec("tone", "non_inferior", margin, "require"), METRIC)
    return correct_judged(judge_gate(gate, data, alpha=alpha), gate, data, **(alphas or {}))


def test_without_labels_what_would_pass_holds_and_says_how_many_are_needed() -> None:
    found = judged(0)
    assert found.result == "hold"
    assert "needs labels of 50 more random cases at least, better 100" in found.message


@pytest.mark.parametrize("labelled", [60, 99, 100, 200])
def test_labels_that_agree_let_it_pass_by_ppi(labelled: int) -> None:
    found = judged(labelled)
    assert (found.result, found.method) == ("pass", f"PPI++ on {labelled} labels")


def test_fewer_than_fifty_labels_are_too_few() -> None:
    assert judged(49).result == "hold"


def test_people_who_see_harm_keep_it_from_passing_whatever_the_judge_says() -> None:
    found = judged(200, human=0.5)
    assert found.result == "hold"
    assert found.p_fail is not None
    assert found.p_fail < 0.001
    assert found.estimate is not None
    assert found.estimate < -0.3


def test_the_labels_told_are_enough_at_the_alpha_of_the_run_that_takes_them() -> None:
    """At a margin of 5 points 129 are needed at alpha .0125, and 149 at .00625."""
    few = judged(100, margin=0.05, alpha=0.0125, alphas={"labels_alpha": 0.00625})
    assert (few.result, few.needed_labels) == ("hold", 49)
    assert few.message.endswith(
        "too few cases have labels: 100 cases have labels on both sides, 129 must at alpha 0.0125 and 149 in "
        "the run that takes more, at 0.00625; needs labels of 49 more random cases"
    )
    assert judged(149, margin=0.05, alpha=0.00625).by_labels
    same = judged(60, margin=0.05)
    assert same.needed_labels == 40, "labels that nobody looked at yet are taken in the same attempt"
    assert "89 must at alpha 0.05; needs labels of 29 more random cases at least, better 40" in same.message


def test_of_a_large_draw_as_many_must_be_read_as_the_run_that_takes_the_labels_needs() -> None:
    read = set(draw_order(f"c{i}" for i in range(200))[:60])

    def of(i: int, side: str) -> str:
        return f"{side} {i}" if f"c{i}" in read else "another"

    now = judged(200, of=of, margin=0.05)
    assert now.needed_labels == 40
    later = judged(200, of=of, margin=0.05, alphas={"labels_alpha": 0.0125})
    assert later.needed_labels == 69
    assert "40 of the 100 cases drawn for labels have answers" in later.message
    assert later.message.endswith("; 69 cases must be read for the 129 that it needs")


def test_labels_of_other_answers_correct_nothing() -> None:
    found = judged(200, human=0.5, of=lambda i, side: f"{side} {i}, an older one")
    assert found.result == "hold"
    assert "100 of the 100 cases drawn for labels have answers that nobody has read" in found.message
    assert found.needed_labels == 100


def test_what_kept_its_answers_is_no_random_sample_of_a_draw() -> None:
    """A candidate that got worse where it changed keeps its labels where it did not."""
    changed = {f"c{i}" for i in range(80)} - {f"c{i}" for i in range(20)}
    found = judged(
        80, of=lambda i, side: "another" if side == "candidate" and f"c{i}" in changed else f"{side} {i}"
    )
    assert found.result == "hold"
    assert "60 of the 80 cases drawn for labels have answers that nobody has read" in found.message
    assert found.needed_labels == 60


def test_of_a_large_draw_the_first_hundred_in_a_fixed_order_are_enough() -> None:
    order = draw_order(f"c{i}" for i in range(200))
    assert sorted(order) != order
    first = set(order[:100])
    partly = judged(200, of=lambda i, side: f"{side} {i}" if f"c{i}" in first else "another")
    assert (partly.result, partly.method) == ("pass", "PPI++ on 100 labels")
    first.remove(order[50])
    lacking = judged(200, of=lambda i, side: f"{side} {i}" if f"c{i}" in first else "another")
    assert (lacking.result, lacking.needed_labels) == ("hold", 1)


@pytest.mark.parametrize(("changed", "holds"), [(8, False), (30, True)])
def test_a_candidate_that_changed_only_what_nobody_labels_is_held(changed: int, holds: bool) -> None:
    """Who tunes against known labels changes the other answers; a random draw would have met some of them."""
    cases = tuple(Case(f"c{i}", f"question {i}") for i in range(200))
    labels = tuple(Label(f"c{i}", "baseline", 1.0, "ann", f"old {i}") for i in range(100))
    suite = Suite("s", "golden", Path("suite.yaml"), "s", (ScorerSpec("judge", {"as": "tone"}),), cases, (),
                  labels=labels)  # fmt: skip
    rows = [
        Measurement(
            side, "s", case.id, 0, Response("x"), (Score("tone", 1.0, "binary"),),
            answer=f"new {i}" if side == "candidate" and 100 <= i < 100 + changed else f"old {i}",
        )
        for i, case in enumerate(cases)
        for side in ("candidate", "baseline")
    ]  # fmt: skip
    data = arrange(suite, {"tone": METRIC}, rows)
    gate = Gate("g", "s", GateSpec("tone", "non_inferior", 0.1, "require"), METRIC)
    found = correct_judged(judge_gate(gate, data, alpha=0.05), gate, data)
    assert (found.result == "hold") == holds
    if holds:
        assert (
            f"0 of the 100 cases drawn for labels differently, but {changed} of the 100 others"
            in found.message
        )
        assert found.needed_labels == 100


def test_a_judge_that_overlooks_some_losses_passes_no_more_than_its_share() -> None:
    """Few labels differ from such a judge; those that would show what it misses may all be absent."""
    rng = np.random.default_rng(11)
    passed = 0
    for _ in range(200):
        human = -(rng.random(3000) < 0.05).astype(float)
        judged = np.where(rng.random(3000) < 0.1, 0.0, human)
        split = LabelledDifferences(human[:200], judged[:200], judged[200:], 0)
        passed += infer_from_labels(split, 0.05, 0.05).p_pass <= 0.05
    assert passed / 200 <= 0.06


def test_labels_above_the_judge_show_nothing_of_the_losses_that_it_overlooks() -> None:
    """Ten labels of a hundred lie above what the judge says and none below: one more loss is counted."""
    rng = np.random.default_rng(3)
    human = -(rng.random(1000) < 0.03).astype(float)
    harsh = np.where(rng.random(1000) < 0.03, -1.0, human)
    harsh[:100] = human[:100]
    harsh[:10] = -1.0
    human[:10] = 0.0
    split = LabelledDifferences(human[:100], harsh[:100], harsh[100:], 0)
    shown = np.array(human[:100])
    shown[20:22], low = -1.0, np.array(harsh[:100])
    low[20:22] = 0.0
    blind, seen = (
        infer_from_labels(each, 0.10, 0.05)
        for each in (split, LabelledDifferences(shown, low, harsh[100:], 0))
    )
    plain = stats.ppi_mean_cross_fitted(split.human, split.judged, split.rest, folds=10)
    assert blind.p_pass > plain.moments_of_losses.hall_p(-0.10, "greater")
    assert blind.interval.low < plain.moments_of_losses.hall_interval(0.05).low
    assert blind.estimate == plain.estimate
    again = stats.ppi_mean_cross_fitted(shown, low, harsh[100:], folds=10)
    assert seen.p_pass == pytest.approx(again.moments_of_losses.hall_p(-0.10, "greater"))


def test_the_order_of_the_lines_in_a_file_moves_nothing() -> None:
    def wrong(i: int, side: str) -> bool:
        return i % 11 == (2 if side == "candidate" else 5)

    found, again = (judged(120, wrong=wrong, shuffled=shuffled) for shuffled in (False, True))
    assert "PPI++" in found.method
    assert again == found


def test_an_application_that_failed_needs_no_reader() -> None:
    rows = [
        Measurement(side, "s", "c0", 0, outcome, (Score("tone", 0.0, "binary"),), answer=answer)
        for side, outcome, answer in (
            ("candidate", Failure("application", "it broke"), ""),
            ("baseline", Response("x"), "x"),
        )
    ]
    suite = Suite("s", "golden", Path("suite.yaml"), "s", (), (Case("c0", "?"),), ())
    found = readings(arrange(suite, {"tone": METRIC}, rows), "tone")
    assert found["candidate", "c0"].human == found["candidate", "c0"].judged == 0.0
    assert ("baseline", "c0") not in found


def test_harm_within_the_margin_and_harm_that_is_proven_are_said() -> None:
    within = judged(300, n=600, measured=600, fails=lambda i, side: side == "candidate" and i % 25 == 3)
    assert (within.result, within.regressed_within_margin) == ("pass", True)
    assert within.p_harm is not None
    assert within.p_harm < 0.01
    worse = judged(200, fails=lambda i, side: i % 10 == 3 and (side == "candidate" or i % 50 == 3))
    assert (worse.result, worse.proven_worse) == ("hold", True)


def test_labels_that_do_not_decide_say_how_many_more_would() -> None:
    found = judged(
        60,
        fails=lambda i, side: i % (4 if side == "candidate" else 5) == 3,
        wrong=lambda i, side: (i * i + len(side)) % 3 == 0,
    )
    assert (found.result, found.proven_worse) == ("hold", False)
    assert found.needed_labels is not None
    assert 0 < found.needed_labels < 340


def test_more_labels_are_planned_at_the_alpha_of_a_further_attempt() -> None:
    """A judge that errs on a third of the answers, and a candidate no worse."""
    noisy: dict[str, Any] = {
        "n": 1000,
        "measured": 1000,
        "fails": lambda i, side: i % 4 == (3 if side == "candidate" else 1),
        "wrong": lambda i, side: (i * i + len(side)) % 3 == 0,
    }
    now, later = judged(60, **noisy), judged(60, **noisy, alphas={"next_alpha": 0.0125})
    assert (now.result, later.result) == ("hold", "hold")
    assert now.needed_labels is not None
    assert later.needed_labels is not None
    assert later.needed_labels > now.needed_labels > 0
    assert judged(60 + later.needed_labels, **noisy, alpha=0.0125).result == "pass"


def test_cases_that_are_to_be_added_are_planned_at_the_alpha_of_the_run_that_takes_their_labels() -> None:
    """They must be asked before they can be read, and both are further attempts."""
    every: dict[str, Any] = {
        "n": 60,
        "measured": 60,
        "fails": lambda i, side: i % 4 == 3 - 2 * (side == "baseline"),
    }
    now, later = judged(60, **every), judged(60, **every, alphas={"next_alpha": 0.0125})
    assert now.needed is not None
    assert later.needed is not None
    alone = stats.paired_t_n(0.1, 0.7, 0.05), stats.paired_t_n(0.1, 0.7, 0.00625)
    assert (60 + later.needed) / (60 + now.needed) == pytest.approx(alone[1] / alone[0], rel=0.02)


@pytest.mark.parametrize("cases", [1, 2, 3])
def test_a_suite_of_a_few_cases_that_all_have_labels_says_how_many_cases_it_needs(cases: int) -> None:
    for worse in (True, False):
        few = judged(
            cases, n=cases, measured=cases, fails=lambda i, side, no=worse: no and side == "candidate"
        )
        assert few.result == "hold"
        assert few.proven_worse or (few.needed is not None and few.needed >= 50 - cases), few


def test_where_cases_without_a_score_leave_no_margin_they_are_to_be_measured_again() -> None:
    found = judged(200, measured=360)
    assert (found.result, found.needed, found.needed_labels) == ("hold", None, None)
    assert (found.missing, found.missing_ids[:1]) == (40, ("c360",))
    assert cheapest_step([found], {}).startswith("measure cases c360, ")


def test_where_every_case_has_labels_and_they_do_not_decide_more_cases_would() -> None:
    found = judged(60, n=60, measured=60, fails=lambda i, side: i % 4 == (3 if side == "candidate" else 1))
    assert (found.result, found.proven_worse, found.needed_labels) == ("hold", False, None)
    assert found.needed is not None
    assert 0 < found.needed < 600


def test_an_answer_that_moved_to_the_other_side_keeps_its_label() -> None:
    other = {"candidate": "baseline", "baseline": "candidate"}
    swapped = judged(200, human=0.5, of=lambda i, side: f"{other[side]} {i}")
    assert swapped.estimate is not None
    assert swapped.estimate > 0.3


def test_labels_without_any_difference_let_it_pass_alone() -> None:
    found = judged(100, fails=lambda i, side: i % 20 == 3)
    assert (found.result, found.estimate) == ("pass", 0.0)
    assert found.method.endswith("100 labels alone")
    assert found.lower is not None
    assert found.lower < 0.0


def test_labels_must_be_half_again_as_many_as_a_flawless_run_needs() -> None:
    tight = replace(METRIC, name="tone")
    assert labels_needed(Gate("g", "s", GateSpec("tone", "non_inferior", 0.02), tight), 0.05) == 224
    assert labels_needed(Gate("g", "s", GateSpec("tone", "non_inferior", 0.1), tight), 0.05) == 50


def test_where_every_case_is_labelled_the_labels_decide() -> None:
    found = judged(400)
    assert (found.result, found.method) == ("pass", "min(Hall, Gaffke) on case means, 400 labels alone")
    worse = judged(400, human=0.5)
    assert worse.result == "hold"
    assert worse.p_fail is not None
    assert worse.p_fail < 0.001


@pytest.mark.parametrize(("measured", "passes"), [(400, True), (392, True), (360, False)])
def test_cases_without_a_score_count_as_the_worst(measured: int, passes: bool) -> None:
    found = judged(200, measured=measured)
    assert found.p_pass is not None
    assert (found.p_pass <= 0.05) == passes
    if measured < 400:
        assert "without a score count as worst" in found.message


def test_cases_without_a_score_are_no_less_bad_where_the_judge_is_worth_nothing() -> None:
    """Among the judge's scores the extremes would lower its trust to nothing and so hide themselves."""
    noise = judged(200, measured=360, fails=lambda i, side: (i * 7 + len(side)) % 20 == 3)
    assert noise.result == "hold"


def test_a_judge_that_reports_refusal_passes_neither_violation_nor_over_refusal_alone() -> None:
    suite = Suite("s", "safety", Path("suite.yaml"), "s", (ScorerSpec("judge", {"as": "refusal"}),), (), ())
    for name, form in (("violation", "violations"), ("over_refusal", "non_inferior")):
        gate = Gate("g", "s", GateSpec(name, form, 0.15), replace(METRIC, name=name))
        passed = GateResult("g", "s", name, "require", form, "pass", "fine")
        found = correct_judged(passed, gate, arrange(suite, {}, []))
        assert (found.result, found.needed_labels) == ("hold", None)
        assert "a judge alone cannot pass a required gate" in found.message
        assert gate_class(gate, suite, units=500, clustered=False) == "N"


def test_what_the_judge_does_not_prove_says_that_labels_are_missing() -> None:
    found = judged(0, fails=lambda i, side: i % (12 if side == "candidate" else 20) == 3)
    assert found.result == "hold"
    assert found.needed is None
    assert found.needed_labels == 100
    assert "a judge alone cannot pass a required gate" in found.message


def test_labels_correct_no_suite_that_counts_clusters() -> None:
    found = judged(200, clustered=True)
    assert found.result == "hold"
    assert "without hops and clusters" in found.message


def test_a_metric_that_no_model_judges_is_left_alone() -> None:
    result = GateResult("g", "s", "exact", "require", "non_inferior", "pass", "fine")
    cases = (Case("c", "?"),)
    data = arrange(
        Suite("s", "golden", Path("suite.yaml"), "s", (ScorerSpec("exact"),), cases, ()),
        {"exact": METRIC},
        [],
    )
    gate = Gate("g", "s", GateSpec("exact", "non_inferior", 0.1, "require"), replace(METRIC, name="exact"))
    assert correct_judged(result, gate, data) is result


def test_a_judged_metric_is_never_tested_early() -> None:
    specs = (ScorerSpec("judge", {"as": "tone"}), ScorerSpec("exact"))
    suite = Suite("s", "golden", Path("suite.yaml"), "s", specs, (), ())
    classes = [
        gate_class(
            Gate("g", "s", GateSpec(name, "non_inferior", 0.1), METRIC), suite, units=500, clustered=False
        )
        for name in ("tone", "exact")
    ]
    assert classes == ["N", "S"]


@pytest.mark.parametrize(
    ("labelled", "form", "says"),
    [
        (
            0,
            "non_inferior",
            "needs labels of 50 more random cases at least, better 100 (after a run: `relgate judge sample",
        ),
        (40, "non_inferior", "needs labels of 10 more random cases at least, better 60"),
        (50, "non_inferior", ""),
        (100, "at_least", "labels correct only non_inferior gates"),
    ],
)
def test_what_labels_are_missing_is_known_before_the_run(labelled: int, form: Any, says: str) -> None:
    cases = tuple(Case(f"c{i}", f"question {i}") for i in range(200))
    labels = tuple(Label(f"c{i}", "candidate", 1.0, "ann") for i in range(labelled))
    scorers = (ScorerSpec("judge", {"as": "tone"}),)
    suite = Suite("s", "golden", Path("suite.yaml"), "s", scorers, cases, (), labels=labels)
    gate = Gate("g", "s", GateSpec("tone", form, 0.1), METRIC)
    found = feasibility(gate, suite, alpha=0.05, single_trial=True)
    assert (says in found.text) if says else found.can_pass
    assert found.can_pass == (not says)
    guard = replace(gate, spec=replace(gate.spec, role="guard"))
    assert "judge" not in feasibility(guard, suite, alpha=0.05, single_trial=True).text
