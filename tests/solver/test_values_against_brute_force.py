"""Enumeration, nearest values, samples, projections, cores and minimisation, against trying all assignments."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynconstraints import ConstraintSystem, SolverLimitError, Unsat
from dynconstraints.ir.fold import names

NAMES = ("a", "b", "c")
RANGE = range(-3, 5)
BOX = [dict(zip(NAMES, values, strict=True)) for values in product(RANGE, repeat=3)]
BOUNDS = [f"{RANGE[0]} <= {name} <= {RANGE[-1]}" for name in NAMES]
PIECES = (
    "a < b",
    "b <= c - 1",
    "a == 2*b",
    "a + b + c == 3",
    "c != a",
    "a % 2 == 0",
    "(a + b) % 3 == 1",
    "b % 2 == c % 2",
    "a*b == c",
    "a*c >= 2",
    "a // b == c",
    "a == 1 or b == 2",
    "a > 0 => c > 0",
    "max(a, b) == c",
    "abs(a) + abs(b) <= 3",
    "a in {0, 3}",
    "b >= 0",
    "divides(a, b)",
    "3*a == 2*c",
)
few = settings(max_examples=max(1, settings().max_examples // 10))  # each is many questions
pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3, unique=True)


def satisfying(system: ConstraintSystem) -> list[dict[str, int]]:
    return [values for values in BOX if system.holds(values)]


@few
@given(texts=pieces)
def test_enumeration_and_count_are_exact(texts: list[str]) -> None:
    """Every assignment once, in lexicographic order, and their number."""
    system = ConstraintSystem([*BOUNDS, *texts])
    expected = satisfying(system)
    assert list(system.enumerate()) == expected
    assert system.count() == len(expected)


@few
@given(texts=pieces, values=st.sampled_from(BOX))
def test_nearest_is_nearest(texts: list[str], values: dict[str, int]) -> None:
    """No assignment changes fewer names, nor as few by less."""
    system = ConstraintSystem([*BOUNDS, *texts])
    expected = satisfying(system)

    def cost(other: dict[str, int]) -> tuple[int, int]:
        return sum(other[n] != values[n] for n in NAMES), sum(abs(other[n] - values[n]) for n in NAMES)

    if expected:
        near = system.nearest(values)
        assert system.holds(near)
        assert cost(near) <= min(map(cost, expected))


@few
@given(texts=pieces, seed=st.integers(0, 5))
def test_samples_satisfy_and_differ(texts: list[str], seed: int) -> None:
    """Each is legal, no two are the same, and there are as many as asked for or as there are."""
    system = ConstraintSystem([*BOUNDS, *texts])
    found = system.sample(6, seed=seed)
    assert all(system.holds(values) for values in found)
    assert len({tuple(sorted(values.items())) for values in found}) == len(found)
    assert len(found) == min(6, len(satisfying(system)))


@few
@given(texts=pieces, kept=st.sets(st.sampled_from(NAMES), min_size=1, max_size=2))
def test_projections_are_sound_and_exact_where_they_say_so(texts: list[str], kept: set[str]) -> None:
    """What satisfies the set satisfies the projection; where it is exact, nothing else does."""
    system = ConstraintSystem([*BOUNDS, *texts])
    projected = system.project(sorted(kept))
    assert all(names(constraint.formula) <= kept for constraint in projected)
    legal = {tuple(values[n] for n in sorted(kept)) for values in satisfying(system)}
    allowed = {
        values
        for values in product(range(RANGE[0] - 3, RANGE[-1] + 4), repeat=len(kept))
        if projected.system.holds(dict(zip(sorted(kept), values, strict=True)))
    }
    assert legal <= allowed
    if projected.exact:
        assert legal == allowed


@few
@given(texts=st.lists(st.sampled_from((*PIECES, "a > 9", "b == 7", "c < -5")), min_size=2, max_size=5, unique=True))
def test_cores_are_unsatisfiable_and_minimal(texts: list[str]) -> None:
    """No constraint of a core can be left out."""
    answer = ConstraintSystem([*BOUNDS, *texts]).check()
    if isinstance(answer, Unsat):
        core = answer.core
        assert isinstance(ConstraintSystem(core).check(), Unsat)
        assert not any(
            isinstance(ConstraintSystem([*core[:i], *core[i + 1 :]]).check(), Unsat) for i in range(len(core))
        )


@few
@given(texts=pieces)
def test_minimising_keeps_the_meaning(texts: list[str]) -> None:
    """The smaller system has the same assignments, and what was dropped follows from what it is said to follow from."""
    system = ConstraintSystem([*BOUNDS, *texts])
    smaller = system.minimize()
    wide = [dict(zip(NAMES, values, strict=True)) for values in product(range(-5, 7), repeat=3)]
    known = set(smaller.system.symbols)  # each name is bounded, so that none can go
    assert known == set(NAMES)
    assert all(smaller.system.holds(values) == system.holds(values) for values in wide)
    for dropped in smaller.dropped:
        reasons = ConstraintSystem(dropped.follows_from)
        assert all(dropped.constraint.holds(values) for values in wide if reasons.holds(values))


@few
@given(texts=pieces, expression=st.sampled_from(("a", "a + b", "a*c", "a - 2*c", "a % 3", "a*a + b", "a // 2")))
def test_bounds_and_congruences_are_tight(texts: list[str], expression: str) -> None:
    """Exactly the ends of the values, and exactly their common congruence."""
    system = ConstraintSystem([*BOUNDS, *texts])
    found = sorted({eval(expression, {}, values) for values in satisfying(system)})
    if found:
        assert system.bounds(expression) == (found[0], found[-1])
        from math import gcd

        modulus = gcd(*(value - found[0] for value in found))
        assert system.congruence(expression) == (modulus, found[0] % modulus if modulus else found[0])


@few
@given(texts=pieces)
def test_unbounded_sets_are_refused(texts: list[str]) -> None:
    """A set with a free name cannot be counted."""
    system = ConstraintSystem([*texts, "z > a"])
    if isinstance(system.check(), Unsat):
        assert system.count() == 0
    else:
        with pytest.raises(SolverLimitError, match="DC601"):
            system.count(limit=50)
