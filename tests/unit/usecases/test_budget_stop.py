"""What a run that its budget ended says of the rest."""

from __future__ import annotations

import re

import pytest

from relgate.engine.budget import Allowance

APPLICATION = "def build(release):\n    return lambda request: 'yes'\n"


@pytest.mark.parametrize("sealed", [False, True], ids=["open", "with a sealed half"])
def test_the_calls_that_are_left_are_those_that_the_next_run_makes(project, sealed):
    cases = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(80)]
    gates = [{"metric": "contains", "at_least": 0.5}]
    project.suite(cases, gates=gates, trials=3, sealed=sealed)
    name = f"budget_stop_{sealed}"
    project.manifest(application=project.module(name, APPLICATION), baseline="none")
    first = project.card(allowance=Allowance(calls=150), full=True).verdict
    left = re.search(r"about ([\d,]+) more calls", first.next_step)
    assert left is not None
    assert ("but for that of sealed cases" in first.next_step) is sealed
    assert int(left[1]) == project.card(full=True).calls.made
