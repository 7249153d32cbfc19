"""A condition on several names in normal form: exact quotients cancelled, like terms together, the number on the right.

A term is a sum of monomials with rational coefficients over atoms: names, and quotients that are not exact. Where the
declaration says that h is a multiple of 16, ``h // 16`` is h/16; a quotient of one name is looked up among the plain
functions of it (``n // c``, ``ceildiv(n, c)``, ``n % c``), and what is found there is proved equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TypeAlias

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names_in_order, walk
from dynconstraints.ir.nodes import (
    Add,
    And,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Function,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Not,
    Or,
    Pow,
    Relation,
    Term,
    comparison,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import compile_term
from dynconstraints.pytorch.guards.declared_values import EFFORT, Values, divisors_in
from dynconstraints.solver.verdicts import Implied
from dynconstraints.system import ConstraintSystem

_LARGEST_DIVISOR = 4096
"""Larger products of the divisors in a term are in no plain function of its name."""

_Sum: TypeAlias = dict[tuple[Term, ...], Fraction]
"""Monomials, each its atoms in the order of their texts, and their coefficients; none is 0."""


def normal_form(condition: Formula, known: ConstraintSystem) -> Formula:
    """The condition, which holds for the same values of what is known; itself where it has no such form."""
    return _Normal(known, {}).formula(condition)


@dataclass(frozen=True)
class _Normal:
    """What is known, and the quotients of one name that were looked up already."""

    known: ConstraintSystem
    found: dict[Term, _Sum | None]

    def formula(self, condition: Formula) -> Formula:
        match condition:
            case And(parts):
                return conjunction(tuple(map(self.formula, parts)))
            case Or(parts):
                return disjunction(tuple(map(self.formula, parts)))
            case Not(Compare((left, right), (relation,))):
                return self.formula(comparison(left, relation.negated, right))
            case Compare((left, right), (relation,)):
                difference = _with_remainders(self._without_common(_plus(self.sum(left), self.sum(right), -1)))
                return _compared(difference, relation) or condition
        return condition

    def sum(self, term: Term) -> _Sum:
        """The term as a sum."""
        match term:
            case Int(value):
                return _scaled({(): Fraction(1)}, value)
            case Neg(operand):
                return _scaled(self.sum(operand), -1)
            case Add(terms):
                whole: _Sum = {}
                for part in terms:
                    whole = _plus(whole, self.sum(part))
                return _with_remainders(whole)
            case Mul(factors):
                return self._product(factors)
            case Pow(base, exponent) if exponent <= 4:
                return self._product((base,) * exponent)
            case FloorDiv() | Mod() | Call():
                return self._looked_up(self._quotient(term))
        return {(term,): Fraction(1)}

    def _without_common(self, difference: _Sum) -> _Sum:
        """Without the factors that all monomials have, and that are known to be positive."""
        for atom in next(iter(difference), ()):
            if all(atom in monomial for monomial in difference) and self._is_positive(atom):
                difference = {_less(monomial, atom): c for monomial, c in difference.items()}
        return difference

    def _is_positive(self, atom: Term) -> bool:
        low, _ = self.known.bounds(atom, EFFORT)
        return low is not None and low > 0

    def _product(self, factors: tuple[Term, ...]) -> _Sum:
        whole: _Sum = {(): Fraction(1)}
        for factor in factors:
            whole = _times(whole, self.sum(factor))
        return whole

    def _quotient(self, term: Term) -> _Sum:
        """A quotient or remainder, without what dividend and divisor have in common."""
        match term:
            case FloorDiv(dividend, divisor) | Mod(dividend, divisor):
                inner, below = self.sum(dividend), self.sum(divisor)
            case Call(function, arguments):
                return {(Call(function, tuple(map(self._integer, arguments))),): Fraction(1)}
            case _:
                return {(term,): Fraction(1)}
        as_it_is: _Sum = {(type(term)(self._integer(dividend), self._integer(divisor)),): Fraction(1)}
        if len(below) != 1:
            return as_it_is
        ((atoms, number),) = below.items()
        shared: tuple[Term, ...] = ()
        for atom in dict.fromkeys(atoms):
            if all(atom in monomial for monomial in inner) and self._is_positive(atom):
                inner = {_less(monomial, atom): c for monomial, c in inner.items()}
                atoms, shared = _less(atoms, atom), (*shared, atom)
        if number.denominator > 1 or number < 0 or (atoms and not shared):
            return as_it_is
        if atoms:
            whole, over = _integral(inner)
            divided = type(term)(whole, product((Int(int(number) * over), *atoms)))
            return _times({(divided,): Fraction(1, over if isinstance(term, Mod) else 1)}, _shared(term, shared))
        by_number = self._remainder if isinstance(term, Mod) else self._divided
        return _times(by_number(inner, int(number)), _shared(term, shared))

    def _integer(self, term: Term) -> Term:
        """The term in normal form, where that is a sum of integers."""
        whole, below = _integral(self.sum(term))
        return whole if below == 1 else term

    def _known_remainder(self, inner: _Sum, divisor: int) -> Fraction | None:
        """What is left when the sum is divided by the number, where that is the same for all that is known."""
        whole, below = _integral(inner)
        modulus, remainder = self.known.congruence(whole, EFFORT)
        is_known = modulus % (below * divisor) == 0  # modulus 0: it is one number
        return Fraction(remainder % (below * divisor), below) if is_known else None

    def _divided(self, inner: _Sum, divisor: int) -> _Sum:
        rest = self._known_remainder(inner, divisor)
        if rest is not None:
            return _scaled(_plus(inner, _scaled({(): rest}, 1), -1), 1, divisor)
        out, kept = _multiples(inner, divisor)
        whole, below = _integral(kept)
        return _plus(_scaled(out, 1, divisor), {(FloorDiv(whole, Int(below * divisor)),): Fraction(1)})

    def _remainder(self, inner: _Sum, divisor: int) -> _Sum:
        rest = self._known_remainder(inner, divisor)
        if rest is not None:
            return _scaled({(): rest}, 1)
        _, below = _integral(inner)
        size = below * divisor
        reduced = _reduced(inner, below, size)
        common = gcd(size, *map(int, reduced.values()))
        left = Mod(_term(_scaled(reduced, 1, common)), Int(size // common))
        return {(left,): Fraction(common, below)}

    def _looked_up(self, whole: _Sum) -> _Sum:
        """The same as a number times a plain function of its one name, and a number, where that is proved."""
        term, below = _integral(whole)
        spoken = names_in_order(term)
        if len(spoken) != 1 or not any(isinstance(node, FloorDiv | Mod | Call) for node in walk(term)):
            return whole
        if term not in self.found:
            self.found[term] = next(self._fitted(term, spoken[0]), None)
        found = self.found[term]
        return whole if found is None else _scaled(found, 1, below)

    def _fitted(self, term: Term, name: str) -> Iterator[_Sum]:
        values = Values.of(name, term, self.known).within
        if len(values) < 3:
            return
        wanted = list(map(compile_term(term, (name,)), values))
        for basis in _functions(term, name):
            fit = _line(list(map(compile_term(basis, (name,)), values)), wanted)
            if fit is None or basis == term:
                continue
            found = _plus(_scaled({(basis,): Fraction(1)}, fit[0]), {(): fit[1]} if fit[1] else {})
            whole, below = _integral(found)
            same = comparison(product((Int(below), term)) if below > 1 else term, Relation.EQ, whole)
            if isinstance(self.known.implies(Constraint.of(same), EFFORT), Implied):
                yield found
                return


def _functions(term: Term, name: str) -> Iterator[Term]:
    """Plain functions of the name, and of quotients of it by numbers, by the divisors in the term."""
    yield Name(name)
    inside: list[Term] = [Name(name)]
    inside += [n for n in walk(term) if isinstance(n, FloorDiv) and n != term and n.dividend == Name(name)]
    for of in dict.fromkeys(inside):
        yield from _divided_by_numbers(term, of)


def _divided_by_numbers(term: Term, of: Term) -> Iterator[Term]:
    divisors = set(divisors_in(term))
    every = {*divisors, *(a * b for a in divisors for b in divisors)}
    for divisor in sorted(d for d in every if 1 < d <= _LARGEST_DIVISOR):
        yield FloorDiv(of, Int(divisor))
        yield Call(Function.CEILDIV, (of, Int(divisor)))
        yield Mod(of, Int(divisor))
        yield Mod(Neg(of), Int(divisor))


def _line(has: list[int | None], wanted: list[int | None]) -> tuple[Fraction, Fraction] | None:
    """a and b such that what is wanted is a times what there is, plus b, everywhere."""
    if None in has or None in wanted:
        return None
    pairs = list(zip(has, wanted, strict=True))
    (x, y), other = pairs[0], next(((u, v) for u, v in pairs if u != pairs[0][0]), None)
    if other is None:
        return None
    slope = Fraction(other[1] - y, other[0] - x)  # type: ignore[operator]  # none is None
    offset = y - slope * x  # type: ignore[operator]
    return (slope, offset) if all(slope * u + offset == v for u, v in pairs) else None  # type: ignore[operator]


def _compared(difference: _Sum, relation: Relation) -> Formula | None:
    """That the difference is so related to 0, with the number on the right; None for what has no names."""
    below = lcm(*(c.denominator for c in difference.values())) if difference else 1
    parts = {m: int(c * below) for m, c in difference.items()}
    number = parts.pop((), 0)
    if not parts:
        return None
    common = gcd(*parts.values())
    if relation in (Relation.EQ, Relation.NE):
        if number % common:
            return None
        bound = -number // common
    else:  # as what is at least, or at most, the bound
        if relation in (Relation.LT, Relation.LE):
            parts, number, relation = {m: -c for m, c in parts.items()}, -number, relation.flipped
        bound = -((number - (relation is Relation.GT)) // common)
        relation = Relation.GE
    divided = {m: c // common for m, c in parts.items()}
    if all(c < 0 for c in divided.values()) or (
        min(divided.values()) < 0 and relation in (Relation.EQ, Relation.NE) and divided[min(divided, key=_order)] < 0
    ):
        divided, bound, relation = {m: -c for m, c in divided.items()}, -bound, relation.flipped
    left: _Sum = {m: Fraction(c) for m, c in divided.items() if c > 0}
    right: _Sum = {m: Fraction(-c) for m, c in divided.items() if c < 0}
    if right and bound < 0:
        left, bound = {**left, (): Fraction(-bound)}, 0
    right |= {(): Fraction(bound)} if bound or not right else {}
    return comparison(_term(left), relation, _term(right) if right != {(): 0} else Int(0))


def _with_remainders(whole: _Sum) -> _Sum:
    """With ``x % c`` for ``x - c*(x // c)``."""
    for monomial, coefficient in list(whole.items()):
        match monomial:
            case (FloorDiv(dividend, Int(divisor)),):
                times = -coefficient / divisor
                own = _scaled(_plain_sum(dividend), times)
                if own and all(whole.get(m) == c for m, c in own.items()):
                    rest = {m: c for m, c in whole.items() if m != monomial and m not in own}
                    return _plus(rest, {(Mod(dividend, Int(divisor)),): times})
    return whole


def _shared(term: Term, atoms: tuple[Term, ...]) -> _Sum:
    """What a quotient without the atoms is to be multiplied by: nothing, a remainder by all of them."""
    return {tuple(sorted(atoms, key=show)) if isinstance(term, Mod) else (): Fraction(1)}


def _less(monomial: tuple[Term, ...], atom: Term) -> tuple[Term, ...]:
    at = monomial.index(atom)
    return (*monomial[:at], *monomial[at + 1 :])


def _plain_sum(term: Term) -> _Sum:
    """The sum that a term in normal form was made of."""
    return _Normal(ConstraintSystem(), {}).sum(term)


def _plus(one: _Sum, other: _Sum, times: int = 1) -> _Sum:
    whole = dict(one)
    for monomial, coefficient in other.items():
        whole[monomial] = whole.get(monomial, Fraction(0)) + times * coefficient
    return {m: c for m, c in whole.items() if c}


def _scaled(one: _Sum, times: int | Fraction, over: int = 1) -> _Sum:
    return {m: c * times / over for m, c in one.items() if c * times}


def _times(one: _Sum, other: _Sum) -> _Sum:
    whole: _Sum = {}
    for left, c in one.items():
        for right, d in other.items():
            monomial = tuple(sorted(left + right, key=show))
            whole[monomial] = whole.get(monomial, Fraction(0)) + c * d
    return {m: c for m, c in whole.items() if c}


def _multiples(whole: _Sum, divisor: int) -> tuple[_Sum, _Sum]:
    """The part whose coefficients are multiples of the divisor, and the rest."""
    out = {m: c for m, c in whole.items() if c.denominator == 1 and c % divisor == 0}
    return out, {m: c for m, c in whole.items() if m not in out}


def _reduced(whole: _Sum, below: int, modulus: int) -> _Sum:
    """The sum times a number, without what is a multiple of the modulus."""
    scaled = {m: c * below for m, c in whole.items()}
    scaled = {m: c for m, c in scaled.items() if c % modulus}
    return {m: c % modulus if m == () else c for m, c in scaled.items()}


def _integral(whole: _Sum) -> tuple[Term, int]:
    """The sum as a term over a number."""
    below = lcm(*(c.denominator for c in whole.values())) if whole else 1
    return _term({m: c * below for m, c in whole.items()}), below


def _term(whole: _Sum) -> Term:
    """The sum, whose coefficients are integers, as a term; what is added comes first."""
    ordered = sorted(whole, key=lambda m: (whole[m] < 0, _order(m)))
    return total(tuple(_monomial(m, int(whole[m])) for m in ordered)) if ordered else Int(0)


def _monomial(atoms: tuple[Term, ...], coefficient: int) -> Term:
    if not atoms:
        return Int(coefficient)
    whole = product((Int(abs(coefficient)), *atoms) if abs(coefficient) != 1 else atoms)
    return negated(whole) if coefficient < 0 else whole


def _order(monomial: tuple[Term, ...]) -> tuple[bool, int, str]:
    """Products before names, and numbers last."""
    return not monomial, -len(monomial), " ".join(map(show, monomial))
