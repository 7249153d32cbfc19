"""Affine forms over named integers, and the linear facts that a formula asserts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.fold import walk
from dynconstraints.ir.functions import expanded_term, expanded_test
from dynconstraints.ir.nodes import (
    Add,
    And,
    Bool,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Node,
    Not,
    Or,
    Pow,
    RangeOf,
    Relation,
    SetOf,
    Term,
    Test,
)


class Affine(Frozen):
    """The function ``constant + Σ coefficient*name`` from assignments to integers.

    ``coefficients`` is sorted by name and holds no zero, so equal functions are equal objects.
    """

    constant: int
    coefficients: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, constant: int, coefficients: Mapping[str, int] | Iterable[tuple[str, int]] = ()) -> Affine:
        """The affine form; repeated names add up and zeros vanish."""
        sums: dict[str, int] = {}
        for name, coefficient in coefficients.items() if isinstance(coefficients, Mapping) else coefficients:
            sums[name] = sums.get(name, 0) + coefficient
        return cls(constant, tuple(sorted((n, c) for n, c in sums.items() if c)))

    @classmethod
    def name(cls, name: str) -> Affine:
        """The value of the name."""
        return cls(0, ((name, 1),))

    @property
    def names(self) -> tuple[str, ...]:
        """The names it depends on, sorted."""
        return tuple(name for name, _ in self.coefficients)

    @property
    def content(self) -> int:
        """The greatest common divisor of the coefficients of names; 0 for a constant."""
        return math.gcd(*(c for _, c in self.coefficients))

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Its value under the assignment. Raises KeyError for a name that is not assigned."""
        return self.constant + sum(c * values[name] for name, c in self.coefficients)

    def __add__(self, other: Affine | int) -> Affine:
        if isinstance(other, int):
            return Affine(self.constant + other, self.coefficients)
        return Affine.of(self.constant + other.constant, (*self.coefficients, *other.coefficients))

    def __sub__(self, other: Affine | int) -> Affine:
        return self + -other

    def __neg__(self) -> Affine:
        return self * -1

    def __mul__(self, factor: int) -> Affine:
        if not factor:
            return Affine(0)
        return Affine(self.constant * factor, tuple((name, c * factor) for name, c in self.coefficients))

    __rmul__ = __mul__


class LinearFacts(Frozen):
    """A conjunction of ``equality == 0`` and ``congruence ≡ 0 (mod modulus)``, each modulus at least 2."""

    equalities: tuple[Affine, ...] = ()
    congruences: tuple[tuple[Affine, int], ...] = ()

    def __add__(self, other: LinearFacts) -> LinearFacts:
        return LinearFacts(self.equalities + other.equalities, self.congruences + other.congruences)


NOTHING = LinearFacts()
ABSURD = LinearFacts((Affine(1),))
"""``1 == 0``: what a formula that is never true asserts."""


def affine_of(term: Term) -> Affine | None:
    """The affine form equal to the term under every assignment; None where the term is not written as one."""
    if not all(map(_is_total, walk(term))):
        return None
    form = _form(term)
    return None if form is None or form.opaque else form.affine


def _is_total(node: Node) -> bool:
    """Whether the node is a term that has a value wherever its operands have."""
    match node:
        case Int() | Name() | Neg() | Add() | Mul() | Pow():
            return True
        case FloorDiv(_, Int(divisor)) | Mod(_, Int(divisor)):
            return divisor != 0
        case _:
            return False


@lru_cache(maxsize=4096)  # the same constraint is in many sets
def linear_facts(formula: Formula) -> LinearFacts:
    """Linear equalities and congruences that hold wherever the formula is true.

    Found in top-level conjunctions: any ``==``, with ``//``, ``%``, ``align_up`` and products as multiples of
    unknown integers (so ``n // 4 * 4 == n``, ``n % 4 == m % 4`` and ``6*a*b == n`` all say something), ``divides``,
    membership. A remainder outside the divisor's range gives :data:`ABSURD`.
    """
    match formula:
        case Bool(value):
            return NOTHING if value else ABSURD
        case Compare(operands, relations):
            links = zip(relations, pairwise(operands), strict=True)
            return _sum(_equality(*pair) for relation, pair in links if relation is Relation.EQ)
        case And(operands):
            return _sum(map(linear_facts, operands))
        case Test() if (meant := expanded_test(formula)) is not None:
            return linear_facts(meant)
        case Member(item, RangeOf(start, _, step)):
            return _congruence(_form(item), _form(start), step)
        case Member(item, SetOf(elements)):
            return _member(item, elements)
        case Not(operand):
            return _negated(operand)
        case _:
            return NOTHING


def _negated(formula: Formula) -> LinearFacts:
    match formula:
        case Bool(value):
            return ABSURD if value else NOTHING
        case Compare((left, right), (Relation.NE,)):
            return _equality(left, right)
        case Or(operands):
            return _sum(map(_negated, operands))
        case Not(operand):
            return linear_facts(operand)
        case _:
            return NOTHING


