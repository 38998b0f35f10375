"""Exact sizes of the mean gates on the boundary, by enumeration: `python benchmarks/three_points.py`.

Every world has three scores, on a grid of scores and shares, and its mean on the boundary. Each table of n
cases is judged by `bounded_mean_p` as a run does: Hall's t from 1.5 n_min on to pass, from n_min on to fail.
Printed are the worlds that are judged wrongly most often; no calibration on smooth data looks for them.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from scipy.special import gammaln

from relgate.stats import bounded_mean_p, n_min, trusted_n
from relgate.stats.results import Alternative

ALPHA = 0.05
SCORES = (-1.0, -0.5, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0)
SHARES = (0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PLANS = (
    (0.1, 29),
    (0.1, 44),
    (0.1, 58),
    (0.2, 14),
    (0.2, 21),
    (0.2, 28),
    (0.2, 56),
    (0.3, 9),
    (0.3, 18),
    (0.3, 40),
)
"""Margin and cases: from n_min of the margin to four times as many."""
UNLIKELY = 1e-4
"""Tables less likely than this in every world are left out; together they add less than a thousandth."""


def worlds(margin: float, scores: tuple[float, float, float]) -> np.ndarray:
    """Shares of three scores whose mean is minus the margin, shape (worlds, 3)."""
    found: list[list[float]] = []
    for share in SHARES:
        for first in range(3):
            second, third = (at for at in range(3) if at != first)
            x, y, z = scores[first], scores[second], scores[third]
            other = (-margin - share * x - (1.0 - share) * z) / (y - z)
            if other >= 0.0 and share + other <= 1.0:
                one = [0.0, 0.0, 0.0]
                one[first], one[second], one[third] = share, other, 1.0 - share - other
                found.append(one)
    return np.array(found).reshape(-1, 3)


def largest_size(margin: float, n: int, side: Alternative) -> tuple[float, tuple[float, ...], list[float]]:
    """The largest share of wrong verdicts over all worlds, with its scores and their shares."""
    hall_from = (trusted_n if side == "greater" else n_min)(margin)
    tables = np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)])
    ways = gammaln(n + 1) - gammaln(tables + 1).sum(axis=1)
    best: tuple[float, tuple[float, ...], list[float]] = (0.0, (), [])
    for scores in itertools.combinations(SCORES, 3):
        shares = worlds(margin, scores)
        if not len(shares):
            continue
        chance = np.exp(ways + np.log(np.maximum(shares, 1e-300)) @ tables.T)
        wrong = np.zeros(len(tables))
        for at in np.nonzero(chance.max(axis=0) > UNLIKELY)[0].tolist():
            d = np.repeat(scores, tables[at])
            if (d.mean() > -margin) == (side == "greater"):
                wrong[at] = bounded_mean_p(d, -margin, side, (-1.0, 1.0), hall_from, draws=1000) <= ALPHA
        sizes = chance @ wrong
        worst = int(sizes.argmax())
        if sizes[worst] > best[0]:
            best = (float(sizes[worst]), scores, np.round(shares[worst], 3).tolist())
    return best


def main() -> None:
    """Print the worst world of each plan and side."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("margin    n  n/n_min  side  size  scores and their shares")
    for margin, n in PLANS:
        sides: tuple[tuple[str, Alternative], ...] = (("pass", "greater"), ("fail", "less"))
        for name, side in sides:
            size, scores, shares = largest_size(margin, n, side)
            world = ", ".join(f"{score:g}: {share:g}" for score, share in zip(scores, shares, strict=True))
            print(f"{margin:6g} {n:4d} {n / n_min(margin):8.2f}  {name}  {size:.3f}  {world}", flush=True)


if __name__ == "__main__":
    main()
