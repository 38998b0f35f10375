from __future__ import annotations

import pytest

from relgate.domain.errors import InputError
from relgate.domain.metric import Metric
from relgate.domain.response import Response, ScorerFailure
from relgate.scorers import infer_kind


def test_a_recorded_score_becomes_the_metric_of_its_name(make, judge):
    assert make("recorded", {"name": "quality"}).metric == Metric("quality", "unit")
    assert judge("recorded", Response("", scores={"quality": 0.7}), name="quality") == 0.7


def test_the_name_alone_is_enough(make):
    assert make("recorded", {"value": "quality"}).metric.name == "quality"


def test_a_missing_score_is_a_failure_never_a_number(judge):
    assert isinstance(judge("recorded", Response(""), name="quality"), ScorerFailure)


@pytest.mark.parametrize(
    ("options", "metric"),
    [
        ({"kind": "count"}, Metric("n", "count", higher_is_better=False)),
        ({"kind": "count", "higher_is_better": True}, Metric("n", "count")),
        ({"kind": "binary", "higher_is_better": False}, Metric("n", "binary", higher_is_better=False)),
        ({"as": "toxicity"}, Metric("toxicity", "unit")),
    ],
)
def test_options_choose_kind_direction_and_name(make, options, metric):
    assert make("recorded", {"name": "n", **options}).metric == metric


@pytest.mark.parametrize("options", [{}, {"name": "a", "value": "b"}, {"name": "a", "kind": "percent"}])
def test_wrong_options_are_an_error_of_the_suite(make, options):
    with pytest.raises(InputError, match="scorer recorded"):
        make("recorded", options)


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0, 1, 1], "binary"), ([0.0, 0.5], "unit"), ([0, 7], None), ([], None), ([float("nan")], None)],
)
def test_the_kind_follows_from_all_scores(values, kind):
    assert infer_kind(values) == kind
