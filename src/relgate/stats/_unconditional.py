"""The tail of Tango's statistic under the paired trinomial, maximised over the nuisance rate."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from relgate.late import np, special
from relgate.stats._checks import FloatArray, IntArray

TIE = 1e-9
"""Tables whose z differ by less than this are tied: both belong to the tail."""
GRID = 60
ZOOMS = 4
NEAR = 0.02


def score(n: int, b: Any, c: Any, delta0: float) -> Any:
    """Return Tango's z for regressions `b` and improvements `c` (numbers or arrays) of `n` pairs.

    A zero variance (delta0 = 0, no discordant pair) gives z = 0.
    """
    linear = b * (1.0 - delta0) + c * (1.0 + delta0) - 2.0 * n * delta0
    root = np.sqrt(np.maximum(linear * linear + 8.0 * n * b * delta0 * (1.0 - delta0), 0.0))
    # the larger root of 2n q^2 - linear q - b d0 (1 - d0); the second form does not cancel when linear < 0
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(
            linear >= 0.0,
            (linear + root) / (4.0 * n),
            2.0 * b * delta0 * (1.0 - delta0) / np.where(root - linear > 0.0, root - linear, 1.0),
        )
        variance = n * np.maximum(2.0 * q + delta0 * (1.0 - delta0), 0.0)
        return np.where(variance > 0.0, (c - b - n * delta0) / np.sqrt(variance), 0.0)


def _fewest_improvements(n: int, delta0: float, z_observed: float) -> IntArray:
    """Return, for each b in 0..n, the smallest c whose z reaches the observed one (n - b + 1 when none does).

    z grows with c at a fixed b, so a bisection in all b at once is enough.
    """
    b = np.arange(n + 1)
    low = np.full(n + 1, -1)
    high = n - b + 1
    while True:
        open_ = high - low > 1
        if not open_.any():
            return high.astype(np.int64)
        middle = (low + high) // 2
        reached = score(n, b, np.clip(middle, 0, n - b), delta0) >= z_observed - TIE
        high = np.where(open_ & reached, middle, high)
        low = np.where(open_ & ~reached, middle, low)


def _tail(q: FloatArray, n: int, delta0: float, fewest: IntArray) -> FloatArray:
    """Return P(c >= fewest[b]) at regression rates `q`, improvement rates q + delta0; shape of `q`.

    b is Binomial(n, q) and c given b is Binomial(n - b, (q + delta0) / (1 - q)): one incomplete beta for each
    (q, b) in place of a sum over all tables.
    """
    q = q[:, None]
    b = np.arange(n + 1)[None, :]
    log_choose = special.gammaln(n + 1) - special.gammaln(b + 1) - special.gammaln(n - b + 1)
    weight = np.exp(log_choose + special.xlogy(b, q) + special.xlog1py(n - b, -q))
    rate = np.clip((q + delta0) / np.maximum(1.0 - q, 1e-300), 0.0, 1.0)
    k = fewest[None, :]
    rest = n - b
    inner = special.betainc(np.maximum(k, 1), np.maximum(rest - k + 1, 1), rate)
    conditional = np.where(k <= 0, 1.0, np.where(k > rest, 0.0, inner))
    return np.asarray(np.sum(weight * conditional, axis=1), dtype=np.float64)


@lru_cache(maxsize=4096)
def unconditional_p(n: int, b: int, c: int, delta0: float) -> float:
    """Return max over q of P_q(Z >= z(b, c)) with improvement rate q + delta0 (evidence for > delta0)."""
    fewest = _fewest_improvements(n, delta0, float(score(n, b, c, delta0)))
    start, stop = max(0.0, -delta0), 0.5 * (1.0 - delta0)
    grid = start + (stop - start) * np.linspace(0.0, 1.0, GRID) ** 2
    tail = _tail(grid, n, delta0, fewest)
    best = float(tail.max())
    padded = np.concatenate(([-1.0], tail, [-1.0]))
    peaks = np.flatnonzero((tail >= padded[:-2]) & (tail >= padded[2:]) & (tail >= best - NEAR))
    low = grid[np.maximum(peaks - 1, 0)]
    high = grid[np.minimum(peaks + 1, GRID - 1)]
    for _ in range(ZOOMS):
        points = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, 21)[None, :]
        values = _tail(points.ravel(), n, delta0, fewest).reshape(points.shape)
        best = max(best, float(values.max()))
        at = values.argmax(axis=1)
        rows = np.arange(len(at))
        low = points[rows, np.maximum(at - 1, 0)]
        high = points[rows, np.minimum(at + 1, 20)]
    return min(1.0, best)
