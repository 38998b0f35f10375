"""Cases and suites: what is asked, what is expected, and which requirements a release must meet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

from relgate.domain.gate import GateSpec

SuiteKind = Literal["golden", "safety", "fallback"]
Critical = Literal["never"] | bool
Trials = int | Literal["auto"]

LONG_SUITE = 10_000
"""A suite of more cases is handled in chunks: pytest, the registry and the interpreter keep kilobytes of
what they hold one by one."""

CaseKey = tuple[str, str]
"""Suite and id of a case."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Case:
    """One line of cases.jsonl.

    Attributes:
        id: the case's identity; no ``::``, brackets or control characters.
        input: a string, a conversation, or None for cases that only a recording answers.
        expected: what a right answer holds; its shape is the scorers' matter.
        tags: slices.
        cluster: the independent unit that this case shares with others, None for one of its own.
        critical: True (2 of 3 trials that miss reject), "never" (any miss rejects) or False.
        source: where the case came from.
        pair: marks deliberately similar cases.
        line: line of the file, counted from 1.
        digest: input + expected, without the scorers' settings.
        regression: whether it stands in regressions.jsonl.
    """

    id: str
    input: str | tuple[Message, ...] | None
    expected: Any = None
    tags: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    cluster: str | None = None
    critical: Critical = False
    source: str | None = None
    pair: str | None = None
    line: int = 0
    digest: str = ""
    regression: bool = False

    @property
    def text(self) -> str:
        """The input as one text: a conversation's messages joined by line ends."""
        if self.input is None:
            return ""
        if isinstance(self.input, str):
            return self.input
        return "\n".join(message.content for message in self.input)

    @property
    def expected_text(self) -> str:
        """What is expected as one text."""
        if self.expected is None:
            return ""
        return (
            self.expected if isinstance(self.expected, str) else json.dumps(self.expected, ensure_ascii=False)
        )


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says of one side's answer to a case.

    Attributes:
        case_id: the case.
        side: whose answer it was when it was read.
        score: in [0, 1], higher is better.
        by: who read it.
        answer: digest of the answer that was read (``decision.judges.labels``); "" where the line names none,
            which then speaks of the answer that it was first used with.
    """

    case_id: str
    side: Literal["candidate", "baseline"]
    score: float
    by: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """A scorer as a suite names it: the catalog's name and its options.

    Attributes:
        name: the catalog's name.
        options: as written; a value that is no mapping is the option ``value``.
        line: of the name, counted from 1.
        column: of the name, counted from 1.
        spots: line and column of the key and of the value, per place in the options.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0
    column: int = 0
    spots: Mapping[tuple[str | int, ...], tuple[tuple[int, int], tuple[int, int]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def spot(self, at: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int]:
        """Line and column of a place in the options; of what is not there, of what would hold it."""
        while at:
            if at in self.spots:
                return self.spots[at][0 if key else 1]
            at = at[:-1]
        return self.line, self.column

    def document(self) -> dict[str, Any]:
        """The part that enters digests."""
        return {"name": self.name, "options": dict(self.options)}


class JoinedCases(Sequence[Case]):
    """Cases with a few others behind them, without a copy of the first."""

    def __init__(self, first: Sequence[Case], others: tuple[Case, ...]) -> None:
        self._first = first
        self._others = others

    def __len__(self) -> int:
        return len(self._first) + len(self._others)

    def __iter__(self) -> Iterator[Case]:
        yield from self._first
        yield from self._others

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Case]: ...
    def __getitem__(self, index: int | slice) -> Case | Sequence[Case]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return self._first[place] if place < len(self._first) else self._others[place - len(self._first)]


@dataclass(frozen=True, slots=True)
class Suite:
    """A folder with suite.yaml and its cases, read and digested.

    Attributes:
        name: the ``suite:`` name.
        kind: golden, safety or fallback.
        cases: those of cases.jsonl, a tuple or ``long_cases.LongCases``.
        path: suite.yaml.
        folder: the suite's folder relative to the golden-set folder, with ``/``.
        labels: what people say of answers, for gates on what a model judged.
        route: the route that it measures, None where the release has none.
        trials: trials per case, or "auto".
        clustered: whether methods count clusters instead of cases.
        sealed: whether half of its cases is sealed (``decision.sealing``).
        traffic: sampled production inputs of which only the outputs are compared.
        force: "hop" when a fallback suite runs every case once per hop of its route.
        faults: faults injected into the hops before the measured one.
        digest: everything that counts: settings, scorers, gates and cases.
        cases_digest: cases alone.
        scoring_digest: what scores the cases: scorers, their settings and the files that these name.
        default_policy: whether the gates were filled in from the default policy of its kind.
    """

    name: str
    kind: SuiteKind
    path: Path
    folder: str
    scorers: tuple[ScorerSpec, ...]
    cases: Sequence[Case]
    gates: tuple[GateSpec, ...]
    regressions: tuple[Case, ...] = ()
    labels: tuple[Label, ...] = ()
    version: str = ""
    owner: str = ""
    route: str | None = None
    trials: Trials = "auto"
    slices: tuple[str, ...] = ()
    clustered: bool = False
    sealed: bool = False
    traffic: tuple[Case, ...] = ()
    force: Literal["hop"] | None = None
    faults: tuple[str, ...] = ()
    digest: str = ""
    cases_digest: str = ""
    scoring_digest: str = ""
    default_policy: bool = False

    @property
    def all_cases(self) -> Sequence[Case]:
        """Cases and regression cases, in the order of the files."""
        return joined(self.cases, self.regressions)


def joined(cases: Sequence[Case], others: tuple[Case, ...]) -> Sequence[Case]:
    """Cases with others behind them."""
    if isinstance(cases, tuple):
        return cases + others
    return JoinedCases(cases, others) if others else cases
