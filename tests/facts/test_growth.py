"""Analysis of sparse systems grows with their size, not with its square: by lines executed, which no load changes."""

import sys

import pytest

from dynconstraints.facts.product.analysis import analyse
from dynconstraints.syntax.parser import parse


def system(kind, n):
    match kind:
        case "chain":
            return [f"s{i} < s{i + 1}" for i in reversed(range(n - 1))] + ["s0 >= 0", f"s{n - 1} <= {3 * n}"]
        case "equalities":
            return [f"s{i + 1} == 2*s{i}" for i in range(n - 1)] + ["s0 % 32 == 0", "1 <= s0 <= 4096"]
        case "star":
            return [f"s{i} <= s0" for i in range(1, n)] + [f"s{i} % {2 ** (i % 5)} == 0" for i in range(n)]
        case "disjunctions":
            return [f"s{i} == 1 or s{i} % 8 == 0" for i in range(n)] + [f"0 <= s{i} <= 1000" for i in range(n)]
        case "products":
            return [f"s{i}*s{i + 1} <= 1000" for i in range(n - 1)] + [f"s{i} >= 1" for i in range(n)]
        case "divisors":
            return [f"s{i} % s{i + 1} == 0" for i in range(n - 1)] + [f"s{i} >= 1" for i in range(n)]
        case "circle":
            return [f"s{i} < s{(i + 1) % n}" for i in range(n)]
        case _:
            return [f"s{i} + 1 <= s{7 * i * i % n} + 2*s{(3 * i + 1) % n}" for i in range(n)] + [
                f"0 <= s{i} <= {100 + i}" for i in range(n)
            ]


def lines(kind, size):
    """How many lines are executed for a system of the size."""
    constraints, count = [parse(text).formula for text in system(kind, size)], 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        state = analyse(constraints)
    finally:
        sys.settrace(before)
    assert state.is_empty == (kind == "circle")
    return count


@pytest.mark.parametrize(
    "kind", ["chain", "equalities", "star", "disjunctions", "products", "divisors", "circle", "sparse"]
)
def test_twice_the_size_costs_twice_as_much(kind):
    """A quadratic part of any weight shows at the sizes chosen: it alone would cost four times as much."""
    lines(kind, 30)  # what is kept from one analysis to the next is in no count
    smaller = lines(kind, 120)
    assert lines(kind, 240) < 2.4 * smaller
