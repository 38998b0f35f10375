"""The sample that one gate judges: its cases, paired where it compares, with what is missing counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from relgate.decision.sealing import sealed_ids
from relgate.domain.case import Suite
from relgate.domain.long_cases import distinct
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
MEAN_DECIMALS, DIFFERENCE_DECIMALS = 12, 10
"""Digits that means of 1/k keep; their differences keep fewer, so that equal ones are equal."""

CLUSTER, DISTINCT_INPUT = "cluster", "distinct input"

NAMED = 3
"""Cases without a score that are named."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Case means of one metric on both sides, shape (n,), in the order of the suite's cases.

    Attributes:
        candidate: mean over trials (and hops, where pooled) per case.
        baseline: the same for the baseline; None for absolute gates.
        units: label of the independent unit of each case, shape (n,).
        clustered: whether units are clusters rather than cases: by the suite, or for duplicated inputs.
        single: whether every case has exactly one score on each side.
        candidate_rows: every score of the candidate, shape (rows,), for quantiles.
        candidate_units: unit of each of these rows.
        baseline_rows: as candidate_rows.
        baseline_units: as candidate_units.
        expected: cases that the gate should have judged.
        unmeasured: cases in scope that an outage, an absent recording or an absent side left unmeasured.
        judge_failures: cases in scope where a scorer failed.
        missing_units: label of the unit of each case without a usable score.
        missing_ids: ids of the first of these cases; none of a sealed case.
        reasons: a few of the reasons why cases were not measured.
        judge_reason: why scorers failed, the most frequent reason; "" where none did.
        judge_reason_cases: in how many of the cases.
        failed_units: unit of each case in which the candidate's application failed, where that counts as a
            call without an end (``decision.unanswered``).
        unit_noun: what a unit of several cases is called: equal inputs of a suite without clusters are none.
    """

    candidate: Floats
    baseline: Floats | None
    units: NDArray[np.int64]
    clustered: bool
    single: bool
    candidate_rows: Floats
    candidate_units: NDArray[np.int64]
    baseline_rows: Floats
    baseline_units: NDArray[np.int64]
    expected: int
    unmeasured: int
    judge_failures: int
    missing_units: NDArray[np.int64]
    reasons: tuple[str, ...] = ()
    judge_reason: str = ""
    judge_reason_cases: int = 0
    missing_ids: tuple[str, ...] = ()
    unit_noun: str = CLUSTER
    failed_units: NDArray[np.int64] | None = None

    @property
    def failed(self) -> int:
        """Cases in which the candidate's application failed, where that counts; 0 elsewhere."""
        return 0 if self.failed_units is None else int(self.failed_units.size)

    @property
    def n(self) -> int:
        """Cases measured."""
        return int(self.candidate.size)

    @property
    def unit_count(self) -> int:
        """Independent units measured."""
        return distinct(self.units).size

    @property
    def counted_units(self) -> str:
        """``12 clusters``, ``1 distinct input``."""
        return f"{self.unit_count:,} {self.unit_noun}" + ("" if self.unit_count == 1 else "s")

    @property
    def missing(self) -> int:
        """Cases in scope without a usable score."""
        return self.unmeasured + self.judge_failures

    @property
    def difference(self) -> Floats:
        """Candidate minus baseline per case.

        Raises:
            ValueError: the gate has no baseline.
        """
        if self.baseline is None:
            raise ValueError("an absolute sample has no difference")
        difference: Floats = np.round(self.candidate - self.baseline, DIFFERENCE_DECIMALS)
        return difference


def unit_noun(suite: Suite) -> str:
    """What a unit of several cases is called: a cluster, or an input that they share."""
    return CLUSTER if suite.clustered else DISTINCT_INPUT


def impute(sample: Sample, *, for_candidate: float, for_baseline: float | None) -> Sample:
    """The sample with every missing case filled in (worst or best case), each in its own unit."""
    extra = sample.missing
    candidate = np.concatenate([sample.candidate, np.full(extra, for_candidate)])
    baseline = sample.baseline
    if baseline is not None and for_baseline is not None:
        baseline = np.concatenate([baseline, np.full(extra, for_baseline)])
    return replace(
        sample,
        candidate=candidate,
        baseline=baseline,
        units=np.concatenate([sample.units, sample.missing_units]),
        unmeasured=0,
        judge_failures=0,
        missing_units=sample.missing_units[:0],
    )


def nameable(suite: Suite, ids: list[str]) -> tuple[str, ...]:
    """Those of these ids that a reader may see."""
    sealed = sealed_ids(suite) if ids else frozenset()
    return tuple(case for case in ids if case not in sealed)


def lattice(means: list[float]) -> Floats:
    """Means of 1/k on one lattice, so that ties are ties."""
    rounded: Floats = np.array([round(mean, MEAN_DECIMALS) for mean in means], dtype=np.float64)
    return rounded
