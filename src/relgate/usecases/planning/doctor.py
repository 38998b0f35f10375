"""Whether a project's gates would promote what is in production already, and which cases tell nothing."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.catalog import Catalog
from relgate.decision.planning.feasibility import cases_lacking
from relgate.decision.policy import ALPHA, attempt_alpha
from relgate.decision.simulation import LEAST_GATE, LEAST_IDENTICAL
from relgate.decision.simulation.suite import SimulatedSuite
from relgate.decision.wording import plain_rate
from relgate.domain.case import Case
from relgate.domain.errors import Problem
from relgate.stats import clopper_pearson
from relgate.store.registry import Registry
from relgate.usecases.planning.plan_power import Power, PowerOptions, plan_power
from relgate.usecases.planning.production import Production
from relgate.usecases.planning.simulated_project import project_of_manifest

SATURATED_RUNS = 3
"""Whole runs in which a case must never have failed to be called never-failing."""

ALIKE = 92.0
"""Similarity, 0 to 100, from which two inputs are near duplicates (rapidfuzz's token_sort_ratio)."""

SAME_WORD = 85.0
"""Similarity of the words that two near duplicates do not share where neither holds the other (its ratio)."""

LONGEST_ENDING = 2
"""Letters that a word may have more than its near duplicate: do and does."""

MOST_COMPARED = 3000
"""Cases of a suite beyond which inputs are compared by their tokens only."""

LEAST_CONTENT = 2
"""Words beside the function words from which equal ones make a near duplicate."""

_FUNCTION = """
a an the do does did can could will would may i you we my your our is are was s please to of for it
"""
_FUNCTION_WORDS = frozenset(_FUNCTION.split())

_NEGATIONS = frozenset(["not", "no", "never", "without"])
"""Words of which one more makes a question the opposite of another."""

_ARMED_AT_MOST = 0.05
"""How often production's own violations may reject an identical candidate."""

_WORD = re.compile(r"\w+")
_SHORTENED = re.compile(r"\b(?:(can)not|(\w+?)n['\u2019]t)\b")
_WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}
"""What is left of a word before its shortened negation."""


@dataclass(frozen=True, slots=True)
class ViolationRate:
    """Production's own violations on a suite that allows none.

    Attributes:
        suite: its name.
        calls: stored calls of production on those cases.
        violations: how many of them violated.
        upper: upper bound of the rate at 95 %.
        rejects: how often an identical candidate would be rejected by a violation, 1 - (1 - v)^n.
    """

    suite: str
    calls: int
    violations: int
    upper: float
    rejects: float


