"""The sealed half of a golden suite: cases of which only aggregates are ever shown (verdict.md 5.2)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import Literal

from relgate.decision.duplicates import units_of
from relgate.decision.measurements import SuiteData, cases_in_scope
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateResult, GateSpec

SEALED_TRIALS = 5
"""Trials of a suite with a sealed half under ``trials: auto`` (verdict.md 6)."""

MOST_USES = 20
"""Verdicts after which a sealed half has told too much of itself; later ones warn."""

LEAST_SEALED = 15
"""Sealed cases below which an aggregate over them would tell of single ones."""

HIDDEN: Literal["sealed"] = "sealed"
"""What stands in every place where a reader would see what became of a sealed case."""


def sealed_ids(suite: Suite) -> frozenset[str]:
    """Ids of the sealed half: drawn by hash, so that adding a case moves no other one.

    What belongs together lies on one side: a cluster, a ``pair``, cases with the same input. Critical cases
    and regression cases are always open, and so is all that shares a unit with one: they are named by rule.
    """
    if not suite.sealed:
        return frozenset()
    unit = units_of(suite)
    members: dict[str, list[Case]] = defaultdict(list)
    for case in suite.cases:
        members[unit[case.id]].append(case)
    return frozenset(
        case.id
        for cases in members.values()
        if all(_drawn(suite.name, case) for case in cases)
        for case in cases
    )


def _drawn(suite: str, case: Case) -> bool:
    if case.critical is not False:
        return False
    key = f"cluster {case.cluster}" if case.cluster is not None else f"case {case.pair or case.id}"
    return bool(hashlib.sha256(f"{suite}\0{key}".encode()).digest()[0] & 1)


def open_half(suite: Suite) -> Suite:
    """The suite with its open cases alone."""
    sealed = sealed_ids(suite)
    if not sealed:
        return suite
    return replace(suite, cases=tuple(case for case in suite.cases if case.id not in sealed))


def judged_by(suite: Suite, spec: GateSpec, *, exposed: bool) -> Suite:
    """The suite with the cases that a gate judges.

    Required non-inferiority takes the cases that nobody has seen since the baseline was set: all of them,
    or the sealed half once open cases were exposed. Budgets (ratios, limits on a quantile) take all cases,
    for they are aggregates. Everything else takes the open cases: guards, floors, slices, reports, and what
    would judge fewer than ``LEAST_SEALED`` sealed ones.

    Args:
        suite: the suite.
        spec: the gate.
        exposed: whether open cases were shown since the baseline was set.
    """
    if not suite.sealed or spec.form == "ratio_at_most" or spec.limits_a_quantile:
        return suite
    proves = spec.form == "non_inferior" and spec.role == "require" and spec.against == "baseline"
    if not proves:
        return open_half(suite)
    sealed = sealed_ids(suite)
    hidden = sum(case.id in sealed for case in cases_in_scope(suite, spec.only))
    if hidden < LEAST_SEALED:
        return open_half(suite)
    if not exposed:
        return suite
    return replace(suite, cases=tuple(case for case in suite.cases if case.id in sealed))


def seen_by(data: SuiteData, spec: GateSpec, *, exposed: bool) -> SuiteData:
    """The measurements as a gate sees them, without texts that would tell of a sealed case."""
    if not data.suite.sealed:
        return data
    return replace(speechless(data), suite=judged_by(data.suite, spec, exposed=exposed))


def reckon_sealed(result: GateResult, spec: GateSpec, suite: Suite) -> GateResult:
    """Further cases of a suite with a sealed half: of two that are added, one comes to lie on either side.

    Whatever this run was judged on, it showed the open cases, so the sealed half alone proves in the next
    one. Budgets judge both halves.

    Args:
        result: the gate as it was judged.
        spec: the gate.
        suite: the whole suite.
    """
    if not suite.sealed or spec.form == "ratio_at_most" or spec.limits_a_quantile:
        return result
    needed, clusters = result.needed, result.needed_clusters
    if needed is None and clusters is None:
        return result
    proves = spec.form == "non_inferior" and spec.role == "require" and spec.against == "baseline"
    unit, sealed = units_of(suite), sealed_ids(suite)
    hidden = [case.id for case in cases_in_scope(suite, spec.only) if case.id in sealed]
    judged = result.units if result.form == "violations" else result.n
    cases = len(hidden) if proves else judged
    units = len({unit[case_id] for case_id in hidden}) if proves else result.units
    total = None if needed is None else judged + needed
    return replace(
        result,
        needed=None if total is None else 2 * (total - cases),
        needed_total=total,
        needed_clusters=None if clusters is None else 2 * (result.units + clusters - units),
        needed_trials=result.needed_trials if judged == cases else None,
    )


def open_data(data: SuiteData) -> SuiteData:
    """The measurements of the open cases alone."""
    return replace(data, suite=open_half(data.suite)) if data.suite.sealed else data


def speechless(data: SuiteData) -> SuiteData:
    """Reasons of failed scorers and unmeasured cases may quote an answer: those of sealed cases are blank."""
    if not data.suite.sealed:
        return data
    sealed = sealed_ids(data.suite)

    def blank(reasons: dict[str, str]) -> dict[str, str]:
        return {case: "" if case in sealed else why for case, why in reasons.items()}

    return replace(
        data,
        judge_failures={cell: blank(dict(cases)) for cell, cases in data.judge_failures.items()},
        unmeasured={key: blank(dict(cases)) for key, cases in data.unmeasured.items()},
    )


def proves_unseen(suite: Suite) -> bool:
    """Whether everything that the suite requires not to get worse is proven on cases that nobody has seen."""
    sealed = sealed_ids(suite)
    if not sealed:
        return False
    required = [g.only for g in suite.gates if g.form == "non_inferior" and g.role == "require"]
    return all(
        sum(case.id in sealed for case in cases_in_scope(suite, only)) >= LEAST_SEALED
        for only in required or [{}]
    )


def is_tuned(suites: tuple[Suite, ...], *, exposed: bool) -> bool:
    """Whether a promote would be one on a tuned set (verdict.md 5.4).

    Open cases were shown since the baseline was set, and a golden suite proves non-inferiority on them.
    """
    golden = [suite for suite in suites if suite.kind == "golden"] or list(suites)
    return exposed and not all(proves_unseen(suite) for suite in golden)