def _sum(facts: Iterable[LinearFacts]) -> LinearFacts:
    equalities: list[Affine] = []
    congruences: list[tuple[Affine, int]] = []
    for fact in facts:
        equalities.extend(fact.equalities)
        congruences.extend(fact.congruences)
    return LinearFacts(tuple(equalities), tuple(congruences))


def _equality(left: Term, right: Term) -> LinearFacts:
    if _out_of_range(left, right) or _out_of_range(right, left):
        return ABSURD
    one, other = _form(left), _form(right)
    return NOTHING if one is None or other is None else (one - other).zero()


def _out_of_range(remainder: Term, value: Term) -> bool:
    """Whether ``x % m == value`` compares with a constant that no remainder of m equals."""
    match remainder, value:
        case Mod(_, Int(m)), Int(r) if m:
            return not 0 <= r * (1 if m > 0 else -1) < abs(m)
        case _:
            return False


def _congruence(one: _Form | None, other: _Form | None, modulus: int) -> LinearFacts:
    """``one ≡ other``, and for the modulus 0 ``one == other``."""
    if one is None or other is None:
        return NOTHING
    distance = one - other
    return (distance + _Form(Affine(0), {Name(""): abs(modulus)}) if modulus else distance).zero()


def _member(item: Term, elements: tuple[Term, ...]) -> LinearFacts:
    """The elements' common residue: all differences between them are multiples of the modulus."""
    if len(elements) == 1:
        return _equality(item, elements[0])
    forms = [form for element in elements if (form := _form(element)) is not None]  # the others have no value
    if not forms:
        return ABSURD
    modulus = math.gcd(*((form - forms[0]).content for form in forms))
    return _congruence(_form(item), forms[0], modulus)


class _Form(Frozen):
    """``affine + Σ coefficient*term`` over terms of which nothing is used but that they are integers."""

    affine: Affine
    opaque: Mapping[Term, int]

    def __add__(self, other: _Form) -> _Form:
        sums = dict(self.opaque)
        for term, coefficient in other.opaque.items():
            sums[term] = sums.get(term, 0) + coefficient
        return _Form(self.affine + other.affine, {t: c for t, c in sums.items() if c})

    def __mul__(self, factor: int) -> _Form:
        return _Form(self.affine * factor, {t: c * factor for t, c in self.opaque.items() if factor})

    def __sub__(self, other: _Form) -> _Form:
        return self + other * -1

    @property
    def content(self) -> int:
        """The greatest integer that divides every value."""
        return math.gcd(self.affine.constant, self.affine.content, *self.opaque.values())

    def zero(self) -> LinearFacts:
        """What ``self == 0`` says."""
        if not self.opaque:
            return LinearFacts((self.affine,))
        modulus = math.gcd(*self.opaque.values())
        return LinearFacts((), ((self.affine, modulus),)) if modulus > 1 else NOTHING


def _form(term: Term) -> _Form | None:
    """The term as a form; None where a divisor is the literal 0, so that the term has no value at all."""
    match term:
        case Int(value):
            return _Form(Affine(value), {})
        case Name(name):
            return _Form(Affine.name(name), {})
        case Neg(operand):
            form = _form(operand)
            return None if form is None else form * -1
        case Add(terms):
            forms = [_form(t) for t in terms]
            return _total(forms)
        case Mul(factors):
            return _product(term, [_form(f) for f in factors])
        case Pow(base, 1):
            return _form(base)
        case Pow(_, 0):
            return _Form(Affine(1), {})
        case Mod(dividend, Int(divisor)):
            # a % m is a - m*(a // m)
            form = _form(dividend)
            return _total([form, _quotient(dividend, divisor, -divisor)])
        case FloorDiv(dividend, Int(divisor)):
            return _quotient(dividend, divisor, 1)
        case Call(_, (_, Int())) if (meant := expanded_term(term)) is not None:
            return _form(meant)
        case _:
            return _Form(Affine(0), {term: 1})


def _total(forms: list[_Form | None]) -> _Form | None:
    result = _Form(Affine(0), {})
    for form in forms:
        if form is None:
            return None
        result += form
    return result


def _quotient(dividend: Term, divisor: int, factor: int) -> _Form | None:
    """``factor * (dividend // divisor)``."""
    if abs(divisor) == 1:
        form = _form(dividend)
        return None if form is None else form * (divisor * factor)
    return _Form(Affine(0), {FloorDiv(dividend, Int(divisor)): factor}) if divisor else None


def _product(term: Mul, forms: list[_Form | None]) -> _Form | None:
    """A product with at most one factor that is not constant; otherwise the constants times an unknown integer."""
    constant, rest = 1, list[_Form]()
    for form in forms:
        if form is None:
            return None
        if not form.opaque and not form.affine.coefficients:
            constant *= form.affine.constant
        else:
            rest.append(form)
    if len(rest) <= 1:
        return rest[0] * constant if rest else _Form(Affine(constant), {})
    # Each factor is a multiple of its content, and so the product one of theirs.
    content = math.prod(f.content for f in rest)
    return _Form(Affine(0), {term: constant * content})
