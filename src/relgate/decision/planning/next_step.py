"""What to do next: the cheapest step that would let what is undecided decide, in cases, calls and money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Literal

from relgate.decision.judges.labels import JUDGE_AGAIN, label_step
from relgate.decision.planning.needed import is_practical
from relgate.decision.wording import clusters_lacking, count, remedy
from relgate.domain.gate import GateResult
from relgate.domain.metric import TIMES

OF_ANSWERS = frozenset({"cost_usd", "tokens", "first_token_ms"})
"""Metrics that only an answer has: a failed call has none."""

_COUNTS = {"over_refusal": "harmful: false", "violation": "harmful: true"}
"""The tag of the cases of a safety suite that these metrics judge."""

_WORST = "at the worst cases: `relgate show RUN CASE`"

_Kind = Literal["cases", "lines", "trials"]


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls to the applications and to the judges of their answers; both 0 where recordings answer."""

    made: int = 0
    judged: int = 0

    def __add__(self, other: Calls) -> Calls:
        return Calls(self.made + other.made, self.judged + other.judged)

    def __mul__(self, times: int) -> Calls:
        return Calls(self.made * times, self.judged * times)


@dataclass(frozen=True, slots=True)
class SuitePrice:
    """What a suite costs in a run like this one, both sides and all hops together.

    Attributes:
        present: its present cases with all their trials.
        case: one more case with all its trials.
        case_of: the same by metric, where a metric has cases of its own (those of safety suites).
        trial: one trial of every present case.
        traffic: its traffic sample.
        line: one more line of it.
        usd: dollars per call; None where no price is known.
        judge_usd: dollars per call of a judge; None where no price is known.
    """

    present: Calls = Calls()
    case: Calls = Calls()
    case_of: Mapping[str, Calls] = field(default_factory=dict)
    trial: Calls = Calls()
    traffic: Calls = Calls()
    line: Calls = Calls()
    usd: float | None = None
    judge_usd: float | None = None

    def dollars(self, calls: Calls) -> float | None:
        """What calls of this suite cost; None where it is not known."""
        if (calls.made and self.usd is None) or (calls.judged and self.judge_usd is None):
            return None
        return calls.made * (self.usd or 0.0) + calls.judged * (self.judge_usd or 0.0)


