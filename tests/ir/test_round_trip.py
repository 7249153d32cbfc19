"""Printing then parsing is the identity, on every node kind."""

import strategies
from hypothesis import given

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.printer import show
from dynconstraints.syntax.parser import parse


@given(strategies.formulas())
def test_parsing_what_is_printed_gives_the_formula_back(formula: Formula):
    """parse(print(f)) == f, and the print of that is the same text."""
    text = show(formula)
    again = parse(text).formula
    assert again == formula
    assert show(again) == text


@given(strategies.constraints())
def test_a_constraint_made_from_a_formula_carries_its_text(constraint: Constraint):
    """Constraint.of prints a text that parses to an equal constraint."""
    assert parse(constraint.text) == constraint
