"""Numbers as the solver finds them and as a user reads them: integers, floats, and fractions that no float holds."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import TypeAlias

from dynconstraints.ir.nodes import Int, Real, Term

Number: TypeAlias = "int | float | Fraction"

_READABLE = 10**6
"""Fractions with greater denominators are shown by their first digits."""

_DIGITS = Context(prec=20)


def literal(value: Number) -> Term:
    """The number as a term. Raises ValueError for a rational that no float holds."""
    if isinstance(value, int):
        return Int(value)
    if Fraction(float(value)) != value:
        raise ValueError(f"no float is {value}")
    return Real(float(value))


def plain(number: Number, *, is_real: bool) -> Number:
    """The number as its user writes it: an integer, a float where one holds it exactly, else a fraction."""
    if not is_real:
        return int(number)
    as_float = float(number)
    return as_float if Fraction(as_float) == number else number


def neighbours(value: Fraction) -> tuple[float, float, float]:
    """The float nearest to the value, and those below and above it."""
    near = float(value)
    return near, math.nextafter(near, -math.inf), math.nextafter(near, math.inf)


def shown(number: Number) -> str:
    """The number in digits: an integer as it is, a rational as the float that it is, else as a fraction.

    A fraction too long to read, as a product with a float is, is shown by its first digits.
    """
    exact = plain(number, is_real=True) if isinstance(number, Fraction) else number
    if not isinstance(exact, Fraction) or exact.denominator <= _READABLE:
        return str(exact)
    return f"{_DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))}..."
