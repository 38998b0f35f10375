"""What a report shows, as plain rows of text; the layouts only arrange them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from relgate.decision.wording import level_of, percent
from relgate.domain.metric import RESPONSE_METRICS
from relgate.domain.scorecard import (
    AlarmPart,
    AnchorPart,
    GatePart,
    JudgePart,
    MetricPart,
    Scorecard,
    WaiverPart,
    WorstPart,
)
from relgate.render.cutting import cut, cut_around_difference, one_line
from relgate.render.words import CLEAR, NOT_JUDGED, UNTESTED, WORDS, legend, word_of

ROLE_ORDER = {"require": 0, "guard": 1, "report": 2}
RESULT_ORDER = {"fail": 0, "error": 1, "hold": 2, "partial": 3, "pass": 4}
DASH = "–"
TIMES = ("latency_ms", "first_token_ms")
EMPTY = "(empty)"
SHOWN_LEVEL = 0.9
"""Of every interval in the table of metrics."""
CLEAR_SCREEN = "SCREEN: nothing found, nothing promoted"
"""Stands in the verdict's place where a screen found nothing: its hold is nobody's fault and exits 0."""


@dataclass(frozen=True, slots=True)
class Table:
    """Headers and rows, all text."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headline(card: Scorecard) -> str:
    """``PROMOTE support-desk@1.3.0 against support-desk@1.2.4``; a clear screen has words of its own."""
    against = (
        f"against {card.baseline.name}@{card.baseline.version}" if card.baseline else "without a baseline"
    )
    verdict = card.verdict
    marks = ["screen"] * verdict.screen + ["partial run"] * verdict.partial
    mark = f" ({', '.join(marks)})" if marks else ""
    said = CLEAR_SCREEN if verdict.clear else f"{verdict.decision.upper()}{mark}"
    return f"{said}  {card.release.name}@{card.release.version}  {against}"


def gate_table(card: Scorecard, *, brief: bool = False) -> Table:
    """Every gate: required ones first, what failed before what passed.

    ``brief`` leaves the guards and reports out that nobody needs to look at; ``gate_summary`` counts them.
    """
    gates = sorted(card.gates, key=lambda g: (ROLE_ORDER[g.role], RESULT_ORDER[g.result]))
    if brief:
        gates = [g for g in gates if not _quiet(g, card)]
    levels = _levels(gates)
    rows = tuple(
        (
            word_of(gate, card.alarms).word,
            gate.role,
            gate.suite,
            gate_name(gate),
            _estimate(gate),
            _interval(gate) + _level(gate, levels),
            str(gate.n),
        )
        for gate in gates
    )
    one = levels.pop() if len(levels) == 1 else None
    name = "interval" if one is None else f"{one} interval"
    return Table(("result", "role", "suite", "gate", "estimate", name, "n"), rows)


def _levels(gates: Sequence[GatePart]) -> set[str]:
    """The levels of the gates' intervals: a later attempt has a smaller alpha, and wider intervals."""
    alphas = {gate.alpha for gate in gates if (gate.lower, gate.upper) != (None, None)}
    return {level_of(2 * alpha) for alpha in alphas} or {percent(SHOWN_LEVEL)}


def _level(gate: GatePart, levels: Collection[str]) -> str:
    """The level of a gate's interval, where its column has several."""
    return f" at {''.join(_levels([gate]))}" if len(levels) > 1 and _interval(gate) != DASH else ""


def _quiet(gate: GatePart, card: Scorecard) -> bool:
    """A guard without fail or alarm, a gate that only reports, or one that a partial run left out.

    A guard whose estimate lies beyond its boundary is none of these: nothing is proven, but it is close.
    """
    if gate.role == "report":
        return True
    return word_of(gate, card.alarms) in (CLEAR, UNTESTED, NOT_JUDGED) and not _is_beyond(gate)


def _is_beyond(gate: GatePart) -> bool:
    """Whether the estimate of a gate lies on the wrong side of its boundary."""
    if gate.estimate is None or gate.boundary is None:
        return False
    if gate.form in ("non_inferior", "superior"):
        return gate.estimate < -gate.boundary
    if gate.form == "at_least":
        return gate.estimate < gate.boundary
    return gate.form in ("at_most", "ratio_at_most") and gate.estimate > gate.boundary


def gate_summary(card: Scorecard) -> str:
    """What a brief table leaves out, in words; "" when it leaves nothing out."""
    words = Counter(word_of(gate, card.alarms) for gate in card.gates if _quiet(gate, card))
    nouns = {CLEAR: "guard", UNTESTED: "guard"}
    return ", ".join(
        f"{_plural(words[word], nouns.get(word, 'gate'))} {word.word}" for word in WORDS if words[word]
    )


