"""Server-sent events are the same however the bytes are cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from relgate.engine.sse import EventStream

STREAM = (
    b': hello\n\ndata: {"a": 1}\n\nevent: x\r\nid: 7\r\ndata: first\r\ndata:second\r\n\r\n'
    b"data\r\rdata: caf\xc3\xa9\n\nretry: 3\n\ndata: [DONE]\n\ndata: broken off"
)
EVENTS = [b'{"a": 1}', b"first\nsecond", b"", "café".encode(), b"[DONE]"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_events_do_not_depend_on_where_chunks_end(cuts):
    stream, found = EventStream(), []
    marks = [0, *sorted(cuts), len(STREAM)]
    for begin, end in itertools.pairwise(marks):
        found += stream.feed(STREAM[begin:end])
    assert found == EVENTS
