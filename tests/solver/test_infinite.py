"""Infinite integers compute as large integers do: with a late member of its sequence for T results are the same."""

import math
import operator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dynconstraints.solver.algebra.hyperintegers import Hyperinteger

LATE = {False: math.factorial(40), True: 2 ** (4 * 3**5 * 5)}
# 2 has an order that divides that exponent modulo the odd denominators that come from these coefficients
coefficients = st.lists(st.integers(-4, 4), min_size=2, max_size=3).filter(lambda c: c[-1] != 0).map(tuple)
operands = coefficients | st.integers(-12, 12)


def at(value: object, doubles: bool) -> int:
    """The value where T is the late member."""
    if not isinstance(value, Hyperinteger):
        return value
    total = sum(c * LATE[doubles] ** power for power, c in enumerate(value.coefficients))
    assert total == int(total)
    return int(total)


def made(operand: object, doubles: bool) -> object:
    return Hyperinteger(operand, doubles) if isinstance(operand, tuple) else operand


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod])
@given(left=operands, right=operands, then=st.integers(1, 12), doubles=st.booleans())
def test_arithmetic_is_that_of_late_members(operation, left, right, then, doubles) -> None:
    """Also of what is divided twice, whose coefficients are rational."""
    assume(right != 0 and (isinstance(left, tuple) or isinstance(right, tuple)))
    a, b = made(left, doubles), made(right, doubles)
    found = operation(a, b)
    expected = operation(at(a, doubles), at(b, doubles))
    assert at(found, doubles) == expected
    assert at(found // then, doubles) == expected // then
    assert at(found % then, doubles) == expected % then


@given(left=operands, right=operands, doubles=st.booleans())
def test_order_is_that_of_late_members(left, right, doubles) -> None:
    """Equal where equal, above where above."""
    assume(isinstance(left, tuple) or isinstance(right, tuple))
    a, b = made(left, doubles), made(right, doubles)
    for relation in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        assert relation(a, b) == relation(at(a, doubles), at(b, doubles))
    assert at(min(a, b), doubles) == min(at(a, doubles), at(b, doubles))
    assert at(abs(a), doubles) == abs(at(a, doubles))


@given(value=coefficients, doubles=st.booleans())
def test_powers_of_two_are_those_of_late_members(value, doubles) -> None:
    """One bit is set for powers of two only."""
    infinite = Hyperinteger(value, doubles)
    number = at(infinite, doubles)
    assume(number > 0)
    assert (infinite.bit_count() == 1) == (number.bit_count() == 1)
