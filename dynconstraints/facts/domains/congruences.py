"""The domain of congruences: ``(m, r)`` is the set of integers that leave the remainder r modulo m.

``(0, c)`` is the set {c} and ``(1, 0)`` all integers; otherwise ``0 <= r < m``. Every function gives an enclosure of
the results for operands in the sets. Source: P. Granger, *Static analysis of arithmetical congruences*, 1989.
"""

from __future__ import annotations

import math
from typing import TypeAlias

Congruence: TypeAlias = tuple[int, int]

EVERYTHING: Congruence = (1, 0)


def congruence(modulus: int, remainder: int) -> Congruence:
    """The set, with the remainder brought into its range."""
    modulus = abs(modulus)
    return (modulus, remainder % modulus if modulus else remainder)


def contains(a: Congruence, value: int) -> bool:
    """Whether the integer is in the set."""
    return (value - a[1]) % a[0] == 0 if a[0] else value == a[1]


def add(a: Congruence, b: Congruence) -> Congruence:
    """``x + y``; tight."""
    return congruence(math.gcd(a[0], b[0]), a[1] + b[1])


def multiply(a: Congruence, b: Congruence) -> Congruence:
    """``x * y``; tight."""
    return congruence(math.gcd(a[0] * b[0], a[0] * b[1], a[1] * b[0]), a[1] * b[1])


def join(a: Congruence, b: Congruence) -> Congruence:
    """The smallest congruence that holds both."""
    return congruence(math.gcd(a[0], b[0], a[1] - b[1]), a[1])


def meet(a: Congruence, b: Congruence) -> Congruence | None:
    """The intersection, None where it is empty; the Chinese remainder theorem."""
    (m, r), (n, s) = a, b
    common = math.gcd(m, n)
    if not common:
        return a if r == s else None
    if (s - r) % common:
        return None
    if not m or not n:
        return a if not m else b
    step = (s - r) // common * pow(m // common, -1, n // common)
    return congruence(math.lcm(m, n), r + m * step)


def floor_divide(a: Congruence, divisor: int) -> Congruence:
    """``x // divisor`` for a divisor other than 0."""
    if not a[0]:
        return (0, a[1] // divisor)
    if a[0] % divisor:
        return EVERYTHING
    return congruence(a[0] // divisor, a[1] // divisor)


def modulo(a: Congruence, divisor: int) -> Congruence:
    """``x % divisor`` for a divisor other than 0."""
    if not a[0]:
        return (0, a[1] % divisor)
    if a[0] % divisor == 0:
        return (0, a[1] % divisor)
    return congruence(math.gcd(a[0], divisor), a[1])


def up_to(a: Congruence, value: int) -> int | None:
    """The greatest member that is not above the value."""
    return value - (value - a[1]) % a[0] if a[0] else (a[1] if a[1] <= value else None)


def from_on(a: Congruence, value: int) -> int | None:
    """The least member that is not below the value."""
    return value + (a[1] - value) % a[0] if a[0] else (a[1] if a[1] >= value else None)
