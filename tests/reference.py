"""Recompute reference values through relgate.stats: python tests/reference.py [FILE].

FILE has the form of ../shared/vectors/statistics.json, which is read where none is named:
{"vectors": [{"id", "input", "expected", "tol"}]}.
One row is printed for each vector, with the largest difference among its values, and the counts at the end.
A number agrees within the vector's own `tol`, an absolute difference (plus one part in 1e13, for rounding).

Exit: 0 all agree, 1 a miss, 2 the file cannot be used.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from relgate import stats  # noqa: E402  # found by the path above

Numbers = dict[str, Any]
Method = Callable[[Numbers, str, Numbers], Numbers]
"""input, id, expected -> computed, under the keys of expected."""


class UnusableFileError(Exception):
    """The file is not of the documented form."""


def _whole(value: Any) -> Any:
    """Read 3.0 as 3: some writers of JSON have no integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _counts(given: Numbers) -> stats.PairedCounts:
    cells = ("both_pass", "cand_only", "base_only", "both_fail")
    return stats.PairedCounts(*(_whole(given[cell]) for cell in cells))


def paired_ci(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    effect = given.get("effect") or "cand-base"
    if effect not in ("cand-base", "base-cand"):
        raise ValueError(f"unknown effect {effect!r}")
    counts = _counts(given) if effect == "cand-base" else _counts(given).swapped()
    bounds = stats.tango_interval(counts, given["alpha_two_sided"] / 2.0)
    return {"lower": bounds.low, "upper": bounds.high}


def mcnemar(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    return {"p": stats.mcnemar_midp(_counts(given), "two-sided")}


def clopper_pearson(given: Numbers, _id: str, expected: Numbers) -> Numbers:
    computed: Numbers = {}
    for key in expected:
        if match := re.fullmatch(r"one_sided(\d+)_(lower|upper)", key):
            bounds = stats.clopper_pearson(_whole(given["x"]), _whole(given["n"]), 1.0 - _level(match[1]))
            computed[key] = bounds.low if match[2] == "lower" else bounds.high
        elif match := re.fullmatch(r"two_sided(\d+)", key):
            bounds = stats.clopper_pearson(
                _whole(given["x"]), _whole(given["n"]), (1.0 - _level(match[1])) / 2.0
            )
            computed[key] = [bounds.low, bounds.high]
    return computed


def _level(digits: str) -> float:
    """Read "95" as .95 and "975" as .975."""
    return int(digits) / 10 ** len(digits)


def floor_binom(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    return {"p": stats.floor_p(_whole(given["x"]), _whole(given["n"]), given["p0"])}


def order_stat(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    return {
        "rank_1based_or_none": stats.order_stat_upper(
            _whole(given["n"]), given["p"], given["alpha_one_sided"]
        )
    }


def harrell_davis(given: Numbers, _id: str, expected: Numbers) -> Numbers:
    computed: Numbers = {"q": stats.harrell_davis(given["x"], given["p"])}
    if "se_jackknife" in expected:
        computed["se_jackknife"] = (
            stats.harrell_davis_se(given["x"], given["p"]) if len(given["x"]) > 1 else None
        )
    return computed


def cluster_mean(given: Numbers, _id: str, expected: Numbers) -> Numbers:
    # labels of any JSON type: a list or an object is no dictionary key in Python
    labels = [json.dumps(c) if isinstance(c, list | dict) else c for c in given["cluster"]]
    estimate = stats.cluster_mean(given["y"], labels)
    computed: Numbers = {
        "mean": estimate.mean,
        "se_CR2": estimate.se,
        "df_satterthwaite_CR2": estimate.df,
        "p_two_sided_CR2": None if estimate.degenerate else estimate.p(0.0, "two-sided"),
    }
    for key in expected:
        if match := re.fullmatch(r"ci(\d+)_CR2", key):
            bounds = None if estimate.degenerate else estimate.interval((1.0 - _level(match[1])) / 2.0)
            computed[key] = bounds and [bounds.low, bounds.high]
    return computed


def holm(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    return {"adjusted": stats.holm(given["p"]).tolist()}


def group_sequential(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    spending = str(given.get("spending") or "Hwang-Shih-DeCani gamma=-2")
    gamma = re.search(r"gamma\s*=?\s*([-+]?\d*\.?\d+)", spending)
    if not spending.startswith("Hwang-Shih-DeCani") or gamma is None:
        raise ValueError(f"unknown spending {spending!r}")
    if (given.get("info") or "equally spaced") != "equally spaced":
        raise ValueError(f"unknown information fractions {given['info']!r}")
    bounds = stats.group_sequential_bounds(_whole(given["K"]), given["alpha_one_sided"], float(gamma[1]))
    return {"z": bounds.tolist()}


def power(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    return {"n": stats.paired_t_n(given["delta"], given["sd"], given["alpha"], given["power"])}


def ppi_mean(given: Numbers, vector_id: str, _expected: Numbers) -> Numbers:
    option = re.search(r"lam\w*=([\w.]+)", vector_id)
    if option is None:
        raise ValueError("the id does not say lam=1 or lam=tuned")
    lam = None if option[1] == "tuned" else float(option[1])
    estimate = stats.ppi_mean(given["Y"], given["Yhat"], given["Yhat_unlabeled"], lam)
    bounds = estimate.normal_interval(given["alpha_two_sided"] / 2.0)
    return {"estimate": estimate.estimate, "ci": [bounds.low, bounds.high]}


def zero_violation_n(given: Numbers, _id: str, _expected: Numbers) -> Numbers:
    tolerated = _whole(given.get("tolerated") or 0)
    return {"n": stats.zero_violation_n(given["p0"], given["alpha"], tolerated)}


METHODS: dict[str, Method] = {
    "paired_ci/Tango_asymptotic_score_CI_paired_2x2": paired_ci,
    "mcnemar_two_sided/McNemar_midP": mcnemar,
    "clopper_pearson": clopper_pearson,
    "floor_binom_greater": floor_binom,
    "order_stat_upper": order_stat,
    "harrell_davis": harrell_davis,
    "cluster_mean": cluster_mean,
    "p_adjust/holm": holm,
    "group_sequential/hsd1": group_sequential,
    "power": power,
    "ppi_mean": ppi_mean,
    "zero_violation_n": zero_violation_n,
}


def method_of(vector_id: str) -> Method | None:
    """Return the method that an id names by its first part or its first two."""
    parts = vector_id.split("/")
    return METHODS.get(parts[0]) or METHODS.get("/".join(parts[:2]))


def difference(expected: Any, computed: Any) -> float:
    """Return the largest absolute difference: 0 for two nulls, inf for what cannot be compared."""
    if isinstance(expected, list) or isinstance(computed, list):
        if not (isinstance(expected, list) and isinstance(computed, list)) or len(expected) != len(computed):
            return math.inf
        return max((difference(e, c) for e, c in zip(expected, computed, strict=True)), default=0.0)
    if expected is None or computed is None:
        return 0.0 if expected is computed else math.inf
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (expected, computed)):
        return math.inf
    if expected == computed:  # two equal infinities too
        return 0.0
    gap = abs(expected - computed)
    return math.inf if math.isnan(gap) else float(gap)


def _scale(value: Any) -> float:
    if isinstance(value, list):
        return max((_scale(item) for item in value), default=0.0)
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return abs(float(value)) if is_number else 0.0


def _shown(value: Any) -> str:
    if isinstance(value, list):
        shown = [_shown(item) for item in value]
        return f"[{' '.join(shown[:3])}{' ...' if len(shown) > 3 else ''}]"
    if isinstance(value, float):
        return f"{value:.7g}"
    return "none" if value is None else str(value)


def _shown_values(values: Numbers, keys: Numbers) -> str:
    return " ".join(_shown(values.get(key, "missing")) for key in keys)


def check(vector: Numbers) -> tuple[str, str, str, str, str]:
    """Compute one vector; return its row: id, expected, computed, difference, verdict (ok, MISS)."""
    vector_id, expected, tol = vector["id"], vector["expected"], vector["tol"]
    shown = _shown_values(expected, expected)
    method = method_of(vector_id)
    if method is None:
        return vector_id, shown, "unknown method", "", "MISS"
    try:
        computed = method(vector["input"], vector_id, expected)
    except ValueError as error:  # a refusal is right where no value is expected
        refused_rightly = all(value is None for value in expected.values())
        return vector_id, shown, f"refused: {error}", "", "ok" if refused_rightly else "MISS"
    except KeyError as error:
        return vector_id, shown, f"no input {error}", "", "MISS"
    except (TypeError, AttributeError, ArithmeticError) as error:
        return vector_id, shown, f"unusable input: {error}", "", "MISS"
    gaps = [(difference(value, computed.get(key, "")), value) for key, value in expected.items()]
    agrees = all(gap <= tol + 1e-13 * _scale(value) for gap, value in gaps)
    largest = f"{max(gap for gap, _ in gaps):.1e}"
    return vector_id, shown, _shown_values(computed, expected), largest, "ok" if agrees else "MISS"


def load(path: Path) -> list[Numbers]:
    """Read the vectors of a file.

    Raises:
        UnusableFileError: Not readable, not JSON, or a vector without id, input, expected and tol.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableFileError(f"cannot read {path}: {error}") from None
    vectors = content.get("vectors") if isinstance(content, dict) else None
    if not isinstance(vectors, list) or not vectors:
        raise UnusableFileError(f"{path} has no list of vectors")
    for index, vector in enumerate(vectors):
        fields = vector if isinstance(vector, dict) else {}
        tol = fields.get("tol")
        if not (
            isinstance(fields.get("id"), str)
            and isinstance(fields.get("input"), dict)
            and isinstance(fields.get("expected"), dict)
            and fields["expected"]
            and isinstance(tol, int | float)
            and not isinstance(tol, bool)
            and 0.0 <= tol < math.inf
        ):
            raise UnusableFileError(f"{path}: vector {index} needs id, input, expected and tol")
    return vectors


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    if len(arguments) > 1:
        print("usage: python tests/reference.py [FILE]", file=sys.stderr)
        return 2
    try:
        vectors = load(Path(arguments[0]) if arguments else ROOT.parent / "shared/vectors/statistics.json")
    except UnusableFileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = [check(vector) for vector in vectors]
    ok, missed = (sum(row[-1] == verdict for row in rows) for verdict in ("ok", "MISS"))
    headers = ["id", "expected", "computed", "difference", "verdict"]
    print(tabulate(rows, headers, tablefmt="plain", disable_numparse=True))
    print(f"\n{len(vectors)} vectors: {ok} ok, {missed} miss")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
