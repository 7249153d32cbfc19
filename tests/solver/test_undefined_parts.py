"""What a part without a value does to an answer: nothing that divides by 0 is true, and neither is its negation.

Each of these was answered wrong once, or ended in a foreign error.
"""

from itertools import product

import pytest

from dynconstraints import ConstraintSystem, Implied, Open, Sat, Unsat

BOX = ["-4 <= a <= 4", "-4 <= b <= 4"]


@pytest.mark.parametrize(
    ("given", "query", "fails_at"),
    [
        (BOX, "(3 if divides(a, b) else 3) == 3", {"a": 0}),
        (BOX, "(3 if not divides(a, b) else 3) > 2", {"a": 0}),
        (BOX, "(3 if b in {1 // a} else 3) == 3", {"a": 0}),
        (BOX, "divides(a, b) or not divides(a, b)", {"a": 0}),
        (BOX, "2*(5 // a) not in range(1, 9, 2)", {"a": 0}),
        (["x >= 5", "-3 <= a <= 3"], "x not in range(3 // a, 5)", {"a": 0}),
        (["x >= 5"], "x not in range(3 // a, 5)", {"a": 0}),
        (["x >= 5"], "x not in range(a % 0, 5)", {}),
        (["x < 0"], "x not in range(0, x % a)", {"a": 0}),
        (["x < 0"], "(7 if x in range(0, x % a) else 7) == 7", {"a": 0}),
    ],
)
def test_what_has_no_truth_value_somewhere_is_not_implied(given: list[str], query: str, fails_at: dict) -> None:
    """Though its negation is true nowhere."""
    system = ConstraintSystem([*given])
    verdict = system.implies(query)
    assert not isinstance(verdict, Implied)
    if isinstance(verdict, Open):
        assert verdict.fails_at.items() >= fails_at.items()
        assert system.holds(verdict.fails_at)


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ([*BOX, "a != 0"], "(3 if divides(a, b) else 3) == 3"),
        (["x >= 5", "a != 0", "-3 <= a <= 3"], "x not in range(a * (3 // a), 5)"),
        (["x >= 5", "a > 0"], "x not in range(3 // a, 5)"),
        ([*BOX], "(b if a == 0 else b // a * a + b % a) == b"),
    ],
)
def test_what_has_one_everywhere_still_is(given: list[str], query: str) -> None:
    """A divisor that is never 0, or whose part is not chosen where it is."""
    assert ConstraintSystem(given).implies(query) == Implied()


@pytest.mark.parametrize(
    ("constraints", "values"),
    [
        (["align_down(b, a//5) == 0", "a <= -1", "b <= a"], None),
        (["align_down(min(a, b), a//5) == 0", "a <= -1"], None),
        (["align_down(b, a//5) == 0", "a <= -1"], {"a", "b"}),
    ],
)
def test_a_divisor_that_turns_out_to_be_0_ends_a_case(constraints: list[str], values: set[str] | None) -> None:
    """It was positive where it was divided by."""
    verdict = ConstraintSystem(constraints).check()
    if values is None:
        assert isinstance(verdict, Unsat)
    else:
        assert isinstance(verdict, Sat)
        assert verdict.model.keys() == values


@pytest.mark.parametrize(
    "text",
    [
        "a in {align_up(a, 8), b}",
        "a in {a // 8 * 8, b}",
        "a in {b, align_up(a, 8)}",
        "a in {6*b + 2, b % 4 * 6 + 5}",
        "a in {b // 3 * 4, 4*b + 2, 6}",
        "a in {3 // b * 4, 8}",
        "a in {3 % 0, 2*b}",
        "a % 4 in {b, 3}",
        "not a not in {b * b, 3}",
        "a not in {align_up(a, 8), b}",
        "a in range(b * b, 14, 3)",
        "a in range(align_up(b, 4), 14, 4)",
        "a not in range(b // 2 * 4, 14, 2)",
    ],
)
def test_sets_and_ranges_of_terms_say_what_their_values_say(text: str) -> None:
    """No element is taken for the only one, and common residues are those of all elements."""
    system = ConstraintSystem([text, "-3 <= a <= 14", "-2 <= b <= 14"])
    expected = [
        values
        for pair in product(range(-3, 15), range(-2, 15))
        if system.holds(values := dict(zip(("a", "b"), pair, strict=True)))
    ]
    assert system.count() == len(expected) > 0
    facts = system.facts()
    assert facts.lattice is not None
    assert all(map(facts.lattice.contains, expected))
    for residue in range(4):
        implied = system.implies(f"a % 4 == {residue}") == Implied()
        assert implied is all(values["a"] % 4 == residue for values in expected)


def test_a_set_has_the_common_residue_of_its_elements() -> None:
    """Also where they are terms of which nothing is known."""
    system = ConstraintSystem(["a in {align_up(b, 8), align_down(c, 4) + 12}"])
    assert system.congruence("a") == (4, 0)
    assert ConstraintSystem(["a in {b*c, b*c + 6, b*c - 3}"]).implies("(a - b*c) % 3 == 0") == Implied()


@pytest.mark.parametrize(
    ("given", "term", "low", "high"),
    [
        (["a >= -1"], "gcd(a, b)", 0, None),
        (["-1 <= a <= 5"], "gcd(a, b)", 0, None),
        (["-1 <= a <= 5"], "gcd(a, b) // 6", 0, None),
        (["-7 <= a <= -2"], "gcd(a, b)", 1, 7),
        (["-5 <= a <= 5", "-3 <= b <= 2"], "gcd(a, b)", 0, 5),
        (["-5 <= a <= 3"], "abs(a)", 0, 5),
        (["-5 <= a <= 3", "0 <= b <= 2"], "lcm(a, b)", 0, 10),
    ],
)
def test_divisors_of_what_may_be_0_have_no_bound(given: list[str], term: str, low: int, high: int | None) -> None:
    """``gcd(0, 100)`` is 100 and ``gcd(0, 0)`` is 0: only an argument that is never 0 bounds it."""
    found = ConstraintSystem(given).range(term)
    assert (found.lower, found.upper) == (low, high)
    assert found.lower_is_tight


def test_a_product_beside_a_modulus_is_no_exact_projection() -> None:
    """``2*a*b + c`` leaves 1 modulo 4: c is odd, but where a is even that is not all."""
    found = ConstraintSystem(["(2*a*b + c) % 4 == 1", "a % 2 == 0"]).project(["c"])
    assert not all(c.holds({"c": 3}) for c in found)


def test_a_long_run_of_single_values_is_listed() -> None:
    """Names with one value each make many steps of few combinations."""
    ones = [f"1 <= n{i} < 2" for i in range(9)]
    system = ConstraintSystem(["1 <= a <= 500", *ones, f"{' + '.join(f'n{i}' for i in range(9))} + a <= 1000"])
    assert system.bounds("a*n0") == (1, 500)
    assert system.count() == 500
