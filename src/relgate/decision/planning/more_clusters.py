"""How many clusters of the present size would let a gate pass: few clusters have few degrees of freedom."""

from __future__ import annotations

from math import ceil, sqrt

from relgate import stats
from relgate.decision.sample import Floats, Sample
from relgate.late import np, special
from relgate.stats.means import Support
from relgate.stats.unseen_loss import undone_unseen_p
from relgate.stats.unseen_unit import unseen_size

_STEP = 1.02
"""Factor between the numbers that are tried."""


def cases_in_clusters(
    sample: Sample,
    values: Floats,
    *,
    mean: float,
    boundary: float,
    support: Support,
    alpha: float,
    power: float,
    at_most: int,
) -> int | None:
    """Cases, in clusters of the present size, at which a clustered mean passes with this power.

    The error of the mean shrinks with the root of the clusters, its degrees of freedom grow with them, and
    one more unit of the worst score stands beside them, as when the gate is judged (``guarded_cluster_p``).
    Student's t stands on both sides: t(1 - alpha) + t(power).

    Args:
        sample: what the gate judged, in clusters.
        values: its rows with better counted upwards, shape (n,).
        mean: what the further clusters are planned at.
        boundary: what the mean must be above.
        support: the known ends of one row.
        alpha: promote-side alpha.
        power: how often it should pass.
        at_most: cases beyond which no number is named.

    Returns:
        The number of all cases, 0 where the clusters do not differ (another rule plans them), None where more
        clusters are no remedy.
    """
    estimate = stats.cluster_mean(values, sample.units)
    if estimate.degenerate:
        return 0
    if mean <= boundary:
        return None
    _, code = np.unique(np.asarray(sample.units), return_inverse=True)
    size = unseen_size(values, code, estimate.se)
    seen = float(values.min())
    worst = seen if seen < 0.0 or support[0] == 0.0 else support[0]
    each = sample.n / sample.unit_count
    clusters = float(sample.unit_count)
    while (cases := clusters * each) <= at_most:
        times = clusters / sample.unit_count
        total = cases + size
        moved = (cases * mean + size * worst) / total
        error = sqrt((cases * estimate.se) ** 2 / times + (size * (worst - moved)) ** 2) / total
        df = max(1.0, estimate.df * times)
        reach = float(special.stdtrit(df, 1.0 - alpha) + special.stdtrit(df, power))
        secured = undone_unseen_p(mean, boundary, "greater", support, cases / size) <= alpha
        if secured and moved - boundary >= reach * error:
            return ceil(ceil(clusters) * each)
        clusters = max(clusters + 1.0, clusters * _STEP)
    return None
