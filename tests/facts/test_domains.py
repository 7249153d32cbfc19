"""Ranges, congruences and their transfer functions against brute force."""

import math
from itertools import product

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.facts.domains import congruences, intervals, transfer
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.nodes import Name

SPAN = range(-14, 15)
ends = st.one_of(st.none(), st.integers(-7, 7))
some_ranges = st.tuples(ends, ends).filter(lambda r: not intervals.is_empty(r))
some_congruences = st.one_of(
    st.tuples(st.just(0), st.integers(-7, 7)),
    st.integers(1, 6).flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m - 1))),
)


def members(a):
    return [x for x in SPAN if intervals.contains(a, x)]


def residues(a):
    return [x for x in SPAN if congruences.contains(a, x)]


RANGE_OPERATIONS = [
    (intervals.add, lambda x, y: x + y),
    (intervals.multiply, lambda x, y: x * y),
    (intervals.floor_divide, lambda x, y: x // y if y else None),
    (intervals.modulo, lambda x, y: x % y if y else None),
    (intervals.least, min),
    (intervals.greatest, max),
]


@pytest.mark.parametrize(("enclose", "operation"), RANGE_OPERATIONS)
@given(some_ranges, some_ranges)
def test_range_operations_enclose_every_result(enclose, operation, a, b):
    """For operands of every sign, with and without ends."""
    result = enclose(a, b)
    values = [v for x, y in product(members(a), members(b)) if (v := operation(x, y)) is not None]
    assert all(intervals.contains(result, v) for v in values)


@given(some_ranges)
def test_absolute_values_are_tight(a):
    """Of ranges that hold 0, or values of one sign."""
    sizes = [abs(x) for x in members(a)]
    assert intervals.absolute(a) == (min(sizes), None if None in a else max(sizes))


@pytest.mark.parametrize(("enclose", "operation"), [pair for pair in RANGE_OPERATIONS if pair[0] != intervals.modulo])
@given(some_ranges, some_ranges)
def test_bounded_range_operations_are_tight(enclose, operation, a, b):
    """Where both operands have ends, so has the result, and attains them; division by a divisor of one sign."""
    if None in a or None in b or (operation(1, 0) is None and intervals.contains(b, 0)):
        return
    values = [operation(x, y) for x, y in product(members(a), members(b))]
    assert enclose(a, b) == (min(values), max(values))


@given(some_ranges, some_ranges)
def test_meet_and_join_of_ranges(a, b):
    """The meet is the intersection, the join holds both."""
    assert members(intervals.meet(a, b)) == [x for x in members(a) if x in members(b)]
    assert set(members(intervals.join(a, b))) >= {*members(a), *members(b)}


@given(some_ranges, st.integers(0, 4), st.integers(-3, 3))
def test_powers_and_multiples_of_ranges(a, exponent, factor):
    """Enclosed, for even and odd exponents and factors of every sign."""
    assert all(intervals.contains(intervals.power(a, exponent), x**exponent) for x in members(a))
    assert all(intervals.contains(intervals.scale(a, factor), x * factor) for x in members(a))


@given(some_congruences, some_congruences, st.integers(-6, 6).filter(bool))
def test_congruence_operations_enclose_every_result(a, b, divisor):
    """Sums, products, joins, and division by a constant of either sign."""
    for x, y in product(residues(a), residues(b)):
        assert congruences.contains(congruences.add(a, b), x + y)
        assert congruences.contains(congruences.multiply(a, b), x * y)
        assert congruences.contains(congruences.join(a, b), x)
        assert congruences.contains(congruences.join(a, b), y)
        assert congruences.contains(congruences.floor_divide(a, divisor), x // divisor)
        assert congruences.contains(congruences.modulo(a, divisor), x % divisor)


@given(some_congruences, some_congruences)
def test_the_meet_of_congruences_is_the_intersection(a, b):
    """The Chinese remainder theorem, and None exactly where nothing is in both."""
    common = [x for x in range(-70, 71) if congruences.contains(a, x) and congruences.contains(b, x)]
    met = congruences.meet(a, b)
    if met is None:
        assert not common
    else:
        assert common == [x for x in range(-70, 71) if congruences.contains(met, x)]


@given(some_congruences, st.integers(-20, 20))
def test_the_nearest_members_of_a_congruence(a, value):
    """The greatest below and the least above, None for a constant on the other side."""
    wide = [x for x in range(-60, 61) if congruences.contains(a, x)]
    assert congruences.up_to(a, value) == max((x for x in wide if x <= value), default=None)
    assert congruences.from_on(a, value) == min((x for x in wide if x >= value), default=None)


@given(strategies.terms(("a", "b"), max_leaves=5, constants=6), some_ranges, some_ranges)
def test_ranges_of_terms_enclose_their_values(term, a, b):
    """Every node of the language."""
    given_ranges = {"a": a, "b": b}
    low, high = transfer.range_of(
        term, lambda t: given_ranges[t.id] if isinstance(t, Name) else (None, None), lambda _: None
    )
    for x, y in product(members(a)[::3], members(b)[::3]):
        value = value_of(term, {"a": x, "b": y})
        assert value is None or ((low is None or low <= value) and (high is None or value <= high))


@given(strategies.terms(("a", "b"), max_leaves=5, constants=6), some_congruences, some_congruences)
def test_congruences_of_terms_enclose_their_values(term, a, b):
    """Every node of the language."""
    known = {"a": a, "b": b}
    result = transfer.congruence_of(term, known.__getitem__)
    for x, y in product(residues(a)[::2], residues(b)[::2]):
        value = value_of(term, {"a": x, "b": y})
        assert value is None or congruences.contains(result, value)


def test_numbers_beyond_64_bits_are_exact():
    """No float and no wrap-around anywhere."""
    huge = 3**60
    assert intervals.multiply((-huge, huge), (huge, huge + 1)) == (-huge * (huge + 1), huge * (huge + 1))
    assert congruences.meet((2**70, 1), (huge, 2)) is not None
    assert math.lcm(2**70, huge) == congruences.meet((2**70, 1), (huge, 2))[0]
