"""Terms put together plainly: sums flat, constants folded, nested divisions by constants one division.

``((x - 2)//2 + 1 - 2)//2 + 1`` is ``(x - 4)//4 + 1``: what chains of strides come to stays as short as one stride.
"""

from __future__ import annotations

from dynconstraints.ir.functions import all_requirements
from dynconstraints.ir.nodes import Add, Call, FloorDiv, Int, Mod, Mul, Name, Neg, Node, Pow, Term, product, total
from dynconstraints.solver.algebra.polynomial import Polynomial


def is_total(node: Node) -> bool:
    """Whether it has a value under every assignment, as far as its divisors show: all are literals other than 0."""
    return not all_requirements(node)


def simplified(term: Term) -> Term:
    """A term of the same value, undefined at the same assignments."""
    parts, constant = _linear(term)
    return _joined(parts, constant)


def _linear(term: Term) -> tuple[dict[Term, int], int]:
    """The term as a sum: a coefficient for each addend, and a constant."""
    match term:
        case Int(value):
            return {}, value
        case Neg(operand):
            return _scaled(*_linear(operand), -1)
        case Add(terms):
            parts: dict[Term, int] = {}
            constant = 0
            for addend in terms:
                more, number = _linear(addend)
                constant += number
                for part, coefficient in more.items():
                    parts[part] = parts.get(part, 0) + coefficient
            return {p: c for p, c in parts.items() if c or not is_total(p)}, constant
        case Mul(factors):
            return _multiplied([_linear(factor) for factor in factors])
        case FloorDiv(dividend, Int(divisor)) if divisor > 0:
            return _divided(*_linear(dividend), divisor)
        case FloorDiv(dividend, divisor):
            return {FloorDiv(simplified(dividend), simplified(divisor)): 1}, 0
        case Mod(dividend, divisor):
            return {Mod(simplified(dividend), simplified(divisor)): 1}, 0
        case Pow(base, exponent):
            return {Pow(simplified(base), exponent): 1}, 0
        case Call(function, arguments):
            return {Call(function, tuple(map(simplified, arguments))): 1}, 0
        case _:
            return {term: 1}, 0


def _scaled(parts: dict[Term, int], constant: int, factor: int) -> tuple[dict[Term, int], int]:
    return {part: coefficient * factor for part, coefficient in parts.items()}, constant * factor


def _multiplied(factors: list[tuple[dict[Term, int], int]]) -> tuple[dict[Term, int], int]:
    """Constant factors out of the product, the others as they are; a product by 0 stays where it may be undefined."""
    number = 1
    others: list[tuple[dict[Term, int], int]] = []
    for parts, constant in factors:
        if parts:
            others.append((parts, constant))
        else:
            number *= constant
    if not others:
        return {}, number
    if len(others) == 1:
        parts, constant = others[0]
        scaled, shifted = _scaled(parts, constant, number)
        return {p: c for p, c in scaled.items() if c or not is_total(p)}, shifted
    pieces: list[Term] = []
    for parts, constant in others:
        if not constant and len(parts) == 1:
            ((part, coefficient),) = parts.items()
            number *= coefficient
            pieces.extend(part.factors if isinstance(part, Mul) else (part,))
        else:
            pieces.append(_joined(parts, constant))
    whole = product(tuple(pieces))
    return ({whole: number} if number or not is_total(whole) else {}), 0


def _divided(parts: dict[Term, int], constant: int, divisor: int) -> tuple[dict[Term, int], int]:
    """``(k*d*a + b + q*d + r)//d`` is ``k*a + (b + r)//d + q``, and ``((b//e) + r)//d`` is ``(b + r*e)//(e*d)``."""
    outer = {part: c // divisor for part, c in parts.items() if c % divisor == 0}
    inner = {part: c for part, c in parts.items() if c % divisor}
    quotient, remainder = divmod(constant, divisor)
    if not inner:
        return outer, quotient
    match list(inner.items()):
        case [(FloorDiv(dividend, Int(below)), 1)] if below > 0:
            nested, number = _linear(dividend)
            deeper, more = _divided(nested, number + remainder * below, below * divisor)
            for part, coefficient in deeper.items():
                outer[part] = outer.get(part, 0) + coefficient
            return {p: c for p, c in outer.items() if c or not is_total(p)}, quotient + more
    quotient_term = FloorDiv(_joined(inner, remainder), Int(divisor))
    outer[quotient_term] = outer.get(quotient_term, 0) + 1
    return {p: c for p, c in outer.items() if c or not is_total(p)}, quotient


def _joined(parts: dict[Term, int], constant: int) -> Term:
    addends: list[Term] = [
        part if c == 1 else Neg(part) if c == -1 else product((Int(c), part)) for part, c in parts.items()
    ]
    if constant or not addends:
        addends.append(Int(constant))
    return total(tuple(addends))


def term_of(polynomial: Polynomial) -> Term:
    """The polynomial as a term."""
    addends = [
        Int(c) if not m else product(((Int(c),) if c != 1 else ()) + tuple(map(Name, m)))
        for m, c in sorted(polynomial.terms.items(), reverse=True)
    ]
    return total(tuple(addends))
