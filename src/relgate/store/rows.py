"""What the registry gives back, apart from the nouns in ``relgate.domain.run``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from relgate.domain.run import ReleaseRow
from relgate.domain.verdict import NOTHING_FOUND, SCREEN_REASON

Category = Literal["correctness", "safety", "privacy", "quality"]
Severity = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """The verdict of an earlier run under the same key."""

    run_id: str
    decision: str
    exit_status: int
    scorecard: Mapping[str, Any]
    finished: str

    @property
    def confirmed_misses(self) -> dict[tuple[str, str], str]:
        """Suite and id of the critical cases whose miss carried the verdict, with what was said of them."""
        critical = self.scorecard.get("critical", [])
        return {(m["suite"], m["case_id"]): str(m["message"]) for m in critical if m["confirmed"]}


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """Which release, without its manifest and artifacts."""

    name: str
    version: str
    digest: str

    @property
    def label(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the history.

    Attributes:
        attempt: None when the run was no attempt.
        cases: how many cases came out as hit, miss, regressed, fixed, failed, not_run.
        screen: whether the run was a screen; then it is partial too, for it judges nothing.
    """

    id: str
    started: str
    finished: str
    release: ReleaseName
    baseline: ReleaseName | None
    decision: str
    reason: str
    next_step: str
    exit_status: int
    partial: bool
    attempt: int | None
    policy_digest: str
    cases: Mapping[str, int]
    manifest_path: str
    screen: bool = False

    @property
    def said(self) -> str:
        """The decision in words that nobody takes for a verdict where the run was a screen."""
        if not self.screen:
            return self.decision
        return NOTHING_FOUND if self.exit_status == 0 else f"{SCREEN_REASON}{self.decision}"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as it was measured in a run; texts are redacted."""

    suite: str
    suite_folder: str
    case_id: str
    case_line: int
    input: str
    expected: str
    outcome: str


@dataclass(frozen=True, slots=True)
class AliasRow:
    """Who holds an alias of a release line, since when, and how it came to it.

    Attributes:
        before: who held it before, None where nobody did.
        reason: why it was moved, "" where nobody said.
    """

    line: str
    alias: str
    release: ReleaseName
    since: str
    by: str
    waived: bool
    before: ReleaseName | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AliasChange:
    """What a promotion did.

    Attributes:
        changed: False when the release held the alias already; then nothing was written.
        decision: the verdict that it stands on, "" where there was none.
        waived: the waiver's reason, None where the verdict allowed it.
        way_back: whether production went back to a release that had held it; the one that it was taken from
            then needs a reason to return.
    """

    alias: str
    before: ReleaseRow | None
    after: ReleaseRow
    changed: bool
    decision: str
    waived: str | None
    at: str
    by: str
    way_back: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """A promotion against the verdict; every later report of the line shows it."""

    release: str
    version: str
    alias: str
    decision: str
    reason: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Incident:
    """A captured bad output."""

    run_id: str
    suite: str
    case_id: str
    category: Category = "correctness"
    severity: Severity = "medium"
    by: str = ""


@dataclass(frozen=True, slots=True)
class RegressionCase:
    """The redacted case that keeps an incident from coming back, as it stands in ``regressions.jsonl``."""

    incident: int
    suite: str
    case_id: str
    file: str
    line: int
    input: Any
    expected: Any
    redacted: Mapping[str, int] = field(default_factory=dict)
