"""One batch of simulated runs of a whole policy: draws, the p-values of every gate and alarm, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from relgate import stats
from relgate.decision.alarms import is_watched
from relgate.decision.outcomes import CONFIRMING_MISSES, CONFIRMING_TRIALS
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.ratio_evidence import MIN_RATIO_UNITS, quantile_minimum
from relgate.decision.simulation import pvalues as fast
from relgate.decision.simulation.draws import Draws, Within
from relgate.decision.simulation.ends import Ended, plans_of, run_looks
from relgate.decision.simulation.suite import IDENTICAL, Fault, SimulatedSuite, Watched, watched_of
from relgate.decision.simulation.world import World

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_DIFFERENCES, _SCORES = (-1.0, 1.0), (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What became of the runs of a batch, each shape (R,); per gate whether it passed, and its p-values."""

    promote: Bools
    reject: Bools
    alarm: Bools
    passed: Mapping[str, Bools]
    evidence: Mapping[str, tuple[Floats, Floats]]
    harm: Mapping[str, Floats]


class Batch(Draws):
    """Simulated runs, judged."""

    def __init__(
        self,
        suites: Sequence[SimulatedSuite],
        world: World,
        *,
        repetitions: int,
        seed: int,
        number: int = 0,
        alpha: float = ALPHA,
        looks: bool = False,
        held: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(suites, world, repetitions=repetitions, seed=seed, number=number)
        self._alpha = alpha
        self._held = held
        self._quantiles: dict[tuple[str, float, tuple[int, ...]], tuple[fast.Quantile, fast.Quantile]] = {}
        self._known: dict[tuple[str, str, Within, bool], tuple[Floats, Floats]] = {}
        self._harm: dict[tuple[str, str, Within], Floats] = {}
        self._plans = plans_of(suites, alpha, seed) if looks else {}

    def decide(self, fault: Fault = IDENTICAL) -> Decisions:
        """Judge every run of the batch under one truth."""
        evidence = {g.id: self.evidence(s, g, fault) for s in self._suites.values() for g in s.gates}
        ended = self.ends(fault)
        looked = {gate: ok for each in ended.values() for gate, ok in each.passed.items()}
        clean = np.ones(self._size, dtype=np.bool_)
        reject = self._critical()
        passed: dict[str, Bools] = {}
        required = 0
        for each in self._suites.values():
            for gate in each.gates:
                if gate.spec.form == "violations":
                    ok, hit = self._violations(each, gate, fault)
                    if gate.spec.role != "report":
                        reject = reject | hit
                else:
                    ok = looked.get(gate.id, evidence[gate.id][0] <= self._alpha)
                if gate.id in self._held:
                    ok = np.zeros_like(clean)
                passed[gate.id] = ok
                if gate.spec.role == "require":
                    required += 1
                    clean = clean & ok
        for role in ("require", "guard"):
            group = [
                np.ones(self._size) if g.id in looked else evidence[g.id][1]
                for s in self._suites.values()
                for g in s.gates
                if g.spec.role == role and g.spec.form != "violations"
            ]
            if group:  # Holm rejects something exactly when the smallest p passes its first step
                reject = reject | (np.min(group, axis=0) * len(group) <= ALPHA / 2 * (1 + 1e-12))
        for looked_at in ended.values():
            reject = reject | looked_at.crossed
        harm = {
            f"{w[0]} {w[1]} {w[2]}": self._harm_at_the_end(w, fault, ended.get(w[0])) for w in self.watched
        }
        alarm = np.zeros(self._size, dtype=np.bool_)
        if harm:  # what is too small in hand is watched no more: nan here, and no part of Holm's count
            p = np.array(list(harm.values()))
            watched = (~np.isnan(p)).sum(axis=0)
            alarm = np.nan_to_num(p, nan=1.0).min(axis=0) * watched <= ALPHA * (1 + 1e-12)
            alarm &= watched > 0
        promote = clean & ~reject & ~alarm if required else np.zeros_like(clean)
        return Decisions(promote, reject, alarm & ~reject, passed, evidence, harm)

    def ends(self, fault: Fault) -> dict[str, Ended]:
        """Where the calls of each suite that is looked at end, and what that decides."""
        return {name: run_looks(self, self._suites[name], plan, fault) for name, plan in self._plans.items()}

    # -- gates

    def units_within(self, each: SimulatedSuite, gate: Gate, within: Within) -> int:
        """Independent units of a gate among these cases."""
        where = self._columns(each, gate.spec.metric, gate.only or {}, within)
        codes, _ = self._units(each, gate.spec.metric, where)
        return int(codes.max()) + 1 if codes.size else 0

    def inside(self, each: SimulatedSuite, gate: Gate, fault: Fault, within: Within) -> Bools:
        """Whether the estimate of a gate on a bounded metric lies inside its boundary, shape (R,)."""
        spec = gate.spec
        cand, base, *_ = self.scores(each, spec.metric, gate.only or {}, ("",), fault, within)
        if spec.form == "non_inferior":
            return np.asarray((cand - base).mean(axis=1) > -spec.boundary)
        level = (cand if gate.metric.higher_is_better else 1.0 - cand).mean(axis=1)
        return np.asarray(level > spec.boundary if spec.form == "at_least" else level < spec.boundary)

    def evidence(
        self, each: SimulatedSuite, gate: Gate, fault: Fault, within: Within = None, *, early: bool = False
    ) -> tuple[Floats, Floats]:
        """Both p-values of every run, on these cases; ``early`` as a look before the end takes them."""
        key = gate.id, fault.label if self._touches(each, gate, fault) else "", within, early
        if key not in self._known:
            self._known[key] = self._judge(each, gate, fault, within, early=early)
        return self._known[key]

    def _touches(self, each: SimulatedSuite, gate: Gate, fault: Fault) -> bool:
        if gate.metric.kind == "latency":
            return fault.latency != 1.0
        return fault.suite == each.suite.name and fault.metric == gate.spec.metric

    def _judge(
        self, each: SimulatedSuite, gate: Gate, fault: Fault, within: Within, *, early: bool
    ) -> tuple[Floats, Floats]:
        """p_pass and p_fail of every run; 1 where the gate cannot be decided at this size.

        An absolute limit on latency, cost or tokens is taken as met where no run says how high they are.
        """
        one = np.ones(self._size)
        spec, only = gate.spec, gate.only or {}
        if spec.form == "violations":
            return one, one
        if spec.form == "ratio_at_most":
            return self._ratio(each, gate, fault, within)
        if not gate.metric.bounded:
            known = knows_level(gate, self._world)
            return self._absolute(each, gate, fault, within) if known else (one * 0.0, one)
        hops = (gate.hop,) if gate.hop is not None else each.hops or ("",)
        cand, base, clusters, enough = self.scores(each, spec.metric, only, hops, fault, within)
        if spec.against == "primary" and each.hops:
            base = self.scores(each, spec.metric, only, each.hops[:1], fault, within)[0]
        if not enough:
            return one, one
        single = gate.metric.kind == "binary" and each.trials_of(spec.metric) == 1 and len(hops) == 1
        if spec.form in ("at_least", "at_most"):
            score = cand if gate.metric.higher_is_better else 1.0 - cand
            floor = spec.form == "at_least"
            if early and not single:
                return fast.gaffke_sides(score, spec.boundary, _SCORES, upwards=floor)
            return self._levels(score, spec.boundary, clusters, single, floor=floor)
        d = np.round(cand - base, 10)
        if early and not single:
            return fast.gaffke_sides(d, -spec.boundary, _DIFFERENCES, upwards=True)
        if spec.form == "superior":
            return fast.better_p(d, clusters, single, "greater"), fast.better_p(d, clusters, single, "less")
        return self._not_worse(d, spec.boundary, clusters, single)

    def _not_worse(
        self, d: Floats, margin: float, clusters: fast.Clusters | None, single: bool
    ) -> tuple[Floats, Floats]:
        n = d.shape[1]
        found: list[Floats] = []
        sides: tuple[tuple[stats.Alternative, float], ...] = (("greater", self._alpha), ("less", ALPHA))
        for side, alpha in sides:
            least = stats.n_min(margin, alpha)
            if clusters is not None:
                p = fast.guarded_cluster_p(d, clusters, -margin, side, _DIFFERENCES, neutral=0.0)
                if side == "greater" and n < least:
                    p = np.maximum(p, (1.0 - margin) ** n)
            elif single:
                p = fast.paired_p(d, margin, side, exact=n <= stats.EXACT_UP_TO or n < least)
            else:
                hall_from = stats.trusted_n(margin, alpha) if side == "greater" else least
                p = fast.bounded_mean_p(d, -margin, side, _DIFFERENCES, hall_from)
            found.append(p)
        return found[0], found[1]

    def _levels(
        self, score: Floats, boundary: float, clusters: fast.Clusters | None, single: bool, *, floor: bool
    ) -> tuple[Floats, Floats]:
        n = score.shape[1]
        room = 1.0 - boundary if floor else boundary
        up: stats.Alternative = "greater" if floor else "less"
        down: stats.Alternative = "less" if floor else "greater"
        found: list[Floats] = []
        for side, alpha in ((up, self._alpha), (down, ALPHA)):
            least = stats.n_min(room, alpha) if 0.0 < room < 1.0 else 1
            if clusters is not None:
                p = fast.guarded_cluster_p(score, clusters, boundary, side, _SCORES)
                if side == up and n < least:
                    p = np.maximum(p, (1.0 - room) ** n)
            elif single:
                p = fast.rate_p((score > 0.5).sum(axis=1), n, boundary, side)
            else:
                hall_from = stats.trusted_n(room, alpha) if side == up and 0.0 < room < 1.0 else least
                p = fast.bounded_mean_p(score, boundary, side, _SCORES, hall_from)
            found.append(p)
        return found[0], found[1]

    def _ratio(self, each: SimulatedSuite, gate: Gate, fault: Fault, within: Within) -> tuple[Floats, Floats]:
        one = np.ones(self._size)
        spec = gate.spec
        where = self._columns(each, spec.metric, gate.only or {}, within)
        codes, clustered = self._units(each, spec.metric, where)
        least = MIN_RATIO_UNITS if spec.quantile is None else quantile_minimum(spec.quantile)
        if len(where) < least or not self._large_enough(codes, clustered):
            return one, one
        base, cand = self.timed(each, gate.metric)
        factor = fault.latency if gate.metric.kind == "latency" else 1.0
        if spec.quantile is None:
            clusters = fast.Clusters.of(codes) if clustered else None
            mean_b, mean_c = base[:, where].mean(axis=2), factor * cand[:, where].mean(axis=2)
            return fast.ratio_p(mean_b, mean_c, spec.boundary, clusters)
        key = f"{each.suite.name} {spec.metric}", spec.quantile, tuple(where)
        if key not in self._quantiles:
            self._quantiles[key] = (
                fast.quantile(base[:, where], spec.quantile),
                fast.quantile(cand[:, where], spec.quantile),
            )
        whole_b, whole_c = self._quantiles[key]
        return fast.quantile_ratio_p(whole_b, whole_c, spec.boundary, spec.slack, factor)

    def _absolute(
        self, each: SimulatedSuite, gate: Gate, fault: Fault, within: Within
    ) -> tuple[Floats, Floats]:
        """An absolute quantile, as ``absolute_quantile_evidence`` judges it: one call a case."""
        spec = gate.spec
        assert spec.quantile is not None
        where = self._columns(each, spec.metric, gate.only or {}, within)
        codes, clustered = self._units(each, spec.metric, where)
        if not self._large_enough(codes, clustered):
            return np.ones(self._size), np.ones(self._size)
        factor = fault.latency if gate.metric.kind == "latency" else 1.0
        calls = factor * self.timed(each, gate.metric)[1][:, where, 0]
        over = (calls > spec.boundary).astype(np.float64)
        clusters = fast.Clusters.of(codes) if clustered else None
        p_pass, p_fail = self._levels(over, 1.0 - spec.quantile, clusters, True, floor=False)
        if clustered:
            p_pass = np.maximum(p_pass, spec.quantile ** (int(codes.max()) + 1))
        return p_pass, p_fail

    def _violations(self, each: SimulatedSuite, gate: Gate, fault: Fault) -> tuple[Bools, Bools]:
        """Whether the gate passes, and whether anything violates."""
        where = self._columns(each, gate.spec.metric, gate.only or {})
        calls = len(where) * each.trials_of(gate.spec.metric) * max(1, len(each.hops))
        rate = self._world.violation_rate if fault.violations is None else fault.violations
        hit = self.rng(gate.id, "violations").random(self._size) < 1.0 - (1.0 - rate) ** calls
        budget = gate.spec.rate_at_most
        codes, _ = self._units(each, gate.spec.metric, where)
        units = int(codes.max()) + 1 if codes.size else 0
        enough = units > 0 and (budget is None or units >= stats.zero_violation_n(budget, self._alpha))
        return ~hit & enough, hit

    def _critical(self) -> Bools:
        """Whether a critical case misses often enough to reject."""
        rejected = np.zeros(self._size, dtype=np.bool_)
        for each in self._suites.values():
            for case, trials in zip(each.suite.cases, each.trials, strict=True):
                if case.critical is False:
                    continue
                never = case.critical == "never"
                asked = (self._size, max(1, len(each.hops)), trials if never else CONFIRMING_TRIALS)
                missed = self.rng(each.suite.name, case.id, "critical").random(asked)
                misses = (
                    missed < (self._world.violation_rate if never else 1.0 - self._world.critical_accuracy)
                ).sum(axis=2)
                rejected |= (misses >= (1 if never else CONFIRMING_MISSES)).any(axis=1)
        return rejected

    # -- alarms

    @cached_property
    def watched(self) -> tuple[Watched, ...]:
        """Slices, hops and over-refusal that are large enough to be watched."""
        found = [w for each in self._suites.values() for w in watched_of(each)]
        return tuple(w for w in found if self._large(w))

    def _large(self, w: Watched, within: Within = None) -> bool:
        each = self._suites[w[0]]
        where = self._columns(each, w[1], w[3], within)
        codes, clustered = self._units(each, w[1], where)
        return is_watched(len(where), int(codes.max(initial=-1)) + 1, clustered=clustered)

    def _harm_at_the_end(self, w: Watched, fault: Fault, ended: Ended | None) -> Floats:
        """Harm on the cases that ran: of every run of a suite those up to the look that ended it.

        nan where too few of what is watched ran for an alarm.
        """
        found = self._harm_of(w, fault, None)
        for within, those in ended.early if ended is not None else ():
            here = self._harm_of(w, fault, within) if self._large(w, within) else np.nan
            found = np.where(those, here, found)
        return found

    def _harm_of(self, w: Watched, fault: Fault, within: Within) -> Floats:
        suite, metric, label, only, hops = w
        struck = any(fault.strikes((suite, metric, hop)) for hop in hops)
        key = f"{suite} {metric} {label}", fault.label if struck else "", within
        if key not in self._harm:
            each = self._suites[suite]
            cand, base, clusters, _ = self.scores(each, metric, only, hops, fault, within)
            single = each.metrics[metric].kind == "binary" and each.trials_of(metric) == 1 and len(hops) == 1
            self._harm[key] = fast.harm_p(np.round(cand - base, 10), clusters, single)
        return self._harm[key]


def knows_level(gate: Gate, world: World) -> bool:
    """Whether an absolute limit can be simulated: on a quantile of what stored runs have shown."""
    return gate.spec.quantile is not None and (gate.suite, gate.spec.metric) in world.spreads