def _plural(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def gate_name(gate: GatePart) -> str:
    """The gate's name within its suite: ``correct:non_inferior:0.05``."""
    return gate.id.removeprefix(f"gates::{gate.suite}[").removesuffix("]")


_STANDS_ON = ("valid only for a random subset", "passes by its slack")
"""What a reader of a gate that passed cannot tell from its numbers."""


def gate_messages(card: Scorecard) -> tuple[tuple[str, str], ...]:
    """Gate and sentence of everything that a reader must look at and that the reason has not said."""
    looked = [
        g
        for g in card.gates
        if g.role != "report"
        and g.message not in card.verdict.reason
        and (
            g.result in ("fail", "error")
            or (g.result == "hold" and g.role == "require")
            or g.message.startswith(("regressed within margin", "unchanged outputs"))
            or any(what in g.message for what in _STANDS_ON)
        )
    ]
    looked.sort(key=lambda g: (RESULT_ORDER[g.result], ROLE_ORDER[g.role]))
    return tuple((g.id.removeprefix("gates::"), g.message) for g in looked)


def gate_legend(table: Table) -> str:
    """What the words in a table of gates mean; "" where it has only passed and failed ones."""
    return legend(row[0] for row in table.rows)


def alarm_text(alarm: AlarmPart) -> str:
    """``support-golden: slice area=orders fell 30.4 points on correct (n = 46, p = 0.0016)``."""
    p = "p < 0.0001" if alarm.p < 0.0001 else f"p = {alarm.p:.2g}"
    size = f"(n = {alarm.n})"
    if alarm.message.endswith(size):
        return f"{alarm.suite}: {alarm.message.removesuffix(')')}, {p})"
    return f"{alarm.suite}: {alarm.message} ({p})"


def anchor_text(anchor: AnchorPart) -> str:
    """``creep in support-golden[correct:non_inferior:0.05]: -6.1 points against the anchor ...``."""
    what = "creep in" if anchor.holds else "no creep in"
    return f"{what} {anchor.gate.removeprefix('gates::')}: {anchor.message}"


def judge_text(judge: JudgePart) -> str:
    """``tone by arbiter/referee: agrees with 93 % of 120 labelled answers, kappa 0.81 [0.70, 0.92], ...``."""
    name = f"{judge.metric} in {judge.suite} by {judge.model}"
    words = []
    if judge.agreement is None:
        none = "no labels"
        if judge.labels:
            none = f"none of its {judge.labels} labels is of these answers"
        if judge.labels > judge.of_other_answers:
            none = "it scored no answer that has a label"
        words.append(f"{none}, so nobody knows how far it can be trusted")
    else:
        words.append(f"agrees with {_percent(judge.agreement)} of {judge.n} labelled answers")
        if judge.kappa is not None:
            words.append(f"kappa {judge.kappa:.2f} [{judge.lower:.2f}, {judge.upper:.2f}]")
        for what, share in (("sensitivity", judge.sensitivity), ("specificity", judge.specificity)):
            words += [f"{what} {share:.2f}"] if share is not None else []
        if judge.of_other_answers:
            words.append(
                f"{judge.of_other_answers} of {judge.labels} labels are of other answers and left out"
            )
    if judge.position_bias is not None and judge.consistency is not None:
        words.append(
            f"same verdict in both orders in {100 * judge.consistency:.0f} % of {judge.pairs} pairs, "
            f"position bias {judge.position_bias:+.2f}"
        )
    return f"{name}: {', '.join(words)}"


def _percent(share: float) -> str:
    """``85 %``, ``99.5 %``: no share short of all is shown as all."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def fall_text(worst: WorstPart, *, paired: bool) -> str:
    """``correct -67 points`` beside a baseline, ``correct 67 points short of the best`` without one, or where
    the baseline missed a regression case as well.
    """
    if paired and worst.difference:
        return ", ".join(f"{name} {100 * change:+.0f} points" for name, change in worst.metrics.items())
    short = ", ".join(f"{name} {100 * abs(change):.0f}" for name, change in worst.metrics.items())
    return f"{short} points short of the best"


def _estimate(gate: GatePart) -> str:
    if gate.estimate is None:
        return DASH
    if gate.form in ("non_inferior", "superior"):
        return f"{100 * gate.estimate + 0.0:+.1f} points"
    if gate.form == "ratio_at_most":
        return f"x {gate.estimate:.2f}"
    if gate.form == "violations":
        units = gate.units or gate.n
        return f"{round(gate.estimate * units)} of {units}"
    if gate.quantile is not None:
        value = f"{gate.estimate:,.4g}"
        if gate.metric.startswith(TIMES):
            value += " ms"
        return f"p{gate.quantile * 100:g} {'$' * (gate.metric == 'cost_usd')}{value}"
    return f"{100 * gate.estimate:.1f} %"


def _interval(gate: GatePart) -> str:
    low, high = gate.lower, gate.upper
    if low is None and high is None:
        return DASH
    if gate.form in ("non_inferior", "superior"):
        return f"[{_scaled(low, '+.1f')}, {_scaled(high, '+.1f')}]"
    if gate.form == "ratio_at_most":
        return f"[{_plain(low)}, {_plain(high)}]"
    if gate.quantile is not None:
        return f"[{', '.join('∞' if end is None else format(end, ',.4g') for end in (low, high))}]"
    return f"[{_scaled(low, '.1f')}, {_scaled(high, '.1f')}]"


def _scaled(value: float | None, form: str) -> str:
    return "∞" if value is None else format(round(100 * value, 1) + 0.0, form)


def _plain(value: float | None) -> str:
    return "∞" if value is None else f"{value:.2f}"


def metric_table(card: Scorecard, *, slices: bool, gated: bool = False) -> Table:
    """Metrics of every suite: overall, or their slices and hops.

    ``gated`` keeps what a gate judges and what scorers report; a safety suite's scorers speak through its
    violations. What a judge scored is said to be its own where labels of people correct it in the gates.
    """
    corrected = {(judge.suite, judge.metric) for judge in card.judges if judge.n}
    judged = {(gate.suite, gate.metric) for gate in card.gates}
    quiet = {m.name for m in RESPONSE_METRICS}
    rows = []
    for suite in card.suites:
        for part in suite.metrics:
            if bool(part.slice) is not slices:
                continue
            name = part.metric.split(" ")[0]
            spoken_for = suite.kind == "safety" or name in quiet
            if gated and spoken_for and (suite.suite, name) not in judged:
                continue
            where = (suite.suite, part.slice) if slices else (suite.suite,)
            metric = f"{part.metric} (judge alone)" if (suite.suite, name) in corrected else part.metric
            rows.append((*where, metric, *_numbers(part), str(part.n)))
    head = ("suite", "slice") if slices else ("suite",)
    interval = f"{percent(SHOWN_LEVEL)} interval"
    return Table((*head, "metric", "candidate", "baseline", "difference", interval, "n"), tuple(rows))


def _numbers(part: MetricPart) -> tuple[str, str, str, str]:
    form = _format(part)
    interval = DASH
    if part.lower is not None and part.upper is not None:
        sign = "" if part.baseline is None else "+"  # without a baseline they bound a level, no difference
        interval = f"[{100 * part.lower:{sign}.1f}, {100 * part.upper:{sign}.1f}]"
    return (
        form(part.candidate),
        form(part.baseline),
        DASH if part.difference is None else _signed(part),
        interval,
    )


def _is_time(part: MetricPart) -> bool:
    return part.metric.startswith(TIMES)


def _is_cost(part: MetricPart) -> bool:
    return part.metric == "cost_usd" or part.kind == "cost"


def _format(part: MetricPart) -> Callable[[float | None], str]:
    def form(value: float | None) -> str:
        if value is None:
            return DASH
        if _is_time(part):
            return f"{value:.1f} ms"
        if _is_cost(part):
            return f"${value:.6f}"
        if part.metric == "tokens" or abs(value) > 1:
            return f"{value:.1f}"
        if part.kind == "count":
            return f"{value:.3f}"
        return f"{100 * value:.2f} %"

    return form


def _signed(part: MetricPart) -> str:
    assert part.difference is not None
    if _is_time(part):
        return f"{part.difference:+.1f} ms"
    if _is_cost(part):
        return f"{part.difference:+.6f}"
    if part.metric == "tokens" or max(abs(part.candidate or 0), abs(part.baseline or 0)) > 1:
        return f"{part.difference:+.1f}"
    if part.kind == "count":
        return f"{part.difference:+.3f}"
    return f"{100 * part.difference:+.2f}"


def change_table(card: Scorecard) -> Table:
    """Artifacts that changed; a first column marks the suspects where there are any."""
    rows = tuple(
        (
            "suspect" if f"{c.kind}/{c.name}" in card.suspects else "",
            f"{c.kind}/{c.name}",
            c.from_ or "(new)",
            c.to or "(gone)",
            _reached(c.reached_by, card),
        )
        for c in card.changed
    )
    head = ("", "artifact", "baseline", "candidate", "reached by")
    if any(row[0] for row in rows):
        return Table(head, rows)
    return Table(head[1:], tuple(row[1:] for row in rows))


def _reached(suites: list[str], card: Scorecard) -> str:
    if len(suites) > 1 and len(suites) == len(card.suites):
        return "every suite"
    return ", ".join(suites) or "no suite"


def waiver_text(waiver: WaiverPart) -> str:
    """Who let which release through, when and why."""
    by = f" by {waiver.by}" if waiver.by else ""
    return f"{waiver.release}@{waiver.version}, {waiver.at[:10]}{by}: {waiver.reason}"


def clip(text: str, width: int) -> str:
    """One line, at most so wide."""
    return cut(one_line(text), width) or EMPTY


def answers(worst: WorstPart, width: int) -> tuple[str, str]:
    """The candidate's and the baseline's answer, each on one line at most so wide, cut where they differ."""
    candidate, baseline = cut_around_difference(worst.candidate, worst.baseline, width)
    return candidate or EMPTY, baseline or EMPTY
