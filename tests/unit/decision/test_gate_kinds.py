"""Every gate that can be written: form x quantile x metric kind x scope x role, its method or its error.

The table is the documentation: a row is a requirement, a column a metric, a cell the method that judges it
or the error that refuses it. Roles never change the method. Scopes change it only where a case has several
scores (pooled over hops), or where they make no sense.
"""

# ruff: noqa: E501 (a row of the table is one line)

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.measurements import SuiteData, arrange
from relgate.decision.policy import check_gates, spread_gates
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.files.gates import GateRules, read_gates
from relgate.files.yamldoc import parse_yaml

METRICS = {
    "binary": Metric("binary", "binary"),
    "mistake": Metric("mistake", "binary", higher_is_better=False),
    "unit": Metric("unit", "unit"),
    "count": Metric("count", "count", higher_is_better=False),
    "latency": Metric("latency", "latency", higher_is_better=False),
    "cost": Metric("cost", "cost", higher_is_better=False),
}

TABLE = """
requirement    quantile  binary   mistake  unit     count    latency  cost
at_least       -         CP       CP       means    kind     kind     kind
at_least       yes       q-floor  q-floor  q-floor  q-floor  q-floor  q-floor
at_most        -         CP       CP       means    q-less   q-less   q-less
at_most        yes       q-kind   q-kind   q-kind   order    order    order
non_inferior   -         exact    exact    means    kind     kind     kind
non_inferior   yes       q-form   q-form   q-form   q-form+kind  q-form+kind  q-form+kind
superior       -         mid-p    mid-p    means    kind     kind     kind
superior       yes       q-form   q-form   q-form   q-form+kind  q-form+kind  q-form+kind
ratio_at_most  -         margin   margin   margin   fieller  fieller  fieller
ratio_at_most  yes       margin   margin   margin   hd       hd       hd
violations     -         good     clean    counted  counted  counted  counted
violations     yes       q-form+good  q-form  q-form+counted  q-form+counted  q-form+counted  q-form+counted
"""

METHODS = {
    "CP": "Clopper-Pearson",
    "means": "min(Hall, Gaffke) on case means",
    "exact": "exact unconditional, Tango interval",
    "mid-p": "mid-p McNemar",
    "fieller": "Fieller, paired",
    "hd": "Harrell-Davis, paired, jackknife",
    "order": "order statistic, exact, one call a case",
    "clean": "zero tolerance, Clopper-Pearson bound",
}
POOLED = {"CP": "means", "exact": "means", "mid-p": "means"}
"""A case that is averaged over hops has several scores on a side: a mean, no longer one pass or fail."""

ERRORS = {
    "kind": "{form} does not fit a metric of kind {kind}, {metric!r}, use ratio_at_most",
    "q-less": "at_most does not fit a metric of kind {kind}, {metric!r}, use ratio_at_most, or add a quantile",
    "q-floor": "quantile goes with ratio_at_most and at_most only, use at_most",
    "q-form": "quantile goes with ratio_at_most and at_most only, remove it",
    "q-kind": "a quantile does not fit a metric of kind {kind}, {metric!r}, remove the quantile",
    "margin": "ratio_at_most does not fit a metric of kind {kind}, {metric!r}, use non_inferior with a margin",
    "good": "violations counts what must not happen, but higher is better for this metric, {metric!r}, "
    "use at_least, or a scorer whose score 1 is a violation",
    "counted": "violations needs a binary metric, not {kind}, {metric!r}",
}

