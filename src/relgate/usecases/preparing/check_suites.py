"""What is wrong in a suite once its files are read: scorers, gates, and whether the release can run it."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.decision.policy import check_gates, check_metrics
from relgate.domain.case import ScorerSpec
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.long_cases import LongCases
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.release import Release
from relgate.domain.response import Response, Side
from relgate.domain.scorer import Scorer, ScorerContext
from relgate.files import SuiteDraft
from relgate.files.wire import did_you_mean
from relgate.scorers import fits_kind, infer_kind, read_assertions

COMPARING = frozenset({"exact", "contains", "one_of", "numeric"})
"""Scorers that compare the answer with ``expected``, unless they are given a value."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One side as far as it is known.

    Attributes:
        release: the release, or what is sound in its manifest.
        rows: its recording; None where it has none or it cannot be read.
        known: whether the kind of its application is known, and its recording read if it is one.
    """

    release: Release
    rows: Rows | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Judging:
    """What judges one suite.

    Attributes:
        scorers: per side; without those that cannot be made.
        metrics: every metric that the suite reports, by name.
        regression_scorer: for regression cases that say what they expect.
        problems: what is wrong.
    """

    scorers: Mapping[Side, tuple[Scorer, ...]]
    metrics: Mapping[str, Metric]
    regression_scorer: Scorer
    problems: tuple[Problem, ...]


def judge_of(draft: SuiteDraft, catalog: Catalog, subjects: Mapping[Side, Subject]) -> Judging:
    """Make the scorers of every side and hold the gates against their metrics.

    Nothing that only follows from another problem is named: a gate on the metric of a scorer that cannot
    be made, or of one that an unread plugin may register.

    Args:
        draft: the suite as far as it can be read.
        catalog: where scorers come from.
        subjects: the sides.
    """
    making = _Making(draft, catalog)
    scorers: dict[Side, tuple[Scorer, ...]] = {}
    metrics: dict[str, Metric] = {}
    for side, subject in subjects.items():
        made = list(making.scorers(subject, subjects))
        scorers[side] = tuple(scorer for _, scorer in made)
        if side == "candidate":
            metrics = making.metrics(made)
    if draft.kind in ("safety", None):
        metrics.update({m.name: m for m in SAFETY_METRICS})
    metrics.update({m.name: m for m in RESPONSE_METRICS})
    context = ScorerContext(draft.path, subjects["candidate"].release)
    regression = catalog.make_scorer(ScorerSpec("regression"), context)
    if draft.regressions or (draft.suite is None and (draft.path.parent / "regressions.jsonl").exists()):
        metrics[regression.metric.name] = regression.metric
    unsure = making.unsure
    if draft.scorers:
        gates = [gate for gate in draft.gates if gate.metric not in unsure]
        formless = [gate for gate in draft.formless if gate.metric not in unsure]
    else:  # which metrics there would be is not known
        gates = [gate for gate in draft.gates if gate.metric in metrics]
        formless = []
    problems = [
        *making.problems,
        *_nothing_expected(draft),
        *_unreadable_assertions(draft),
        *_unasked_regressions(draft),
        *check_gates(draft.path, gates, metrics),
        *check_metrics(draft.path, formless, metrics),
    ]
    return Judging(scorers, metrics, regression, tuple(problems))


def fit_problems(draft: SuiteDraft, subject: Subject) -> list[Problem]:
    """Why this release cannot run the suite."""
    release = subject.release
    recording = release.application.kind == "recording"
    if subject.known and not recording:
        return [*_no_input(draft), *_unfit_route(draft, release)]
    if draft.kind == "fallback" and recording:
        what, remedy = "a fallback suite needs an application that can be called", "use python or chat"
        return [Problem(draft.place(("kind",)), what, "recording", remedy)]
    return []


def _no_input(draft: SuiteDraft) -> list[Problem]:
    folder = draft.path.parent
    return [
        Problem(
            Place(str(folder / ("regressions.jsonl" if case.regression else "cases.jsonl")), case.line, 1),
            "the case has no input to ask",
            repr(case.id),
            "add input, or gate a recording",
        )
        for case in draft.all_cases
        if case.input is None
    ]


def _unfit_route(draft: SuiteDraft, release: Release) -> list[Problem]:
    if draft.route is None:
        return []
    place = draft.place(("route",))
    if draft.route not in release.routes:
        label = release.label if release.name and release.version else "the release"
        remedy = did_you_mean(draft.route, release.routes, none="the release has no routes")
        return [Problem(place, f"route {draft.route!r} is not in {label}", remedy=remedy)]
    names = [target.provider for target in release.routes[draft.route].chain]
    twice = sorted({name for name in names if names.count(name) > 1})
    if draft.kind != "fallback" or not twice:
        return []
    what = "refusing a hop would refuse another hop of the same provider"
    return [Problem(place, what, ", ".join(twice), "give each hop its own provider entry")]


class _Making:
    """Makes the scorers of one suite and keeps what is wrong with them."""

    def __init__(self, draft: SuiteDraft, catalog: Catalog) -> None:
        self._draft = draft
        self._catalog = catalog
        self.problems: list[Problem] = []
        self.unsure: set[str] = set()
        """Metrics of which it is not known whether they are there, or of which kind."""

    def scorers(
        self, subject: Subject, subjects: Mapping[Side, Subject]
    ) -> Iterator[tuple[ScorerSpec, Scorer]]:
        """The scorers of one side that can be made."""
        for spec in self._draft.scorers:
            # Scores of two judges cannot be paired: the candidate's judge sees both sides.
            judging = subjects["candidate"] if spec.name == "judge" else subject
            context = ScorerContext(self._draft.path, judging.release)
            if spec.name not in self._catalog.scorer_names:  # a problem of the suite's files
                self.unsure |= self._names(spec)
                continue
            try:
                scorer = self._catalog.make_scorer(spec, context)
                if scorer.name == "recorded":
                    scorer = self._with_recorded_kind(spec, scorer, subjects)
            except InputError as error:
                self.problems += error.problems
                self.unsure |= self._names(spec)
            else:
                yield spec, scorer

    def metrics(self, made: list[tuple[ScorerSpec, Scorer]]) -> dict[str, Metric]:
        """The metrics of these scorers; two of one name are a problem, in scorers with wrong options too."""
        metrics = {scorer.metric.name: scorer.metric for _, scorer in made}
        names = {id(spec): scorer.metric.name for spec, scorer in made}
        seen: set[str] = set()
        for spec in self._draft.scorers:
            name = names.get(id(spec), self._own_metric(spec))
            if name is not None and name in seen:
                what, remedy = "two scorers report one metric", "give one of them another name with `as:`"
                place = Place(str(self._draft.path), spec.line, spec.column)
                self.problems.append(Problem(place, what, repr(name), remedy))
            seen |= {name} if name is not None else set()
        return metrics

    def _own_metric(self, spec: ScorerSpec) -> str | None:
        """The metric of a scorer that cannot be made, where its name tells."""
        named = spec.options.get("as")
        if isinstance(named, str):
            return named
        return spec.name if self._catalog.owns(spec.name) and spec.name != "recorded" else None

    def _names(self, spec: ScorerSpec) -> set[str]:
        """Every name that the metric of a scorer that cannot be made may have."""
        near = difflib.get_close_matches(spec.name, self._catalog.scorer_names, n=1, cutoff=0.6)
        texts = {value for value in spec.options.values() if isinstance(value, str)}
        return {spec.name, *texts, *near}

    def _with_recorded_kind(
        self, spec: ScorerSpec, scorer: Scorer, subjects: Mapping[Side, Subject]
    ) -> Scorer:
        """Give a ``recorded`` scorer without ``kind:`` the kind that the scores on both sides have.

        Raises:
            InputError: there are none, they lie outside [0, 1], or the application is no recording.
        """
        source = str(spec.options.get("name") or spec.options.get("value"))
        place = Place(str(self._draft.path), spec.line, spec.column)
        known = [subject for subject in subjects.values() if subject.known]
        if any(subject.rows is None for subject in known):
            what = "recorded scores need a recording on both sides"
            raise InputError([Problem(place, what, "", "use application: recording")])
        if len(known) < len(subjects):
            self.unsure |= set() if "kind" in spec.options else {scorer.metric.name}
            return scorer
        ids = _ids(self._draft) if self._draft.suite is not None else None
        recorded = [
            outcome.scores
            for subject in known
            for (case_id, _), outcome in (subject.rows or {}).items()
            if (ids is None or case_id in ids) and isinstance(outcome, Response)
        ]
        values = [scores[source] for scores in recorded if source in scores]
        if not values:
            names = sorted({name for scores in recorded for name in scores})
            remedy = did_you_mean(source, names, none="they hold no scores")
            raise InputError([Problem(place, "no recording holds this score", repr(source), remedy)])
        if "kind" in spec.options:
            self.problems += _unfit_scores(place, scorer, values)
            return scorer
        kind = infer_kind(values)
        if kind is None:
            what = f"the recorded scores {source!r} lie outside [0, 1]"
            span = f"{min(values):g} to {max(values):g}"
            remedy = "say what they are with kind: count, latency or cost"
            raise InputError([Problem(place, what, span, remedy)])
        return replace(scorer, metric=replace(scorer.metric, kind=kind))


def _ids(draft: SuiteDraft) -> Container[str]:
    """The ids of the suite's cases and regression cases."""
    regressions = {case.id for case in draft.regressions}
    if isinstance(draft.cases, LongCases):
        return _EitherOf(draft.cases.ids, regressions)
    return regressions | {case.id for case in draft.cases}


