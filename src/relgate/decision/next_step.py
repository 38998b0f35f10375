"""What to do next: the cheapest step that would let what is undecided decide, in cases, calls and money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relgate.decision.labels import label_step
from relgate.decision.needed import is_practical
from relgate.decision.wording import count, remedy
from relgate.domain.gate import GateResult

_WORST = "at the worst cases: `relgate show RUN CASE`"


@dataclass(frozen=True, slots=True)
class CasePrice:
    """What one more case of a suite costs in a run like this one, both sides and all hops together.

    Attributes:
        calls: calls per trial of a case; 0 where recordings answer.
        trials: trials of a case.
        usd: dollars per call; None where no price is known.
    """

    calls: int
    trials: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to decide the undecided gates of a suite, and its calls (0 where none is made)."""

    words: str
    calls: int


def gate_name(gate: GateResult) -> str:
    """``support-golden[correct:non_inferior:0.05]``: the id without what all gates share."""
    return gate.id.removeprefix("gates::")


def cheapest_step(gates: Sequence[GateResult], prices: Mapping[str, CasePrice]) -> str:
    """The next step that lets every undecided gate decide.

    Per suite the largest number of further cases that a gate asks for, with the calls and the money that the
    next run costs for them; and, where asking the present cases more often would do as well, that way beside
    it, the one with fewer calls first.

    Args:
        gates: the required gates that neither passed nor are proven worse.
        prices: per suite what a case costs; suites without one are told in cases alone.
    """
    for gate in gates:
        if gate.needed and not is_practical(gate.needed, gate.n):
            return f"change {gate_name(gate)}: {remedy(gate.form)}; more cases will not decide it in practice"
    labels = [label_step(name, most) for name, mine in _by_suite(gates).items() if (most := _labels(mine))]
    if labels:
        return " and ".join(labels) + ", then `relgate judge label FILE` and run again"
    steps = [_suite_step(name, mine, prices.get(name)) for name, mine in _by_suite(gates).items()]
    steps = [step for step in steps if step]
    if not steps:
        return "look at the gate: more cases of the same kind would not decide it"
    return " and ".join(steps) + ", then run again"


def _by_suite(gates: Sequence[GateResult]) -> dict[str, list[GateResult]]:
    found: dict[str, list[GateResult]] = {}
    for gate in sorted(gates, key=lambda gate: gate.suite):
        found.setdefault(gate.suite, []).append(gate)
    return found


def _labels(gates: Sequence[GateResult]) -> int:
    return max((gate.needed_labels or 0 for gate in gates), default=0)


def _suite_step(suite: str, gates: Sequence[GateResult], price: CasePrice | None) -> str:
    further: dict[str, int] = {}
    for gate in gates:
        if gate.needed:
            noun = "cluster" if gate.form == "violations" and gate.units != gate.n else "case"
            further[noun] = max(further.get(noun, 0), gate.needed)
    if not further:
        return ""
    added = " and ".join(count(n, noun) for noun, n in sorted(further.items()))
    asked = 0 if price is None or "cluster" in further else further["case"] * price.calls * price.trials
    ways = [_Way(f"add {added} to {suite}{_cost(asked, price)}", asked)]
    again = _more_trials(gates, price)
    if again is not None:
        ways = sorted([*ways, again], key=lambda way: way.calls)
    return ", or ".join(way.words for way in ways)


def _more_trials(gates: Sequence[GateResult], price: CasePrice | None) -> _Way | None:
    """Asking the present cases more often, where that lets every one of these gates decide."""
    if price is None or not price.calls or not all(gate.needed_trials for gate in gates):
        return None
    trials = max(gate.needed_trials or 0 for gate in gates)
    calls = max(gate.n for gate in gates) * price.calls * trials
    return _Way(f"ask its cases {trials} times each with --trials {trials}{_cost(calls, price)}", calls)


def _cost(calls: int, price: CasePrice | None) -> str:
    if price is None or not calls:
        return ""
    money = f", about ${calls * price.usd:.2f}" if price.usd is not None else ""
    return f" ({count(calls, 'call')}{money})"


def reject_step(suspects: Sequence[str], *, ranked: bool, ended_early: bool) -> str:
    """Where to look after a reject.

    Args:
        suspects: changed artifacts that a failing suite reaches, likeliest first.
        ranked: whether their order says something.
        ended_early: whether calls ended before every gate was judged.
    """
    more = "; `--full` makes every call and judges every gate" * ended_early
    if suspects:
        order = " (first what the most failing and the fewest other suites reach)" * ranked
        return f"look first at {', '.join(suspects)}{order}; then {_WORST}{more}"
    return f"look {_WORST}{more}"
