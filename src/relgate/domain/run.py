"""A run as the registry keeps it: everything measured, judged and needed to find it again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from relgate.domain.case import Critical
from relgate.domain.digest import short
from relgate.domain.response import Side

RECORDING = ("application_code", "recording")
"""Kind and name of the artifact that a recorded release's file is."""


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """An artifact of a release as stored: no content, only its digest."""

    kind: str
    name: str
    version: str
    digest: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release as stored. The manifest text holds ``${VAR}``, never a value, and is redacted."""

    name: str
    version: str
    digest: str
    owner: str
    manifest: str
    manifest_path: str
    artifacts: tuple[ArtifactRow, ...] = ()

    @property
    def label(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


def stands_for(compared: ReleaseRow, holder: ReleaseRow) -> bool:
    """Whether a comparison with one release says something against another one.

    It does where both are the same by their content, or by name, version and everything but a recording: a
    recorded release's file, and with it its digest, grows with the golden set.

    Args:
        compared: what was compared with.
        holder: what would be replaced.
    """
    if compared.digest == holder.digest:
        return True
    rest = _but_the_recording(compared)
    named_alike = (compared.name, compared.version) == (holder.name, holder.version)
    return named_alike and rest is not None and rest == _but_the_recording(holder)


class Labelled(Protocol):
    """A release as far as it can be named."""

    @property
    def label(self) -> str:
        """``name@version``."""
        ...

    @property
    def digest(self) -> str:
        """Of its content."""
        ...


def told_apart(one: Labelled, other: Labelled) -> tuple[str, str]:
    """The labels of two releases, with their digests where both have the same."""
    if one.label != other.label:
        return one.label, other.label
    first, second = (f"{row.label} with the digest {short(row.digest)}" for row in (one, other))
    return first, second


def _but_the_recording(release: ReleaseRow) -> frozenset[tuple[str, str, str]] | None:
    """Kind, name and digest of the other artifacts, None where the release is no recording."""
    marks = {(row.kind, row.name): row.digest for row in release.artifacts}
    if marks.pop(RECORDING, None) is None:
        return None
    return frozenset((kind, name, digest) for (kind, name), digest in marks.items())


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """One call as stored: texts are redacted.

    Attributes:
        outcome: response, application, outage or missing.
        scores: value per metric; None where the scorer failed.
        case_outcome: hit, miss, regressed, fixed, failed or not_run (the same on every row of a case).
        model: the model id that the provider said answered, "" where it did not say.
    """

    side: Side
    suite: str
    case_id: str
    trial: int
    hop: str
    confirmation: bool
    outcome: str
    output: str
    served_by: str
    latency_ms: float | None
    tokens: int | None
    cost_usd: float | None
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    retrieved: tuple[str, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)
    case_outcome: str = ""
    input: str = ""
    expected: str = ""
    case_line: int = 0
    suite_folder: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class CaseBlock:
    """Neighbouring cases of a long suite with every call of each, as the store keeps them.

    Attributes:
        suite: the suite.
        cases: how many cases.
        calls: how many calls.
        case_ids: their ids, encoded by the store.
        content: everything else of them, encoded by the store.
        models: side, target and model id of the calls whose provider said which model answered.
    """

    suite: str
    cases: int
    calls: int
    case_ids: bytes
    content: bytes
    models: tuple[tuple[Side, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case of a recorded suite.

    Attributes:
        id: its identity.
        digest: its version: input, expected and what scores it; "" where it was not recorded.
        critical: whether it may not miss, and how rarely.
        regression: whether it keeps an incident from coming back.
        harmful: whether no release may do what it asks for.
        content: of a case that is any of these: digest of what it asks and expects, whatever scores it.
        tags: digest of its tags and its cluster; "" where they were not recorded one by one.
    """

    id: str
    digest: str
    critical: Critical = False
    regression: bool = False
    harmful: bool = False
    content: str = ""
    tags: str = ""

    @property
    def protected(self) -> bool:
        """Whether the verdict stands on this one case."""
        return bool(self.critical or self.regression or self.harmful)


@dataclass(frozen=True, slots=True)
class RecordBlock:
    """Neighbouring cases of a long recorded suite, a column each.

    Attributes:
        ids: their ids.
        digests: the 32 bytes of each digest, end to end.
        protected: the whole record of those that are protected, by their places.
    """

    ids: list[str]
    digests: bytes
    protected: Mapping[int, CaseRecord]


