"""How far a judge agrees with labels, and with itself when the two answers of a pair change places."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from relgate.late import np, special
from relgate.stats._checks import IntArray, codes, one_sided_alpha
from relgate.stats.binomial import clopper_pearson
from relgate.stats.results import Interval

if TYPE_CHECKING:
    import numpy.typing as npt

Labels: TypeAlias = "Sequence[Hashable] | npt.NDArray[Any]"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two raters over the same cases, any number of categories.

    Attributes:
        n: Cases.
        observed: Share of cases on which they agree, in [0, 1].
        expected: Share on which they would by chance, given how often each uses each category.
        kappa: (observed - expected) / (1 - expected), in [-1, 1]; None where both use one category only.
        se: Large-sample standard error of kappa (Fleiss, Cohen and Everitt 1969); None with kappa.
    """

    n: int
    observed: float
    expected: float
    kappa: float | None
    se: float | None

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Two one-sided normal bounds of kappa, cut to [-1, 1]; None where there is no kappa.

        Where the standard error is 0 (agreement on every case), the lower one is that of the Clopper-Pearson
        bound of the observed agreement, at the same agreement by chance.

        Raises:
            ValueError: alpha out of range.
        """
        if self.kappa is not None and self.se == 0.0:
            seen = clopper_pearson(round(self.observed * self.n), self.n, alpha)
            return Interval((seen.low - self.expected) / (1.0 - self.expected), self.kappa)
        reach = float(special.ndtri(1.0 - one_sided_alpha(alpha)))
        if self.kappa is None or self.se is None:
            return None
        return Interval(max(-1.0, self.kappa - reach * self.se), min(1.0, self.kappa + reach * self.se))


@dataclass(frozen=True, slots=True)
class BinaryAgreement:
    """A judge that says yes or no, against labels that say so.

    Attributes:
        true_yes: Both say yes.
        false_yes: Only the judge does.
        false_no: Only the label does.
        true_no: Neither does.
        agreement: Observed agreement and Cohen's kappa.
    """

    true_yes: int
    false_yes: int
    false_no: int
    true_no: int
    agreement: Agreement

    @property
    def sensitivity(self) -> float | None:
        """Share of the labelled yes that the judge finds; None without one."""
        yes = self.true_yes + self.false_no
        return self.true_yes / yes if yes else None

    @property
    def specificity(self) -> float | None:
        """Share of the labelled no that the judge finds; None without one."""
        no = self.true_no + self.false_yes
        return self.true_no / no if no else None

    def sensitivity_interval(self, alpha: float = 0.05) -> Interval | None:
        """Clopper-Pearson bounds of the sensitivity, one-sided each; None without a labelled yes."""
        yes = self.true_yes + self.false_no
        return clopper_pearson(self.true_yes, yes, alpha) if yes else None

    def specificity_interval(self, alpha: float = 0.05) -> Interval | None:
        """Clopper-Pearson bounds of the specificity, one-sided each; None without a labelled no."""
        no = self.true_no + self.false_yes
        return clopper_pearson(self.true_no, no, alpha) if no else None


@dataclass(frozen=True, slots=True)
class PositionBias:
    """A judge of pairs, asked in both orders; verdicts say which answer won, whatever its place.

    Attributes:
        n: Pairs asked in both orders.
        consistent: Pairs with the same verdict in both.
        to_first: Inconsistent pairs in which the first place gained: it won each time, or once beside a tie.
        to_second: Inconsistent pairs in which the second place gained.
    """

    n: int
    consistent: int
    to_first: int
    to_second: int

    @property
    def consistency(self) -> float:
        """Share of pairs with the same verdict in both orders, in [0, 1]."""
        return self.consistent / self.n

    @property
    def bias(self) -> float:
        """Share won by the first place less share won by the second, in [-1, 1]; 0 is no preference."""
        return (self.to_first - self.to_second) / self.n


def rater_agreement(first: Labels, second: Labels) -> Agreement:
    """Cohen's kappa of two raters (Cohen 1960).

    Args:
        first: Categories that one rater gave, shape (n,), n >= 1.
        second: Categories of the other, shape (n,).

    Raises:
        ValueError: Lengths that differ, no case, or a missing category.
    """
    size = len(first)
    if size == 0:
        raise ValueError("rater_agreement needs at least 1 case")
    if len(second) != size:
        raise ValueError(f"first has {size} values, second {len(second)}")
    both: list[Hashable] = [*_listed(first), *_listed(second)]
    numbered, categories = codes(both, "categories", 2 * size)
    return _kappa(numbered[:size], numbered[size:], categories)


def binary_agreement(labels: Sequence[bool], verdicts: Sequence[bool]) -> BinaryAgreement:
    """A judge's yes or no against labels.

    Args:
        labels: What is true, shape (n,), n >= 1.
        verdicts: What the judge says, shape (n,).

    Raises:
        ValueError: Lengths that differ, or no case.
    """
    found = rater_agreement([bool(label) for label in labels], [bool(verdict) for verdict in verdicts])
    pairs = [(bool(label), bool(verdict)) for label, verdict in zip(labels, verdicts, strict=True)]
    return BinaryAgreement(
        true_yes=pairs.count((True, True)),
        false_yes=pairs.count((False, True)),
        false_no=pairs.count((True, False)),
        true_no=pairs.count((False, False)),
        agreement=found,
    )


def position_bias(kept: Sequence[int], swapped: Sequence[int]) -> PositionBias:
    """How often a judge of pairs changes its mind with the order, and to which place's advantage.

    Args:
        kept: The winner with answer 1 shown first: 1, 2, or 0 for a tie; shape (n,), n >= 1.
        swapped: The winner of the same pair with answer 2 shown first, by the same names; shape (n,).

    Raises:
        ValueError: Lengths that differ, no pair, or another value.
    """
    if len(kept) != len(swapped):
        raise ValueError(f"kept has {len(kept)} values, swapped {len(swapped)}")
    if not len(kept):
        raise ValueError("position_bias needs at least 1 pair")
    if not {*kept, *swapped} <= {0, 1, 2}:
        raise ValueError("a winner must be 1, 2, or 0 for a tie")
    pairs = list(zip(kept, swapped, strict=True))
    # With the order kept, answer 1 stands first; swapped, answer 2 does.
    first = sum(one != other and _place(one, other) > 0 for one, other in pairs)
    second = sum(one != other and _place(one, other) < 0 for one, other in pairs)
    return PositionBias(len(pairs), sum(one == other for one, other in pairs), first, second)


def _place(kept: int, swapped: int) -> int:
    """Above 0 when the first place gained by the order, below 0 when the second did."""
    wins_of_first = (kept == 1) + (swapped == 2)
    wins_of_second = (kept == 2) + (swapped == 1)
    return wins_of_first - wins_of_second


def _kappa(one: IntArray, other: IntArray, categories: int) -> Agreement:
    table = np.zeros((categories, categories))
    np.add.at(table, (one, other), 1.0)
    size = int(table.sum())
    shares = table / size
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float(np.trace(table)) / size, float(rows @ columns)
    if expected >= 1.0 - 1e-12:
        return Agreement(size, observed, expected, None, None)
    kappa = (observed - expected) / (1.0 - expected)
    # Fleiss, Cohen and Everitt 1969, equation 13.
    rest = 1.0 - kappa
    diagonal = float(np.sum(np.diag(shares) * (1.0 - (rows + columns) * rest) ** 2))
    outside = shares - np.diag(np.diag(shares))
    crossed = float(np.sum(outside * (columns[:, None] + rows[None, :]) ** 2)) * rest**2
    spread = diagonal + crossed - (kappa - expected * rest) ** 2
    return Agreement(
        size, observed, expected, kappa, float(np.sqrt(max(spread, 0.0) / size)) / (1.0 - expected)
    )


def _listed(labels: Labels) -> Sequence[Hashable]:
    return labels.tolist() if isinstance(labels, np.ndarray) else labels