NO_HOPS = "only fallback suites have hops, remove it"
NO_HOP = "only fallback suites have hops, name a tag"
BOTH = "a gate is pooled over hops or one per hop, not both"
ONE_HOP = "an absolute limit on a quantile judges the calls of one hop, write by: hop"
SCOPE_ERRORS = {
    ("golden", "pooled"): [NO_HOPS],
    ("golden", "by-hop"): [NO_HOP],
    ("golden", "by-and-pool"): [NO_HOPS, NO_HOP, BOTH],
    ("fallback", "by-and-pool"): [BOTH],
}
WRITTEN = {
    "-": "",
    "by-tag": ", by: lang",
    "only": ", only: {lang: de}",
    "pooled": ", pooled: hops",
    "by-hop": ", by: hop",
    "by-and-pool": ", by: hop, pooled: hops",
}
GATES = {"-": 1, "by-tag": 2, "only": 1, "pooled": 1, "by-hop": 2}
FORMS = {
    "at_least": "at_least: 0.5",
    "at_most": "at_most: 0.5",
    "non_inferior": "non_inferior: {margin: 0.1}",
    "superior": "superior: true",
    "ratio_at_most": "ratio_at_most: 1.5",
    "violations": "violations: 0",
}
ROLES = ("", "require", "guard", "report")
N = 120
HOPS = ("a/one", "b/two")
TAGS = {"lang": {"de", "en"}}


def _rows() -> Iterator[tuple[str, bool, str, str]]:
    header, *rows = [line.split() for line in TABLE.strip().splitlines()]
    for form, quantile, *cells in rows:
        yield from ((form, quantile == "yes", m, cell) for m, cell in zip(header[2:], cells, strict=True))


def _line(form: str, quantile: bool, metric: str, scope: str, role: str) -> str:
    more = ", quantile: 0.5" * quantile + WRITTEN[scope] + (f", role: {role}" if role else "")
    return f"{{metric: {metric}, {FORMS[form]}{more}}}"


def _read(kind: str, line: str) -> tuple[tuple[GateSpec, ...], list[str]]:
    """The gate that a line becomes, and what ``relgate validate`` says of it."""
    path = Path("suite.yaml")
    document, problems = parse_yaml(f"kind: {kind}\ngates:\n  - {line}\n", path)
    assert document is not None, problems
    drafts = read_gates(document, GateRules(kind, TAGS))
    found = [*drafts.problems, *check_gates(path, drafts.specs, METRICS)]
    return drafts.specs, [str(problem).split(": ", 1)[1] for problem in found]


@pytest.fixture(scope="module")
def measured() -> Mapping[str, Any]:
    """Seeded scores of every metric on both sides, per hop."""
    rng = np.random.default_rng(11)

    def scores(metric: Metric, side: str) -> Any:
        if metric.name == "mistake":
            return np.zeros(N) if side == "candidate" else (rng.random(N) < 0.1).astype(float)
        if metric.kind == "binary":
            return (rng.random(N) < 0.9).astype(float)
        return rng.random(N) if metric.kind == "unit" else rng.lognormal(5, 0.4, N)

    return {
        f"{name} {side} {hop}": scores(metric, side)
        for name, metric in METRICS.items()
        for side in ("candidate", "baseline")
        for hop in HOPS
    }


