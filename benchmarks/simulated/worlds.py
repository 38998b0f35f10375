"""Data with a known truth: scores, pairs, latencies and clusters, each drawn from a seeded generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, ndtr, ndtri

from relgate.decision.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CLUSTER_CORRELATION = 0.2
"""Correlation of two rows of one cluster (statistics.md 2: icc about .2)."""

LATENT_CORRELATION = 0.3
"""Correlation of the normal scores behind two rows of one cluster: about .2 between the rows themselves."""

PRODUCTION = 0.92
"""Accuracy of production in the world of the default policy."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A distribution on few values, so that its mean is known exactly.

    Attributes:
        values: what can be drawn, shape (v,).
        weights: its probabilities, shape (v,).
    """

    values: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        """The exact mean."""
        return float(self.values @ self.weights)

    def tilted(self, mean: float) -> Shape:
        """The same values with weights bent (exponentially) until the mean is exact."""

        def bent(t: float) -> Floats:
            w = self.weights * np.exp(t * (self.values - self.values.mean()))
            return np.asarray(w / w.sum())

        found = brentq(lambda t: float(self.values @ bent(t)) - mean, -200.0, 200.0, xtol=1e-14)
        return Shape(self.values, bent(found))

    def draw(self, rng: np.random.Generator, units: Ints, *, together: bool = False) -> Floats:
        """One value per row, correlated inside a unit (`choose`)."""
        return self.values[choose(rng, self.weights, units, together=together)]


def choose(rng: np.random.Generator, weights: Floats, units: Ints, *, together: bool = False) -> Ints:
    """Indices drawn with these weights, correlated inside a unit where units hold several rows.

    By default a Gaussian copula: rows of a cluster lean the same way. ``together``: each row takes the
    cluster's own value with probability sqrt(icc), so that a whole cluster breaks at once (catastrophe).
    """
    cumulative = np.cumsum(weights)
    last = weights.size - 1
    groups = int(units.max()) + 1

    def pick(uniform: Floats) -> Ints:
        return np.minimum(np.searchsorted(cumulative, uniform, side="right"), last).astype(np.int64)

    if groups == units.size:
        return pick(rng.random(units.size))
    if together:
        own, common = pick(rng.random(units.size)), pick(rng.random(groups))
        return np.where(rng.random(units.size) < CLUSTER_CORRELATION**0.5, common[units], own)
    shared = LATENT_CORRELATION**0.5 * rng.normal(size=groups)[units]
    return pick(ndtr(shared + (1.0 - LATENT_CORRELATION) ** 0.5 * rng.normal(size=units.size)))


def units_of(n: int, clusters: int = 0) -> Ints:
    """The unit of each row: its own, or one of G clusters of 3 to 36 rows (n is then their sum)."""
    if not clusters:
        return np.arange(n, dtype=np.int64)
    grid = ndtri((np.arange(clusters) + 0.5) / clusters)
    sizes = np.clip(np.round(np.exp(2.05 + 0.7 * grid)), 3, 36).astype(np.int64)
    return np.repeat(np.arange(clusters, dtype=np.int64), sizes)


def loss(name: str, mean: float) -> Shape:
    """A shape of score differences whose mean is exactly ``mean`` (at most 0).

    "zero-inflated": 80 % exact ties, the rest losses. "skewed": a left-skewed beta. "catastrophe": tiny noise
    and rare drops of .9. "all ties": every row the same. "normal": sd .15.
    """
    lattice = np.round(np.arange(-20, 21) / 20.0, 2)
    if name == "all ties":
        return Shape(np.array([mean]), np.array([1.0]))
    if name == "catastrophe":
        noise, drop = np.array([-0.01, 0.0, 0.01]), -mean / 0.9
        quiet = np.array([0.25, 0.5, 0.25])
        values = np.concatenate((noise, noise - 0.9))
        return Shape(np.round(values, 2), np.concatenate((quiet * (1.0 - drop), quiet * drop)))
    if name == "normal":
        weights = np.exp(-0.5 * ((lattice - mean) / 0.15) ** 2)
        return Shape(lattice, weights / weights.sum()).tilted(mean)
    if name == "zero-inflated":
        if mean == 0.0:
            values = np.array([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3])
            return Shape(values, np.array([0.02, 0.04, 0.04, 0.8, 0.04, 0.04, 0.02]))
        values = -lattice[lattice > 0.0]
        lost = _beta_weights(-values, 2.0, max(2.0 / (-5.0 * mean) - 2.0, 0.3))
        losses = Shape(values, lost).tilted(mean / 0.2)
        return Shape(np.append(losses.values, 0.0), np.append(0.2 * losses.weights, 0.8))
    if name == "skewed":
        shifted = np.round(lattice[lattice >= 0.0] - 0.8, 2)
        return Shape(shifted, _beta_weights(shifted + 0.8, 6.0, 1.5)).tilted(mean)
    raise ValueError(name)


def even(name: str) -> Shape:
    """A shape of score differences whose mean is exactly 0: what a candidate that is no better gives.

    As `loss`, but "catastrophe" gains a little on every case and loses .9 on one case in fifty, and
    "windfall" is its mirror.
    """
    if name in ("catastrophe", "windfall"):
        noise, quiet, drop = np.array([-0.01, 0.0, 0.01]), np.array([0.25, 0.5, 0.25]), 0.02
        values = np.concatenate((noise, noise - 0.9)) + 0.9 * drop
        found = Shape(values, np.concatenate((quiet * (1.0 - drop), quiet * drop)))
        return found if name == "catastrophe" else Shape(-found.values, found.weights)
    return loss(name, 0.0)


def level(name: str, mean: float) -> Shape:
    """A shape of scores in [0, 1] with this mean: what `loss` takes away from a perfect score."""
    if name == "skewed":
        values = np.round(np.arange(0, 21) / 20.0, 2)
        return Shape(values, _beta_weights(values, 6.0, 1.5)).tilted(mean)
    if name == "catastrophe":
        drop = (0.99 - mean) / 0.9
        values = np.array([0.98, 0.99, 1.0, 0.08, 0.09, 0.1])
        quiet = np.array([0.25, 0.5, 0.25])
        return Shape(values, np.concatenate((quiet * (1.0 - drop), quiet * drop)))
    lost = loss(name, mean - 1.0)
    return Shape(np.round(1.0 + lost.values, 10), lost.weights)


def _beta_weights(values: Floats, a: float, b: float) -> Floats:
    edges = np.clip(np.stack((values - 0.025, values + 0.025)), 0.0, 1.0)
    weights = betainc(a, b, edges[1]) - betainc(a, b, edges[0])
    weights = np.maximum(weights, 1e-12)
    return np.asarray(weights / weights.sum())


def sample(
    candidate: Floats, baseline: Floats | None, units: Ints, *, clustered: bool, single: bool = True
) -> Sample:
    """A sample with nothing missing; one row per case."""
    none = np.empty(0)
    return Sample(
        candidate=candidate,
        baseline=baseline,
        units=units,
        clustered=clustered,
        single=single,
        candidate_rows=candidate,
        candidate_units=units,
        baseline_rows=none if baseline is None else baseline,
        baseline_units=units[:0] if baseline is None else units,
        expected=candidate.size,
        unmeasured=0,
        judge_failures=0,
        missing_units=units[:0],
    )


def from_difference(d: Floats) -> tuple[Floats, Floats]:
    """Candidate and baseline in [0, 1] with this difference."""
    baseline = 1.0 - np.maximum(d, 0.0)
    return np.round(baseline + d, 12), baseline


def pairs(
    rng: np.random.Generator, units: Ints, worse: float, better: float, *, together: bool = False
) -> tuple[Floats, Floats]:
    """Candidate and baseline passes: ``worse`` regress, ``better`` improve, the rest passes on both sides."""
    weights = np.array([worse, 1.0 - worse - better, better])
    kind = choose(rng, weights, units, together=together)
    return (kind != 0).astype(np.float64), (kind != 2).astype(np.float64)


def pass_rates(psi: float, accuracy: float = PRODUCTION) -> tuple[float, float]:
    """The Beta of a case's pass probability whose share of flips on an identical re-run is psi."""
    share = psi / (2.0 * accuracy * (1.0 - accuracy))
    total = share / (1.0 - share)
    return accuracy * total, (1.0 - accuracy) * total


