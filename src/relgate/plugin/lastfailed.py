"""``--lf`` for measurements: what missed runs again, what did not run keeps its mark, gates never count."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pytest

from relgate.usecases.report import Report

KEY = "cache/lastfailed"


def merge_last_failed(
    config: pytest.Config,
    report: Report | None,
    node_ids: Mapping[tuple[str, str], str],
    ran: Set[tuple[str, str]],
) -> None:
    """Merge misses into pytest's own list after it was written; nothing without a cache or a report."""
    cache = getattr(config, "cache", None)
    if cache is None or report is None or report.stored:
        return
    failed = {name: True for name in cache.get(KEY, {}) if not name.startswith("gates::")}
    for key, node_id in node_ids.items():
        if key in report.misses:
            failed[node_id] = True
        elif key in ran:
            failed.pop(node_id, None)
    cache.set(KEY, failed)
