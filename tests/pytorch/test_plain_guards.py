"""What a guard comes to on a declared domain: said as a person would, and proved; brute force is the oracle."""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynconstraints import Constraint, ConstraintSystem, parse
from dynconstraints.ir.fold import substitute
from dynconstraints.ir.nodes import Name, Not
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.guards.normal_guards import normal_form
from dynconstraints.pytorch.guards.plain_guards import opposite, plain, plain_guards, share

IMAGE = ["h % 32 == 0", "w % 32 == 0", "96 <= h <= 1024", "96 <= w <= 1024"]
PADDED = "(x + (16 + -1*(x % 16)) % 16) // 16"

CASES = [
    (["h % 16 == 0", "h >= 64"], "16*(h // 16) == 32*(h // 16 // 2)", "h % 32 == 0", "h % 32 != 0"),
    (["h % 16 == 0", "64 <= h <= 100"], "16*(h // 16) == 32*(h // 16 // 2)", "h % 32 == 0", "h % 32 != 0"),
    (IMAGE, "1 + (-1 + w // 32) // 4 != 1", "w >= 160", "w <= 128"),
    (IMAGE, "1 < (1 + (-1 + w // 32) // 4)*(1 + (-1 + h // 32) // 4)", "h >= 160 or w >= 160", "h <= 128 and w <= 128"),
    (IMAGE, "256 + h*w != 50432", "h*w != 50176", "h*w == 50176"),
    (["b >= 2", "h % 16 == 0"], "b*16*(h // 16) == 32*b*(h // 16 // 2)", "h % 32 == 0", "h % 32 != 0"),
    (["x >= 1", "y >= 1"], f"1 + {PADDED}*({PADDED.replace('x', 'y')}) != 197", "ceildiv(x, 16)*ceildiv(y, 16) != 196",
     "ceildiv(x, 16)*ceildiv(y, 16) == 196"),
    (["h % 32 == 0", "h >= 0"], "h >= 57", "h >= 64", "h <= 32"),
    (["n % 32 == 0", "n >= 32"], "n != 32", "n >= 64", "n == 32"),
    (["n % 32 == 0", "0 <= n <= 1024"], "n // 32 % 2 == 1", "n % 64 == 32", "n % 64 == 0"),
    (["n in {64, 96, 128, 256}"], "n // 32 != 3", "n != 96", "n == 96"),
    (["0 <= n <= 100"], "n // 7 == 3", "21 <= n <= 27", "n <= 20 or n >= 28"),
    (["0 <= n <= 100"], "n // 7 != 0 and n % 4 == 0", "n % 4 == 0 and n >= 8", "n % 4 != 0 or n <= 7"),
    (["1 <= n <= 40"], "17 // n == 2 and n // 3 == 2", "n in {6, 7, 8}", "n not in {6, 7, 8}"),
    (["n >= 1"], "(n + 15) // 16 <= 64", "n <= 1024", "n >= 1025"),
    (["n >= 1"], "(n + 15) // 16 * 16 == n", "n % 16 == 0", "n % 16 != 0"),
    (["a % 4 == 0", "b % 4 == 0", "a > 0"], "4*(a // 4)*(b // 4) == 8*(a // 4*(b // 4) // 2)", "a*b % 32 == 0",
     "a*b % 32 != 0"),
    (["b >= 1", "x >= 1"], "4*b*((x + 15) // 16) // (b*((x + 15) // 16)) == 4*b", "b == 1", "b >= 2"),
    (["x >= 0"], "(x // 4 + (4 - x // 4 % 4) % 4) // 4 * 3 == 6", "20 <= x <= 35", "x <= 19 or x >= 36"),
    (["a >= 1", "b >= 1"], "3*a*b % 48 == 0", "a*b % 16 == 0", "a*b % 16 != 0"),
    (["b >= 1", "n >= 1"], "b*n % (4*b) == 0", "n % 4 == 0", "n % 4 != 0"),
    (["b >= 1", "n >= 1"], "b*n // (4*b) == 2", "8 <= n <= 11", "n <= 7 or n >= 12"),
    (["a >= 2", "b >= 2"], "2*a - 6*b > 3", "a >= 3*b + 2", "a < 3*b + 2"),
    (["a >= 2", "b >= 2"], "3*b - a == 2*b", "a == b", "a != b"),
]  # fmt: skip


@pytest.mark.parametrize(("known", "guard", "expected", "otherwise"), CASES, ids=[c[1] for c in CASES])
def test_a_guard_is_said_as_a_person_would(known: list[str], guard: str, expected: str, otherwise: str) -> None:
    """And so is where it fails."""
    system = ConstraintSystem(known)
    said = plain(parse(guard).formula, system)
    assert show(said) == expected
    assert show(opposite(said, system)) == otherwise


PLAIN = ["h % 64 == 0", "h % 32 != 0", "h*w % 2048 == 0", "h == w", "h >= 160 or w >= 160", "h == 96", "h in {96, 160}"]


