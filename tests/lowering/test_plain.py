"""Formulas in the operations that compiled code has: true where the evaluator says so, and defined everywhere."""

import pytest
import strategies
from hypothesis import given, settings

from dynconstraints.ir.evaluate import holds, truth_of
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import (
    Add,
    And,
    Bool,
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
    Or,
    Pow,
    Term,
)
from dynconstraints.lowering.plain import plain
from dynconstraints.syntax.parser import parse

WORDS = (Bool, Compare, And, Or, Int, Name, Neg, Add, Mul, FloorDiv, Mod, Pow)
FUNCTIONS = {Function.MIN, Function.MAX, Function.ABS}


def as_it_is(left: Term, right: Term) -> Term:
    return Call(Function.GCD, (left, right))


@settings(max_examples=400)
@given(strategies.formulas(max_leaves=4), strategies.assignments())
def test_a_plain_formula_holds_where_the_evaluator_says_and_is_never_undefined(
    formula: Formula, assignment: dict[str, int]
) -> None:
    """Zero divisors, chains, conditionals, ranges and negation included."""
    assert truth_of(plain(formula, as_it_is), assignment) is holds(formula, assignment)


@settings(max_examples=100)
@given(strategies.formulas(max_leaves=4))
def test_only_words_for_sizes_are_left(formula: Formula) -> None:
    """The gcd of two unknown numbers is asked for; nothing else is a function that sizes lack."""
    for node in walk(plain(formula, lambda left, right: Name("asked"))):
        assert isinstance(node, WORDS) or (isinstance(node, Call) and node.function in FUNCTIONS), node


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("gcd(a, 12) == 4", {"a": 8}, True),
        ("gcd(a, 12) == 4", {"a": 0}, False),
        ("gcd(a, 12) == 12", {"a": 0}, True),
        ("gcd(a, 0) == 5", {"a": -5}, True),
        ("lcm(a, 4) == 12", {"a": 6}, True),
        ("lcm(a, 4) == 0", {"a": 0}, True),
        ("is_power_of_two(a)", {"a": 2**40}, True),
        ("is_power_of_two(a)", {"a": 0}, False),
        ("not a % b == 0", {"a": 4, "b": 0}, False),
        ("a % b == 0 or a == 4", {"a": 4, "b": 0}, True),
        ("a in range(10, b, -3)", {"a": 4, "b": 0}, True),
        ("a not in range(10, 1 // b)", {"a": 4, "b": 0}, False),
    ],
)
def test_known_values(text: str, value: dict[str, int], expected: bool) -> None:
    """By hand."""
    assert truth_of(plain(parse(text).formula, as_it_is), value) is expected
