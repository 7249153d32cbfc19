"""Polynomials over atoms, the normal form of terms: equal polynomials are equal terms, wherever the terms are defined.

A polynomial maps monomials to integer coefficients, none of them 0. A monomial is the sorted tuple of its atoms' keys,
with repetition; ``()`` is 1. A key is a name, or the canonical text of an atom (`normal_form`), which
no name is. The key of an indicator, which is 0 or 1 and so equal to its powers, starts with a bracket.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Monomial: TypeAlias = tuple[str, ...]
Polynomial: TypeAlias = Mapping[Monomial, int]

ZERO: Polynomial = {}
ONE: Polynomial = {(): 1}


def constant(value: int) -> Polynomial:
    """The polynomial that is the integer."""
    return {(): value} if value else ZERO


def atom(key: str) -> Polynomial:
    """The polynomial that is the atom."""
    return {(key,): 1}


def value_of(p: Polynomial) -> int | None:
    """The integer that the polynomial is, or None where it has atoms."""
    return 0 if not p else p[()] if len(p) == 1 and () in p else None


def add(p: Polynomial, q: Polynomial, factor: int = 1) -> Polynomial:
    """``p + factor*q``."""
    result = dict(p)
    for monomial, coefficient in q.items():
        total = result.get(monomial, 0) + factor * coefficient
        if total:
            result[monomial] = total
        else:
            result.pop(monomial, None)
    return result


def shift(p: Polynomial, value: int) -> Polynomial:
    """``p + value``."""
    return add(p, {(): value}) if value else p


def scale(p: Polynomial, factor: int) -> Polynomial:
    """``factor * p``."""
    return p if factor == 1 else {m: c * factor for m, c in p.items()} if factor else ZERO


def multiply(p: Polynomial, q: Polynomial) -> Polynomial:
    """``p * q``."""
    if len(q) == 1 and () in q:
        return scale(p, q[()])
    if len(p) == 1 and () in p:
        return scale(q, p[()])
    result: dict[Monomial, int] = {}
    for m, c in p.items():
        for n, d in q.items():
            monomial = _merged(m, n)
            result[monomial] = result.get(monomial, 0) + c * d
    return {m: c for m, c in result.items() if c}


def _merged(m: Monomial, n: Monomial) -> Monomial:
    if not m or not n:
        return m or n
    both = sorted(m + n)
    if any(key[0] == "[" for key in both):
        both = [key for i, key in enumerate(both) if key[0] != "[" or i == 0 or both[i - 1] != key]
    return tuple(both)


def content(p: Polynomial) -> int:
    """The greatest common divisor of the coefficients but the constant; 0 where there are none."""
    return math.gcd(*[c for m, c in p.items() if m])


def leading(p: Polynomial) -> Monomial:
    """The greatest monomial: the one of highest degree, then the last in the order of keys."""
    return max(p, key=lambda m: (len(m), m))


def primitive(p: Polynomial) -> tuple[int, Polynomial]:
    """The content g and ``p // g``; of an inequality ``p >= 0`` this rounds the constant down, which keeps the set."""
    g = content(p)
    return (g, p) if g <= 1 else (g, {m: q for m, c in p.items() if (q := c // g)})


def show(p: Polynomial) -> str:
    """The canonical text: equal polynomials have the same."""
    return "+".join(f"{c}*{'*'.join(m)}" if m else str(c) for m, c in sorted(p.items())) or "0"


def keys(p: Polynomial) -> Iterable[str]:
    """The atoms' keys, with repetition."""
    return (key for monomial in p for key in monomial)


def quotient(p: Polynomial, divisor: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Polynomials q and r with ``p == q*divisor + r``, by division with the divisor's leading monomial."""
    lead = leading(divisor)
    unit = divisor[lead]
    rest, whole = p, ZERO
    while steps := {m: times for m, c in rest.items() if (times := c // unit) and without(m, lead) is not None}:
        monomial = leading(steps)
        step = {without(monomial, lead) or (): steps[monomial]}
        rest, whole = add(rest, multiply(step, divisor), -1), add(whole, step)
    return whole, rest


def without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    """The monomial divided by the factor, or None where it is not a multiple."""
    left = list(monomial)
    for key in factor:
        if key not in left:
            return None
        left.remove(key)
    return tuple(left)
