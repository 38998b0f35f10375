"""Judged again and again, as relgate does it: attempts that pool their data, anchors that move along."""

from __future__ import annotations

import numpy as np

from relgate.decision.anchor import RELEASES, crept
from relgate.decision.policy import ALPHA, attempt_alpha
from simulated.bounds import ATTEMPTS_AT_MOST, CREEP_FALSE_AT_MOST, CREEP_FOUND_AT_LEAST
from simulated.cells import RIGHT
from simulated.policies import ATTEMPTS, MARGIN, PSI, TRIALS, Claim, boundary_rates, pass_p
from simulated.worlds import PRODUCTION, pass_rates, sample, units_of

TOP_UP, WATCHED_RELEASES = 50, 24


def pooled_attempts(repetitions: int, seed: int) -> list[Claim]:
    """A candidate on the boundary, run again until it passes, every attempt over all calls so far.

    Re-runs add three trials of both sides to the same 200 cases; top-ups add 50 cases to 100.
    """
    rng = np.random.default_rng(seed)
    passed = dict.fromkeys(("re-run", "topped up"), 0)
    at_full_alpha = dict(passed)
    for _ in range(repetitions):
        base, cand = boundary_rates(rng, 2 * TOP_UP + ATTEMPTS * TOP_UP)
        units = units_of(base.size)
        hits = np.zeros((2, ATTEMPTS, base.size))
        for side, rates in enumerate((cand, base)):
            hits[side] = rng.binomial(TRIALS, rates, (ATTEMPTS, base.size))
        p: dict[str, list[float]] = {"re-run": [], "topped up": []}
        for j in range(1, ATTEMPTS + 1):
            again = np.round(hits[:, :j, :200].sum(axis=1) / (TRIALS * j), 12)
            p["re-run"].append(pass_p(again[0], again[1], units[:200]))
            size = (1 + j) * TOP_UP
            more = np.round(hits[:, 0, :size] / TRIALS, 12)
            p["topped up"].append(pass_p(more[0], more[1], units[:size]))
        for how, found in p.items():
            passed[how] += any(one <= attempt_alpha(j) for j, one in enumerate(found, start=1))
            at_full_alpha[how] += any(one <= ALPHA for one in found)
    rows = [
        Claim(
            f"{how} five times, pooled, alpha spent by attempt",
            k / repetitions,
            repetitions,
            ATTEMPTS_AT_MOST,
        )
        for how, k in passed.items()
    ]
    return rows + [
        Claim(
            f"{how} five times, pooled, at full alpha (not what relgate does)", k / repetitions, repetitions
        )
        for how, k in at_full_alpha.items()
    ]


def moving_anchor(repetitions: int, seed: int) -> list[Claim]:
    """Every release loses .01: against the best of the last twelve in production, without the baseline."""
    claims = []
    units = units_of(200)
    for lost in (0.01, 0.0):
        rng = np.random.default_rng(seed)
        alarmed = np.zeros(WATCHED_RELEASES + 1)
        for _ in range(repetitions):
            base = rng.beta(*pass_rates(PSI), size=units.size)
            breaks = rng.random(units.size)
            stored: list[np.ndarray] = []
            found = False
            for release in range(WATCHED_RELEASES + 1):
                now = np.where(breaks < release * lost / PRODUCTION, 0.0, base)
                scores = np.round(rng.binomial(TRIALS, now) / TRIALS, 12)
                apart = stored[-RELEASES:-1]
                if apart:
                    anchor = max(apart, key=lambda one: float(one.mean()))
                    drawn = sample(scores, anchor, units, clustered=False, single=False)
                    found |= crept(drawn, RIGHT, MARGIN)[1]
                stored.append(scores)
                alarmed[release] += found
        claims += [
            Claim(
                f"the best of the last {RELEASES} alarms by release {release}, {lost:g} lost each",
                float(alarmed[release] / repetitions),
                repetitions,
                at_least=CREEP_FOUND_AT_LEAST if lost and release == RELEASES else None,
                at_most=None if lost else CREEP_FALSE_AT_MOST,
            )
            for release in ((4, 8, RELEASES) if lost else (RELEASES, WATCHED_RELEASES))
        ]
    return claims
