"""What became of the cases of a chunk: a count per outcome, and the first few cases by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from relgate.plugin.lastfailed import MISSED
from relgate.plugin.statuses import CASE_STATUS, FAILED_CASE, Status
from relgate.usecases.report import CaseReport

LISTED = 20
"""Cases of each sort that a chunk's report names."""

WORST_FIRST = ("failing", "regressed", "miss", "failed", "not_run", "sealed", "fixed", "hit", "not needed")
"""What may become of a case; "failing" is one that fails by itself. A chunk is called by its worst case."""

STATUS: Mapping[str, Status] = {**CASE_STATUS, "failing": FAILED_CASE}


@dataclass
class Listing:
    """A number of things, of which the first few are named.

    Attributes:
        count: how many.
        named: the first of them.
    """

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """One more."""
        self.count += 1
        if self.count <= LISTED:
            self.named.append(name)

    def lines(self) -> list[str]:
        """The names, and how many are left out."""
        left = self.count - len(self.named)
        return [*self.named, *([f"and {left} more"] if left else [])]


@dataclass
class ChunkOutcome:
    """Counts what became of a chunk's cases.

    Attributes:
        size: cases of the chunk; fewer are counted where ``--maxfail`` ended the run in it.
        counts: cases by what became of them, one of ``WORST_FIRST``.
        failing: cases that fail by themselves, with the reason.
        missed: the ids that ``--lf`` runs again.
        reason: why a case was not measured, of the first one.
    """

    size: int
    counts: Counter[str] = field(default_factory=Counter)
    failing: Listing = field(default_factory=Listing)
    missed: Listing = field(default_factory=Listing)
    reason: str = ""

    def add(self, case_id: str, found: CaseReport) -> None:
        """Count one case."""
        self.counts["failing" if found.failure else found.outcome] += 1
        if found.failure:
            self.failing.add(f"{case_id}: {found.failure}")
        if found.failure or found.outcome in MISSED:
            self.missed.add(case_id)
        if not self.reason and found.outcome in ("not_run", "failed"):
            self.reason = found.message

    def settle(self, case_id: str, message: str | None) -> None:
        """Count one case of a stored verdict: not needed, unless its miss carried the verdict."""
        self.counts["not needed" if message is None else "failing"] += 1
        if message is not None:
            self.failing.add(f"{case_id}: {message}")
            self.missed.add(case_id)

    @property
    def worst(self) -> str:
        """What became of its worst case."""
        return next(name for name in WORST_FIRST if self.counts[name])

    @property
    def measured(self) -> bool:
        """Whether any case was."""
        return any(
            self.counts[name] for name in WORST_FIRST if name not in ("failed", "not_run", "not needed")
        )

    @property
    def failure(self) -> str:
        """Which cases fail by themselves, "" where none does."""
        if not self.failing.count:
            return ""
        return "\n  ".join([f"{self.failing.count} of {self.size} cases failed", *self.failing.lines()])

    @property
    def categories(self) -> Mapping[str, int]:
        """How many cases pytest's last line counts, by its category."""
        return {STATUS[name][0]: self.counts[name] for name in reversed(WORST_FIRST) if self.counts[name]}

    def status(self) -> Status:
        """Category and letter of the worst case; where none fails by itself the word is all counts."""
        category, letter, word = STATUS[self.worst]
        if isinstance(word, str):
            return category, letter, word
        said = ", ".join(f"{count} {name.upper()}" for name, count in self.categories.items())
        return category, letter, (said, word[1])
