"""The grid of small values: what is on it satisfies the constraints, and a small box is on it whole."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from oracle import Meaning

from dynconstraints import parse
from dynconstraints.facts.state import analyse
from dynconstraints.solver.grid import grid

texts = st.sampled_from(
    ["a % 3 == b % 3", "a*b >= 4", "a == 2*b", "a + b == 7 or a < 0", "a*a == b", "b % 4 == 1", "a // 2 < b", "a != b"]
)
ends = st.tuples(st.integers(-6, 6), st.integers(0, 9))


@given(st.lists(texts, max_size=3))
def test_what_is_on_the_grid_satisfies_the_constraints(given_: list[str]) -> None:
    """By Python's own reading."""
    formulas = [parse(text).formula for text in given_]
    meanings = [Meaning(text) for text in given_]
    for values in grid(analyse(formulas), ("a", "b"), formulas):
        assert all(meaning(values) is True for meaning in meanings)


@given(st.lists(texts, max_size=2), ends, ends)
def test_a_small_box_is_on_the_grid_whole(given_: list[str], a: tuple[int, int], b: tuple[int, int]) -> None:
    """All its assignments, in lexicographic order."""
    sides = {"a": a, "b": b}
    given_ = [*given_, *(f"{low} <= {name} <= {low + size}" for name, (low, size) in sides.items())]
    formulas = [parse(text).formula for text in given_]
    meanings = [Meaning(text) for text in given_]
    box = product(*(range(low, low + size + 1) for low, size in sides.values()))
    every = [dict(zip("ab", values, strict=True)) for values in box]
    expected = [values for values in every if all(meaning(values) is True for meaning in meanings)]
    state = analyse(formulas)
    found = [] if state.is_empty else list(grid(state, ("a", "b"), formulas))
    assert sorted((dict(sorted(values.items())) for values in found), key=lambda v: (v["a"], v["b"])) == expected
