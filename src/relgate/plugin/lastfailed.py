"""``--lf`` for measurements: what missed runs again, what did not run keeps its mark, gates never count."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

KEY = "cache/lastfailed"
MISSED = ("miss", "regressed", "failed")


def last_failed(config: pytest.Config) -> frozenset[str]:
    """Node ids that pytest remembers from the last run."""
    cache = getattr(config, "cache", None)
    return frozenset(cache.get(KEY, {}) or {}) if cache is not None else frozenset()


def merge_last_failed(
    config: pytest.Config,
    before: Collection[str],
    cases: Collection[str],
    outcomes: Mapping[str, str],
    chunks: Collection[str] = (),
) -> None:
    """Correct pytest's own list after it was written.

    pytest takes a miss for passed and forgets whatever was skipped.

    Args:
        config: pytest's.
        before: what was remembered before this run.
        cases: node ids of all case items of this run.
        outcomes: node id -> outcome of those that were measured. Cases of chunks are among them when they
            were missed or are remembered.
        chunks: node ids of chunks, which are never remembered.
    """
    cache = getattr(config, "cache", None)
    if cache is None or not (cases or chunks):
        return
    written = cache.get(KEY, {}) or {}
    failed = {name: True for name in written if not name.startswith("gates::") and name not in chunks}
    for node_id in (*cases, *outcomes.keys() - set(cases)):
        outcome = outcomes.get(node_id)
        if outcome in MISSED or (outcome is None and node_id in before):
            failed[node_id] = True
        elif outcome is not None:
            failed.pop(node_id, None)
    if failed != written:
        cache.set(KEY, failed)
