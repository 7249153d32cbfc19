"""Analysis of sparse systems grows at most quadratically, and a thousand constraints take seconds at most."""

import time

import pytest

from dynconstraints.facts.state import analyse
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


@pytest.mark.parametrize(
    "kind", ["chain", "equalities", "star", "disjunctions", "products", "divisors", "circle", "sparse"]
)
def test_a_thousand_names_take_seconds(kind):
    """Ten times the size costs at most two hundred times the time; the bounds are loose, for a loaded machine."""
    spent = []
    for size in (100, 1000):
        constraints = [parse(text).formula for text in system(kind, size)]
        start = time.process_time()
        state = analyse(constraints)
        spent.append(time.process_time() - start)
        assert state.is_empty == (kind == "circle")
    assert spent[1] < 10
    assert spent[1] < 200 * max(spent[0], 0.01)