class RecordBlocks(Sequence[CaseRecord]):
    """The cases of a long recorded suite, made as they are asked for."""

    @abstractmethod
    def blocks(self, size: int) -> Iterator[RecordBlock]:
        """All of them, ``size`` at a time."""


@dataclass(frozen=True, slots=True)
class SuiteSettings:
    """What of a suite is neither case nor gate.

    Attributes:
        scoring: digest of everything that scores, which enters the version of each case.
        plugins: digest of the project's own scorers, which enters it as well.
        scorers: digest of each scorer.
        clustered: whether clusters are counted instead of cases.
        slices: tags that are watched one by one.
        route: the route that it measures, "" for none; None where it was not recorded, as of what follows.
        sealed: whether any of its cases are sealed.
        traffic: digest of the inputs of which outputs are compared, "" where there are none.
    """

    scoring: str
    plugins: str
    scorers: tuple[str, ...]
    clustered: bool
    slices: tuple[str, ...]
    route: str | None = None
    sealed: bool | None = None
    traffic: str | None = None


@dataclass(frozen=True, slots=True)
class SuiteRecord:
    """A suite as it was in a run.

    Attributes:
        suite: its name.
        kind: golden, safety or fallback.
        gates: its gates (``GateSpec.document``).
        cases: every case, run or not, regression cases too.
        cases_digest: of what cases.jsonl asks and expects, with tags, and whether clusters are counted,
            whatever scores them; "" where it was not recorded.
        settings: what scores the cases and how they are grouped, None where it was not recorded.
    """

    suite: str
    kind: str
    gates: tuple[Mapping[str, Any], ...]
    cases: Sequence[CaseRecord]
    cases_digest: str = ""
    settings: SuiteSettings | None = None


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """What counts attempts together: release line, baseline and golden sets.

    Attributes:
        line: the manifest's ``release``.
        baseline_digest: the baseline's release digest, "" where there is none.
        golden_digest: over the golden cases, of a set that only grew as it was at first.
        recorded_baseline: name and version of a recorded baseline. It is known by them as well as by its
            digest, which changes when recorded lines are added for new golden cases.
        judged_digest: over the golden cases as they are now, "" where they continue no other set.
    """

    line: str
    baseline_digest: str
    golden_digest: str
    recorded_baseline: tuple[str, str] | None = None
    judged_digest: str = ""


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run that showed outcomes of a candidate and has no verdict yet.

    Attributes:
        id: names it, in the registry and where its answers are kept.
        began: when it showed the first outcome; UTC, ISO 8601.
        discarded: whether a later run asked anew what it showed.
        draws: whether what it showed may be otherwise the next time; else it counts only for having shown it.
        suites: names of the suites whose cases it showed, None where that is not known.
    """

    id: str
    began: str
    discarded: bool = False
    draws: bool = True
    suites: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A finished run, written in one transaction.

    Attributes:
        id: the run's id.
        scorecard: scorecard.json as a JSON value.
        judged_key: digest over release name, version and digest, baseline, suites and policy: the same key
            judged before gives the stored verdict again without a call. Empty for partial runs.
        attempt: None when the run is no attempt (partial, screen, nothing changed).
        measurements: its calls in order, those of long suites in blocks.
        attempt_number: which attempt it was judged as; None skips the check that it still is.
        manifest_path: as given on the command line; `show` prints it in the line that re-runs a case.
        again: whether a candidate that was judged before was measured anew, which is a further attempt.
        suites: the suites as they were; empty where nothing was measured, and for a screen.
        shown: of a run that is no attempt and showed cases that may be patched: what they count for.
        screen: whether it is a screen.
        ended: unfinished runs that end with this one: itself, and those that it went on with. Where it is an
            attempt, any other one of its candidate is an attempt before it.
        draw: names it where its answers are kept; "" where nobody was asked.
    """

    id: str
    started: str
    finished: str
    release: ReleaseRow
    baseline: ReleaseRow | None
    decision: str
    exit_status: int
    partial: bool
    policy_digest: str
    judged_key: str
    attempt: AttemptKey | None
    scorecard: Mapping[str, Any]
    measurements: tuple[MeasurementRow | CaseBlock, ...] = ()
    manifest_path: str = ""
    attempt_number: int | None = None
    again: bool = False
    suites: tuple[SuiteRecord, ...] = ()
    shown: AttemptKey | None = None
    screen: bool = False
    ended: tuple[str, ...] = ()
    draw: str = ""
