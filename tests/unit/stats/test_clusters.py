from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import (
    cluster_bounded_interval,
    cluster_bounded_p,
    cluster_mean,
    gaffke_interval,
    gaffke_p,
)
from relgate.stats._checks import codes

Y = [0.1, -0.2, 0.05, 0.3, 0.0, -0.1, 0.2, 0.15, -0.05, 0.4, 0.0, 0.0, -0.3, 0.1, 0.25, 0.05]
CLUSTER = [1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 6, 6, 6]


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.int32])
@pytest.mark.parametrize("spread", [1, 3, 400, 2**31 - 1])
def test_numbered_clusters_are_coded_as_labels_are(kind: type, spread: int) -> None:
    labels = np.random.default_rng(spread).integers(0, spread, 300).astype(kind)
    coded, groups = codes(labels, "cluster", 300)
    of_list, groups_of_list = codes(labels.tolist(), "cluster", 300)
    assert (coded.tolist(), groups) == (of_list.tolist(), groups_of_list)
    with pytest.raises(ValueError, match="300 labels for 299 rows"):
        codes(labels, "cluster", 299)


def matrix_cr2(y: np.ndarray, code: np.ndarray) -> tuple[float, float]:
    """CR2 and Satterthwaite df by the general regression formulas, with every matrix formed.

    Bell and McCaffrey 2002: V = M sum X_g' A_g e_g e_g' A_g X_g M, A_g = (I - H_gg)^(-1/2); df from
    p_g = (I - H)_g' A_g X_g M, P = [p_g' p_h].
    """
    n = len(y)
    x = np.ones((n, 1))
    inverse = np.linalg.inv(x.T @ x)
    hat = x @ inverse @ x.T
    residual = y - hat @ y
    variance, columns = 0.0, []
    for g in np.unique(code):
        rows = np.flatnonzero(code == g)
        block = np.eye(len(rows)) - hat[np.ix_(rows, rows)]
        values, vectors = np.linalg.eigh(block)
        adjustment = vectors @ np.diag(values**-0.5) @ vectors.T
        weights = adjustment @ x[rows] @ inverse
        variance += float((residual[rows] @ weights)[0]) ** 2
        columns.append((np.eye(n) - hat)[rows].T @ weights)
    p = np.hstack(columns)
    gram = p.T @ p
    return variance**0.5, float(np.trace(gram) ** 2 / np.sum(gram**2))


def test_cr2_gives_the_values_of_clubsandwich():
    estimate = cluster_mean(Y, CLUSTER)
    assert estimate.mean == pytest.approx(0.059375)
    assert estimate.se == pytest.approx(0.032388929499, abs=1e-10)
    assert estimate.df == pytest.approx(4.144137631921, abs=1e-10)
    assert estimate.p(0.0, "two-sided") == pytest.approx(0.138211395038, abs=1e-10)
    bounds = estimate.interval(0.05)
    assert (bounds.low, bounds.high) == pytest.approx((-0.008988958207, 0.127738958207), abs=1e-10)
    assert (estimate.n, estimate.clusters) == (16, 6)


@pytest.mark.parametrize("groups", [2, 3, 8, 25])
def test_closed_form_is_the_matrix_formula(groups):
    rng = np.random.default_rng(groups)
    code = np.concatenate((np.arange(groups), rng.integers(0, groups, 4 * groups)))
    y = rng.normal(size=code.size) + rng.normal(size=groups)[code]
    estimate = cluster_mean(y, code)
    se, df = matrix_cr2(y, code)
    assert estimate.se == pytest.approx(se, rel=1e-9)
    assert estimate.df == pytest.approx(df, rel=1e-9)


def test_clusters_of_one_row_are_the_plain_t_test():
    estimate = cluster_mean(Y, range(len(Y)))
    expected = scipy_stats.ttest_1samp(Y, 0.02, alternative="greater")
    assert estimate.df == pytest.approx(len(Y) - 1)
    assert estimate.p(0.02, "greater") == pytest.approx(expected.pvalue)
    assert estimate.p(0.02, "less") == pytest.approx(1 - expected.pvalue)


def test_many_clusters_need_no_matrix_of_their_own_size():
    code = np.repeat(np.arange(100_000), 2)
    y = np.random.default_rng(0).normal(size=code.size)
    assert cluster_mean(y, code).df == pytest.approx(99_999)


def test_labels_may_be_of_any_type_and_true_is_not_one():
    names = {1: "a", 2: ("t", 2), 3: 3.5, 4: 1, 5: True, 6: b"x"}
    assert cluster_mean(Y, [names[c] for c in CLUSTER]) == cluster_mean(Y, CLUSTER)
    assert cluster_mean(Y, np.array([f"g{c}" for c in CLUSTER])) == cluster_mean(Y, CLUSTER)


@pytest.mark.parametrize(
    ("y", "cluster"),
    [
        ([1.0, 2.0], ["a", "a"]),
        ([1.0, 2.0], ["a"]),
        ([1.0, 2.0], ["a", None]),
        ([1.0, 2.0], ["a", float("nan")]),
        ([1.0, 2.0], ["a", ["b"]]),
        ([1.0, float("inf")], ["a", "b"]),
        ([1.0], ["a"]),
    ],
)
def test_clusters_that_cannot_carry_an_error_are_refused(y, cluster):
    with pytest.raises(ValueError, match=r"clusters|labels|missing|hashed|infinite|at least"):
        cluster_mean(y, cluster)


def test_equal_cluster_means_have_no_invented_p_value():
    estimate = cluster_mean([0.0, 0.2, 0.1, 0.1], ["a", "a", "b", "b"])
    assert estimate.degenerate
    with pytest.raises(ValueError, match="no variance"):
        estimate.p(0.0, "greater")
    with pytest.raises(ValueError, match="no variance"):
        estimate.interval()


def test_equal_cluster_means_are_judged_by_gaffke_with_the_cluster_as_unit():
    y, cluster = np.zeros(300), np.repeat(np.arange(30), 10)
    expected = gaffke_p(np.zeros(30), -0.1, "greater", (-1, 1))
    assert cluster_bounded_p(y, cluster, -0.1, "greater", (-1, 1)) == expected
    assert expected > gaffke_p(y, -0.1, "greater", (-1, 1))
    bounds = cluster_bounded_interval(y, cluster, 0.05, (-1, 1))
    assert bounds == gaffke_interval(np.zeros(30), 0.05, (-1, 1))
    assert bounds.width > 0.0


def test_clusters_with_variance_are_judged_by_cr2_and_cut_to_the_support():
    assert cluster_bounded_p(Y, CLUSTER, -0.05, "greater", (-1, 1)) == cluster_mean(Y, CLUSTER).p(
        -0.05, "greater"
    )
    few = cluster_bounded_interval([0.9, 1.0, 0.2, 1.0], ["a", "a", "b", "b"], 0.05, (0, 1))
    assert (few.low, few.high) == (0.0, 1.0)


def test_clustered_rows_outside_their_support_are_refused():
    with pytest.raises(ValueError, match="support"):
        cluster_bounded_p([0.5, 1.5, 0.2], ["a", "b", "c"], 0.3, "less", (0, 1))
