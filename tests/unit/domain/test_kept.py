"""The key of a kept answer is the digest of canonical JSON, whatever was asked."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relgate.domain.digest import digest_json
from relgate.domain.kept import response_key

TEXTS = st.text(max_size=12) | st.text('"\\/\b\f\n\r\t\0\x1f\x7f\x85\u2028<é😀', max_size=12)


@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=4), st.integers(0, 10**6))
@example("sha256:a", "", ["", "c1", 'say "hi"\\\n', "unchanged"], 0)
def test_it_is_that_of_canonical_json(release, target, request, trial):
    assert response_key(release, target, request, trial) == digest_json(
        [release, target, list(request), trial]
    )


@pytest.mark.parametrize(
    "make",
    [lambda asked: response_key("r", "", [asked], 0), lambda asked: digest_json(["r", "", [asked], 0])],
)
def test_half_a_surrogate_pair_has_none(make):
    with pytest.raises(UnicodeEncodeError):
        make("\ud83d")
