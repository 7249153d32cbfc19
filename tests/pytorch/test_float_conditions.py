"""Exact formulas that settle a program's comparison of floats, against the comparison itself, which rounds."""

from __future__ import annotations

import math
import operator

import pytest
import sympy
from hypothesis import example, given
from hypothesis import strategies as st
from torch.utils._sympy.functions import FloatTrueDiv, ToFloat
from torch.utils._sympy.functions import Max as TorchMax
from torch.utils._sympy.functions import Min as TorchMin

from dynconstraints.ir.evaluate import truth_of
from dynconstraints.ir.nodes import Name
from dynconstraints.pytorch.oracle.float_conditions import condition_of

A, B, N = sympy.Symbol("zf0", real=True), sympy.Symbol("zf1", real=True), sympy.Symbol("s0", integer=True)
NAMES = {A: Name("a"), B: Name("b"), N: Name("n")}

EDGES = (0.0, -0.0, 5e-324, -5e-324, 1.0, math.nextafter(1.0, 2.0), math.nextafter(1.0, 0.0), 2.0, 0.5, 1e308, -1e308)
floats = st.one_of(st.sampled_from(EDGES), st.floats(allow_nan=False, allow_infinity=False))
integers = st.one_of(st.integers(-5, 5), st.sampled_from((2**53, 2**53 + 1, -(2**53) - 1, 2**60 + 1)))

RELATIONS = {
    sympy.Eq: operator.eq,
    sympy.Ne: operator.ne,
    sympy.StrictLessThan: operator.lt,
    sympy.LessThan: operator.le,
    sympy.StrictGreaterThan: operator.gt,
    sympy.GreaterThan: operator.ge,
}

SIDES = {
    "a": (lambda _: A, lambda a, _b, _n, _c: a),
    "-a": (lambda _: -A, lambda a, _b, _n, _c: -a),
    "a + b": (lambda _: sympy.Add(A, B), lambda a, b, _n, _c: a + b),
    "a - b": (lambda _: sympy.Add(A, -B), lambda a, b, _n, _c: a - b),
    "a * b": (lambda _: sympy.Mul(A, B), lambda a, b, _n, _c: a * b),
    "a + c": (lambda c: sympy.Add(A, c, evaluate=False), lambda a, _b, _n, c: a + c),
    "a * c": (lambda c: sympy.Mul(A, c, evaluate=False), lambda a, _b, _n, c: a * c),
    "a / b": (lambda _: FloatTrueDiv(A, B), lambda a, b, _n, _c: a / b),
    "n / a": (lambda _: FloatTrueDiv(ToFloat(N), A), lambda a, _b, n, _c: float(n) / a),
    "n * a": (lambda _: sympy.Mul(ToFloat(N), A), lambda a, _b, n, _c: float(n) * a),
    "float(n)": (lambda _: ToFloat(N), lambda _a, _b, n, _c: float(n)),
    "abs(a)": (lambda _: sympy.Abs(A), lambda a, _b, _n, _c: abs(a)),
    "max(a, b)": (lambda _: TorchMax(A, B), lambda a, b, _n, _c: max(a, b)),
    "min(a, b)": (lambda _: TorchMin(A, B), lambda a, b, _n, _c: min(a, b)),
}


@given(st.sampled_from(list(SIDES)), st.sampled_from(list(RELATIONS)), floats, floats, floats, integers, floats)
@example("a * c", sympy.StrictGreaterThan, 0.0, 5e-324, 1.0, 1, 0.5)
@example("a + c", sympy.StrictLessThan, 2.0, math.nextafter(1.0, 0.0), 1.0, 1, 1.0)
@example("float(n)", sympy.Eq, 2.0**53, 1.0, 1.0, 2**53 + 1, 1.0)
def test_what_is_enough_exactly_is_enough_for_the_program(
    side: str, relation: type, bound: float, a: float, b: float, n: int, c: float
) -> None:
    """For every comparison and value: where the exact formula holds, the program's comparison has that answer."""
    build, compute = SIDES[side]
    expr = relation(build(sympy.Float(c)), sympy.Float(bound), evaluate=False)
    condition = condition_of(expr, NAMES)
    assert condition is not None
    values = {"a": a, "b": b, "n": n}
    if condition.small_integers is not None and not truth_of(condition.small_integers, values):
        return
    try:
        answer = RELATIONS[relation](compute(a, b, n, c), bound)
    except ZeroDivisionError:
        answer = None
    for wanted in (True, False):
        enough = condition.enough(wanted)
        if enough is not None and truth_of(enough, values):
            assert answer is wanted


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Gt(A * 2.0 + 1.0, 0.5, evaluate=False),  # rounds twice
        sympy.Gt(A + 1.0, B * 2.0, evaluate=False),  # both sides round
        sympy.Gt(sympy.sqrt(A), 0.5, evaluate=False),
        sympy.Gt(sympy.Symbol("u"), 0.5, evaluate=False),
    ],
    ids=str,
)
def test_what_rounds_more_than_once_is_left_to_torch(expr: sympy.Basic) -> None:
    """No formula, and so a guard."""
    assert condition_of(expr, NAMES) is None