def _data(build: Any, measured: Mapping[str, Any], kind: str, metric: Metric, spec: GateSpec) -> SuiteData:
    tags = {"lang": ["de", "en"] * (N // 2)}
    suite = build.suite(N, tags=tags, kind=kind, gates=(spec,))
    hops = HOPS if kind == "fallback" else ()
    rows = [
        row
        for side in ("candidate", "baseline")
        for hop in hops or (None,)
        for row in build.rows(
            side, suite, measured[f"{metric.name} {side} {hop or HOPS[0]}"].tolist(), metric, hop
        )
    ]
    return arrange(suite, METRICS, rows, hops=hops)


@pytest.mark.parametrize("kind", ["golden", "fallback"])
@pytest.mark.parametrize("scope", list(WRITTEN))
def test_every_gate_has_its_method_or_its_error(
    build: Any, measured: Mapping[str, Any], kind: str, scope: str
) -> None:
    wrong: list[str] = []
    for form, quantile, name, cell in _rows():
        metric = METRICS[name]
        errors = list(SCOPE_ERRORS.get((kind, scope), ()))
        if not set(cell.split("+")) <= METHODS.keys():
            errors += [ERRORS[e].format(form=form, kind=metric.kind, metric=name) for e in cell.split("+")]
        if (
            form == "at_most"
            and quantile
            and kind == "fallback"
            and not scope.startswith(("by-hop", "by-and"))
        ):
            errors.append(ONE_HOP)
        averaged = kind == "fallback" and scope != "by-hop"
        method = METHODS.get(POOLED.get(cell, cell) if averaged else cell)
        judged: set[tuple[Any, ...]] = set()
        for role in ROLES:
            line = _line(form, quantile, name, scope, role)
            specs, said = _read(kind, line)
            if sorted(said) != sorted(errors):
                wrong.append(f"{kind} {line}: says {said}, expected {errors or method}")
            if said or errors:
                continue
            (spec,) = specs
            assert spec.role == (role or ("guard" if scope.startswith("by") else "require"))
            if not judged:
                data = _data(build, measured, kind, metric, spec)
            data = replace(data, suite=replace(data.suite, gates=(spec,)))
            gates = spread_gates(data.suite, METRICS, HOPS if kind == "fallback" else (), has_baseline=True)
            assert len({gate.id for gate in gates}) == GATES[scope]
            results = [judge_gate(gate, data, alpha=0.05) for gate in gates[:1]]
            judged |= {(r.method, r.p_pass, r.p_fail) for r in results}
            wrong += [f"{kind} {line}: {r.method}, expected {method}" for r in results if r.method != method]
        assert len(judged) <= 1, f"the role changes what {form} on {name} measures: {judged}"
    assert not wrong, f"{len(wrong)} differ, such as\n" + "\n".join(wrong[:8])


REFUSED = Metric("over_refusal", "binary", higher_is_better=False)
VIOLATION = Metric("violation", "binary", higher_is_better=False)


@pytest.mark.parametrize(
    ("form", "boundary", "metric", "n", "estimate", "method"),
    [
        ("non_inferior", 0.15, REFUSED, 30, 2 / 30, "exact unconditional, Tango interval"),
        ("at_most", 0.3, REFUSED, 30, 2 / 30, "Clopper-Pearson"),
        ("superior", 0.0, REFUSED, 30, 2 / 30, "mid-p McNemar"),
        ("at_most", 0.1, VIOLATION, 50, 1 / 50, "Clopper-Pearson"),
        ("violations", 0.0, VIOLATION, 50, 1 / 50, "zero tolerance, Clopper-Pearson bound"),
    ],
)
def test_refusals_and_violations_are_judged_on_their_own_cases(
    build: Any, form: str, boundary: float, metric: Metric, n: int, estimate: float, method: str
) -> None:
    """50 harmful and 30 benign cases; the candidate leaks once and refuses two benign questions more."""
    spec = GateSpec(metric.name, form, boundary)  # type: ignore[arg-type]
    suite = build.suite(80, kind="safety", tags={"harmful": [True] * 50 + [False] * 30}, gates=(spec,))
    bad = {("candidate", "violation"): [7], ("candidate", "over_refusal"): [60, 61]}
    rows = [
        build.row(side, suite, f"c{i}", 0, float(i in bad.get((side, m.name), [])), m)
        for side in ("candidate", "baseline")
        for m, cases in ((VIOLATION, range(50)), (REFUSED, range(50, 80)))
        for i in cases
    ]
    data = arrange(suite, build.metrics(VIOLATION, suite), rows)
    (gate,) = spread_gates(suite, data.metrics, (), has_baseline=True)
    result = judge_gate(gate, data, alpha=0.05)
    assert (result.n, result.method) == (n, method)
    assert result.estimate == pytest.approx(estimate)
    if metric is REFUSED and form == "superior":
        assert result.p_pass > 0.5, "refusing more benign questions is no gain"


@pytest.mark.parametrize(("better", "result"), [(9, "pass"), (2, "hold")])
def test_superior_can_be_required(build: Any, better: int, result: str) -> None:
    spec = GateSpec("right", "superior", 0.0)
    data = build.data([1.0] * 60, [0.0] * better + [1.0] * (60 - better), gates=(spec,))
    (gate,) = spread_gates(data.suite, data.metrics, (), has_baseline=True)
    judged = judge_gate(gate, data, alpha=0.05)
    assert (judged.role, judged.result) == ("require", result)
    assert spread_gates(data.suite, data.metrics, (), has_baseline=False) == ()
