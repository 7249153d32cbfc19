"""The ways in which a formula fails to be true: wherever it does, by Python's own reading, one of them is true."""

from itertools import product

import pytest
from hypothesis import given
from oracle import Meaning
from strategies import formulas

from dynconstraints import parse
from dynconstraints.ir.evaluate import truth_of
from dynconstraints.ir.functions import all_requirements
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.printer import show
from dynconstraints.solver.tableau.nnf import falsifying_cases, normal

BOX = [dict(zip("ab", values, strict=True)) for values in product(range(-4, 5), repeat=2)]


# The oracle reads implications outside of brackets only.
@given(formulas(("a", "b"), max_leaves=5, constants=6).filter(lambda formula: "=>" not in show(formula)))
def test_one_way_is_true_wherever_the_formula_is_not(formula: Formula) -> None:
    """False, or undefined."""
    holds, ways = Meaning(show(formula)), [Meaning(show(way)) for way in falsifying_cases(formula)]
    for values in BOX:
        assert holds(values) is True or any(way(values) is True for way in ways)


@given(formulas(("a", "b"), max_leaves=5, constants=6))
def test_the_normal_form_is_true_where_the_formula_is(formula: Formula) -> None:
    """And that of the negation where it is false; neither where it is undefined."""
    for values in BOX:
        truth = truth_of(formula, values)
        assert (truth_of(normal(formula), values) is True) is (truth is True)
        assert (truth_of(normal(formula, False), values) is True) is (truth is False)


@pytest.mark.parametrize(
    ("text", "number"), [("a > 3", 1), ("a // 4 > 3", 1), ("a // b > 3", 2), ("a % b == 0 and b % a == 0", 3)]
)
def test_each_divisor_that_may_be_zero_is_a_way(text: str, number: int) -> None:
    """Beside the negation."""
    formula = parse(text).formula
    assert len(falsifying_cases(formula)) == number
    assert len(all_requirements(formula)) == number - 1
