"""Checks of input that every method shares: a bad number is refused at the door, never carried on."""

from __future__ import annotations

import math
import operator
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from relgate.late import np

if TYPE_CHECKING:
    import numpy.typing as npt


FloatArray: TypeAlias = "npt.NDArray[np.float64]"
IntArray: TypeAlias = "npt.NDArray[np.int64]"

ZERO_SPREAD = 1e-12
"""A spread below this, or below this share of the largest value, is rounding (sums of 1/k do not cancel)."""


def vector(values: npt.ArrayLike, name: str, minimum: int = 1) -> FloatArray:
    """Return `values` as a one-dimensional float64 array.

    Args:
        values: Numbers, shape (n,).
        name: What the array is called in error messages.
        minimum: The smallest accepted length.

    Raises:
        ValueError: Not one-dimensional, too short, not numeric, or with NaN or an infinity in it.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if array.size < minimum:
        raise ValueError(f"{name} needs at least {minimum} value(s), got {array.size}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or an infinite value")
    return array


def count(value: Any, name: str, minimum: int = 0) -> int:
    """Return `value` as an int of at least `minimum`.

    Raises:
        ValueError: Not an integer (2.0 is none), or too small.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def finite(value: float, name: str) -> float:
    """Return `value` as a finite float.

    Raises:
        ValueError: NaN, infinite or not a number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number


def between(value: float, name: str, low: float, high: float, *, closed: bool = False) -> float:
    """Return `value` as a float inside (low, high), or inside [low, high] when `closed`.

    Raises:
        ValueError: Outside the range, or not finite.
    """
    number = finite(value, name)
    inside = low <= number <= high if closed else low < number < high
    if not inside:
        brackets = "[]" if closed else "()"
        raise ValueError(f"{name} must be in {brackets[0]}{low:g}, {high:g}{brackets[1]}, got {number}")
    return number


def one_sided_alpha(alpha: float) -> float:
    """Return a one-sided error rate: inside (0, 0.5), since 0.05 one-sided is a two-sided 90 % interval."""
    return between(alpha, "alpha (one-sided)", 0.0, 0.5)


def direction(alternative: str, allowed: tuple[str, ...] = ("greater", "less")) -> str:
    """Return `alternative` when it is one of `allowed`.

    Raises:
        ValueError: Any other word.
    """
    if alternative not in allowed:
        raise ValueError(f"alternative must be one of {', '.join(allowed)}; got {alternative!r}")
    return alternative


def codes(labels: Sequence[Hashable] | npt.NDArray[Any], name: str, length: int) -> tuple[IntArray, int]:
    """Number the labels 0..G-1 in order of first appearance.

    Args:
        labels: Hashable labels of any mix of types, shape (n,).
        name: What the labels are called in error messages.
        length: The number of rows that they must cover.

    Returns:
        The code of each row, shape (n,), and the number of different labels G.

    Raises:
        ValueError: Wrong length, a missing label (None or NaN) or an unhashable one.
    """
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu" and labels.size:
        numbered, groups = _integer_codes(labels)
    else:
        numbered, groups = _label_codes(labels, name)
    if numbered.size != length:
        raise ValueError(f"{name} has {numbered.size} labels for {length} rows")
    return numbered, groups


def _integer_codes(labels: npt.NDArray[Any]) -> tuple[IntArray, int]:
    """The codes of whole numbers, without a look at each: clusters are coded many times for one gate."""
    _, place = np.unique(labels, return_inverse=True) if _is_sparse(labels) else (None, labels - labels.min())
    first = np.full(int(place.max()) + 1, -1)
    first[place[::-1]] = np.arange(labels.size - 1, -1, -1)  # of a repeated index the last one stays
    present = np.flatnonzero(first >= 0)
    code = np.empty(first.size, dtype=np.int64)
    code[present[np.argsort(first[present])]] = np.arange(present.size)
    return code[place], int(present.size)


def _is_sparse(labels: npt.NDArray[Any]) -> bool:
    return int(labels.max()) - int(labels.min()) > 4 * labels.size


def _label_codes(labels: Sequence[Hashable] | npt.NDArray[Any], name: str) -> tuple[IntArray, int]:
    items: Iterable[Any] = labels.tolist() if isinstance(labels, np.ndarray) else labels
    seen: dict[tuple[bool, Any], int] = {}
    numbered: list[int] = []
    for label in items:
        if label is None or label != label:
            raise ValueError(f"{name} holds a missing label")
        try:  # True and 1 are equal in Python, and two different labels in a file
            numbered.append(seen.setdefault((isinstance(label, bool), label), len(seen)))
        except TypeError:
            raise ValueError(f"{name} holds a label that cannot be hashed: {label!r}") from None
    return np.asarray(numbered, dtype=np.int64), len(seen)


def no_spread(spread: float, values: FloatArray) -> bool:
    """Tell whether `spread`, a deviation or error, is zero but for rounding on the scale of `values`."""
    scale = float(np.max(np.abs(values))) if values.size else 0.0
    return not spread > ZERO_SPREAD * max(1.0, scale)
