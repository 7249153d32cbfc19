"""Refutation by residues: what it refutes has no assignment in a box, by Python's own reading of the texts."""

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Meaning

from dynconstraints import ConstraintSystem, parse
from dynconstraints.solver.search.residue_refutation import contradictory

BOX = [dict(zip("ab", values, strict=True)) for values in product(range(-12, 20), repeat=2)]
terms = st.sampled_from(["a", "b", "a*a", "a*b", "a**3 + b", "3*a - b", "a % 4", "a // 2", "a*a - 2*b*b"])
atoms = st.one_of(
    st.builds("({}) % {} == {}".format, terms, st.integers(1, 7), st.integers(0, 6)),
    st.builds("{} == {}".format, terms, st.integers(-4, 9)),
    st.builds("({}) % {} < {}".format, terms, st.integers(1, 7), st.integers(0, 6)),
    st.builds("is_power_of_two({})".format, terms),
    st.builds("{} != {}".format, terms, st.integers(-4, 9)),
)
formulas = atoms | st.builds("({}) or ({})".format, atoms, atoms) | st.builds("not ({})".format, atoms)


@given(st.lists(formulas, min_size=1, max_size=3))
def test_what_is_refuted_has_no_assignment(texts: list[str]) -> None:
    """Sound: no assignment of the box satisfies all."""
    if contradictory([parse(text).formula for text in texts]):
        meanings = [Meaning(text) for text in texts]
        assert not any(all(meaning(values) is True for meaning in meanings) for values in BOX)


@pytest.mark.parametrize(
    "texts",
    [
        ["a*a + b*b == 4*c + 3", "a % 2 == 0"],
        ["(a*a) % 4 == 2"],
        ["is_power_of_two(a)", "a % 7 == 3"],
        ["(a**3) % 7 in {2, 3}"],
        ["a % 6 == 1", "a % 4 == 2"],
    ],
)
def test_squares_cubes_and_powers_of_two_leave_few_residues(texts: list[str]) -> None:
    """Each set is refuted."""
    assert contradictory([parse(text).formula for text in texts])


def test_no_residues_are_listed_of_a_modulus_that_has_too_many() -> None:
    """Powers of two leave five million residues modulo this one; other moduli took all memory there is."""
    started = time.process_time()
    assert not contradictory([parse(text).formula for text in ("is_power_of_two(a)", "a % 5000011 == 3")])
    assert time.process_time() - started < 1
    assert ConstraintSystem(["-6 <= a <= 2", "is_power_of_two(b*a)", "b <= 0"]).congruence("align_down(5, b)") == (1, 0)
