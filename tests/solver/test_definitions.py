"""Names that equations define: with them replaced, every answer is what it is without, and what trying values says."""

from itertools import product
from random import Random

import pytest
from benchmarks.small_systems import ask
from hypothesis import given, settings
from oracle import Meaning
from strategies import assignments, terms

from dynconstraints import ConstraintSystem, Implied, Open
from dynconstraints.ir.evaluate import value_of
from dynconstraints.solver import portfolio
from dynconstraints.solver.algebra.linear_terms import simplified

EACH = settings().max_examples
BOX = range(-6, 13)
NAMES = ("a", "b", "c", "d")
TERMS = (
    *("{x} // 2", "({x} - 2) // 2 + 1", "{x} % 4", "{x} * {y}", "{x} + {y}", "2*{x} - 3", "{x} // {y}", "{x} % {y}"),
    *("max({x}, {y})", "{x} * {x}", "min({x}, 3) - {y}", "({x} + 1) // 3 // 2", "{x} // -2", "gcd({x}, {y})"),
    *("({x} if {x} > {y} else 2)", "5 - {x}", "(3*{x} + 7) // 3 - {x}", "0*{x} + {y}", "{x} // ({y} // 2)"),
)
PREMISES = (
    *("{x} <= {y}", "{x} % 3 == 1", "{x} != {y}", "{x} in {{1, 4, 7}}", "2*{x} + 3*{y} <= 11", "{x}*{y} == 12"),
    *("3*{x} <= 2*{y} <= 3*{x} + 2", "{x} == 2 or {y} == 3", "{x} // 3 == {y}", "{x} >= {y} // 2", "4*{x} == 6*{y}"),
    *("{x} + {y} == {z}", "{x} % 4 == {y} % 4", "{x} > 0", "{x}*{y} == {z}", "({x} + {y}) % 5 == 2", "{x} * 0 == 0"),
)


def a_system(rng: Random) -> tuple[list[str], list[dict[str, int]]]:
    """Constraints, among them definitions, and all assignments that satisfy them, by an evaluator of the tests' own."""
    used = NAMES[: rng.randint(2, 4)]

    def filled(template: str) -> str:
        return template.format(**dict(zip("xyz", rng.choices(used, k=3), strict=True)))

    texts = [f"{name} == {filled(rng.choice(TERMS))}" for name in rng.sample(used, rng.randint(1, len(used) - 1))]
    texts += [filled(text) for text in rng.choices(PREMISES, k=rng.randint(0, 3))]
    texts += [f"{low} <= {name} <= {low + rng.randint(0, 9)}" for name in used for low in [rng.randint(-6, 3)]]
    rng.shuffle(texts)
    meanings = [Meaning(text) for text in texts]
    box = (dict(zip(used, values, strict=True)) for values in product(BOX, repeat=len(used)))
    return texts, [point for point in box if all(meaning(point) is True for meaning in meanings)]


@pytest.mark.parametrize("seed", range(EACH))
def test_projections_counts_and_lists_are_those_of_all_assignments(seed: int) -> None:
    rng = Random(seed)
    texts, points = a_system(rng)
    system = ConstraintSystem(texts)
    assert system.count() == len(points), texts
    listed = list(system.enumerate())
    assert sorted(tuple(sorted(p.items())) for p in listed) == sorted(tuple(sorted(p.items())) for p in points), texts
    kept = [name for name in system.symbols if rng.random() < 0.6]
    found = system.project(kept)
    meanings = [Meaning(constraint.text) for constraint in found]
    reached = {tuple(point[name] for name in kept) for point in points}
    for values in product(range(-12, 14), repeat=len(kept)) if len(kept) < 4 else reached:
        point = dict(zip(kept, values, strict=True))
        holds = all(meaning(point) is True for meaning in meanings)
        assert holds or values not in reached, (texts, kept, list(found), point)
        assert not holds or values in reached or not found.exact, (texts, kept, list(found), point)


@pytest.mark.parametrize("seed", range(4))
def test_small_systems_are_answered_right_with_their_definitions_replaced(seed: int, monkeypatch) -> None:
    monkeypatch.setattr(portfolio, "FEW_NAMES", 0)
    asked = ask(9_000 + seed, EACH)
    assert asked.wrong == []
    assert sum(asked.undecided.values()) <= EACH // 50


@given(terms(), assignments())
def test_a_simplified_term_has_the_same_value_and_is_undefined_where_the_term_is(term, values) -> None:
    assert value_of(simplified(term), values) == value_of(term, values)


def chain(length: int, halved: int) -> list[str]:
    """Heights and widths of layers, of which every eighth halves them."""
    texts = ["h0 % 8 == 0", "w0 % 8 == 0", "8 <= h0 <= 4096", "8 <= w0 <= 4096", "1 <= b <= 64"]
    for side in "hw":
        for i in range(1, length):
            before = f"{side}{i - 1}"
            step = f"({before} - 2)//2 + 1" if i % halved == 0 else f"({before} + 2 - 2 - 1)//1 + 1"
            texts.append(f"{side}{i} == {step}")
    return texts


@pytest.mark.parametrize("length", [20, 24, 25, 60, 150])
def test_what_holds_of_a_chain_does_not_depend_on_how_long_it_is(length: int) -> None:
    system = ConstraintSystem(chain(length, 8))
    assert isinstance(system.implies("h8*w8*4 == h0*w0"), Implied)
    assert isinstance(system.implies("h8 % 8 == 0"), Open)
    assert system.congruence("h8*w8") == (16, 0)
    found = system.range("b*h8*w8")
    assert (found.lower, found.upper, found.lower_is_tight, found.upper_is_tight) == (16, 64 * 2048**2, True, True)
    assert system.nearest({"h0": 20})["h0"] == 16
    models = system.sample(5)
    assert len(models) == 5
    assert all(map(system.holds, models))


def test_witnesses_have_values_for_all_names_that_hold_or_break_the_query() -> None:
    system = ConstraintSystem(chain(60, 8))
    verdict = system.implies("h40 + other > 100")
    assert isinstance(verdict, Open)
    assert set(verdict.holds_at) == set(verdict.fails_at) == {*system.symbols, "other"}
    assert system.holds(verdict.holds_at)
    assert verdict.holds_at["h40"] + verdict.holds_at["other"] > 100
    assert system.holds(verdict.fails_at)
    assert verdict.fails_at["h40"] + verdict.fails_at["other"] <= 100


def test_a_definition_that_may_be_undefined_keeps_its_divisor_from_being_0() -> None:
    names = [f"n{i}" for i in range(12)]
    system = ConstraintSystem([*(f"{name} == x // y + {i}" for i, name in enumerate(names)), "y >= 0"])
    assert isinstance(system.implies("y >= 1"), Implied)
    assert isinstance(system.implies("n3 == n1 + 2"), Implied)
