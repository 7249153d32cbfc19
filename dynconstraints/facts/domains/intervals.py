"""The domain of ranges: ``(lower, upper)`` is the set of integers between two ends, both inclusive, None for no end.

Every function gives an enclosure of the results for operands in the sets; a range with ``lower > upper`` is empty.
"""

from __future__ import annotations

from typing import TypeAlias

Range: TypeAlias = tuple[int | None, int | None]

EVERYTHING: Range = (None, None)


def is_empty(a: Range) -> bool:
    """Whether no integer is in the range."""
    return a[0] is not None and a[1] is not None and a[0] > a[1]


def contains(a: Range, value: int) -> bool:
    """Whether the integer is in the range."""
    return (a[0] is None or a[0] <= value) and (a[1] is None or value <= a[1])


def meet(a: Range, b: Range) -> Range:
    """The intersection."""
    (low, high), (other_low, other_high) = a, b
    return (
        other_low if low is None else low if other_low is None else max(low, other_low),
        other_high if high is None else high if other_high is None else min(high, other_high),
    )


def join(a: Range, b: Range) -> Range:
    """The smallest range that holds both; neither may be empty."""
    return (
        None if a[0] is None or b[0] is None else min(a[0], b[0]),
        None if a[1] is None or b[1] is None else max(a[1], b[1]),
    )


def add(a: Range, b: Range) -> Range:
    """``x + y``; tight."""
    return (
        None if a[0] is None or b[0] is None else a[0] + b[0],
        None if a[1] is None or b[1] is None else a[1] + b[1],
    )


def scale(a: Range, factor: int) -> Range:
    """``factor * x``; the ends are attained."""
    if not factor:
        return (0, 0)
    low = None if a[0] is None else a[0] * factor
    high = None if a[1] is None else a[1] * factor
    return (low, high) if factor > 0 else (high, low)


def multiply(a: Range, b: Range) -> Range:
    """``x * y``; tight."""
    if a == (0, 0) or b == (0, 0):
        return (0, 0)
    if None not in a and None not in b:
        ends = [x * y for x in a for y in b]  # type: ignore[operator]  # no end is None here
        return (min(ends), max(ends))
    return (_least_product(a, b), _negated(_least_product(scale(a, -1), b)))


def _negated(value: int | None) -> int | None:
    return None if value is None else -value


def _least_product(a: Range, b: Range) -> int | None:
    """The least product, or None where products go down without end. A missing end is a sign times infinity."""
    least: int | None = None
    for x, x_sign in ((a[0], -1), (a[1], 1)):
        for y, y_sign in ((b[0], -1), (b[1], 1)):
            if x == 0 or y == 0:
                value = 0
            elif x is not None and y is not None:
                value = x * y
            elif (x_sign if x is None else x) * (y_sign if y is None else y) < 0:
                return None
            else:
                continue
            least = value if least is None else min(least, value)
    return least


def power(a: Range, exponent: int) -> Range:
    """``x ** exponent``; tight."""
    if exponent == 0:
        return (1, 1)
    low, high = (None if end is None else end**exponent for end in a)
    if exponent % 2:
        return (low, high)
    if contains(a, 0):
        return (0, None if low is None or high is None else max(low, high))
    return (low, high) if a[0] is not None and a[0] > 0 else (high, low)


def floor_divide(a: Range, b: Range) -> Range:
    """``x // y`` over the divisors other than 0, everything where there is none; tight for divisors of one sign."""
    positive, negative = meet(b, (1, None)), meet(b, (None, -1))
    if is_empty(negative):
        return EVERYTHING if is_empty(positive) else _divide_positive(a, positive)
    flipped = _divide_positive(scale(a, -1), scale(negative, -1))
    return flipped if is_empty(positive) else join(flipped, _divide_positive(a, positive))


def _divide_positive(a: Range, b: Range) -> Range:
    low, high = a
    small, large = b[0] or 1, b[1]
    if low is not None:
        low = low // small if low < 0 else low // large if large is not None else 0
    if high is not None:
        high = high // small if high >= 0 else high // large if large is not None else -1
    return (low, high)


def modulo(a: Range, b: Range) -> Range:
    """``x % y`` over the divisors other than 0: between 0 and the divisor, or ``x`` where that reaches no divisor."""
    low, high = b
    if low is not None and low > 0:
        if a[0] is not None and a[1] is not None and a[0] // low == a[1] // low == 0:
            return a
        top = None if high is None else high - 1
        if a[0] is not None and a[0] >= 0 and a[1] is not None:
            top = a[1] if top is None else min(top, a[1])
        return (0, top)
    if high is not None and high < 0:
        return scale(modulo(scale(a, -1), scale(b, -1)), -1)
    return (None if low is None else min(low + 1, 0), None if high is None else max(high - 1, 0))


def absolute(a: Range) -> Range:
    """``abs(x)``; tight."""
    low, high = greatest(a, scale(a, -1))
    return (0 if low is None else max(low, 0), high)


def least(a: Range, b: Range) -> Range:
    """``min(x, y)``; tight."""
    low, high = greatest(scale(a, -1), scale(b, -1))
    return (_negated(high), _negated(low))


def greatest(a: Range, b: Range) -> Range:
    """``max(x, y)``; tight."""
    lows = [end for end in (a[0], b[0]) if end is not None]
    return (max(lows, default=None), None if a[1] is None or b[1] is None else max(a[1], b[1]))
