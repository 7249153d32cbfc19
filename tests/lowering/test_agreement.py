"""Evaluator, closure, sympy and z3 give one answer to every generated constraint under every assignment."""

import pytest
import strategies
import sympy
import z3
from hypothesis import HealthCheck, given, settings

from dynconstraints.ir.evaluate import holds, truth_of
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.lowering.to_sympy import to_sympy
from dynconstraints.lowering.to_z3 import Encoder
from dynconstraints.syntax.parser import parse

SYMBOLS = {name: sympy.Symbol(name, integer=True) for name in strategies.NAMES}
# Large enough for every assignment to be decided; a pinned query that is still open is no disagreement.
RLIMIT = 2_000_000


def by_closure(formula: Formula, assignment: dict[str, int]) -> bool:
    return compile_formula(formula, tuple(assignment))(*assignment.values())


def by_sympy(formula: Formula, assignment: dict[str, int]) -> bool:
    decided = to_sympy(formula, SYMBOLS).subs({SYMBOLS[name]: value for name, value in assignment.items()})
    assert decided in (sympy.true, sympy.false)
    return bool(decided)


def by_z3(formula: Formula, assignment: dict[str, int], *, true: bool) -> bool | None:
    """Whether the formula is definitely true (false) under the assignment; None where z3 leaves it open."""
    context = z3.Context()
    encoder = Encoder(context, fresh_quotients=False)
    pair = encoder.formula(formula)
    solver = z3.SimpleSolver(ctx=context)
    solver.set("rlimit", RLIMIT)
    solver.add(*(encoder.name(name) == value for name, value in assignment.items()), *encoder.sides)
    answer = solver.check(pair.true if true else pair.false)
    return None if answer == z3.unknown else answer == z3.sat


def check(formula: Formula, assignment: dict[str, int]) -> None:
    expected = holds(formula, assignment)
    assert by_closure(formula, assignment) is expected
    assert by_sympy(formula, assignment) is expected
    assert by_z3(formula, assignment, true=True) in (expected, None)
    assert by_z3(formula, assignment, true=False) in (truth_of(formula, assignment) is False, None)


@settings(max_examples=max(200, settings.default.max_examples), suppress_health_check=[HealthCheck.too_slow])
@given(strategies.formulas(max_leaves=4), strategies.assignments(bound=40))
def test_all_readings_of_a_formula_agree(formula: Formula, assignment: dict[str, int]):
    """Negative operands, symbolic and zero divisors, chains and conditionals included; of the parsed print as well."""
    check(formula, assignment)
    assert holds(parse(show(formula)).formula, assignment) is holds(formula, assignment)


EDGES = [
    "s0 % 0 == 0",
    "not s0 % 0 == 0",
    "s0 // a == s0 // a",
    "a // b == 1 or a == 0",
    "a // b == 1 and a != 0",
    "a == 0 => b // a > 1",
    "a != 0 => b // a > 1",
    "(b // a if a != 0 else 7) == 7",
    "(b // a > 0 if a != 0 else true)",
    "(1 if b // a > 0 else 2) == 2",
    "0 <= b // a <= a",
    "0 in {b // a, 0}",
    "b in range(0, 10 // a, 3)",
    "b in range(10, a, -3)",
    "divides(a, b)",
    "not divides(a, b)",
    "ceildiv(b, a) == align_up(b, a)",
    "gcd(a, b) == lcm(a, b)",
    "is_power_of_two(a) or is_power_of_two(b % a)",
    "a**0 == 1",
    "min(a // b, 3) == 3",
    # sympy takes what it knows to be even for no multiple of an odd number
    "ceildiv(max(2*a, 0), 3) > 0",
    "(a + a if a > b else 0) // 3 == 0",
    "abs(2*a*b) // 3 in {0, 2}",
    "align_up(min(2*a, 4*b), 3) == 0",
    "is_power_of_two(ceildiv((-2 if a == b else -ceildiv(a // a, a + a)), -3))",
    "ceildiv((-2 if a == a == b == a else -ceildiv(1, a + a)), -3) == 0",
]


@pytest.mark.parametrize("text", EDGES)
def test_all_readings_agree_where_divisors_vanish(text: str):
    """Over a grid of small values, zero among them."""
    formula = parse(text).formula
    for a in (-3, -1, 0, 2):
        for b in (-4, 0, 1, 6):
            check(formula, {"a": a, "b": b, "s0": 5})