@pytest.mark.parametrize("guard", PLAIN)
def test_what_is_plain_stays(guard: str) -> None:
    """As the user may have written it himself."""
    assert show(plain(parse(guard).formula, ConstraintSystem(IMAGE))) == guard


def test_guards_are_said_beside_each_other() -> None:
    """With h <= 128 the product is above 1 where w >= 160."""
    guards = ["1 < (1 + (-1 + w // 32) // 4)*(1 + (-1 + h // 32) // 4)", "h <= 128"]
    said = plain_guards([parse(g).formula for g in guards], ConstraintSystem(IMAGE))
    assert list(map(show, said)) == ["w >= 160", "h <= 128"]


def test_how_much_a_guard_leaves_is_counted() -> None:
    """Of a domain that has no end the first values are."""
    system = ConstraintSystem(IMAGE)
    small, large = (share(parse(g).formula, system) for g in ("h <= 128", "h >= 160"))
    assert small is not None
    assert (small.kept, small.every, small.is_complete, small.is_smaller) == (2, 30, True, True)
    assert large is not None
    assert not large.is_smaller
    endless = share(parse("n <= 128").formula, ConstraintSystem(["n % 32 == 0", "n >= 32"]))
    assert endless is not None
    assert endless.is_smaller
    assert not endless.is_complete
    assert share(parse("h < w").formula, system) is None


def test_floats_and_names_of_expressions_stay_what_they_are() -> None:
    """A float rounds; the name of a size that is held as ``4*h`` is no product."""
    real = ConstraintSystem(["0.0 < p <= 5.0"])
    guard = Constraint.of(parse("n > 3").formula)
    assert plain(guard.formula, ConstraintSystem(["n > 0.5"], reals=["n"])) == guard.formula
    assert show(plain(parse("2*n > 7").formula, real)) == "n >= 4"
    held = Name("4*h")
    named = parse("n // 8 * 8 == n").formula
    assert show(plain(substitute(named, {"n": held}), ConstraintSystem())) == "4*h % 8 == 0"


TERMS = (
    "h", "w", "h // 2", "h // 4", "(h + 3) // 4", "(h - 1) // 3", "h % 3", "w // 2", "w % 4", "h // 2 // 3",
    "(h + (4 - h % 4) % 4) // 4", "h*w", "h + w", "1", "2", "5", "12", "max(1, h // 4)", "(2*h + w) // 2", "h // 4*4",
    "-1 + h // 2",
    "(h // 2)*(w // 2)", "3*h", "h*h", "w*h // (2*h)", "4*w % (3*w)", "h*w % (4*h)", "h*(w // 2) // (h*w)",
)  # fmt: skip
DOMAINS = (
    ["1 <= h <= 14", "1 <= w <= 9"],
    ["h % 2 == 0", "2 <= h <= 24", "w % 2 == 0", "2 <= w <= 12"],
    ["h % 4 == 0", "-8 <= h <= 24", "w % 4 == 1", "1 <= w <= 17"],
    ["h in {3, 4, 8, 16}", "0 <= w <= 8"],
    ["h == 2*w", "1 <= w <= 12"],
)


@st.composite
def guards(draw: st.DrawFn) -> str:
    sides = st.sampled_from(TERMS)
    relation = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
    left, right = draw(sides), draw(sides)
    factor = draw(st.sampled_from(["", "2*", "3*"]))
    number = draw(st.integers(-3, 9))
    return f"{factor}({left}) + {number} {relation} {right}"


@settings(max_examples=5000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 100)
@given(st.sampled_from(DOMAINS), st.lists(guards(), min_size=1, max_size=2))
def test_what_is_said_holds_where_the_guards_hold(domain: list[str], texts: list[str]) -> None:
    """One by one, together, and what is said to be elsewhere fails there; over the whole domain."""
    system = ConstraintSystem(domain)
    values = [
        {"h": h, "w": w} for h, w in itertools.product(range(-8, 25), range(18)) if system.holds({"h": h, "w": w})
    ]
    assert len(values) >= 12
    formulas = [parse(text).formula for text in texts]
    together = ConstraintSystem([Constraint.of(f) for f in plain_guards(formulas, system)])
    alone = [Constraint.of(plain(f, system)) for f in formulas]
    elsewhere = [Constraint.of(opposite(c.formula, system)) for c in alone]
    normal = [Constraint.of(normal_form(f, system)) for f in formulas]
    for each in values:
        holds = [Constraint.of(f).holds(each) for f in formulas]
        assert [c.holds(each) for c in alone] == holds
        assert [c.holds(each) for c in normal] == holds
        # Where a divisor is 0 neither holds.
        assert [c.holds(each) for c in elsewhere] == [Constraint.of(Not(f)).holds(each) for f in formulas]
        assert together.holds(each) == all(holds)