@dataclass(frozen=True, slots=True)
class _Part:
    """What to do in one suite; ``calls`` on top of its present ones."""

    words: str
    calls: Calls


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to decide everything undecided, with the calls of the whole next run."""

    words: str
    calls: int
    cost: str


def gate_name(gate: GateResult) -> str:
    """``support-golden[correct:non_inferior:0.05]``: the id without what all gates share."""
    return gate.id.removeprefix("gates::")


def cheapest_step(gates: Sequence[GateResult], prices: Mapping[str, SuitePrice]) -> str:
    """The next step that lets every undecided gate decide.

    Per suite the largest number of further cases or clusters that a gate asks for, and the cases to be
    measured again. Beside it, where they would do as well: more lines of a traffic sample, or more trials of
    the present cases; the way with the fewest calls comes first. The price is that of the whole next run:
    all suites with present and added cases, all trials, both sides, all hops, and the judges. Clusters that
    are added are taken to be as large as the present ones are on average.

    Args:
        gates: the required gates that neither passed nor are proven worse.
        prices: what every suite of the run costs; without prices the step is told in cases alone.
    """
    for gate in gates:
        if gate.needed and gate.needed_lines is None and not is_practical(gate.needed, gate.n):
            return f"change {gate_name(gate)}: {remedy(gate.form)}; more cases will not decide it in practice"
        if _is_nothing(gate):
            return f"give {gate_name(gate)} another role (guard, report) or drop it: both sides are always 0"
    labels = [step for name, mine in _by_suite(gates).items() if (step := _label_step(name, mine))]
    if labels:
        return "; ".join(labels) + f", {JUDGE_AGAIN}"
    suites = _by_suite(gates)
    ways: dict[str, _Way] = {}
    for kind in ("cases", "lines"):
        parts = {name: _parts(name, mine, prices.get(name), kind) for name, mine in suites.items()}
        way = _way([part for found in parts.values() for part in found], _added(parts), prices)
        ways.setdefault(way.words, way)
    again = _more_trials(gates, prices)
    found = [way for way in (*ways.values(), *([again] if again else [])) if way.words]
    stuck = next((gate for gate in gates if _is_stuck(gate)), None)
    if stuck is not None and not any(_can_move(gate) for gate in gates):
        return _unstick(stuck)
    if not found:
        return (
            "look at the worst cases and mend what they show: more cases of the same kind would not decide it"
        )
    if len(found) == 1:
        return f"{found[0].words}, then run again{found[0].cost}"
    found.sort(key=lambda way: way.calls)
    return ", or ".join(way.words + way.cost for way in found) + ", then run again"


def _can_move(gate: GateResult) -> bool:
    """Whether anything that can be counted would let an open gate decide."""
    lacks = gate.needed or gate.needed_clusters or gate.needed_lines or gate.needed_labels or gate.missing
    return gate.result != "pass" and bool(lacks)


def _is_stuck(gate: GateResult) -> bool:
    """Whether an open limit on a ratio or a quantile has nothing that would let it decide."""
    budget = gate.form == "ratio_at_most" or (gate.form == "at_most" and gate.quantile is not None)
    return budget and gate.result == "hold" and not _can_move(gate)


def _unstick(gate: GateResult) -> str:
    """What to do about a limit that no further case decides: calls fail, its metric rose, or it is tight."""
    if gate.metric in TIMES and gate.form == "ratio_at_most" and gate.upper == inf:
        return f"mend the calls that failed in {gate.suite}: `relgate show RUN` lists the cases"
    if gate.estimate is not None and gate.boundary is not None and gate.estimate > gate.boundary:
        return (
            f"see what raises {gate.metric} in {gate.suite}: `relgate show RUN`; more cases of the same kind "
            "would not decide it"
        )
    return f"change {gate_name(gate)}: {remedy(gate.form)}; more cases will not decide it in practice"


def _is_nothing(gate: GateResult) -> bool:
    """Whether a ratio cannot be judged because both sides are 0 in every one of enough cases."""
    measured = gate.form == "ratio_at_most" and gate.n > 0 and not gate.missing
    return measured and gate.estimate is None and not gate.needed and not gate.needed_clusters


def _by_suite(gates: Sequence[GateResult]) -> dict[str, list[GateResult]]:
    found: dict[str, list[GateResult]] = {}
    for gate in sorted(gates, key=lambda gate: gate.suite):
        found.setdefault(gate.suite, []).append(gate)
    return found


def _label_step(suite: str, gates: Sequence[GateResult]) -> str:
    most = max(gates, key=lambda gate: gate.needed_labels or 0)
    if not most.needed_labels:
        return ""
    return label_step(suite, most.needed_labels, again=most.labels_again)


def _parts(suite: str, gates: Sequence[GateResult], price: SuitePrice | None, kind: _Kind) -> list[_Part]:
    """What to add to a suite, and what to measure again there."""
    price = price or SuitePrice()
    cases: GateResult | None = None
    clusters: GateResult | None = None
    lines, units = 0, 0
    for gate in gates:
        lacking = clusters_lacking(gate)
        if gate.needed_lines and (kind == "lines" or not (gate.needed or lacking)):
            lines = max(lines, gate.needed_lines)
        elif lacking:
            clusters, units = (gate, lacking) if lacking > units else (clusters, units)
        elif gate.needed and (cases is None or gate.needed > (cases.needed or 0)):
            cases = gate
    found = []
    if cases is not None and cases.needed:
        each = price.case_of.get(cases.metric, price.case)
        words = f"add {count(cases.needed, 'case')}{_like(cases)} to {suite}"
        if any(gate.needed and gate.by_labels and gate.result != "pass" for gate in gates):
            words += " and, after a run of them, label every case of it on both sides"
        if cases.result == "pass":
            words += " (its gate passed, but cannot on as few in a further attempt)"
        found.append(_Part(words, each * cases.needed))
    if clusters is not None:
        each = price.case_of.get(clusters.metric, price.case)
        within = _cases_of(clusters, units)
        told = f" (about {count(within, 'case')}, as large as now)" if within > units else ""
        found.append(_Part(f"add {count(units, clusters.unit_noun)}{told} to {suite}", each * within))
    if lines:
        words = f"add {count(lines, 'line')} to the traffic sample of {suite}"
        found.append(_Part(words, price.line * lines))
    missing = max((gate.missing for gate in gates), default=0)
    if missing:
        found.append(_Part(_measure_again(suite, gates, missing), Calls()))
    return found


def _cases_of(gate: GateResult, units: int) -> int:
    """Cases in so many further clusters: what the gate says, else as many as the present ones have."""
    if gate.needed and gate.needed_clusters is None and gate.form != "violations":
        return gate.needed
    return ceil(units * gate.n / max(1, gate.units))


def _like(gate: GateResult) -> str:
    """Which cases count for a gate, where not all of its suite do."""
    sliced = gate.slice if gate.slice and not gate.slice.startswith("hop=") else ""
    told = [_COUNTS.get(gate.metric, ""), gate.only, sliced]
    return f" ({', '.join(filter(None, told))})" if any(told) else ""


def _measure_again(suite: str, gates: Sequence[GateResult], missing: int) -> str:
    cases = _missing(gates, missing)
    metrics = {gate.metric for gate in gates if gate.missing}
    if metrics <= OF_ANSWERS:  # an answer without a cost, or none at all: asking again gives the same
        return f"see why {cases} of {suite} came without {' and '.join(sorted(metrics))}"
    return f"measure {cases} of {suite} again"


def _missing(gates: Sequence[GateResult], missing: int) -> str:
    ids = list(dict.fromkeys(case for gate in gates for case in gate.missing_ids))[:3]
    if not ids:
        return f"{count(missing, 'case')} without a score"
    noun = "case" if len(ids) == 1 else "cases"
    beyond = f" and {missing - len(ids)} more" if missing > len(ids) else ""
    return f"{noun} {', '.join(ids)}{beyond}"


def _added(parts: Mapping[str, Sequence[_Part]]) -> dict[str, Calls]:
    """Calls on top of the present ones per suite."""
    return {name: sum((part.calls for part in mine), Calls()) for name, mine in parts.items()}


def _way(parts: Sequence[_Part], added: Mapping[str, Calls], prices: Mapping[str, SuitePrice]) -> _Way:
    return _priced(
        " and ".join(part.words for part in parts),
        {name: price.present + price.traffic + added.get(name, Calls()) for name, price in prices.items()},
        prices,
    )


def _more_trials(gates: Sequence[GateResult], prices: Mapping[str, SuitePrice]) -> _Way | None:
    """Asking the present cases more often, where that lets every one of these gates decide."""
    if not gates or not all(gate.needed and gate.needed_trials for gate in gates):
        return None
    if not any(price.trial.made for price in prices.values()):
        return None
    trials = max(gate.needed_trials or 0 for gate in gates)
    whole = {name: price.trial * trials + price.traffic for name, price in prices.items()}
    return _priced(f"ask every case {trials} times with --trials {trials}", whole, prices)


def _priced(words: str, whole: Mapping[str, Calls], prices: Mapping[str, SuitePrice]) -> _Way:
    total = sum(whole.values(), Calls())
    if not (total.made or total.judged):
        return _Way(words, 0, "")
    kinds = [count(total.made, "call")] if total.made else []
    kinds += [f"{count(total.judged, 'call')} to judges"] if total.judged else []
    dollars = [prices[name].dollars(calls) for name, calls in whole.items()]
    known = [part for part in dollars if part is not None]
    money = f", about ${sum(known):,.2f}" if len(known) == len(dollars) else ""
    return _Way(words, total.made + total.judged, f" ({' and '.join(kinds)}{money})")


def reject_step(suspects: Sequence[str], *, ranked: bool, ended_early: bool, by_answers: bool = True) -> str:
    """Where to look after a reject.

    Args:
        suspects: changed artifacts that a failing suite reaches, likeliest first.
        ranked: whether their order says something.
        ended_early: whether calls ended before every gate was judged.
        by_answers: whether what an answer says rejects, not only what it costs or how long it takes: only
            then is there a worst case to look at.
    """
    more = "; the same run with `--full` makes every call and judges every gate" * ended_early
    if suspects:
        order = " (first what the most failing and the fewest other suites reach)" * ranked
        worst = f"; then {_WORST}" * by_answers
        return f"look first at {', '.join(suspects)}{order}{worst}{more}"
    if not by_answers:
        return f"see what makes it dearer or slower: `relgate show RUN`{more}"
    return f"look {_WORST}{more}"
