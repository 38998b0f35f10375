"""Statistics of the gates: arrays and numbers in, frozen results out; no case, no suite, no I/O.

alpha is one-sided everywhere: 0.05 is a two-sided 90 % interval. docs/methodology.md says which method serves
which gate, and why.
"""

from relgate.stats.agreement import (
    Agreement,
    BinaryAgreement,
    PositionBias,
    binary_agreement,
    position_bias,
    rater_agreement,
)
from relgate.stats.binomial import (
    ceiling_p,
    clopper_pearson,
    fewer_drawn_p,
    floor_p,
    n_min,
    zero_violation_n,
)
from relgate.stats.bounded_means import bounded_mean_interval, bounded_mean_p, trusted_n
from relgate.stats.clusters import ClusterMean, cluster_bounded_interval, cluster_bounded_p, cluster_mean
from relgate.stats.means import (
    GAFFKE_UP_TO,
    Moments,
    gaffke_interval,
    gaffke_p,
    hall_interval,
    hall_p,
)
from relgate.stats.multiplicity import holm, weighted_holm
from relgate.stats.paired import (
    PairedCounts,
    exact_unconditional_low,
    exact_unconditional_p,
    mcnemar_interval,
    mcnemar_midp,
    tango_interval,
    tango_p,
    tango_z,
)
from relgate.stats.planning import (
    EXACT_UP_TO,
    binomial_floor_n,
    discordance_upper,
    mean_n,
    nam_n,
    paired_t_n,
    ties_n,
)
from relgate.stats.prediction_powered import (
    PredictionPoweredMean,
    ppi_mean,
    ppi_mean_cross_fitted,
)
from relgate.stats.quantiles import (
    QuantileRatio,
    harrell_davis,
    harrell_davis_se,
    order_stat_upper,
    quantile_ratio,
)
from relgate.stats.ratio_limits import (
    SPENDING,
    exceeded_low,
    exceeded_p,
    kept_high,
    kept_p,
    least_limit,
    spending_units,
)
from relgate.stats.ratio_moments import PairMoments
from relgate.stats.ratios import fieller_interval, fieller_p
from relgate.stats.results import Alternative, Interval
from relgate.stats.secured import (
    secured_cluster_interval,
    secured_cluster_p,
    secured_hall_interval,
    secured_hall_p,
)
from relgate.stats.sequential import group_sequential_bounds, hsd_spent
from relgate.stats.unseen_loss import unseen_loss_n, unseen_loss_p
from relgate.stats.unseen_unit import guarded_cluster_interval, guarded_cluster_p

__all__ = [
    "EXACT_UP_TO",
    "GAFFKE_UP_TO",
    "SPENDING",
    "Agreement",
    "Alternative",
    "BinaryAgreement",
    "ClusterMean",
    "Interval",
    "Moments",
    "PairMoments",
    "PairedCounts",
    "PositionBias",
    "PredictionPoweredMean",
    "QuantileRatio",
    "binary_agreement",
    "binomial_floor_n",
    "bounded_mean_interval",
    "bounded_mean_p",
    "ceiling_p",
    "clopper_pearson",
    "cluster_bounded_interval",
    "cluster_bounded_p",
    "cluster_mean",
    "discordance_upper",
    "exact_unconditional_low",
    "exact_unconditional_p",
    "exceeded_low",
    "exceeded_p",
    "fewer_drawn_p",
    "fieller_interval",
    "fieller_p",
    "floor_p",
    "gaffke_interval",
    "gaffke_p",
    "group_sequential_bounds",
    "guarded_cluster_interval",
    "guarded_cluster_p",
    "hall_interval",
    "hall_p",
    "harrell_davis",
    "harrell_davis_se",
    "holm",
    "hsd_spent",
    "kept_high",
    "kept_p",
    "least_limit",
    "mcnemar_interval",
    "mcnemar_midp",
    "mean_n",
    "n_min",
    "nam_n",
    "order_stat_upper",
    "paired_t_n",
    "position_bias",
    "ppi_mean",
    "ppi_mean_cross_fitted",
    "quantile_ratio",
    "rater_agreement",
    "secured_cluster_interval",
    "secured_cluster_p",
    "secured_hall_interval",
    "secured_hall_p",
    "spending_units",
    "tango_interval",
    "tango_p",
    "tango_z",
    "ties_n",
    "trusted_n",
    "unseen_loss_n",
    "unseen_loss_p",
    "weighted_holm",
    "zero_violation_n",
]
