"""Which gates really fail: reject weights with Holm, half of alpha over require gates, half over guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from relgate import stats
from relgate.decision.policy import ALPHA
from relgate.domain.gate import GateResult


def weigh_fails(results: Sequence[GateResult]) -> tuple[GateResult, ...]:
    """Turn gates whose requirement is proven broken into fails (verdict.md 3).

    Half of alpha is shared by the require gates, half by the guards, in equal parts, Holm within each
    half. A report gate fails for the eye only, at its own unadjusted alpha. Zero-tolerance results are
    policy, not statistics, and stay as they are.
    """
    failed: set[str] = set()
    for role in ("require", "guard"):
        group = [r for r in results if r.role == role and r.p_fail is not None and r.form != "violations"]
        if not group:
            continue
        rejected = stats.weighted_holm(
            np.array([r.p_fail for r in group], dtype=np.float64), np.ones(len(group)), ALPHA / 2
        )
        failed |= {r.id for r, hit in zip(group, rejected, strict=True) if hit}
    weighed = []
    for result in results:
        shown = result.role == "report" and result.p_fail is not None and result.p_fail <= ALPHA
        if result.form != "violations" and (result.id in failed or shown) and result.result != "pass":
            result = replace(result, result="fail", needed=None, message=_failed(result))
        weighed.append(result)
    return tuple(weighed)


def _failed(result: GateResult) -> str:
    text = result.message.split("; more cases will rather")[0].split("; fix, do not measure")[0]
    head, _, tail = text.partition("; ")
    if " more cases (" in tail:
        tail = "; ".join(part for part in tail.split("; ") if " more cases (" not in part)
    assert result.p_fail is not None
    return "; ".join(filter(None, [head, f"requirement proven broken (p = {result.p_fail:.2g})", tail]))
