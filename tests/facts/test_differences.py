"""Difference bounds: shortest paths and negative cycles."""

from itertools import permutations, product

from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.facts.domains.difference_bounds import is_consistent, least_bound, least_values, with_edge
from dynconstraints.facts.product.analysis import analyse
from dynconstraints.syntax.parser import parse

NAMES = ("a", "b", "c", "d")
triples = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(-3, 3)), max_size=8)


def graph(some):
    edges = {}
    for x, y, c in some:
        if x != y:
            with_edge(edges, x, y, c)
    return edges


def models(some):
    for point in product(range(-4, 5), repeat=4):
        values = dict(zip(NAMES, point, strict=True))
        if all(values[x] <= values[y] + c for x, y, c in some if x != y):
            yield values


@given(triples)
def test_bounds_hold_on_every_model(some):
    """The bound between any two names; an inconsistent set has no model."""
    edges = graph(some)
    found = list(models(some))
    if not is_consistent(edges):
        assert not found
        return
    for x, y in permutations(NAMES, 2):
        c = least_bound(edges, x, y)
        assert c is None or all(values[x] <= values[y] + c for values in found)


@given(triples)
def test_a_consistent_set_has_a_model(some):
    """With four names and lengths up to 3, the shortest paths are one within a small box."""
    if is_consistent(graph(some)):
        wide = range(-9, 1)  # from all-zero starts no path is shorter than -9
        assert any(
            all(values[x] <= values[y] + c for x, y, c in some if x != y)
            for values in (dict(zip(NAMES, p, strict=True)) for p in product(wide, repeat=4))
        )


@given(triples, st.tuples(*[st.integers(-2, 2)] * 4))
def test_the_least_values_are_a_model_below_all_others(some, ends):
    """Of those that are nowhere below the given ends."""
    lower = dict(zip(NAMES, ends, strict=True))
    found = least_values(graph(some), lower)
    above = [m for m in models(some) if all(m[x] >= low for x, low in lower.items())]
    if found is None:
        assert not is_consistent(graph(some))
        return
    assert all(found[x] <= found[y] + c for x, y, c in some if x != y)
    assert all(lower[x] <= found[x] <= m[x] for m in above for x in NAMES)


def test_strict_chains_and_cycles():
    """`a < b, b < c` gives `a < c` and more; closing the circle leaves nothing."""
    chain = [parse(f"x{i} < x{i + 1}").formula for i in range(60)]
    state = analyse(chain)
    assert state.truth(parse("x0 <= x60 - 60").formula) is True
    assert state.truth(parse("x0 <= x60 - 61").formula) is None
    assert state.truth(parse("x60 < x3").formula) is False
    assert analyse([*chain, parse("x60 < x0").formula]).is_empty
