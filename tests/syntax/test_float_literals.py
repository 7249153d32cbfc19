"""Float literals: the rationals that the floats hold."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.ir.nodes import Compare, Name, Real, Relation
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.syntax.parser import parse

floats = st.floats(allow_nan=False, allow_infinity=False)


@given(floats, floats)
def test_a_literal_is_the_float_that_python_reads(literal: float, value: float):
    """Signs, denormals and the last bit included; by the evaluator and the closure."""
    formula = Compare((Name("p"), Real(literal)), (Relation.LE,))
    assert parse(show(formula)).formula == formula
    assert parse(show(formula)).holds({"p": value}) is (value <= literal)
    assert compile_formula(formula, ["p"], floats=True)(value) is (value <= literal)


@pytest.mark.parametrize(
    "text", ["0.0 < p <= 1.0", "p <= .5", "1e-3 < p", "1_0.5 > p", "2.0*p - 1 <= 0.5", "p in {0.5, 1}"]
)
def test_the_forms_of_a_literal(text: str):
    """Python's, and they print as they parse."""
    constraint = parse(text)
    assert parse(show(constraint.formula)) == constraint


def test_arithmetic_is_exact():
    """0.1 + 0.2 is what the three floats hold, not what a float sum rounds to."""
    constraint = parse("p + q == 0.3")
    assert not constraint.holds({"p": 0.1, "q": 0.2})
    assert constraint.holds({"p": 0.1, "q": Fraction(0.3) - Fraction(0.1)})
    assert parse("steps*lr <= 4.0").holds({"steps": 4, "lr": 1.0})


@pytest.mark.parametrize(
    "text", ["0.5 // p == 1", "p % 0.5 == 0", "gcd(p, 0.5) == 1", "p in range(0.5)", "divides(2.0, p)"]
)
def test_operations_on_integers_refuse_them(text: str):
    """Wherever they stand in it."""
    with pytest.raises(ConstraintSyntaxError) as caught:
        parse(text)
    assert caught.value.code == "DC123"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_has_no_rational(value: float):
    """ValueError or OverflowError, from Python's own conversion."""
    with pytest.raises((ValueError, OverflowError)):
        parse("p <= 0.5").holds({"p": value})


def test_a_literal_beyond_every_float_is_refused():
    """Rather than read as infinity."""
    with pytest.raises(ConstraintSyntaxError) as caught:
        parse("p < 1e999")
    assert caught.value.code == "DC122"
