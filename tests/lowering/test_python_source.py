"""The Python that is written out means what the constraint means."""

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.ir.evaluate import holds
from dynconstraints.ir.fold import names_in_order
from dynconstraints.lowering.to_closure import python_source
from dynconstraints.syntax.parser import parse


def run(source):
    scope = {}
    exec(source, scope)
    return scope["holds"]


@given(strategies.formulas(), st.data())
def test_the_source_agrees_with_the_evaluator(formula, data):
    """On generated formulas and assignments, as a source of its own."""
    names = names_in_order(formula)
    values = data.draw(strategies.assignments(names))
    assert run(python_source(formula, names))(*(values[name] for name in names)) is holds(formula, values)


@pytest.mark.parametrize("name", ["sum", "prod", "t0", "holds", "v0", "sum_", "gcd_"])
def test_a_name_that_the_code_needs_itself_is_spelled_otherwise(name):
    """Names of functions that are called, of local variables, and of the function."""
    text = f"{name} + sum_ + {' + '.join(f'x{i}' for i in range(20))} == 3 // ({name} - 1) and gcd({name}, sum_) > 0"
    formula = parse(text).formula
    names = names_in_order(formula)
    values = dict.fromkeys(names, 0) | {name: 3, "sum_": -2}
    assert run(python_source(formula, names))(*(values[one] for one in names)) is holds(formula, values)


def test_the_source_reads_like_the_constraint():
    """Parameters by position, functions of the library imported."""
    assert python_source(parse("gcd(a, b) == 4 and a < b").formula, ("a", "b")) == (
        "from math import gcd\n\n\ndef holds(a, b, /):\n    return gcd(a, b) == 4 and a < b"
    )