def trial_means(
    rng: np.random.Generator,
    units: Ints,
    psi: float,
    trials: int,
    collapse: float = 0.0,
    *,
    together: bool = False,
    accuracy: float = PRODUCTION,
) -> tuple[Floats, Floats]:
    """Case means over k trials; a share of the cases collapses to 0 on the candidate's side."""
    rate = rng.beta(*pass_rates(psi, accuracy), size=units.size)
    broken = choose(rng, np.array([collapse, 1.0 - collapse]), units, together=together) == 0
    candidate = rng.binomial(trials, np.where(broken, 0.0, rate)) / trials
    return np.round(candidate, 12), np.round(rng.binomial(trials, rate) / trials, 12)


def steadier(
    rng: np.random.Generator, units: Ints, trials: int, missed: float = 0.02, *, together: bool = False
) -> tuple[Floats, Floats]:
    """Case means of two equally good releases: the baseline misses any trial, the candidate whole cases."""
    broken = choose(rng, np.array([missed, 1.0 - missed]), units, together=together) == 0
    return np.where(broken, 0.0, 1.0), np.round(rng.binomial(trials, 1.0 - missed, units.size) / trials, 12)


def latencies(rng: np.random.Generator, units: Ints, factor: float, name: str) -> tuple[Floats, Floats]:
    """Candidate and baseline; every quantile and the mean of the candidate are ``factor`` times as high.

    Lognormal with sigma .8, correlation .6 inside a pair, 5 % of the calls three times as slow
    (statistics.md 4). "zero-inflated": 30 % of the cases take nothing on both sides (a cache);
    "catastrophe": 1 % of the calls thirty times as slow; "all ties": every call the same.
    """
    n = units.size
    if name == "all ties":
        return np.full(n, 100.0 * factor), np.full(n, 100.0)
    groups = int(units.max()) + 1
    normal = rng.normal(size=(3, n))
    if groups < n:
        shared = CLUSTER_CORRELATION**0.5 * rng.normal(size=(3, groups))[:, units]
        normal = shared + (1.0 - CLUSTER_CORRELATION) ** 0.5 * normal
    logs = 0.8 * (0.6**0.5 * normal[0] + 0.4**0.5 * normal[1:])
    rare, slow = (0.01, 30.0) if name == "catastrophe" else (0.05, 3.0)
    values = 100.0 * np.exp(logs) * np.where(rng.random((2, n)) < rare, slow, 1.0)
    if name == "zero-inflated":
        values = values * (rng.random(n) >= 0.3)
    return factor * values[0], values[1]


def true_quantile(name: str, q: float) -> float:
    """The exact quantile of one side of `latencies` at factor 1."""
    if name == "all ties":
        return 100.0
    rare, slow = (0.01, 30.0) if name == "catastrophe" else (0.05, 3.0)
    free = 0.3 if name == "zero-inflated" else 0.0

    def below(log: float) -> float:
        usual = (1.0 - rare) * ndtr(log / 0.8) + rare * ndtr((log - np.log(slow)) / 0.8)
        return float(free + (1.0 - free) * usual) - q

    return float(100.0 * np.exp(brentq(below, -20.0, 20.0)))
