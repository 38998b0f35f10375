from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from relgate import stats


def test_importing_the_package_loads_neither_scipy_stats_nor_optimize():
    code = (
        "import sys, relgate.stats;"
        "print([m for m in ('scipy.stats', 'scipy.optimize', 'pytest') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_every_announced_name_exists():
    assert [name for name in stats.__all__ if not hasattr(stats, name)] == []
    assert len(set(stats.__all__)) == len(stats.__all__)


def test_results_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.Interval(0.0, 1.0).low = 2.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.PairedCounts(1, 1, 1, 1).both_pass = 2  # type: ignore[misc]


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("nan"))])
def test_an_interval_out_of_order_cannot_exist(low, high):
    with pytest.raises(ValueError, match="not an interval"):
        stats.Interval(low, high)


def test_an_interval_knows_its_width_and_what_it_holds():
    interval = stats.Interval(-1.0, float("inf"))
    assert interval.width == float("inf")
    assert interval.contains(-1.0)
    assert not interval.contains(-1.1)