class _EitherOf(Container[str]):
    """What is in one of two."""

    def __init__(self, *held: Container[str]) -> None:
        self._held = held

    def __contains__(self, value: object) -> bool:
        return any(value in held for held in self._held)


def _unfit_scores(place: Place, scorer: Scorer, values: list[float]) -> list[Problem]:
    """Recorded scores that cannot be of the kind that the suite says."""
    kind = scorer.metric.kind
    wrong = [value for value in values if not fits_kind(kind, value)]
    if not wrong:
        return []
    what = f"{len(wrong)} of {len(values)} recorded scores cannot be of kind {kind}"
    first = ", ".join(f"{value:g}" for value in list(dict.fromkeys(wrong))[:3])
    remedy = "a binary score is 0 or 1, a unit score lies in [0, 1], and none is negative"
    return [Problem(place, what, first, remedy)]


def _nothing_expected(draft: SuiteDraft) -> list[Problem]:
    """Scorers that compare with ``expected`` in a suite whose cases expect nothing."""
    if draft.expects is not False:
        return []
    return [
        Problem(
            Place(str(draft.path), spec.line, spec.column),
            f"{spec.name} compares with what a case expects, but no case of the suite says it",
            "",
            "add `expected` to the cases, or give the scorer a value",
        )
        for spec in draft.scorers
        if spec.name in COMPARING and not difflib.get_close_matches("value", [str(k) for k in spec.options])
    ]


