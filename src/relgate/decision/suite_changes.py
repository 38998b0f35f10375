"""What became of the suites since the run that the baseline stands on (design 4.2, verdict.md 7).

Whoever is judged must not shrink what it is judged by.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from relgate.decision.wording import count, some
from relgate.domain.case import LONG_SUITE
from relgate.domain.run import CaseRecord, SuiteRecord, SuiteSettings

SHARE_AT_MOST = 0.05
"""Share of a suite's cases that may be gone, or changed beside a stored baseline, without a hold."""

_LOOKED_AT = LONG_SUITE
"""Cases of a suite of which it is told what else they ask or expect; of those that are protected, of all."""

_ROLES = ("report", "guard", "require")
_BAR = frozenset({"boundary", "role", "slack", "rate_at_most"})
"""What of a gate may be loosened; the rest says which gate it is."""

_ACCEPT = "or let a person accept it: `relgate promote RELEASE --waive REASON`"
_REMEDY = f"bring them back, {_ACCEPT}"
_UNDO = f"undo that, {_ACCEPT}"


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a suite had and has not any more, so that less is seen.

    Attributes:
        what: is gone or loosened.
        rest: of the sentence, behind the run since which it is: which cases, or how many may.
        remedy: what to do.
    """

    what: str
    rest: str
    remedy: str

    def sentence(self, since: str = "") -> str:
        """The whole of it, with the run since which it is where one is named."""
        return f"{self.what}{f' since {since}' * bool(since)}{self.rest}"


@dataclass(frozen=True, slots=True)
class SuiteChanges:
    """What is gone, changed or loosened since a run.

    Attributes:
        notes: one sentence each, for the reader.
        losses: what holds.
        weakened: of the notes, those on required gates and sealed halves: a promote says them.
    """

    notes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    weakened: tuple[str, ...] = ()


def compare_suites(
    before: Sequence[SuiteRecord], now: Sequence[SuiteRecord], *, left_out: Collection[str] = ()
) -> SuiteChanges:
    """What the suites of a run had and these have not.

    Deleted cases, gates and suites and loosened margins are noted, and what scores otherwise. More than 5 %
    of a suite's cases gone, or any critical, safety or regression case, holds. A critical or regression case
    that asks or expects something else is gone, and so is what made a case critical, harmful or a regression
    case; a suite that is gone is all of its cases.

    Args:
        before: the suites of the earlier run.
        now: the suites of this run, their cases in the versions that they would have had in the earlier one
            (``case_records.as_scored_then``), so that another scorer makes no case another one.
        left_out: suites that ``--suite`` left out; they are not gone.
    """
    notes: list[str] = []
    losses: list[Loss] = []
    weakened: list[str] = []
    current = {suite.suite: suite for suite in now}
    for suite in before:
        if suite.suite in left_out:
            continue
        after = current.get(suite.suite)
        if after is None:
            notes.append(f"the suite {suite.suite} is gone ({count(len(suite.cases), 'case')})")
            losses.append(Loss(f"the suite {suite.suite} is gone", "", f"bring it back, {_ACCEPT}"))
            continue
        watched = chain(islice(suite.cases, _LOOKED_AT), (case for case in suite.cases if case.protected))
        versions = {case.id: case for case in watched}
        have, kept, others, retagged, gained = set(), [], [], [], []
        for case in after.cases:
            have.add(case.id)
            old = versions.get(case.id)
            if old is None:
                continue
            others += [case.id] if old.digest != case.digest else []
            retagged += [case.id] if "" not in (old.tags, case.tags) and old.tags != case.tags else []
            gained += [case.id] if case.harmful and not old.harmful else []
            if old.protected:
                kept.append((old, case))
        notes += _changed(suite, after, others, len(have & versions.keys()))
        notes += _rerouted(suite, after)
        notes += [f"cases of {suite.suite} are tagged otherwise: {some(retagged)}"] if retagged else []
        notes += [f"cases of {suite.suite} became harmful: {some(gained)}"] if gained else []
        notes += _reworded(suite, kept)
        losses += regrouped(suite.suite, suite.settings, after.settings)
        if suite.kind == "fallback" and is_rerouted(suite.settings, after.settings):
            losses.append(Loss(f"the hops that {suite.suite} measured are not measured any more", "", _UNDO))
        losses += _bared(suite, kept)
        gone = [case for case in suite.cases if case.id not in have]
        if gone:
            text = f"{len(gone)} of {count(len(suite.cases), 'case')} of {suite.suite}"
            notes.append(f"gone: {text}: {some(case.id for case in gone)}")
            losses += _gone(suite, gone, text)
        required, others_of_less = _gate_changes(suite, after)
        notes += [*required, *others_of_less]
        unsealed = _unsealed(suite, after)
        notes += unsealed
        weakened += [*required, *unsealed]
    return SuiteChanges(tuple(notes), tuple(losses), tuple(weakened))


def _changed(suite: SuiteRecord, after: SuiteRecord, others: Sequence[str], compared: int) -> list[str]:
    """That something else scores the cases, and which of them ask or expect something else.

    Where it is not known what scored the cases, or how each was tagged, only that something changed is said.
    """
    both_known = suite.settings is not None and after.settings is not None
    if others and len(others) == compared > 1 and not both_known:
        return [f"what scores {suite.suite} changed, or all of its cases"]
    scored = {(each.scoring, each.plugins) for each in (suite.settings, after.settings) if each is not None}
    notes = [f"what scores {suite.suite} changed"] if len(scored) == 2 else []
    notes += [f"cases of {suite.suite} ask or expect something else: {some(others)}"] if others else []
    if _clustered(after) and not _clustered(suite) and both_known:
        notes.append(f"{suite.suite} counts clusters now")
    elif not (others or _clusters_less(suite, after)) and _is_told_by_digest_alone(suite, after):
        more = f" ask or expect something else behind the first {_LOOKED_AT}, or"
        notes.append(
            f"cases of {suite.suite}{more * (len(suite.cases) > _LOOKED_AT)} are tagged or grouped otherwise"
        )
    return notes


def _is_told_by_digest_alone(suite: SuiteRecord, after: SuiteRecord) -> bool:
    """Whether the same ids are other cases by the digest over all, and the tags of each were not recorded."""
    known = "" not in (suite.cases_digest, after.cases_digest)
    if not known or suite.cases_digest == after.cases_digest or any(c.tags for c in islice(suite.cases, 1)):
        return False
    return {case.id for case in suite.cases} == {case.id for case in after.cases}


def added_cases(before: Sequence[SuiteRecord], now: Sequence[SuiteRecord]) -> tuple[str, ...]:
    """How many cases each suite has that it had not in an earlier run, one sentence each."""
    known = {suite.suite: {case.id for case in suite.cases} for suite in before}
    found = []
    for suite in now:
        if suite.suite in known:
            new = sum(case.id not in known[suite.suite] for case in suite.cases)
            found += [f"{new:,} of {count(len(suite.cases), 'case')} of {suite.suite} are new"] if new else []
    return tuple(found)


def _unsealed(suite: SuiteRecord, after: SuiteRecord) -> list[str]:
    was, now = (each.settings is not None and each.settings.sealed for each in (suite, after))
    return [f"{suite.suite} has no sealed half any more"] if was and now is False else []


def _rerouted(suite: SuiteRecord, after: SuiteRecord) -> list[str]:
    return (
        [rerouted_text(suite.suite, suite.settings, after.settings)]
        if is_rerouted(suite.settings, after.settings)
        else []
    )


def rerouted_text(suite: str, before: SuiteSettings | None, now: SuiteSettings | None) -> str:
    """From which route to which a suite was sent, as far as it is known."""
    was, now_ = ("none" if each is None else each.route or "none" for each in (before, now))
    return f"the route of {suite} was {was} and is {now_}"


def is_rerouted(before: SuiteSettings | None, now: SuiteSettings | None) -> bool:
    """Whether a suite is said to measure another route than in an earlier run.

    A suite is only said to: what answers it may be the same, so it proves nothing of what reaches it.
    """
    if before is None or now is None or None in (before.route, now.route):
        return False
    return before.route != now.route


def _clustered(suite: SuiteRecord) -> bool:
    return suite.settings is not None and suite.settings.clustered


def _clusters_less(suite: SuiteRecord, after: SuiteRecord) -> bool:
    return after.settings is not None and _clustered(suite) and not _clustered(after)


def regrouped(suite: str, before: SuiteSettings | None, now: SuiteSettings | None) -> list[Loss]:
    """What is lost where the cases of a suite are grouped so that less is seen in them.

    Args:
        suite: its name.
        before: its settings in an earlier run, None where they were not recorded.
        now: its settings in this run.
    """
    if before is None or now is None:
        return []
    gone = [name for name in before.slices if name not in now.slices]
    found = [Loss(f"slices of {suite} are not watched any more", f": {some(gone)}", _UNDO)] if gone else []
    if before.clustered and not now.clustered:
        found.append(Loss(f"{suite} does not count clusters any more", "", _UNDO))
    return found


def _reworded(suite: SuiteRecord, kept: Sequence[tuple[CaseRecord, CaseRecord]]) -> list[str]:
    """Which harmful cases ask something else: the wording of one is mended now and then, so it is noted."""
    ids = [old.id for old, new in kept if _is_other(old, new) and not (old.critical or old.regression)]
    return [f"harmful cases of {suite.suite} changed: {some(ids)}"] if ids else []


def _bared(suite: SuiteRecord, kept: Sequence[tuple[CaseRecord, CaseRecord]]) -> list[Loss]:
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
    return [Loss(what, f": {some(ids)}", _UNDO) for what, ids in named.items() if ids]


def _is_other(before: CaseRecord, now: CaseRecord) -> bool:
    return "" not in (before.content, now.content) and before.content != now.content


def _gone(suite: SuiteRecord, gone: Sequence[CaseRecord], text: str) -> list[Loss]:
    special = [
        (kind, ids)
        for kind, ids in (
            ("critical", [case.id for case in gone if case.critical]),
            ("regression", [case.id for case in gone if case.regression]),
            ("safety", [case.id for case in gone] if suite.kind == "safety" else []),
        )
        if ids
    ]
    found = [
        Loss(f"{kind} cases of {suite.suite} are gone", f": {some(ids)}", _REMEDY) for kind, ids in special
    ]
    if len(gone) > SHARE_AT_MOST * len(suite.cases) and not found:
        found.append(Loss(f"{text} are gone", f" (at most {SHARE_AT_MOST:.0%} may)", _REMEDY))
    return found


def _gate_changes(before: SuiteRecord, after: SuiteRecord) -> tuple[list[str], list[str]]:
    """Gates that are gone, and gates of which no line is as strict as it was: required ones, and others."""
    current: dict[str, list[Mapping[str, Any]]] = {}
    for gate in after.gates:
        current.setdefault(_which(gate), []).append(gate)
    required: list[str] = []
    others: list[str] = []
    for gate in before.gates:
        notes = required if gate["role"] == "require" else others
        same = current.get(_which(gate), [])
        if not same:
            notes.append(f"the gate {_gate(gate)} of {before.suite} is gone")
        elif all(_looser(gate, new) for new in same):
            notes.append(f"the gate {_gate(gate)} of {before.suite} was loosened to {_gate(same[0])}")
    return required, others


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
