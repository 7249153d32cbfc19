"""Terms -> polynomials and formulas -> 0/1 polynomials: one normal form for everything that is written in many ways.

Three atoms say nearly all of the language. ``u // c`` is one, and ``u % c`` is ``u - c*(u // c)``; ``max(u, 0)`` is
one, and ``max(a, b)`` is ``a + max(b - a, 0)``; the indicators ``[u >= 0]`` and ``[u == 0]`` are two, and ``a if c
else b`` is ``b + [c]*(a - b)``. The normal form equals the term wherever the term is defined; elsewhere it says
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias, cast

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.facts.domains.intervals import Range
from dynconstraints.facts.limits import PRODUCT_DEGREE, PRODUCT_TERMS
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.atom_polynomials import ONE, ZERO, Polynomial, constant
from dynconstraints.ir.functions import MEANINGS, PARAMETERS
from dynconstraints.ir.nodes import (
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
    RangeOf,
    Real,
    Relation,
    SetOf,
    Term,
    Test,
    of_integers_only,
)

Kind: TypeAlias = Literal["quotient", "positive", "at least", "zero", "opaque"]


class Atom(Frozen):
    """What a key stands for.

    quotient: ``u // v``; positive: ``max(u, 0)``; at least: 1 if ``u >= 0`` else 0; zero: 1 if ``u == 0`` else 0;
    opaque: some integer that depends on the names.
    """

    kind: Kind
    arguments: tuple[Polynomial, ...]
    names: frozenset[str]


@dataclass(slots=True)
class Normaliser:
    """Normal forms under what is known.

    ``rows`` replaces names by polynomials equal to them; ``range_of`` encloses a polynomial, and lets atoms vanish
    whose value it settles. ``atoms`` collects what the keys stand for.
    """

    rows: Mapping[str, Polynomial]
    range_of: Callable[[Polynomial], Range]
    atoms: dict[str, Atom] = field(default_factory=dict)

    def term(self, term: Term) -> Polynomial:
        """The normal form of a term."""
        match term:
            case Int(value):
                return constant(value)
            case Name(name):
                row = self.rows.get(name)
                return {(name,): 1} if row is None else row
            case Neg(operand):
                return poly.scale(self.term(operand), -1)
            case Add(terms):
                total = self.term(terms[0])
                for summand in terms[1:]:
                    total = poly.add(total, self.term(summand))
                return total
            case Mul(factors):
                product = ONE
                for factor in factors:
                    product = self.product(product, self.term(factor))
                return product
            case FloorDiv(dividend, divisor):
                return self.quotient(self.term(dividend), self.term(divisor))
            case Mod(dividend, divisor):
                return self.remainder(self.term(dividend), self.term(divisor))
            case Pow(base, exponent):
                return self.power(self.term(base), exponent)
            case Call(function, arguments):
                return self.call(function, tuple(map(self.term, arguments)))
            case IfElse(condition, then, otherwise):
                return self.chosen(self.formula(condition), self.term(then), self.term(otherwise))
            case Real():
                raise of_integers_only(term)
            case _:
                assert_never(term)

    def formula(self, formula: Formula) -> Polynomial:
        """A polynomial that is 1 where the formula is true and 0 where it is false."""
        match formula:
            case Bool(value):
                return ONE if value else ZERO
            case Compare(operands, relations):
                return self.all_of(
                    self.compare(poly.add(right, left, -1), relation)
                    for relation, (left, right) in zip(relations, pairwise(map(self.term, operands)), strict=True)
                )
            case Member(item, collection):
                return self.member(self.term(item), collection)
            case Test() if (meant := MEANINGS[formula.predicate].definition) is not None:
                return self.bound(tuple(map(self.term, formula.arguments))).formula(cast("Formula", meant))
            case Test(predicate, arguments):
                key = f"[{predicate.value}({', '.join(poly.show(self.term(a)) for a in arguments)})"
                return self.make(key, "opaque", *map(self.term, arguments))
            case Not(operand):
                return self.negation(self.formula(operand))
            case And(operands):
                return self.all_of(map(self.formula, operands))
            case Or(operands):
                return self.any_of(map(self.formula, operands))
            case Implies(premise, conclusion):
                return self.any_of((self.negation(self.formula(premise)), self.formula(conclusion)))
            case Choice(condition, then, otherwise):
                return self.chosen(self.formula(condition), self.formula(then), self.formula(otherwise))
            case _:
                assert_never(formula)

    def chosen(self, condition: Polynomial, then: Polynomial, otherwise: Polynomial) -> Polynomial:
        """``then if condition else otherwise``."""
        return poly.add(otherwise, self.product(condition, poly.add(then, otherwise, -1)))

    def negation(self, p: Polynomial) -> Polynomial:
        """``not p``."""
        return poly.add(ONE, p, -1)

    def all_of(self, parts: Iterable[Polynomial]) -> Polynomial:
        """The conjunction."""
        product = ONE
        for part in parts:
            product = self.product(product, part)
        return product

    def any_of(self, parts: Iterable[Polynomial]) -> Polynomial:
        """The disjunction."""
        return self.negation(self.all_of(self.negation(part) for part in parts))

    def compare(self, difference: Polynomial, relation: Relation) -> Polynomial:
        """Whether left and right are so related; ``difference`` is ``right - left``."""
        match relation:
            case Relation.EQ:
                return self.is_zero(difference)
            case Relation.NE:
                return self.negation(self.is_zero(difference))
            case Relation.LE:
                return self.at_least(difference)
            case Relation.LT:
                return self.at_least(poly.shift(difference, -1))
            case Relation.GE:
                return self.negation(self.at_least(poly.shift(difference, -1)))
            case Relation.GT:
                return self.negation(self.at_least(difference))
            case _:
                assert_never(relation)

    def at_least(self, p: Polynomial) -> Polynomial:
        """``[p >= 0]``."""
        low, high = self.range_of(p)
        if low is not None and low >= 0:
            return ONE
        if high is not None and high < 0:
            return ZERO
        if p[poly.leading(p)] < 0:
            return self.negation(self.at_least(poly.shift(poly.scale(p, -1), -1)))
        _, p = poly.primitive(p)
        return self.make(f"[{poly.show(p)}>=0]", "at least", p)

    def is_zero(self, p: Polynomial) -> Polynomial:
        """``[p == 0]``."""
        if not p:
            return ONE
        low, high = self.range_of(p)
        if (low is not None and low > 0) or (high is not None and high < 0) or p.get((), 0) % (poly.content(p) or 1):
            return ZERO
        if p[poly.leading(p)] < 0:
            p = poly.scale(p, -1)
        _, p = poly.primitive(p)
        return self.make(f"[{poly.show(p)}==0]", "zero", p)

    def member(self, item: Polynomial, collection: SetOf | RangeOf) -> Polynomial:
        """Whether the item is in the set or range."""
        match collection:
            case SetOf(elements):
                return self.any_of(self.is_zero(poly.add(item, self.term(e), -1)) for e in elements)
            case RangeOf(start, stop, step):
                offset, room = (poly.add(item, self.term(start), -1), poly.add(self.term(stop), item, -1))
                if step < 0:
                    offset, room = poly.scale(offset, -1), poly.scale(room, -1)
                aligned = self.is_zero(self.remainder(offset, constant(abs(step))))
                return self.all_of((self.at_least(offset), self.at_least(poly.shift(room, -1)), aligned))
            case _:
                assert_never(collection)

    def product(self, p: Polynomial, q: Polynomial) -> Polynomial:
        """``p * q``, an atom of its own where it has too many terms."""
        if len(p) > 1 and len(q) > 1 and len(p) * len(q) > PRODUCT_TERMS:
            one, other = sorted((poly.show(p), poly.show(q)))
            return self.make(f"({one})*({other})", "opaque", p, q)
        return poly.multiply(p, q)

    def power(self, p: Polynomial, exponent: int) -> Polynomial:
        """``p ** exponent``."""
        if (value := poly.value_of(p)) is not None:
            return constant(value**exponent)
        if exponent > PRODUCT_DEGREE and len(p) > 1:
            return self.make(f"({poly.show(p)})**{exponent}", "opaque", p)
        if len(p) == 1:
            ((monomial, coefficient),) = p.items()
            if exponent * len(monomial) <= 64:
                powered = poly.multiply({monomial * exponent: 1}, ONE)
                return {tuple(sorted(m)): coefficient**exponent for m in powered}
            return self.make(f"({poly.show(p)})**{exponent}", "opaque", p)
        result = ONE
        for _ in range(exponent):
            result = self.product(result, p)
        return result

    def call(self, function: Function, arguments: tuple[Polynomial, ...]) -> Polynomial:
        """A function's value."""
        match function:
            case Function.MAX:
                result = arguments[0]
                for other in arguments[1:]:
                    result = poly.add(result, self.positive(poly.add(other, result, -1)))
                return result
            case Function.MIN:
                result = arguments[0]
                for other in arguments[1:]:
                    result = poly.add(result, self.positive(poly.add(result, other, -1)), -1)
                return result
            case Function.ABS:
                return poly.add(poly.scale(self.positive(arguments[0]), 2), arguments[0], -1)
            case _:
                return self.by_table(function, arguments)

    def by_table(self, function: Function, arguments: tuple[Polynomial, ...]) -> Polynomial:
        """A function by its definition; an atom of its own where it has none."""
        meaning = MEANINGS[function]
        if meaning.definition is not None:
            return self.bound(arguments).term(cast("Term", meaning.definition))
        known = [v for v in map(poly.value_of, arguments) if v is not None]
        value = meaning.value(*known) if len(known) == len(arguments) else None
        if value is not None:
            return constant(value)
        parts = [(poly.show(a), a) for a in arguments]
        if meaning.most is None:  # such functions take their arguments in any order, and more than once
            parts = sorted(dict(parts).items())
        return self.make(f"{function.value}({', '.join(text for text, _ in parts)})", "opaque", *(p for _, p in parts))

    def bound(self, arguments: tuple[Polynomial, ...]) -> Normaliser:
        """One to which the parameters of the table of functions stand for the arguments."""
        rows = {parameter.id: argument for parameter, argument in zip(PARAMETERS, arguments, strict=False)}
        return Normaliser({**self.rows, **rows}, self.range_of, self.atoms)

    def positive(self, u: Polynomial) -> Polynomial:
        """``max(u, 0)``."""
        low, high = self.range_of(u)
        if low is not None and low >= 0:
            return u
        if high is not None and high <= 0:
            return ZERO
        if u[poly.leading(u)] < 0:
            return poly.add(u, self.positive(poly.scale(u, -1)))
        common = math.gcd(*u.values())
        u = {m: c // common for m, c in u.items()}
        return poly.scale(self.make(f"pos({poly.show(u)})", "positive", u), common)

    def remainder(self, u: Polynomial, v: Polynomial) -> Polynomial:
        """``u % v``."""
        return poly.add(u, self.product(v, self.quotient(u, v)), -1)

    def quotient(self, u: Polynomial, v: Polynomial) -> Polynomial:
        """``u // v``."""
        divisor = poly.value_of(v)
        if divisor is None:
            return self.quotient_by_polynomial(u, v)
        if divisor == 0:
            return self.make(f"({poly.show(u)})//(0)", "opaque", u)
        return self.quotient_by(u, divisor) if divisor > 0 else self.quotient_by(poly.scale(u, -1), -divisor)

    def quotient_by(self, u: Polynomial, c: int) -> Polynomial:
        """``u // c`` for c >= 1: whole multiples out, common factors out, nested divisions joined, then an atom."""
        whole = {m: q for m, a in u.items() if (q := a // c)}
        rest: Polynomial = {m: r for m, a in u.items() if (r := a % c)}
        while True:
            if (settled := self._settled(rest, c)) is not None:
                return poly.add(whole, settled)
            if (smaller := self._without_common_factor(rest, c)) is not None:
                return poly.add(whole, self.quotient_by(*smaller))
            if (joined := self._joined(rest, c)) is not None:
                return poly.add(whole, self.quotient_by(*joined))
            break
        # u // c is -((c - 1 - u) // c): of the two, the one with the smaller coefficients
        flipped = poly.shift(poly.scale(rest, -1), c - 1)
        if _weight(flipped, c) < _weight(rest, c):
            return poly.add(whole, self.quotient_by(flipped, c), -1)
        return poly.add(whole, self.make(f"({poly.show(rest)})//{c}", "quotient", rest, constant(c)))

    def _settled(self, rest: Polynomial, c: int) -> Polynomial | None:
        """The quotient where the range of the dividend leaves one value."""
        centred = {m: r - c if m and 2 * r > c else r for m, r in rest.items()}
        for candidate in (rest, centred) if centred != rest else (rest,):
            low, high = self.range_of(candidate)
            if low is not None and high is not None and low // c == high // c:
                moved = {m: (rest[m] - r) // c for m, r in candidate.items() if rest[m] != r}
                return poly.shift(moved, low // c)
        return None

    def _without_common_factor(self, rest: Polynomial, c: int) -> tuple[Polynomial, int] | None:
        """``(g*s + t) // (g*d)`` is ``s // d`` where ``0 <= t < g``."""
        for g in sorted({math.gcd(r, c) for m, r in rest.items() if m} - {1}, reverse=True):
            small = {m: r % g for m, r in rest.items() if r % g}
            low, high = (0, 0) if not small else self.range_of(small)
            if low is not None and high is not None and low // g == high // g:
                reduced = {m: r // g for m, r in rest.items() if r // g}
                return poly.shift(reduced, low // g), c // g
        return None

    def _joined(self, rest: Polynomial, c: int) -> tuple[Polynomial, int] | None:
        """``(v // d + w) // c`` is ``(v + d*w) // (d*c)``."""
        for monomial, coefficient in rest.items():
            if coefficient == 1 and len(monomial) == 1:
                inner = self.atoms.get(monomial[0])
                if inner is not None and inner.kind == "quotient":
                    divisor = poly.value_of(inner.arguments[1])
                    if divisor is not None:
                        others = {m: r for m, r in rest.items() if m != monomial}
                        return poly.add(inner.arguments[0], others, divisor), divisor * c
        return None

    def quotient_by_polynomial(self, u: Polynomial, v: Polynomial) -> Polynomial:
        """``u // v``: multiples of the divisor out, common factors out, small remainders gone, then an atom."""
        if v[poly.leading(v)] < 0:
            u, v = poly.scale(u, -1), poly.scale(v, -1)
        whole, rest = poly.quotient(u, v)
        if not rest:
            return whole
        if self._is_remainder(rest, v):
            return whole
        for sign in (1, -1):
            if self.range_of(poly.add(rest, v, -sign)) == (0, 0):
                return poly.shift(whole, sign)
        common = _common_factor(rest, v)
        if common != ((), 1):
            return poly.add(whole, self.quotient(_divided(rest, *common), _divided(v, *common)))
        if (joined := self._joined_by_polynomial(rest, v)) is not None:
            return poly.add(whole, self.quotient(*joined))
        return poly.add(whole, self.make(f"({poly.show(rest)})//({poly.show(v)})", "quotient", rest, v))

    def _joined_by_polynomial(self, rest: Polynomial, v: Polynomial) -> tuple[Polynomial, Polynomial] | None:
        """``(a // d + w) // v`` is ``(a + d*w) // (d*v)`` where ``v >= 1``."""
        low, _ = self.range_of(v)
        if low is None or low < 1:
            return None
        for monomial, coefficient in rest.items():
            inner = self.atoms.get(monomial[0]) if coefficient == 1 and len(monomial) == 1 else None
            if inner is not None and inner.kind == "quotient":
                dividend, divisor = inner.arguments
                others = {m: r for m, r in rest.items() if m != monomial}
                return poly.add(dividend, poly.multiply(divisor, others)), poly.multiply(divisor, v)
        return None

    def _is_remainder(self, rest: Polynomial, v: Polynomial) -> bool:
        """Whether ``0 <= rest < v``."""
        low, _ = self.range_of(rest)
        if low is None or low < 0:
            return False
        room, _ = self.range_of(poly.shift(poly.add(v, rest, -1), -1))
        return room is not None and room >= 0

    def make(self, key: str, kind: Kind, *arguments: Polynomial) -> Polynomial:
        """The atom as a polynomial."""
        if key not in self.atoms:
            names = frozenset(name for p in arguments for name in self.names(p))
            self.atoms[key] = Atom(kind, arguments, names)
        return poly.atom(key)

    def names(self, p: Polynomial) -> frozenset[str]:
        """The names that the polynomial depends on, those inside its atoms too."""
        found: set[str] = set()
        for key in poly.keys(p):
            inner = self.atoms.get(key)
            found.update((key,) if inner is None else inner.names)
        return frozenset(found)


def _weight(p: Polynomial, modulus: int) -> list[tuple[poly.Monomial, int]]:
    """The residues of the coefficients, leading monomials first: what two ways of writing a quotient are ordered by."""
    residues = ((m, c % modulus) for m, c in p.items() if c % modulus)
    return sorted(residues, key=lambda pair: (len(pair[0]), pair[0]), reverse=True)


def _common_factor(u: Polynomial, v: Polynomial) -> tuple[poly.Monomial, int]:
    """The greatest monomial and integer that divide both."""
    monomials = [*u, *v]
    common = list(monomials[0])
    for monomial in monomials[1:]:
        left = list(monomial)
        common = [key for key in common if key in left and not left.remove(key)]  # type: ignore[func-returns-value]
    return tuple(common), math.gcd(*u.values(), *v.values())


def _divided(p: Polynomial, factor: poly.Monomial, number: int) -> Polynomial:
    return {poly.without(m, factor) or (): c // number for m, c in p.items()}
