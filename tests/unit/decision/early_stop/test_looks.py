"""Early stop (verdict.md 8): classes, order, looks, levels, and when calls end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from relgate import stats
from relgate.decision.early_stop.look_plan import case_order, gate_class, plan_looks, reject_weights
from relgate.decision.early_stop.looks import decide_look, level_at, look_at
from relgate.decision.early_stop.sequential import Looked, crossed_gates, cut_short, judge_looked
from relgate.decision.gates import sample_of
from relgate.decision.policy import spread_gates
from relgate.decision.weighing import weigh_fails
from relgate.domain.gate import GateLook, GateSpec
from relgate.domain.metric import Metric

RIGHT = Metric("right", "binary")
LATENCY = Metric("latency_ms", "latency", higher_is_better=False)
NI = GateSpec("right", "non_inferior", 0.05)
SLICES = GateSpec("right", "non_inferior", 0.10, role="guard", by="area")
AREAS = ("a", "b", "c", "d")


def _plan(build, *specs, n=200, alpha=0.05, seed=3, **changes):
    changes.setdefault("tags", {"area": [AREAS[i % 4] for i in range(n)]})
    suite = build.suite(n, gates=specs or (NI,), slices=("area",), **changes)
    gates = spread_gates(suite, {"right": RIGHT, "latency_ms": LATENCY}, (), has_baseline=True)
    return plan_looks(suite, gates, alpha=alpha, weights=reject_weights(gates), seed=seed)


def _data(build, plan, ran, *, wrong=(), before=()):
    """The first cases of the order; ``wrong`` are the candidate's misses, ``before`` the baseline's."""
    chosen = set(plan.order[:ran])
    suite = replace(plan.suite, cases=tuple(c for c in plan.suite.cases if c.id in chosen))
    mine = [float(c.id not in wrong) for c in suite.cases]
    theirs = [float(c.id not in before) for c in suite.cases]
    return build.data(mine, theirs, suite=suite)


def _run(build, plan, **answers):
    """All looks until one decides; what the last one said, and how many cases it took."""
    looks, ran = (), 0
    for look, ran in plan.ends:
        found = decide_look(plan, looks, _data(build, plan, ran, **answers), look=look, ran=ran)
        looks = found.looks
        if found.enough or found.rejects:
            break
    return found, ran


@pytest.mark.parametrize(
    ("spec", "changes", "expected"),
    [
        (NI, {}, "S"),
        (GateSpec("right", "at_least", 0.8), {}, "S"),
        (GateSpec("right", "at_most", 0.8), {}, "S"),
        (GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.95), {}, "U"),
        (GateSpec("latency_ms", "ratio_at_most", 1.5), {}, "U"),
        (GateSpec("latency_ms", "at_most", 4000, quantile=0.95), {}, "U"),
        (NI, {"clustered": True, "units": 20}, "U"),
        (NI, {"clustered": True, "units": 19}, "N"),
        (GateSpec("right", "violations", 0.0), {}, "N"),
        (GateSpec("right", "superior", 0.0), {}, "N"),
        (replace(NI, pooled="hops"), {}, "N"),
        (replace(NI, against="primary"), {}, "N"),
        (NI, {"kind": "fallback"}, "N"),
    ],
)
def test_every_gate_has_a_class(build, spec, changes, expected):
    suite = build.suite(1, kind=changes.get("kind", "golden"), gates=(spec,))
    metric = LATENCY if spec.metric == "latency_ms" else RIGHT
    gate = replace(build.gate("non_inferior", 0.05), spec=spec, metric=metric)
    units, clustered = changes.get("units", 200), changes.get("clustered", False)
    assert gate_class(gate, suite, units=units, clustered=clustered) == expected


def test_levels_of_class_s_are_the_bounds_of_the_vectors(build):
    """K = 3: 2.4364 2.1077 1.7429 (Hwang-Shih-DeCani, gamma = -2)."""
    [planned] = _plan(build).gates
    past, bounds = [], []
    for fraction in (1 / 3, 2 / 3, 1.0):
        level = level_at(planned, past, fraction, 0.05)
        bounds.append(-float(ndtri(level)))
        past.append(_look(fraction))
    assert bounds == pytest.approx([2.43641, 2.10769, 1.74292], abs=3e-4)


def _look(fraction, **changes):
    fields = {"gate": "g", "look": 1, "n": 1, "fraction": fraction, "p_pass": 1.0, "level": 0.001}
    fields |= {"p_fail": 1.0, "fail_level": 0.0, "passes": False, "fails": False}
    return GateLook(**(fields | changes))


def test_a_look_at_fewer_cases_than_could_pass_spends_no_alpha_on_a_pass(build):
    plan = _plan(build, n=200)  # 59 flawless cases prove a margin of 5 points
    [planned] = plan.gates
    data = [(look, _data(build, plan, ran)) for look, ran in plan.ends[:3]]
    past = []
    for look, seen in data:
        past.append(look_at(planned, sample_of(planned.gate, seen), past, look=look, alpha=0.05))
    assert [one.level for one in past] == [0.0, 0.0, pytest.approx(level_at(planned, [], 0.3, 0.05))]
    assert [one.passes for one in past[:2]] == [False, False]
    assert past[2].level > level_at(planned, past[:2], 0.3, 0.05)


def test_a_look_at_fewer_cases_than_could_pass_still_rejects(build):
    plan = _plan(build, n=200)
    (look, ran), *_ = plan.ends
    found = decide_look(plan, (), _data(build, plan, ran, wrong=plan.order), look=look, ran=ran)
    assert found.rejects == (plan.gates[0].gate.id,)


def test_clusters_are_looked_at_from_their_own_minimum_on(build):
    """Fifty clusters of twenty cases: fewer than n_min = 59, and a look at 40 % of them may pass."""
    n, spec = 1000, replace(NI, boundary=0.05)
    plan = _plan(build, spec, n=n, clusters=[f"k{i % 50}" for i in range(n)])
    [planned] = plan.gates
    assert planned.kind == "U"
    seen = _data(build, plan, 400, before=plan.order[::2])
    found = look_at(planned, sample_of(planned.gate, seen), [], look=4, alpha=0.05)
    assert found.level == pytest.approx(0.0096, abs=5e-5)
    assert found.passes


def test_class_u_spends_its_increments_and_hands_a_skipped_share_on(build):
    spec = GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.5)
    [planned] = _plan(build, spec).gates
    assert planned.kind == "U"
    past = []
    spent = []
    for fraction in (0.4, 0.7, 1.0):
        spent.append(level_at(planned, past, fraction, 0.05))
        past.append(_look(fraction))
    assert spent == pytest.approx([0.0096, 0.0143, 0.0261], abs=5e-5)
    assert sum(spent) == pytest.approx(0.05)
    assert level_at(planned, [], 0.39, 0.05) is None
    assert level_at(planned, [_look(0.4)], 0.6, 0.05) is None
    assert level_at(planned, [], 0.7, 0.05) == pytest.approx(0.0096 + 0.0143, abs=5e-5)
    assert level_at(planned, [], 1.0, 0.0125) == pytest.approx(0.0125)


@settings(max_examples=40, deadline=None)
@given(
    fractions=st.lists(st.integers(1, 100), min_size=1, max_size=10, unique=True).map(sorted),
    alpha=st.sampled_from([0.05, 0.0125, 0.003]),
)
def test_no_level_exceeds_what_is_spent_in_all(fractions, alpha):
    bounds = stats.group_sequential_bounds([f / 100 for f in fractions], alpha)
    assert max(ndtr(-bounds)) <= stats.hsd_spent(fractions[-1] / 100, alpha) + 1e-9


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), n=st.integers(20, 120), clusters=st.integers(0, 30))
def test_the_order_is_a_seeded_permutation_with_whole_clusters_together(build, seed, n, clusters):
    changes = {"clusters": [f"k{i % clusters}" for i in range(n)]} if clusters else {}
    suite = build.suite(n, tags={"area": [AREAS[i % 4] for i in range(n)]}, slices=("area",), **changes)
    order = case_order(suite, (), seed)
    assert sorted(c.id for c in order) == sorted(c.id for c in suite.cases)
    assert order == case_order(replace(suite, cases=suite.cases[::-1]), (), seed)
    if clusters:
        seen = [c.cluster for c in order]
        assert sum(a != b for a, b in pairwise(seen)) == len(set(seen)) - 1


def test_every_slice_is_spread_evenly_over_the_order(build):
    plan = _plan(build, n=200)
    areas = {c.id: c.tags["area"] for c in plan.suite.cases}
    for end in (40, 100, 160):
        counts = [sum(areas[i] == area for i in plan.order[:end]) for area in AREAS]
        assert max(counts) - min(counts) <= 2


def test_looks_take_whole_clusters(build):
    n = 300
    plan = _plan(build, replace(NI, boundary=0.1), n=n, clusters=[f"k{i % 60}" for i in range(n)])
    assert plan is not None
    cluster = {c.id: c.cluster for c in plan.suite.cases}
    for _, end in plan.ends:
        assert cluster[plan.order[end - 1]] != cluster[plan.order[end]]


@pytest.mark.parametrize(
    ("specs", "n", "looked_at"),
    [
        ((NI,), 200, True),
        ((NI,), 140, False),  # a flawless half of the cases could not pass
        ((GateSpec("right", "at_least", 0.8),), 50, True),
        ((GateSpec("right", "at_least", 0.8),), 49, False),
        ((replace(NI, role="guard"),), 400, False),  # nothing is required
        ((GateSpec("right", "superior", 0.0),), 400, False),  # class N needs every case
        ((NI, GateSpec("right", "superior", 0.0, role="guard")), 400, False),
        ((NI, GateSpec("right", "superior", 0.0, role="report")), 400, True),
        ((NI, GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.95)), 140, False),
    ],
)
def test_a_suite_is_looked_at_where_a_look_could_spare_calls(build, specs, n, looked_at):
    assert (_plan(build, *specs, n=n) is not None) is looked_at


def test_an_equal_candidate_needs_a_part_of_the_cases(build):
    found, ran = _run(build, _plan(build, NI, SLICES, n=500))
    assert found.enough
    assert 150 <= ran <= 250


def test_calls_never_end_for_a_promote_before_30_percent(build):
    plan = _plan(build, GateSpec("right", "at_least", 0.5), n=400)
    found, ran = _run(build, plan)
    assert found.enough
    assert ran == 120
    assert min(one.look for one in found.looks if one.passes) < 3


def test_a_bad_slice_keeps_its_suite_going(build):
    plan = _plan(build, NI, SLICES, n=800)
    areas = {c.id: c.tags["area"] for c in plan.suite.cases}
    slice_a = [i for i in plan.order if areas[i] == "a"]
    wrong = set(slice_a[::9])  # 11 points down in one slice, 3 points overall
    found, ran = _run(build, plan, wrong=wrong)
    assert not found.enough
    assert ran == plan.ends[-1][1]
    assert any(one.passes for one in found.looks if "area" not in one.gate)


def test_a_clear_fail_rejects_at_a_look(build):
    plan = _plan(build, NI, SLICES, n=500)
    found, ran = _run(build, plan, wrong=set(plan.order[::4]))
    assert found.rejects
    assert ran <= 150


def test_an_open_required_gate_goes_on(build):
    plan = _plan(build, NI, n=500)
    found, _ = _run(build, plan, wrong=set(plan.order[::20]))
    assert not found.enough
    assert not found.rejects


def test_cases_without_a_measurement_postpone_the_test(build):
    plan = _plan(build)
    suite = replace(plan.suite, cases=plan.suite.cases[:100])
    data = build.data([1.0] * 99 + [build.AWAY], [1.0] * 100, suite=suite)
    assert decide_look(plan, (), data, look=5, ran=100).looks == ()


def _unit_look(build, mine, *, n=400):
    """The third look at unit scores beside a baseline of .98: its sample and what it says."""
    suite = build.suite(n, gates=(NI,))
    metric = Metric("right", "unit")
    gates = spread_gates(suite, {"right": metric}, (), has_baseline=True)
    [planned] = plan_looks(suite, gates, alpha=0.05, weights=reject_weights(gates), seed=3).gates
    assert planned.kind == "S"
    cut = replace(suite, cases=suite.cases[: len(mine)])
    sample = sample_of(planned.gate, build.data(list(mine), [0.98] * len(mine), metric=metric, suite=cut))
    return planned, sample, look_at(planned, sample, (), look=3, alpha=0.05)


def test_a_look_before_the_last_does_not_trust_halls_t_on_rare_catastrophes(build):
    """One case in twenty loses everything: the candidate lies on its margin, but 60 cases may hold none."""
    rng = np.random.default_rng(20260101)
    passes, halls = 0, 0
    for _ in range(60):
        lost = rng.random(60) < 0.05
        mine = np.where(lost, 0.0, 0.98 + rng.choice([-0.02, 0.0, 0.02], 60))
        _, sample, found = _unit_look(build, mine)
        passes += found.passes
        halls += stats.hall_p(sample.difference, -0.05, "greater") <= found.level
    assert passes == 0
    assert halls >= 2, "Hall's t passes what holds no catastrophe, or this test would prove nothing"


def test_a_look_before_the_last_takes_gaffkes_bound_and_no_smaller_p(build):
    mine = np.tile([0.6, 0.98, 0.98, 1.0, 1.0, 1.0, 1.0, 1.0], 20)
    _, sample, found = _unit_look(build, mine)
    gaffke = [
        stats.gaffke_p(sample.difference, -0.05, side, (-1.0, 1.0), 20260101) for side in ("greater", "less")
    ]
    assert [found.p_pass, found.p_fail] == gaffke
    hall = stats.hall_p(sample.difference, -0.05, "greater")
    assert hall < found.p_pass / 2, "Hall's would be smaller"


def test_a_look_depends_on_the_data_alone(build):
    plan = _plan(build, NI, SLICES, n=300)
    data = _data(build, plan, 120)
    assert decide_look(plan, (), data, look=4, ran=120) == decide_look(plan, (), data, look=4, ran=120)


def _judged(build, plan, ran, past, *, whole, **answers):
    return judge_looked(plan.gates[0], _data(build, plan, ran, **answers), past, alpha=0.05, whole=whole)


def _passed(plan, build, ran):
    found, _ = _run(build, plan)
    return tuple(one for one in found.looks if one.n <= ran)


def test_a_pass_at_a_look_stays_a_pass(build):
    plan = _plan(build, n=500)
    past = _passed(plan, build, 500)
    misses = set(plan.order[len(plan.order) - 17 :])  # too many for a pass of all 500 by the fixed test
    fresh = _judged(build, plan, 500, (), whole=True, wrong=misses)
    assert fresh.result == "hold"
    kept = _judged(build, plan, 500, past, whole=True, wrong=misses)
    assert kept.result == "pass"
    assert kept.message.startswith("passed at look")
    assert kept.regressed_within_margin
    assert not kept.proven_worse


def test_a_pass_at_a_look_becomes_a_hold_where_the_fixed_test_fails_at_the_end(build):
    plan = _plan(build, n=500)
    kept = _judged(build, plan, 500, _passed(plan, build, 500), whole=True, wrong=set(plan.order[440:]))
    assert kept.result == "hold"
    assert "but fails on everything in hand" in kept.message


def test_without_a_pass_the_end_is_tested_at_what_is_left_of_alpha(build):
    plan = _plan(build, n=200)
    past = tuple(_look(k / 10, gate=plan.gates[0].gate.id, look=k) for k in range(1, 10))
    result = _judged(build, plan, 200, past, whole=True)
    last = result.looks[-1]
    bound = stats.group_sequential_bounds(10, 0.05)[-1]
    assert last.level == pytest.approx(float(ndtr(-bound)))
    assert last.level == pytest.approx(0.0330, abs=5e-5), "as docs/methodology.md says"
    assert result.alpha == last.level < 0.05


def test_a_pass_at_an_alpha_that_another_run_took_meanwhile_is_none(build):
    plan = _plan(build, n=500)
    past = _passed(plan, build, 500)
    [first] = [one for one in past if one.passes][:1]
    result = judge_looked(plan.gates[0], _data(build, plan, first.n), past, alpha=0.05 / 2**12, whole=False)
    assert result.result == "hold"


@pytest.mark.parametrize(
    ("crossed", "p_fail", "fails"),
    [
        (True, 0.001, True),
        (True, 0.9, True),  # sticky: what came in flight does not undo it
        (False, 0.001, False),  # not tested at the end at a full weight of its own
        (None, 0.001, True),  # was not looked at: tested once, at the end
        (None, 0.9, False),
    ],
)
def test_which_gates_fail_after_looks(build, crossed, p_fail, fails):
    result = build.result(result="hold", p_fail=p_fail)
    known = {} if crossed is None else {result.id: crossed}
    [weighed] = weigh_fails([result], known)
    assert (weighed.result == "fail") is fails


def test_holm_names_the_others_once_a_gate_has_crossed(build):
    crossed = build.result(result="hold", p_fail=0.004, id="gates::s[x]")
    other = build.result(result="hold", p_fail=0.004, id="gates::s[y]")
    weighed = weigh_fails([crossed, other], {"gates::s[x]": True, "gates::s[y]": False})
    assert [r.result for r in weighed] == ["fail", "fail"]


@pytest.mark.parametrize(
    ("result", "sticky", "ran", "expected"),
    [
        ("pass", True, 50, "pass"),
        ("pass", False, 50, "partial"),
        ("hold", False, 50, "partial"),
        ("fail", False, 50, "fail"),
        ("error", False, 50, "error"),
        ("error", False, 0, "partial"),
    ],
)
def test_gates_of_a_suite_that_a_reject_cut_short(build, result, sticky, ran, expected):
    looks = (_look(0.5, passes=True),) if sticky else ()
    gate = replace(build.result(result=result), looks=looks)
    assert cut_short(gate, ran, 200).result == expected


def test_only_gates_that_were_looked_at_have_crossed_or_not(build):
    plan = _plan(build, NI, SLICES, n=400)
    looked = Looked(plans={"s": plan})
    results = [build.result(id=plan.gates[0].gate.id), build.result(id="gates::t[other]")]
    assert crossed_gates(results, looked) == {plan.gates[0].gate.id: False}


def test_as_many_cases_of_every_watched_slice_run_as_an_alarm_needs(build):
    """An alarm needs fifteen cases, in clusters five of these; a smaller slice is watched by nobody."""
    n = 400
    areas = ["small" if i < 14 else "few" if i < 40 else "many" for i in range(n)]
    plan = _plan(build, n=n, tags={"area": areas})
    held = [case.tags["area"] for case in plan.suite.cases if case.id in plan.must_run]
    assert {area: held.count(area) for area in set(held)} == {"few": 15, "many": 15}
    first = [
        case for case in plan.order if case in {c.id for c in plan.suite.cases if c.tags["area"] == "few"}
    ]
    assert set(first[:15]) <= plan.must_run
    clusters = [f"k{i // 8}" for i in range(n)]
    plan = _plan(build, n=n, tags={"area": areas}, clusters=clusters)
    found = {c.cluster for c in plan.suite.cases if c.id in plan.must_run and c.tags["area"] == "many"}
    assert len(found) == 5


def test_a_slice_is_watched_on_the_cases_that_its_gate_judges(build):
    tags = {"area": [AREAS[i % 4] for i in range(400)], "lang": ["en" if i % 3 else "fi" for i in range(400)]}
    by = GateSpec("right", "non_inferior", 0.10, role="guard", by="area", only={"lang": "fi"})
    suite = build.suite(400, gates=(NI, by), tags=tags)
    gates = spread_gates(suite, {"right": RIGHT}, (), has_baseline=True)
    plan = plan_looks(suite, gates, alpha=0.05, weights=reject_weights(gates), seed=3)
    finnish = [c.tags["area"] for c in suite.cases if c.id in plan.must_run and c.tags["lang"] == "fi"]
    assert {area: finnish.count(area) for area in AREAS} == dict.fromkeys(AREAS, 15)
