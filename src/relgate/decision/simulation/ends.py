"""Where the calls of simulated runs end: the looks of early stop, over all runs of a batch at once.

The rules are those of ``decision.early_stop`` (verdict.md 8): levels, sticky passes and guard-clear, with a
p-value of every run in place of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relgate.decision.early_stop.look_plan import GatePlan, SuiteLooks, plan_looks, reject_weights
from relgate.decision.early_stop.looks import CLEAR_BELOW, ENOUGH_FROM, could_pass, level_at
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.simulation.suite import Fault, SimulatedSuite
from relgate.domain.gate import GateLook

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class SimulatedRuns(Protocol):
    """What a batch knows of its runs, on a part of the cases."""

    def evidence(
        self,
        each: SimulatedSuite,
        gate: Gate,
        fault: Fault,
        within: frozenset[str] | None = None,
        *,
        early: bool = False,
    ) -> tuple[Floats, Floats]:
        """Both p-values of a gate, each shape (R,)."""

    def units_within(self, each: SimulatedSuite, gate: Gate, within: frozenset[str] | None) -> int:
        """Independent units of a gate."""

    def inside(self, each: SimulatedSuite, gate: Gate, fault: Fault, within: frozenset[str] | None) -> Bools:
        """Whether the estimate of a gate lies inside its boundary, shape (R,)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a suite that was looked at, in every run of a batch.

    Attributes:
        passed: per gate that is looked at whether it passes on what is in hand, shape (R,).
        crossed: whether the fail side of some gate crossed its bound, shape (R,).
        early: the cases that ran where a look ended the suite, and in which runs it did, shape (R,).
    """

    passed: Mapping[str, Bools]
    crossed: Bools
    early: tuple[tuple[frozenset[str], Bools], ...]


def plans_of(suites: Sequence[SimulatedSuite], alpha: float, seed: int) -> dict[str, SuiteLooks]:
    """The looks of every suite that has some, by its name."""
    weights = reject_weights([gate for each in suites for gate in each.gates])
    found = {
        each.suite.name: plan_looks(each.suite, each.gates, alpha=alpha, weights=weights, seed=seed)
        for each in suites
    }
    return {name: plan for name, plan in found.items() if plan is not None}


def run_looks(batch: SimulatedRuns, each: SimulatedSuite, plan: SuiteLooks, fault: Fault) -> Ended:
    """Take every look of a suite in every run that has not ended before it."""
    watched = [planned for planned in plan.gates if planned.kind != "N"]
    looks = {planned.gate.id: _Looks(batch, each, planned, fault, plan.alpha) for planned in watched}
    goes_on = np.ones(batch.evidence(each, watched[0].gate, fault)[0].shape, dtype=np.bool_)
    crossed = np.zeros_like(goes_on)
    early: list[tuple[frozenset[str], Bools]] = []
    for _, size in plan.ends:
        within = frozenset(plan.order[:size])
        enough = goes_on & (size >= ENOUGH_FROM * len(plan.order))
        for one in looks.values():
            one.take(within, goes_on)
            crossed |= one.crossed
            enough &= one.clear(within) if one.planned.gate.spec.role == "guard" else one.passed
        goes_on &= ~crossed
        enough &= goes_on
        if enough.any():
            early.append((within | plan.must_run, enough))
        goes_on &= ~enough
    passed = {}
    for gate, one in looks.items():
        one.end(goes_on)
        crossed |= one.crossed
        passed[gate] = one.conclude(goes_on, early)
    return Ended(passed, crossed, tuple(early))


class _Looks:
    """The looks at one gate, in every run."""

    def __init__(
        self, batch: SimulatedRuns, each: SimulatedSuite, planned: GatePlan, fault: Fault, alpha: float
    ) -> None:
        self._batch, self._each, self.planned = batch, each, planned
        self._fault, self._alpha = fault, alpha
        self._past: list[GateLook] = []
        self._p = batch.evidence(each, planned.gate, fault)
        self._at_the_end = np.zeros_like(self._p[0], dtype=np.bool_)
        self.passed = np.zeros_like(self._at_the_end)
        self.crossed = np.zeros_like(self._at_the_end)

    def take(self, within: frozenset[str], goes_on: Bools) -> None:
        """Look at the runs that go on; nothing where no look is due (``looks.look_at``)."""
        planned = self.planned
        units = self._batch.units_within(self._each, planned.gate, within)
        if units == 0 or units < planned.minimum:
            return
        fraction = min(1.0, units / planned.units)
        unproven = fraction < 1.0 and units < planned.passes_from
        level = 0.0 if unproven else level_at(planned, could_pass(self._past), fraction, self._alpha)
        fail_level = level_at(planned, self._past, fraction, planned.weight)
        if level is None or fail_level is None:
            return
        early = planned.kind == "S" and fraction < 1.0
        p_pass, p_fail = self._batch.evidence(self._each, planned.gate, self._fault, within, early=early)
        if not unproven:
            self.passed |= goes_on & (p_pass <= level)
        self.crossed |= goes_on & (p_fail <= fail_level)
        self._past.append(_look(planned, fraction, level, fail_level))

    def clear(self, within: frozenset[str]) -> Bools:
        """Whether a guard lets its suite end (``looks.guard_clear``)."""
        planned, every = self.planned, np.ones_like(self.passed)
        if not planned.cases or not planned.testable:
            return every
        spec = planned.gate.spec
        if not planned.cases & within or (planned.kind == "U" and not self._past):
            return ~every
        if spec.form == "ratio_at_most" or spec.quantile is not None:
            p_pass, _ = self._batch.evidence(self._each, planned.gate, self._fault, within)
            return np.asarray(p_pass < CLEAR_BELOW)
        return self._batch.inside(self._each, planned.gate, self._fault, within)

    def end(self, whole: Bools) -> None:
        """The last look of the runs that made every call (``sequential.judge_looked``)."""
        planned = self.planned
        level = level_at(planned, could_pass(self._past), 1.0, self._alpha)
        if level is None:
            level = self._past[-1].level if self._past else self._alpha
        fail_level = level_at(planned, self._past, 1.0, planned.weight) or planned.weight
        p_pass, p_fail = self._p
        if not self._past or self._past[-1].fraction < 1.0:
            self.crossed |= whole & (p_fail <= fail_level)
        self._at_the_end = whole & (p_pass <= level)

    def conclude(self, whole: Bools, early: Sequence[tuple[frozenset[str], Bools]]) -> Bools:
        """A pass at a look stands, unless the fixed test fails on what is in hand."""
        p_fail = self._p[1]
        for within, those in early:
            here = self._batch.evidence(self._each, self.planned.gate, self._fault, within)[1]
            p_fail = np.where(those, here, p_fail)
        stands = self.passed & (p_fail > ALPHA)
        return np.asarray(np.where(self.passed, stands, self._at_the_end & whole) & ~self.crossed)


def _look(planned: GatePlan, fraction: float, level: float, fail_level: float) -> GateLook:
    """A look as the levels of the next ones need it: what it found is in the arrays."""
    return GateLook(
        gate=planned.gate.id,
        look=0,
        n=0,
        fraction=fraction,
        p_pass=1.0,
        level=level,
        p_fail=1.0,
        fail_level=fail_level,
        passes=False,
        fails=False,
    )
