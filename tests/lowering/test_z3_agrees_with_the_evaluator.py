"""The z3 lowering says true, false and undefined exactly where the evaluator does."""

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from dynconstraints.ir.evaluate import truth_of
from dynconstraints.lowering.to_z3 import Encoder
from dynconstraints.syntax.parser import parse

FORMS = [
    "a // b == c",
    "a % b == c",
    "a // -3 == b and a % -3 == c",
    "(a + b) // (c - a) <= 2*b",
    "not (a % b == 0)",
    "a % b == 0 or c > 0",
    "a > 0 => b // a == c",
    "(a // b if b != 0 else 7) == c",
    "a < b <= c != a",
    "a in {b, c // b}",
    "a in range(b, c, 3)",
    "a in range(b, c, -2)",
    "a not in range(0, 10, 4)",
    "min(a, b, c) + max(a, b) == abs(c)",
    "ceildiv(a, b) == c",
    "align_up(a, b) == c",
    "align_down(a, b) == c",
    "align_up(a, 4) - align_down(a, -4) == c",
    "gcd(a, b) == c",
    "gcd(a, 12) == c",
    "lcm(a, 6) == c",
    "lcm(a, b) == c",
    "gcd(a, b, 4) == lcm(c, 2)",
    "divides(a, b)",
    "is_power_of_two(a*b)",
    "not is_power_of_two(a)",
    "a**3 + b**0 == c",
    "(a > 0 if b // c == 1 else c > 0)",
]
numbers = st.integers(-6, 6)


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("fresh", [True, False])
@settings(max_examples=12)
@given(a=numbers, b=numbers, c=numbers)
def test_truth_falsehood_and_definedness_agree(text: str, fresh: bool, a: int, b: int, c: int) -> None:
    """Pinned to an assignment, each half of the pair is satisfiable where the evaluator says so."""
    formula, values = parse(text).formula, {"a": a, "b": b, "c": c}
    expected = truth_of(formula, values)
    context = z3.Context()
    encoder = Encoder(context, fresh_quotients=fresh)
    pair = encoder.formula(formula)
    solver = z3.SimpleSolver(ctx=context)
    solver.add(*(encoder.name(name) == value for name, value in values.items()), *encoder.sides)
    assert (solver.check(pair.true) == z3.sat) is (expected is True)
    assert (solver.check(pair.false) == z3.sat) is (expected is False)