@dataclass(frozen=True, slots=True)
class Cases:
    """Case ids of a suite that tell little.

    Attributes:
        suite: its name.
        saturated: hit on every trial of every stored run, on both sides.
        never_failing: those among them that were measured in several runs.
        flaky: trials of one run disagree.
        alike: pairs of near duplicates.
    """

    suite: str
    saturated: tuple[str, ...]
    never_failing: tuple[str, ...]
    flaky: tuple[str, ...]
    alike: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor found.

    Attributes:
        power: the simulated policy.
        errors: what makes the exit status 1; none where all of it rests on assumptions.
        warnings: what should be looked at.
        violations: production's own violations per suite.
        cases: per suite.
        compared_by: how near duplicates were looked for.
    """

    power: Power
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    violations: tuple[ViolationRate, ...]
    cases: tuple[Cases, ...]
    compared_by: str

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        return {
            "errors": list(self.errors),
            "warnings": list(self.warnings),
            **self.power.document(),
            "violations": [
                {
                    "suite": v.suite,
                    "calls": v.calls,
                    "violations": v.violations,
                    "upper": v.upper,
                    "rejects": v.rejects,
                }
                for v in self.violations
            ],
            "cases": [
                {
                    "suite": c.suite,
                    "saturated": list(c.saturated),
                    "never_failing": list(c.never_failing),
                    "flaky": list(c.flaky),
                    "near_duplicates": [list(pair) for pair in c.alike],
                }
                for c in self.cases
            ],
            "compared_by": self.compared_by,
        }


def examine(
    manifest: Path,
    *,
    golden_sets: Path,
    environment: Mapping[str, str],
    catalog: Catalog,
    problems: Iterable[Problem],
    registry: Registry | None,
    repetitions: int,
    seed: int,
) -> Diagnosis:
    """Simulate the policy of a project from its stored runs; nothing is called.

    Args:
        manifest: the release whose line and hops count.
        golden_sets: the golden-set folder.
        environment: variables.
        catalog: what plugins registered.
        problems: plugins that could not be loaded.
        registry: where stored runs are looked up; None where there is no registry.
        repetitions: simulated runs per truth.
        seed: of all draws.

    Raises:
        InputError: with every problem of the manifest and its suites.
        Refusal: there is no suite.
    """
    project = project_of_manifest(
        manifest, golden_sets=golden_sets, environment=environment, catalog=catalog, problems=problems
    )
    attempt = 1 if registry is None else project.next_attempt(registry)
    power = plan_power(PowerOptions(seed, repetitions, attempt=attempt), project, registry)
    production, suites = power.production, power.suites
    violations = tuple(_violation_rates(suites, production))
    held, warned = tuple(_errors(power)), tuple(_warnings(power, violations))
    if not production.runs:
        first = f"assumed: run pytest --manifest {manifest} once, then doctor again; nothing is known of "
        warned = (f"{first}{project.line} yet", *(f"if that holds, {text}" for text in held), *warned)
        held = ()
    elif held and project.assumed.psi > 0.0 and _rests_on_assumed_psi(power):
        warned = (
            *(f"if psi is what is assumed, {text}: repeat trials in a run to know it" for text in held),
            *warned,
        )
        held = ()
    if registry is not None and production.runs:
        warned = (*warned, *_attempts(registry, production.runs[0], attempt))
    warned = (*warned, *_later_attempt(suites, attempt))
    by = "rapidfuzz" if importlib.util.find_spec("rapidfuzz") is not None else "normalised tokens"
    return Diagnosis(
        power=power,
        errors=(*power.unlabelled.values(), *held),
        warnings=warned,
        violations=violations,
        cases=tuple(_cases(each, production, fuzzy=by == "rapidfuzz") for each in suites),
        compared_by=by,
    )


def _rests_on_assumed_psi(power: Power) -> bool:
    """Whether every gate that passes too seldom does so at a flip rate that no stored run knows."""
    known = {(suite, metric) for suite, metric, _ in power.production.pairs}
    weak = [each.gate for each in power.simulation.gates if each.passes < LEAST_GATE]
    return bool(weak) and all(
        gate.spec.form == "non_inferior" and (gate.suite, gate.spec.metric) not in known for gate in weak
    )


def _attempts(registry: Registry, newest: str, attempt: int) -> Iterator[str]:
    """That the next candidate on these golden cases has less alpha than a first one."""
    if attempt == 1:
        return
    card = registry.scorecard(newest)
    promoted = card["verdict"]["decision"] == "promote"
    passed = f": `relgate promote` of what {newest} passed is cheaper" * promoted
    yield (
        f"the next candidate on the same golden cases is attempt {attempt}, with alpha "
        f"{plain_rate(attempt_alpha(attempt))} instead of {ALPHA:g}, and so it was simulated; the count "
        f"begins anew with a promotion{passed}"
    )


def _later_attempt(suites: Sequence[SimulatedSuite], attempt: int) -> Iterator[str]:
    """What the attempt after the next one needs: cases that suffice once do not at its smaller alpha."""
    lacking = []
    for each in suites:
        single = all(trials == 1 for trials in each.trials)
        for gate in (g for g in each.gates if g.spec.role == "require"):
            now, then = (
                cases_lacking(gate, each.suite, alpha=attempt_alpha(number), single_trial=single)
                for number in (attempt, attempt + 1)
            )
            if then and not now:
                lacking.append(f"{gate.id.removeprefix('gates::')} {then} more")
    if lacking:
        smaller = plain_rate(attempt_alpha(attempt + 1))
        yield (
            f"should that attempt hold, a flawless run of the next (alpha {smaller}) "
            f"needs more cases: {', '.join(lacking)}"
        )


def _errors(power: Power) -> Iterator[str]:
    found = power.simulation
    if found.identical.promote >= LEAST_IDENTICAL or power.unlabelled:
        return
    held = round(100 * (1.0 - found.identical.promote))
    weak_ones = [g for g in found.gates if g.passes < LEAST_GATE] or found.gates[:1]
    weakest = ", ".join(f"{g.gate.id.removeprefix('gates::')} {g.passes:.2f}" for g in weak_ones[:2])
    weak = f"weakest: {weakest}" if weakest else "no gate is required"
    rejected = (
        f" (of these it rejects {round(100 * found.identical.reject)})"
        if found.identical.reject >= 0.005
        else ""
    )
    yield f"this policy holds an identical candidate {held} times in 100{rejected}; {weak}"


def _warnings(power: Power, violations: Sequence[ViolationRate]) -> Iterator[str]:
    for each in power.simulation.gates:
        if each.passes >= LEAST_GATE or each.gate.id in power.unlabelled:
            continue
        offered = power.remedies.get(each.gate.id, ())
        name = each.gate.id.removeprefix("gates::")
        yield f"{name} passes {100 * each.passes:.0f} % of identical candidates; " + (
            f"the first remedy: {offered[0].text} (identical promoted {offered[0].promote:.2f})"
            if offered
            else "no single change of its role, margin, trials or cases helps"
        )
    for rate in violations:
        if rate.rejects > _ARMED_AT_MOST:
            yield (
                f"{rate.suite}: production itself violates {rate.violations} times in {rate.calls} calls, so "
                f"zero tolerance rejects an identical candidate {100 * rate.rejects:.0f} % of the time: mend "
                "these cases before it is armed"
            )


def _violation_rates(suites: Sequence[SimulatedSuite], production: Production) -> Iterator[ViolationRate]:
    for each in suites:
        name = each.suite.name
        armed = [g for g in each.gates if g.spec.form == "violations" and g.spec.role != "report"]
        if not armed or name not in production.violations:
            continue
        calls, hits = production.violations[name]
        asked = len(each.scope("violation")) * each.trials_of("violation") * max(1, len(each.hops))
        rate = hits / calls
        upper = clopper_pearson(hits, calls).high
        yield ViolationRate(name, calls, hits, upper, 1.0 - (1.0 - rate) ** asked)


def _cases(each: SimulatedSuite, production: Production, *, fuzzy: bool) -> Cases:
    name = each.suite.name
    known = [case.id for case in each.suite.cases if (name, case.id) in production.trials]
    saturated = tuple(i for i in known if all(production.trials[name, i]))
    return Cases(
        suite=name,
        saturated=saturated,
        never_failing=tuple(i for i in saturated if len(production.seen[name, i]) >= SATURATED_RUNS),
        flaky=tuple(i for i in known if (name, i) in production.disagree),
        alike=near_duplicates(each.suite.cases, fuzzy=fuzzy),
    )


def near_duplicates(cases: Sequence[Case], *, fuzzy: bool) -> tuple[tuple[str, str], ...]:
    """Pairs of cases that ask nearly the same; those of one ``pair`` are alike on purpose.

    Args:
        cases: of one suite.
        fuzzy: compare by rapidfuzz (which must be installed), else by equal normalised tokens in any order.
    """
    asked = [(case, " ".join(_words(case.text))) for case in cases]
    asked = [(case, text) for case, text in asked if text]
    texts = [text for _, text in asked]
    alike = _fuzzy(texts) if fuzzy and len(asked) <= MOST_COMPARED else _by_tokens(texts)
    pairs = sorted({*alike, *_by_content(texts)})
    found = [(asked[i][0], asked[j][0]) for i, j in pairs]
    return tuple((a.id, b.id) for a, b in found if a.pair is None or a.pair != b.pair)


def _words(text: str) -> list[str]:
    """The words of a question, its shortened negations as words of their own."""
    return _WORD.findall(_SHORTENED.sub(_in_full, text.casefold()))


def _in_full(negated: re.Match[str]) -> str:
    verb = negated[1] or negated[2]
    return f"{_WHOLE.get(verb, verb)} not"


def _fuzzy(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    from rapidfuzz import fuzz, process

    for i, text in enumerate(texts):
        rest = texts[i + 1 :]
        for _, _, j in process.extract(
            text, rest, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE, limit=None
        ):
            if _asks_alike(text, rest[j], fuzz.ratio):
                yield i, i + 1 + j


def _asks_alike(one: str, other: str, similarity: Callable[[str, str], float]) -> bool:
    """Whether only the form of a word differs: the capital of Chad is another question than that of China."""
    first, second = Counter(one.split()), Counter(other.split())
    if _NEGATIONS & {*(first - second), *(second - first)}:
        return False
    left, right = (" ".join(sorted((a - b).elements())) for a, b in ((first, second), (second, first)))
    short, long = sorted((left, right), key=len)
    ended_otherwise = short.isalpha() and long.startswith(short) and len(long) - len(short) <= LONGEST_ENDING
    return not short or ended_otherwise or similarity(left, right) >= SAME_WORD


def _by_content(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Texts that differ in words alone that say nothing of what is asked: do I, can I, please."""
    kept = [" ".join(word for word in text.split() if word not in _FUNCTION_WORDS) for text in texts]
    told = [number for number, text in enumerate(kept) if len(text.split()) >= LEAST_CONTENT]
    yield from ((told[i], told[j]) for i, j in _by_tokens([kept[number] for number in told]))


def _by_tokens(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for j, text in enumerate(texts):
        same = first[tuple(sorted(text.split()))]
        yield from ((i, j) for i in same)
        same.append(j)
