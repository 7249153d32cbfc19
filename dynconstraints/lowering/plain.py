"""IR -> IR: a formula in the few operations that compiled code has for sizes, defined everywhere.

What is left are comparisons of sums, products, floor divisions, remainders, min, max and abs, joined by and and or. A
comparison that divides by zero is false, and so is its negation: here it says so itself, and no divisor is ever zero.
Functions become arithmetic: ``gcd(a, 6)`` is the largest of 1, 2, 3 and 6 that divides a.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import pairwise
from itertools import product as combinations
from math import gcd, isqrt
from typing import TypeAlias

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.functions import expanded_term, expanded_test
from dynconstraints.ir.nodes import (
    FALSE,
    TRUE,
    Add,
    And,
    Bool,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    Function,
    IfElse,
    Implies,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Not,
    Or,
    Pow,
    Predicate,
    RangeOf,
    Real,
    Relation,
    SetOf,
    Term,
    Test,
    comparison,
    conjunction,
    disjunction,
    negated,
    of_integers_only,
    product,
    total,
)

_LARGEST_POWER = Int(1 << 62)
"""The largest power of two that is a size."""

_LARGEST = 1 << 20
"""Of larger numbers no divisors are looked for: their gcd with a term is computed as that of two unknown numbers."""

_ZERO, _ONE = Int(0), Int(1)

Cases: TypeAlias = list[tuple[Formula, Term]]
"""What a term is where a formula holds; no two of the formulas hold together, and where none does it is undefined."""


def plain(formula: Formula, gcd_of: Callable[[Term, Term], Term]) -> Formula:
    """A formula that is true where the given one is, and false elsewhere, also where the given one is undefined.

    ``gcd_of`` gives a term for the gcd of two that are no numbers. Integers only: TypeError for floats.
    """
    return _Plain(gcd_of).holds(formula, True)


class _Plain:
    def __init__(self, gcd_of: Callable[[Term, Term], Term]) -> None:
        self.gcd_of = gcd_of

    def holds(self, formula: Formula, truth: bool) -> Formula:
        """That the formula is defined, and has the truth value."""

        def go(f: Formula, wanted: bool = truth) -> Formula:
            return self.holds(f, wanted)

        every, some = (_every, _some) if truth else (_some, _every)
        match formula:
            case Bool(value):
                return TRUE if value is truth else FALSE
            case Compare(operands, relations):
                pairs = zip(pairwise(operands), relations, strict=True)
                return every([self._compared(a, r if truth else r.negated, b) for (a, b), r in pairs])
            case Member(item, SetOf(elements)):
                relation = Relation.EQ if truth else Relation.NE
                return some([self._compared(item, relation, e) for e in elements])
            case Member(item, RangeOf(start, stop, step)):
                first, last, size = (start, stop, step) if step > 0 else (negated(start), negated(stop), -step)
                at = item if step > 0 else negated(item)
                among = Compare((Mod(total((at, negated(first))), Int(size)), _ZERO), (Relation.EQ,))
                within = Compare((first, at, last), (Relation.LE, Relation.LT))
                # A range without its start or stop is undefined also where the other would settle it.
                both = self._compared(total((start, stop, item)), Relation.EQ, total((start, stop, item)))
                return _every([both, every([go(within), go(among)])])
            case Test(Predicate.IS_POWER_OF_TWO, (argument,)):
                # The divisors of a power of two are the smaller ones.
                rest = Mod(_LARGEST_POWER, Call(Function.MAX, (_ONE, argument)))
                return every([go(comparison(argument, Relation.GE, _ONE)), go(comparison(rest, Relation.EQ, _ZERO))])
            case Test() if (known := expanded_test(formula)) is not None:
                return go(known)
            case Not(operand):
                return go(operand, not truth)
            case And(operands):
                return every([go(f) for f in operands])
            case Or(operands):
                return some([go(f) for f in operands])
            case Implies(premise, conclusion):
                return some([go(premise, not truth), go(conclusion)])
            case Choice(condition, then, otherwise):
                parts = ((go(condition, True), go(then)), (go(condition, False), go(otherwise)))
                return _some([_every(part) for part in parts])
            case _:
                raise TypeError(f"not a formula: {formula!r}")

    def _compared(self, left: Term, relation: Relation, right: Term) -> Formula:
        cases = combinations(self.cases(left), self.cases(right))
        return _some([_every([when, also, comparison(a, relation, b)]) for (when, a), (also, b) in cases])

    def cases(self, term: Term) -> Cases:
        """What the term is, and where."""
        match term:
            case Int() | Name():
                return [(TRUE, term)]
            case Real():
                raise of_integers_only(term)
            case Neg(operand):
                return self._of((operand,), lambda parts: negated(parts[0]))
            case Add(terms):
                return self._of(terms, total)
            case Mul(factors):
                return self._of(factors, product)
            case Pow(base, exponent):
                return self._of((base,), lambda parts: Pow(parts[0], exponent))
            case FloorDiv(dividend, divisor):
                return self._divided((dividend, divisor), lambda a, b: FloorDiv(a, b))
            case Mod(dividend, divisor):
                return self._divided((dividend, divisor), lambda a, b: Mod(a, b))
            case Call(Function.GCD, arguments):
                return self._of(arguments, lambda parts: reduce(self._gcd, parts[1:], _absolute(parts[0])))
            case Call(Function.LCM, arguments):
                return self._of(arguments, lambda parts: reduce(self._lcm, parts[1:], _absolute(parts[0])))
            case Call(function, arguments) if (known := expanded_term(term)) is not None:
                return self.cases(known)
            case Call(function, arguments):
                return self._of(arguments, lambda parts: Call(function, parts))
            case IfElse(condition, then, otherwise):
                taken = [(True, self.cases(then)), (False, self.cases(otherwise))]
                return [
                    (_every([self.holds(condition, t), when]), value) for t, cases in taken for when, value in cases
                ]
            case _:
                assert_never(term)

    def _each(self, operands: Sequence[Term]) -> Iterator[tuple[Formula, tuple[Term, ...]]]:
        for cases in combinations(*map(self.cases, operands)):
            yield _every([when for when, _ in cases]), tuple(value for _, value in cases)

    def _of(self, operands: Sequence[Term], make: Callable[[tuple[Term, ...]], Term]) -> Cases:
        return [(when, make(parts)) for when, parts in self._each(operands)]

    def _divided(self, operands: Sequence[Term], make: Callable[[Term, Term], Term]) -> Cases:
        """Where the divisor is 0 the term is undefined, and computed with a divisor of 1."""
        found: Cases = []
        for when, (dividend, divisor) in self._each(operands):
            if isinstance(divisor, Int):
                found += [(when, make(dividend, divisor))] if divisor.value else []
                continue
            is_zero = total((_ONE, negated(Call(Function.MIN, (_ONE, _absolute(divisor))))))
            defined = comparison(divisor, Relation.NE, _ZERO)
            found.append((_every([when, defined]), make(dividend, total((divisor, is_zero)))))
        return found

    def _gcd(self, left: Term, right: Term) -> Term:
        match left, right:
            case Int(a), Int(b):
                return Int(gcd(a, b))
            case (Int(0), other) | (other, Int(0)):
                return _absolute(other)
            case (Int(number), other) | (other, Int(number)) if abs(number) <= _LARGEST:
                return Call(Function.MAX, tuple(_if_divides(d, other) for d in _divisors(abs(number))))
        return self.gcd_of(left, right)

    def _lcm(self, left: Term, right: Term) -> Term:
        common = Call(Function.MAX, (_ONE, self._gcd(left, right)))
        return product((FloorDiv(_absolute(left), common), _absolute(right)))


def _every(formulas: Sequence[Formula]) -> Formula:
    if FALSE in formulas:
        return FALSE
    return conjunction(tuple(f for f in formulas if f != TRUE))


def _some(formulas: Sequence[Formula]) -> Formula:
    if TRUE in formulas:
        return TRUE
    return disjunction(tuple(f for f in formulas if f != FALSE))


def _absolute(term: Term) -> Term:
    return Int(abs(term.value)) if isinstance(term, Int) else Call(Function.ABS, (term,))


def _if_divides(divisor: int, term: Term) -> Term:
    """The divisor where it divides the term, and 0 elsewhere."""
    if divisor == 1:
        return _ONE
    return product((Int(divisor), total((_ONE, negated(Call(Function.MIN, (_ONE, Mod(term, Int(divisor)))))))))


def _divisors(number: int) -> list[int]:
    small = [d for d in range(1, isqrt(number) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)})