def _unasked_regressions(draft: SuiteDraft) -> list[Problem]:
    """Regression cases that say nothing, in a suite each of whose scorers compares with ``expected``."""
    if draft.kind in ("safety", None) or not draft.scorers or not all(map(_needs_expected, draft.scorers)):
        return []
    return [
        Problem(
            Place(str(draft.path.parent / "regressions.jsonl"), case.line),
            f"{case.id!r} says nothing that it expects, and no scorer of the suite can judge it without",
            "",
            'add "expected", or a scorer that needs none',
        )
        for case in draft.regressions
        if case.expected is None
    ]


def _needs_expected(spec: ScorerSpec) -> bool:
    """Whether a scorer judges no case that expects nothing; one with wrong options may be meant otherwise."""
    given = set(spec.options) - {"as"}
    if spec.name in COMPARING:
        return not difflib.get_close_matches("value", [str(key) for key in given])
    if spec.name == "refusal":  # a score that makes no hit and no miss
        return "as" not in spec.options
    return not given if spec.name == "regex" else spec.name == "tool_call" and "tool" not in given


def _unreadable_assertions(draft: SuiteDraft) -> list[Problem]:
    """Regression cases whose ``expected`` asserts nothing that can be judged."""
    problems = []
    for case in draft.regressions:
        if case.expected is None:
            continue
        try:
            read_assertions(case.expected)
        except ValueError as error:
            place = Place(str(draft.path.parent / "regressions.jsonl"), case.line)
            problems.append(Problem(place, f"expected of {case.id!r} cannot be judged: {error}"))
    return problems
