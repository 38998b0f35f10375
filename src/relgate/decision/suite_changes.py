"""What became of the suites since the run that the baseline stands on (design 4.2, verdict.md 7).

Whoever is judged must not shrink what it is judged by.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from relgate.decision.wording import count
from relgate.domain.run import CaseRecord, SuiteRecord

SHARE_AT_MOST = 0.05
"""Share of a suite's cases that may be gone, or changed beside a stored baseline, without a hold."""

_NAMED = 5
_LOOKED_AT = 1000
"""Cases of a suite by which it is told whether something else scores them."""

_ROLES = ("report", "guard", "require")
_BAR = frozenset({"boundary", "role", "slack", "rate_at_most"})
"""What of a gate may be loosened; the rest says which gate it is."""

SINCE = " since the baseline's run"

_ACCEPT = "or let a person accept it: `relgate promote RELEASE --waive REASON`"
_REMEDY = f"bring them back, {_ACCEPT}"


@dataclass(frozen=True, slots=True)
class SuiteChanges:
    """What is gone, changed or loosened since a run.

    Attributes:
        notes: one sentence each, for the reader.
        holds: reason and next step of what holds.
    """

    notes: tuple[str, ...] = ()
    holds: tuple[tuple[str, str], ...] = ()


def compare_suites(
    before: Sequence[SuiteRecord], now: Sequence[SuiteRecord], *, left_out: Collection[str] = ()
) -> SuiteChanges:
    """What the suites of a run had and these have not.

    Deleted cases, gates and suites and loosened margins are noted, and what scores otherwise. More than 5 %
    of a suite's cases gone, or any critical, safety or regression case, holds. A critical or regression case
    that asks or expects something else is gone, and so is what made a case critical, harmful or a regression
    case; a suite that is gone is all of its cases.

    Args:
        before: the suites of the run that the baseline stands on.
        now: the suites of this run.
        left_out: suites that ``--suite`` left out; they are not gone.
    """
    notes: list[str] = []
    holds: list[tuple[str, str]] = []
    current = {suite.suite: suite for suite in now}
    for suite in before:
        if suite.suite in left_out:
            continue
        after = current.get(suite.suite)
        if after is None:
            notes.append(f"the suite {suite.suite} is gone ({count(len(suite.cases), 'case')})")
            holds.append((f"the suite {suite.suite} is gone{SINCE}", _REMEDY))
            continue
        watched = chain(islice(suite.cases, _LOOKED_AT), (case for case in suite.cases if case.protected))
        versions = {case.id: case for case in watched}
        have, kept, others, gained = set(), [], [], []
        for case in after.cases:
            have.add(case.id)
            old = versions.get(case.id)
            if old is None:
                continue
            others += [case.id] if old.digest != case.digest else []
            gained += [case.id] if case.harmful and not old.harmful else []
            if old.protected:
                kept.append((old, case))
        notes += _changed(suite, after, others, len(have & versions.keys()))
        notes += [f"cases of {suite.suite} became harmful: {_some(gained)}"] if gained else []
        notes += _reworded(suite, kept)
        holds += [(reason, f"undo that, {_ACCEPT}") for reason in _regrouped(suite, after)]
        holds += [(reason, f"undo that, {_ACCEPT}") for reason in _bared(suite, kept)]
        gone = [case for case in suite.cases if case.id not in have]
        if gone:
            text = f"{len(gone)} of {count(len(suite.cases), 'case')} of {suite.suite}"
            notes.append(f"gone: {text}: {_some(case.id for case in gone)}")
            holds += [(reason, _REMEDY) for reason in _gone(suite, gone, text)]
        notes += _gate_changes(suite, after)
    return SuiteChanges(tuple(notes), tuple(holds))


def _changed(suite: SuiteRecord, after: SuiteRecord, others: Sequence[str], compared: int) -> list[str]:
    """That something else scores the cases, or which of them ask, expect or are tagged otherwise.

    Where something else scores them, which of them changed is not known, but that some did is.
    """
    scored = {(each.scoring, each.plugins) for each in (suite.settings, after.settings) if each is not None}
    other_cases = (
        "" not in (suite.cases_digest, after.cases_digest) and suite.cases_digest != after.cases_digest
    )
    if len(scored) == 2:
        return [f"what scores {suite.suite} changed{', and so did its cases' * other_cases}"]
    if others and len(others) == compared > 1:
        return [f"what scores {suite.suite} changed, or all of its cases"]
    notes = [f"cases of {suite.suite} ask or expect something else: {_some(others)}"] if others else []
    same = {case.id for case in suite.cases} == {case.id for case in after.cases}
    if same and other_cases and not (others or _clusters_less(suite, after)):
        notes.append(f"cases of {suite.suite} are tagged or grouped otherwise")
    return notes


def _clusters_less(suite: SuiteRecord, after: SuiteRecord) -> bool:
    before, now = suite.settings, after.settings
    return before is not None and now is not None and before.clustered and not now.clustered


