"""Sentences for gates: the numbers in words, with the boundary beside them."""

from __future__ import annotations

from relgate.decision.policy import Gate
from relgate.decision.sample import Sample
from relgate.domain.gate import GateResult


def percent(value: float, digits: int = 1) -> str:
    """``2.95 %`` of .0295; trailing zeros are dropped."""
    text = f"{100 * value:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def points(value: float) -> str:
    """A difference of rates in points: ``-2.1 points``."""
    return f"{100 * value:+.1f} points"


def bounds(low: float, high: float, *, scale: float = 100.0, sign: bool = True) -> str:
    """``[-3.6, -0.6]``."""
    return (
        f"[{scale * low:+.1f}, {scale * high:+.1f}]" if sign else f"[{scale * low:.1f}, {scale * high:.1f}]"
    )


def describe(gate: Gate, sample: Sample, result: GateResult) -> str:
    """One sentence on what was found, and what more cases would do."""
    assert result.estimate is not None and result.lower is not None and result.upper is not None
    spec, n = gate.spec, _size(sample)
    match spec.form:
        case "non_inferior" | "superior":
            margin = (
                f", margin {100 * spec.boundary:g}" if spec.form == "non_inferior" else ", must be better"
            )
            text = f"{points(result.estimate)} {bounds(result.lower, result.upper)}{margin}, {n}"
            other = " against the primary hop" if spec.against == "primary" else ""
            text += other
        case "at_least" | "at_most":
            word = "floor" if spec.form == "at_least" else "ceiling"
            text = (
                f"{percent(result.estimate)} {bounds(result.lower, result.upper, sign=False)}, "
                f"{word} {percent(spec.boundary)}, {n}"
            )
        case _:
            what = f"p{spec.quantile * 100:g} ratio" if spec.quantile is not None else "ratio of means"
            text = f"{what} {result.estimate:.3f} [{result.lower:.3f}, {result.upper:.3f}], limit {spec.boundary:g}, {n}"
    if result.regressed_within_margin:
        return f"regressed within margin: {text}"
    if result.proven_worse:
        assert result.p_harm is not None
        return (
            f"proven worse (p = {result.p_harm:.2g}): {text}; "
            "more cases will rather reject than promote; fix, do not measure"
        )
    if result.result == "hold" and result.needed:
        text += f"; {result.needed} more cases ({result.needed + sample.n} in all) would decide at no true difference"
    return text


def _size(sample: Sample) -> str:
    if sample.clustered:
        return f"n = {sample.n} in {sample.unit_count} clusters"
    return f"n = {sample.n}"
