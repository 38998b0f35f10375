"""Which gates really fail: reject weights with Holm, half of alpha over require gates, half over guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from relgate import stats
from relgate.decision.policy import ALPHA
from relgate.decision.wording import conclude
from relgate.domain.gate import GateResult
from relgate.late import np


def weigh_fails(
    results: Sequence[GateResult], crossed: Mapping[str, bool] | None = None, *, ended: bool = False
) -> tuple[GateResult, ...]:
    """Turn gates whose requirement is proven broken into fails, and say what follows for the others.

    Half of alpha is shared by the require gates, half by the guards, in equal parts, Holm within each half
    (verdict.md 3). The shares are fixed before the first call: a gate that could not be tested keeps its
    own. A report gate fails for the eye only, at its own unadjusted alpha. Zero-tolerance results are
    policy, not statistics: they take no share and stay as they are.

    Args:
        results: every gate's result.
        crossed: gates that were looked at before the end, and whether their fail side crossed its bound
            there. Without a crossing none of them fails; with one, Holm names the others that do.
        ended: whether the run ended early for a reject, a critical miss for example: then Holm names the
            gates that fail on the data in hand (verdict.md 8).
    """
    crossed = crossed or {}
    named = ended or any(crossed.values())
    failed: set[str] = set()
    weights: dict[str, float] = {}
    for role in ("require", "guard"):
        group = [r for r in results if r.role == role and r.form != "violations"]
        if not group:
            continue
        p = np.array(
            [
                0.0
                if crossed.get(r.id)
                else 1.0
                if r.p_fail is None or (r.id in crossed and not named)
                else r.p_fail
                for r in group
            ],
            dtype=np.float64,
        )
        hit = stats.weighted_holm(p, np.ones(len(group)), ALPHA / 2)
        failed |= {r.id for r, rejected in zip(group, hit, strict=True) if rejected}
        weights |= dict.fromkeys((r.id for r in group), ALPHA / 2 / len(group))
    return tuple(
        replace(_weighed(result, failed), reject_weight=weights.get(result.id)) for result in results
    )


def _weighed(result: GateResult, failed: set[str]) -> GateResult:
    if result.form == "violations":
        return result
    shown = result.role == "report" and result.p_fail is not None and result.p_fail <= ALPHA
    if (result.id in failed or shown) and result.result == "hold":
        result = replace(result, result="fail", needed=None)
    return replace(result, message=conclude(result))
