"""A run computes nothing before its calls, and so it waits for neither numpy nor scipy before them."""

from __future__ import annotations

import subprocess
import sys

import numpy
import pytest
from scipy import special

from relgate import late

CHECKED = """
import sys
from relgate import late
import relgate.plugin.session, relgate.usecases.run_release, relgate.decision.planning.feasibility
computing = {"numpy", "scipy"} & sys.modules.keys()
assert not computing, computing
late.import_now()
assert {"numpy", "scipy.special"} <= sys.modules.keys()
"""


def test_a_session_starts_without_what_computes():
    subprocess.run([sys.executable, "-c", CHECKED], check=True)


def test_everything_is_the_real_thing():
    assert late.np.float64 is numpy.float64
    assert late.special.betaincinv is special.betaincinv
    assert isinstance(late.np.zeros(2), numpy.ndarray)


def test_an_unknown_name_is_an_error():
    with pytest.raises(AttributeError, match="no_such_function"):
        late.special.no_such_function  # noqa: B018