def _regrouped(suite: SuiteRecord, after: SuiteRecord) -> list[str]:
    """Why a suite holds whose cases are grouped so that less is seen in them."""
    before, now = suite.settings, after.settings
    gone = [] if before is None or now is None else [name for name in before.slices if name not in now.slices]
    found = [f"slices of {suite.suite} are not watched any more{SINCE}: {_some(gone)}"] if gone else []
    if _clusters_less(suite, after):
        found.append(f"{suite.suite} does not count clusters any more{SINCE}")
    return found


def _reworded(suite: SuiteRecord, kept: Sequence[tuple[CaseRecord, CaseRecord]]) -> list[str]:
    """Which harmful cases ask something else: the wording of one is mended now and then, so it is noted."""
    ids = [old.id for old, new in kept if _is_other(old, new) and not (old.critical or old.regression)]
    return [f"harmful cases of {suite.suite} changed: {_some(ids)}"] if ids else []


def _bared(suite: SuiteRecord, kept: Sequence[tuple[CaseRecord, CaseRecord]]) -> list[str]:
    """Why a suite holds whose protected cases are others, or lost what protected them."""
    of = f"cases of {suite.suite} are"
    found: Mapping[str, Callable[[CaseRecord, CaseRecord], bool]] = {
        f"critical {of} not critical any more": lambda old, new: old.critical and not new.critical,
        f'critical {of} not "never" any more': lambda old, new: (
            old.critical == "never" and new.critical is True
        ),
        f"regression {of} not in regressions.jsonl any more": (
            lambda old, new: old.regression and not new.regression
        ),
        f"harmful {of} not harmful any more": lambda old, new: old.harmful and not new.harmful,
        f"critical or regression cases of {suite.suite} ask or expect something else": (
            lambda old, new: bool(old.critical or old.regression) and _is_other(old, new)
        ),
    }
    named = {what: [old.id for old, new in kept if lost(old, new)] for what, lost in found.items()}
    return [f"{what}{SINCE}: {_some(ids)}" for what, ids in named.items() if ids]


def _is_other(before: CaseRecord, now: CaseRecord) -> bool:
    return "" not in (before.content, now.content) and before.content != now.content


def _gone(suite: SuiteRecord, gone: Sequence[CaseRecord], text: str) -> list[str]:
    special = [
        (kind, ids)
        for kind, ids in (
            ("critical", [case.id for case in gone if case.critical]),
            ("regression", [case.id for case in gone if case.regression]),
            ("safety", [case.id for case in gone] if suite.kind == "safety" else []),
        )
        if ids
    ]
    reasons = [f"{kind} cases of {suite.suite} are gone{SINCE}: {_some(ids)}" for kind, ids in special]
    if len(gone) > SHARE_AT_MOST * len(suite.cases) and not reasons:
        reasons.append(f"{text} are gone{SINCE} (at most {SHARE_AT_MOST:.0%} may)")
    return reasons


def _gate_changes(before: SuiteRecord, after: SuiteRecord) -> list[str]:
    """Gates that are gone, and gates of which no line is as strict as it was."""
    current: dict[str, list[Mapping[str, Any]]] = {}
    for gate in after.gates:
        current.setdefault(_which(gate), []).append(gate)
    notes = []
    for gate in before.gates:
        same = current.get(_which(gate), [])
        if not same:
            notes.append(f"the gate {_gate(gate)} of {before.suite} is gone")
        elif all(_looser(gate, new) for new in same):
            notes.append(f"the gate {_gate(gate)} of {before.suite} was loosened to {_gate(same[0])}")
    return notes


def _which(gate: Mapping[str, Any]) -> str:
    """Which gate it is, whatever its bar; a setting that a later version added and that is unset is none."""
    return json.dumps({k: v for k, v in gate.items() if k not in _BAR and v}, sort_keys=True)


def _looser(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    was, now = float(before["boundary"]), float(after["boundary"])
    easier = now < was if before["form"] in ("at_least", "superior") else now > was
    rate, rate_now = before.get("rate_at_most"), after.get("rate_at_most")
    unproven = rate is not None and (rate_now is None or rate_now > rate)
    weaker = _ROLES.index(after["role"]) < _ROLES.index(before["role"])
    return easier or unproven or weaker or after.get("slack", 0.0) > before.get("slack", 0.0)


def _gate(gate: Mapping[str, Any]) -> str:
    words = [gate["metric"]]
    if gate.get("quantile") is not None:
        words.append(f"p{100 * gate['quantile']:g}")
    words.append(f"{gate['form']} {gate['boundary']:g}")
    if gate.get("slack"):
        words.append(f"slack {gate['slack']:g}")
    if gate.get("rate_at_most") is not None:
        words.append(f"rate {gate['rate_at_most']:g}")
    if gate.get("by"):
        words.append(f"by {gate['by']}")
    return " ".join([*words, f"({gate['role']})"])


def _some(ids: Iterable[str]) -> str:
    named = list(ids)
    return ", ".join(named[:_NAMED]) + (" ..." if len(named) > _NAMED else "")
