"""Guards to constraints: what is proposed says the same as the guards, no more and no less."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynconstraints import ConstraintSystem, parse
from dynconstraints.pytorch.reports.suggesting.generalize import generalised

GUARDS = [
    (["h // 7 * 7 == h", "h // 7 != 1", "h // 7 != 0", "h > 0"], {"h % 7 == 0", "h >= 14"}),
    (["h == 16 + 16*((h - 1) // 16)", "h != 16", "h >= 2"], {"h % 16 == 0", "h >= 32"}),
    (["x + y == 32"], {"x + y == 32"}),
    (["m % n == 0", "m // n != 1", "n >= 2", "m >= 1"], {"m % n == 0", "m >= 2*n", "n >= 2"}),
    (["a // b * b == a", "b // a * a == b", "a > 0", "b > 0"], {"a == b", "a >= 1"}),
]


@pytest.mark.parametrize(("guards", "expected"), GUARDS, ids=[g[0] for g, _ in GUARDS])
def test_known_forms_are_found(guards: list[str], expected: set[str]) -> None:
    """As a person would say it."""
    found = generalised([parse(g).formula for g in guards], ConstraintSystem(), [])
    assert {c.text for c in found} == expected


def test_an_equation_is_guessed_from_the_calls_and_proved_from_the_guards() -> None:
    """y == 32 - x holds at the values and follows; y == 2*x + 2 at one of them follows from nothing."""
    values = [{"x": 10, "y": 22}, {"x": 12, "y": 20}]
    guards = [parse(g).formula for g in ("x + y == 32", "x >= 2", "y >= 2")]
    assert {c.text for c in generalised(guards, ConstraintSystem(), values)} == {"y == 32 - x", "x >= 2", "x <= 30"}
    free = [parse(g).formula for g in ("x >= 2", "y >= 2")]
    assert {c.text for c in generalised(free, ConstraintSystem(), [values[0]])} == {"x >= 2", "y >= 2"}


def test_what_is_known_is_not_proposed_again() -> None:
    """A multiple of 32 need not be said to be one of 16."""
    known = ConstraintSystem(["n % 32 == 0", "n > 0"])
    guards = [parse(g).formula for g in ("n % 16 == 0", "n >= 2", "n <= 1000")]
    assert [c.text for c in generalised(guards, known, [])] == ["n <= 992"]


QUARTER = ["h % 4 == 0", "w % 4 == 0", "h >= 4", "w >= 4"]
ROUNDABOUT = [
    (QUARTER, ["max(1, h // 4)*max(1, w // 4) != 1"], {}, ["h >= 8 or w >= 8"]),
    (["h % 2 == 0", "w % 2 == 0", "h >= 2", "w >= 2"], ["max(1, h // 2)*max(1, w // 2) > 1"], {}, ["h >= 4 or w >= 4"]),
    (["0 <= h <= 9", "0 <= w <= 9"], ["h // 3 + w // 3 != 6"], {}, ["h <= 8 or w <= 8"]),
    (["x >= 8"], ["x // 4 % (x // 8) == 0", "x // (4*(x // 8)) == 2"], {}, ["x // 4 % 2 == 0"]),
    (["b >= 1", "h >= 2", "w >= 2"], ["3*b*h*w % (48*b) == 0"], {}, ["h*w % 16 == 0"]),
    (["b >= 1"], ["(h*b + b*w) % (4*b) == 0"], {}, ["(h + w) % 4 == 0"]),
    (["b >= 1"], ["(8*b - 2*b*w) % (4*b) == 0"], {}, ["w % 2 == 0"]),
    (["h >= 1", "w >= 1"], ["h // 4 + w // 4 > max(h % 4, w % 4)"], {"h": 8, "w": 4}, None),
    (["h >= 4", "w >= 4"], ["max(h % 4, w % 4) // 2 == 0"], {"h": 8, "w": 9}, None),
    (["0 <= h <= 15", "0 <= w <= 15"], ["(h // 4)*(w // 4) != 9"], {"h": 8, "w": 15}, ["h <= 11 or w <= 11"]),
]


@pytest.mark.parametrize(("known", "guards", "values", "expected"), ROUNDABOUT, ids=[g[1][0] for g in ROUNDABOUT])
def test_what_programs_ask_in_a_roundabout_way_is_said_plainly(
    known: list[str], guards: list[str], values: dict[str, int], expected: list[str] | None
) -> None:
    """No quotients where bounds or multiples say the same; where nothing plain does, the guards as they are."""
    calls = [values] if values else []
    found = generalised([parse(g).formula for g in guards], ConstraintSystem(known), calls)
    assert [c.text for c in found] == (guards if expected is None else expected)


def test_what_loses_sizes_is_proposed_only_where_no_call_has_them() -> None:
    """Multiples of 4 and 6 satisfy it, and so do other pairs; a call with such a pair keeps the guard."""
    guard = "(h // 4 * 4 - h)*(w // 6) == (w // 6 * 6 - w)*(h // 4)"
    known = ConstraintSystem(["h >= 4", "w >= 6"])
    assert [c.text for c in generalised([parse(guard).formula], known, [{"h": 9, "w": 14}])] == [guard]


ATOMS = ["a % 3 == 1", "a // 2 != 1", "a + b == 12", "a >= 2", "b > a", "b % a == 0", "a*b != 12", "max(a, b) <= 9"]
BOX = ("0 <= a <= 12", "0 <= b <= 12")


@settings(max_examples=40)
@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4, unique=True))
def test_a_proposal_holds_where_the_guards_hold_and_nowhere_else(texts: list[str]) -> None:
    """By brute force over a box."""
    guards = ConstraintSystem(texts)
    known = ConstraintSystem(BOX)
    found = ConstraintSystem((*known, *generalised([c.formula for c in guards], known, [])))
    for a, b in itertools.product(range(13), repeat=2):
        values = {"a": a, "b": b}
        assert found.holds(values) == guards.holds(values)
