"""What is implied by the bounds that single constraints state holds under every assignment of a box."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Meaning, names

from dynconstraints import parse
from dynconstraints.facts.product.box import Box

BOX = [dict(zip("ab", values, strict=True)) for values in product(range(-9, 10), repeat=2)]
RELATIONS = ("<=", "<", ">=", ">", "==", "!=")
one_name = st.builds("{} {} {}".format, st.sampled_from("ab"), st.sampled_from(RELATIONS), st.integers(-6, 6))
mirrored = st.builds("{} {} {}".format, st.integers(-6, 6), st.sampled_from(RELATIONS), st.sampled_from("ab"))
aligned = st.builds("{} % {} == {}".format, st.sampled_from("ab"), st.integers(1, 4), st.integers(0, 4))
premises = st.lists(one_name | mirrored | aligned, max_size=4)
terms = st.sampled_from(["a", "b", "a + b", "2*a - b", "a*b", "-a", "a*a + 3", "4", "a // 2", "a // b"])
queries = st.builds("{} {} {}".format, terms, st.sampled_from(RELATIONS), terms) | st.builds(
    "({}) % {} == {}".format, terms, st.integers(1, 4), st.integers(0, 3)
)


@given(given_=premises, query=queries)
def test_what_is_implied_holds_everywhere(given_: list[str], query: str) -> None:
    """By Python's own reading of the texts."""
    if Box(parse(text).formula for text in given_).implies(parse(query).formula):
        holds, meanings = Meaning(query), [Meaning(text) for text in given_]
        assert all(holds(values) is True for values in BOX if all(m(values) is True for m in meanings))


@pytest.mark.parametrize(
    ("given_", "query"),
    [
        (["s >= 32"], "s >= 16"),
        (["32 <= s <= 1024"], "s != 7"),
        (["s % 32 == 0"], "s % 16 == 0"),
        (["s % 32 == 0", "b % 48 == 5"], "(s + b) % 16 == 5"),
        (["s >= 2", "3 <= b and b <= 8"], "6 <= s*b"),
        (["a == 4"], "4 == a"),
        (["a > 3", "b < 2"], "b < a"),
    ],
)
def test_plain_questions_need_no_more(given_: list[str], query: str) -> None:
    """Bounds and remainders, as they are declared."""
    assert names(*given_)
    assert Box(parse(text).formula for text in given_).implies(parse(query).formula)
