"""Verdicts that take cases, residues or multiples of what is known, whatever finds them."""

import pytest

from dynconstraints import ConstraintSystem, Implied, Refuted


@pytest.mark.parametrize(
    ("constraints", "query"),
    [
        (["a == 1 or a == 3"], "a % 2 == 1"),
        ([], "(a**5 - a) % 30 == 0"),
        (["a % b == 0", "b > 0", "c % b == 0"], "(a + c) % b == 0"),
        (["i < m", "j < n", "i >= 0", "j >= 0"], "i*n + j < m*n"),
        (["y != 0"], "x // y * y + x % y == x"),
        ([], "x == x or 1 // x == 2"),
        (["a <= b + 2", "b <= c - 3", "c <= d"], "a < d"),
        (["s >= 32"], "s >= 16"),
        (["32 <= s <= 1024"], "s != 7"),
        (["s % 32 == 0"], "s % 16 == 0"),
        (["s % 32 == 0", "b % 48 == 5"], "(s + b) % 16 == 5"),
        (["s >= 2", "3 <= b and b <= 8"], "6 <= s*b"),
        (["a == 4"], "4 == a"),
        (["a > 3", "b < 2"], "b < a"),
    ],
)
def test_what_follows_is_implied(constraints, query):
    """By itself, and negated it is refuted."""
    system = ConstraintSystem(constraints)
    assert system.implies(query) == Implied()
    assert system.implies(f"not ({query})") == Refuted()


@pytest.mark.parametrize(
    ("constraints", "query"), [([], "1 // x == 2 // x and x == 0"), (["a in {1, 3}"], "a % 2 == 0"), ([], "a*a == 7")]
)
def test_what_holds_nowhere_is_refuted(constraints, query):
    """Also where it is undefined everywhere that it is not false."""
    assert ConstraintSystem(constraints).implies(query) == Refuted()
