"""Integers beyond all bounds: polynomials in an infinite T, with the arithmetic and the order of the integers.

T stands for the late members of a sequence, and what is said here of an infinite integer is true of all but the first
of its values. The sequence is ``n!``, so that T is a multiple of every integer, or ``2**(n!)``: a multiple of every
power of two, and 1 modulo every odd number, by Euler's theorem. Coefficients are rational, values integral. So
remainders are known: T is 0, or 2-adically 0 and 1 for every other prime.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import TypeAlias

Coefficients: TypeAlias = "tuple[int | Fraction, ...]"
Hyper: TypeAlias = "int | Hyperinteger"


class Hyperinteger:
    """``c0 + c1*T + c2*T**2 + …``, not constant: the last coefficient is not 0. What becomes constant is an int."""

    __slots__ = ("coefficients", "doubles")

    def __init__(self, coefficients: Coefficients, doubles: bool = False) -> None:
        self.coefficients = coefficients
        self.doubles = doubles

    @property
    def is_positive(self) -> bool:
        """Whether it is above every integer; below every one if not."""
        return self.coefficients[-1] > 0

    def residue(self, modulus: int) -> int:
        """The remainder by an integer of at least 1."""
        if not self.doubles:
            return int(self.coefficients[0]) % modulus
        even = modulus & -modulus
        odd = modulus // even
        at_even, at_odd = _modulo(self.coefficients[0], even), _modulo(sum(self.coefficients), odd)
        return at_odd + odd * ((at_even - at_odd) * pow(odd, -1, even) % even)

    def bit_count(self) -> int:
        """1 for powers of two, and for no other positive number."""
        (*lower, last) = self.coefficients
        fraction = Fraction(last)
        is_power = not any(lower) and all(n & (n - 1) == 0 for n in (fraction.numerator, fraction.denominator))
        return 1 if self.doubles and is_power else 2

    def _made(self, coefficients: Sequence[int | Fraction]) -> Hyper:
        length = len(coefficients)
        while length > 1 and not coefficients[length - 1]:
            length -= 1
        if length == 1:
            return int(coefficients[0])
        return Hyperinteger(tuple(coefficients[:length]), self.doubles)

    def __add__(self, other: Hyper) -> Hyper:
        a, b = self.coefficients, _coefficients(other)
        if len(a) < len(b):
            a, b = b, a
        return self._made([x + y for x, y in zip(a, b, strict=False)] + list(a[len(b) :]))

    def __mul__(self, other: Hyper) -> Hyper:
        a, b = self.coefficients, _coefficients(other)
        product: list[int | Fraction] = [0] * (len(a) + len(b) - 1)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                product[i + j] += x * y
        return self._made(product)

    def __pow__(self, exponent: int) -> Hyper:
        power: Hyper = 1
        for _ in range(exponent):
            power = self * power
        return power

    def __neg__(self) -> Hyperinteger:
        return Hyperinteger(tuple(-c for c in self.coefficients), self.doubles)

    def __abs__(self) -> Hyperinteger:
        return self if self.is_positive else -self

    def __sub__(self, other: Hyper) -> Hyper:
        return self + -other

    def __rsub__(self, other: int) -> Hyper:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, other: Hyper) -> Hyper:
        return self._divided(self.coefficients, _coefficients(other))

    def __rfloordiv__(self, other: int) -> Hyper:
        return self._divided((other,), self.coefficients)

    def __mod__(self, other: Hyper) -> Hyper:
        if isinstance(other, int) and other > 0:
            return self.residue(other)
        return self - (self // other) * other

    def __rmod__(self, other: int) -> Hyper:
        return other - (other // self) * self

    def _divided(self, dividend: Coefficients, divisor: Coefficients) -> Hyper:
        """Floor division: the rational quotient rounded down; where it is integral, the rest's sign decides."""
        rest, quotient = list(dividend), [Fraction(0)] * max(1, len(dividend) - len(divisor) + 1)
        for shift in range(len(dividend) - len(divisor), -1, -1):
            factor = quotient[shift] = Fraction(rest[shift + len(divisor) - 1]) / divisor[-1]
            for i, c in enumerate(divisor):
                rest[shift + i] -= factor * c
        common = lcm(*(f.denominator for f in quotient))
        scaled = self._made([f * common for f in quotient])
        over = scaled.residue(common) if isinstance(scaled, Hyperinteger) else scaled % common
        sign = next((c for c in reversed(rest) if c), 0) * divisor[-1]
        quotient[0] -= Fraction(over, common) + (not over and sign < 0)
        return self._made(quotient)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hyperinteger) and self.coefficients == other.coefficients

    def __hash__(self) -> int:
        return hash(self.coefficients)

    def __lt__(self, other: Hyper) -> bool:
        return _sign(self - other) < 0

    def __le__(self, other: Hyper) -> bool:
        return _sign(self - other) <= 0

    def __gt__(self, other: Hyper) -> bool:
        return _sign(self - other) > 0

    def __ge__(self, other: Hyper) -> bool:
        return _sign(self - other) >= 0


def _coefficients(value: Hyper) -> Coefficients:
    return value.coefficients if isinstance(value, Hyperinteger) else (value,)


def _sign(value: Hyper) -> int | Fraction:
    return value.coefficients[-1] if isinstance(value, Hyperinteger) else value


def _modulo(value: int | Fraction, modulus: int) -> int:
    """The residue of a rational whose denominator is prime to the modulus."""
    fraction = Fraction(value)
    return fraction.numerator * pow(fraction.denominator, -1, modulus) % modulus
