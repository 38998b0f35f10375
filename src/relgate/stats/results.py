"""The shapes that several methods share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Alternative = Literal["greater", "less"]
"""What the p-value is evidence FOR: the parameter lies above ("greater") or below ("less") the boundary."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Two one-sided bounds, each at level 1 - alpha: together the two-sided 1 - 2 alpha interval.

    Attributes:
        low: Lower bound, in the unit of the estimate; -inf or the end of the range when nothing bounds it.
        high: Upper bound, in the unit of the estimate; inf when nothing bounds it.

    Raises:
        ValueError: A bound is NaN, or the two are not in order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high) or self.low > self.high:
            raise ValueError(f"not an interval: [{self.low}, {self.high}]")

    @property
    def width(self) -> float:
        """The distance between the bounds (inf when one is open)."""
        return self.high - self.low

    def contains(self, value: float) -> bool:
        """Tell whether `value` lies inside, the bounds included."""
        return self.low <= value <= self.high
