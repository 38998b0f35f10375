"""Early stop by simulation, through the functions that decide: size, false promotes and calls saved.

The short form runs in CI; ``RELGATE_CALIBRATION=long`` repeats it 20 times as often. Every figure is printed
(``-s``) beside the study's (statistics.md 7, verdict.md 8).
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from simulated.looks import binary, plan_of, simulate

LONG = os.environ.get("RELGATE_CALIBRATION") == "long"


def _reps(count):
    return count * 20 if LONG else count


@pytest.mark.parametrize(("n", "margin", "psi"), [(200, 0.1, 0.2), (200, 0.05, 0.08), (500, 0.05, 0.15)])
def test_size_on_the_boundary_is_kept(n, margin, psi):
    seen = simulate(plan_of(n, margin, guards=0.0), binary(-margin, psi), reps=_reps(150), seed=n)
    print(f"\nboundary n={n} m={margin} psi={psi}: {seen}")
    assert seen.promoted <= 0.05 + seen.within(0.05)


@pytest.mark.parametrize(
    ("delta", "most_calls", "least_promoted"),
    [(0.0, 0.72, 0.78), (0.025, 0.52, 0.95)],
    ids=["equal", "better"],
)
def test_calls_saved_at_500_cases(delta, most_calls, least_promoted):
    seen = simulate(plan_of(500, 0.05, guards=0.0), binary(delta, 0.15), reps=_reps(80))
    print(f"\nn=500 delta={delta}: {seen}; statistics.md 7: equal .67 .861, better .45 .996")
    assert seen.calls <= most_calls
    assert seen.promoted >= least_promoted


def test_the_default_guards_of_a_golden_suite_cost_few_of_the_saved_calls():
    for delta, most in ((0.0, 0.72), (0.03, 0.50)):
        seen = simulate(plan_of(500, 0.05, guards=0.1), binary(delta, 0.11), reps=_reps(50))
        print(f"\nn=500 with guards, delta={delta}: {seen}; verdict.md 8: calls equal .61, better .39")
        assert seen.calls <= most


def test_a_far_worse_candidate_ends_the_run_early():
    seen = simulate(plan_of(500, 0.05, guards=0.1), binary(-0.20, 0.25), reps=_reps(50))
    print(f"\nn=500 at -4 margins: {seen}; verdict.md 8: .29 at alpha/8, here .025")
    assert seen.rejected >= 0.97
    assert seen.calls <= 0.33


def test_a_hidden_bad_slice_is_not_promoted_early():
    """A slice of 10 % at -.30 under a better rest, n = 500; the guard rule is what holds it back."""
    world = binary(0.03, 0.15, in_bad=-0.30)
    plan = plan_of(500, 0.05, guards=0.1)
    guarded = simulate(plan, world, reps=_reps(60))
    bare = simulate(plan, world, reps=_reps(60), guard_rule=False)
    print(f"\nhidden slice with the guard rule: {guarded}\nwithout: {bare}; verdict.md 8: .063 and .375")
    assert guarded.promoted <= 0.08 + guarded.within(0.08)
    assert bare.promoted > guarded.promoted


def test_case_means_of_three_trials_keep_their_size():
    def world(rng, bad):
        n = bad.size
        p = np.where(rng.random(n) < 0.15, 0.5, 0.98)
        broken = rng.random(n) < 0.1 / p.mean()
        base = rng.binomial(3, p) / 3
        return rng.binomial(3, np.where(broken, 0.0, p)) / 3, base

    seen = simulate(plan_of(200, 0.1, guards=0.0), world, reps=_reps(100), trials=3)
    print(f"\nthree trials, n=200 on the boundary: {seen}; statistics.md 7: .021-.036")
    assert seen.promoted <= 0.06 + seen.within(0.06)
