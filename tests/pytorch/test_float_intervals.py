"""Intervals of what a program computes with floats, against the program itself."""

from __future__ import annotations

import math
import operator

import sympy
import torch
from compiled import Compiled
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._sympy.functions import FloatTrueDiv, Identity

from dynconstraints import DynamicFloat
from dynconstraints.pytorch.oracle.float_intervals import compared, interval_of

a, b = sympy.symbols("a b", real=True)
ENDS = st.one_of(st.floats(-4, 4), st.sampled_from((0.0, 1.0, 1e308, -1e308, 5e-324, 1e-17, 1e16)))
RELATIONS = {sympy.Lt: operator.lt, sympy.Le: operator.le, sympy.Gt: operator.gt, sympy.Ge: operator.ge}
RELATIONS |= {sympy.Eq: operator.eq, sympy.Ne: operator.ne}


def whole(expr):
    """As arithmetic in a trace has it: sympy takes no computed operand apart."""
    return Identity(expr) if isinstance(expr, (sympy.Add, sympy.Mul, sympy.Pow)) else expr


def unary(function, symbolic):
    return lambda x: (symbolic(x[0]), lambda p, q, f=x[1]: function(f(p, q)))


def binary(function, symbolic):
    def made(x, y):
        return symbolic(whole(x[0]), whole(y[0])), lambda p, q: function(x[1](p, q), y[1](p, q))

    return made


def programs(depth: int):
    """A sympy expression as a trace makes it, beside the function of two floats that it stands for."""
    leaf = st.one_of(
        st.just((a, lambda p, q: p)),
        st.just((b, lambda p, q: q)),
        st.sampled_from((0.1, 2.0, -3.0, 1e16)).map(lambda v: (sympy.Float(v), lambda p, q: v)),
    )
    if not depth:
        return leaf
    inner = programs(depth - 1)
    operations = (
        (operator.add, operator.add),
        (operator.sub, operator.sub),
        (operator.mul, operator.mul),
        (operator.truediv, FloatTrueDiv),
        (max, sympy.Max),
        (min, sympy.Min),
    )
    built = [st.builds(binary(*pair), inner, inner) for pair in operations]
    return st.one_of(leaf, st.builds(unary(abs, sympy.Abs), inner), *built)


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(st.sampled_from((low, high)), st.floats(low, high))


@given(st.data(), programs(3), programs(2), st.sampled_from(list(RELATIONS)))
def test_every_value_lies_in_the_interval_and_no_comparison_goes_the_other_way(data, one, other, relation):
    """For values in the ranges, ends included; also where a program overflows."""
    ranges = {}
    for symbol in (a, b):
        low, high = sorted((data.draw(ENDS), data.draw(ENDS)))
        ranges[symbol] = low, high
    expr = relation(whole(one[0]), whole(other[0]))
    interval, truth = interval_of(one[0], ranges), compared(expr, ranges)
    for _ in range(4):
        p, q = (data.draw(between(*ranges[symbol])) for symbol in (a, b))
        try:
            value, second = one[1](p, q), other[1](p, q)
        except ZeroDivisionError:
            assert interval is None or truth is None
            continue
        if interval is not None:
            assert interval[0] <= value <= interval[1]
        if truth is not None:
            assert RELATIONS[relation](value, second) == truth


def test_comparisons_that_the_ranges_settle_leave_no_guard():
    """However often the program rounds."""
    one = torch.ones(2)

    def program(a):
        z = one * a if (a * 3 + 1) / 2 > 0.4 else one
        return z + 1 if abs(math.pi - a * 0.1 * a) < 4 else z

    compiled = Compiled(program)
    for value in (0.5, 4.0, 0.1):
        assert torch.equal(compiled(DynamicFloat(value, name="a", constraints=["0.0 < a <= 4.0"])), program(value))
    assert compiled.guards == [["not math.isnan(float(L['a']))"]]
