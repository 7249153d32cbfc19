"""The normal form: equal to the term wherever it is defined, and one form for many ways of writing."""

from itertools import product

import pytest
import strategies
from hypothesis import given

from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.store import ConstraintStore
from dynconstraints.ir.evaluate import truth_of, value_of
from dynconstraints.syntax.parser import parse

NAMES = ("a", "b")
POINTS = [dict(zip(NAMES, p, strict=True)) for p in product((-7, -4, -1, 0, 1, 2, 5, 8), repeat=2)]


def evaluated(known, p, point):
    """The polynomial's value; atoms that are undefined, or opaque and so without a meaning here, raise LookupError."""
    total = 0
    for monomial, coefficient in p.items():
        for key in monomial:
            coefficient *= atom_value(known, key, point)
        total += coefficient
    return total


def atom_value(known, key, point):
    if key in point:
        return point[key]
    atom = known.normal.atoms[key]
    arguments = [evaluated(known, p, point) for p in atom.arguments]
    match atom.kind, arguments:
        case "quotient", [u, v]:
            if v == 0:
                raise LookupError(key)
            return u // v
        case "positive", [u]:
            return max(u, 0)
        case "at least", [u]:
            return int(u >= 0)
        case "zero", [u]:
            return int(u == 0)
        case _:
            raise LookupError(key)


@given(strategies.terms(NAMES, max_leaves=6, constants=9))
def test_the_normal_form_of_a_term_is_the_term(term):
    """At every point where the term is defined."""
    known = ConstraintStore({})
    p = known.normal.term(term)
    for point in POINTS:
        value = value_of(term, point)
        if value is not None:
            try:
                assert evaluated(known, p, point) == value
            except LookupError:
                continue


@given(strategies.formulas(NAMES, max_leaves=4, constants=9))
def test_the_normal_form_of_a_formula_is_its_truth(formula):
    """1 where it is true and 0 where it is false, with conditionals inside."""
    known = ConstraintStore({})
    p = known.normal.formula(formula)
    for point in POINTS:
        truth = truth_of(formula, point)
        if truth is not None:
            try:
                assert evaluated(known, p, point) == int(truth)
            except LookupError:
                continue


@pytest.mark.parametrize(
    "text",
    [
        "a // 5 * 5 + a % 5 == a",
        "(a + 10) // 5 == a // 5 + 2",
        "a // 2 // 3 == a // 6",
        "a * 6 % 8 == 2 * (a * 3 % 4)",
        "(a * b + b) // b == a + 1",
        "min(a, b) + max(a, b) == a + b",
        "max(a + 3, b) - 3 == max(a, b - 3)",
        "abs(2*a - 2*b) == 2*abs(b - a)",
        "ceildiv(a, 4) == (a + 3) // 4",
        "align_up(a, 4) == a + -a % 4",
        "(a + b)**2 == a**2 + 2*a*b + b**2",
        "(1 if a < b else 0) + (0 if a < b else 1) == 1",
        "a // -3 == -a // 3",
        "(-a) // 2 == -((a + 1) // 2)",
    ],
)
def test_two_ways_of_writing_have_one_form(text):
    """The difference of the two sides is the zero polynomial, with nothing known."""
    known = ConstraintStore({})
    left, right = parse(text).formula.operands
    assert poly.add(known.normal.term(left), known.normal.term(right), -1) == {}
