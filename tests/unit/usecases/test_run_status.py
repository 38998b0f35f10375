"""How far a run is, in one line."""

from __future__ import annotations

import pytest

from relgate.usecases.measuring.run_status import Rate, RunStatus


def test_everything_that_is_known_is_said():
    status = RunStatus(412, 1052, 8, 0.1234, 34.26, 2, 7)
    assert (
        str(status) == "412/1052 calls, 8 in flight, $0.12, 34.3/s, 19 s left, 2 of 7 required gates passed"
    )


def test_what_is_not_known_is_left_out():
    assert str(RunStatus(0, 10, 0, 0.0, None, 0, 0)) == "0/10 calls"
    assert str(RunStatus(10, 10, 0, 0.0012, 5.0, 0, 0)) == "10/10 calls, $0.0012, 5/s"


def test_the_line_ends_with_why_there_are_no_answers():
    status = RunStatus(8, 80, 8, 0.0, 0.0, 0, 0, "no answer within 60 s, tried again")
    assert str(status) == "8/80 calls, 8 in flight, 0/s; last: no answer within 60 s, tried again"


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (70, "8/80 calls, 8 in flight, 0/s; last: no answer within 60 s, tried again"),
        (60, "8/80 calls; last: no answer within 60 s, tried again"),
        (30, "8/80 calls; last: no answer wi"),
    ],
)
def test_where_there_is_little_room_the_trouble_is_what_stays(room, said):
    status = RunStatus(8, 80, 8, 0.0, 0.0, 1, 3, "no answer within 60 s, tried again")
    assert status.within(room).replace(", 1 of 3 required gates passed", "") == said
    assert len(status.within(room)) <= room


@pytest.mark.parametrize(
    ("left", "said"), [(99, "99 s"), (100, "1 min 40 s"), (5999, "99 min 59 s"), (9000, "2 h 30 min")]
)
def test_durations_are_read_at_a_glance(left, said):
    assert f"{said} left" in str(RunStatus(0, left, 1, 0.0, 1.0, 0, 0))


def test_the_rate_is_that_of_the_last_seconds():
    rate = Rate()
    assert rate.at(0.0, 0) is None
    assert rate.at(5.0, 50) == 10.0
    for second in range(6, 40):
        found = rate.at(float(second), 50)
    assert found == 0.0
