"""The Python function that is written out refuses what the constraints refuse, and nothing else."""

import os

import pytest
import random_systems
import strategies
from hypothesis import given
from hypothesis import strategies as st
from random_points import Points

from dynconstraints import Constraint, ConstraintSystem
from dynconstraints.interop.checker import emit
from dynconstraints.interop.emission import Subject

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
POINTS = 100_000 if NIGHTLY else 200
DOMAINS = 24


def checker(system):
    space = {}
    exec(emit(Subject(system)).text, space)
    return space["check"]


def refusal(check, *values):
    try:
        assert check(*values) is None
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("kind", [random_systems.of_integers, random_systems.of_reals])
@pytest.mark.parametrize("seed", range(DOMAINS))
def test_it_agrees_with_the_evaluator(kind, seed):
    """Over the whole language, small values, large ones and floats."""
    system = kind(seed)
    check = checker(system)
    for values in Points(seed).assignments(system.symbols, system.reals, POINTS if seed % 4 == 0 else POINTS // 10):
        broken = next((c for c in system if not c.holds(values)), None)
        said = refusal(check, *values.values())
        assert (said is None) is (broken is None), (system, values)
        assert broken is None or said.startswith(f"constraint violated: {broken.line}")


@given(strategies.formulas(), st.data())
def test_every_kind_of_node_agrees_with_the_evaluator(formula, data):
    """On generated formulas and assignments."""
    system = ConstraintSystem([Constraint.of(formula)])
    values = data.draw(strategies.assignments(system.symbols))
    found = refusal(checker(system), *(values[name] for name in system.symbols))
    assert (found is None) is system.holds(values)


def test_the_source_reads_like_the_constraints():
    """No import, one function, the text of each constraint in the message."""
    text = emit(Subject(ConstraintSystem(["h % 32 == 0", "n in {16, 48}"]))).text
    assert (
        text
        == '''\
def check(h, n):
    """Return None where every constraint holds; raise ValueError where one does not.

        h % 32 == 0
        n in {16, 48}
    """
    if not hasattr(h, '__index__'):
        raise TypeError('h is no integer: ' + str(h))
    h = h.__index__()
    if not hasattr(n, '__index__'):
        raise TypeError('n is no integer: ' + str(n))
    n = n.__index__()
    if not (h % 32 == 0):
        raise ValueError('constraint violated: h % 32 == 0, where h = ' + str(h))
    if not (n in (16, 48)):
        raise ValueError('constraint violated: n in {16, 48}, where n = ' + str(n))
'''
    )


@pytest.mark.parametrize(
    ("texts", "values", "said"),
    [
        (["h % 32 == 0"], [65], "constraint violated: h % 32 == 0, where h = 65"),
        (
            ["a // b == 1 or not a // b == 1"],
            [3, 0],
            "constraint violated: a // b == 1 or not a // b == 1, where a = 3, b = 0",
        ),
        (["0.0 < p <= 1.0"], [1.5], "constraint violated: 0.0 < p <= 1.0, where p = 1.5"),
        (["p != 0.5"], [float("nan")], "p is not finite: nan"),
        (["p > 0.5"], [float("inf")], "p is not finite: inf"),
        (["false"], [], "constraint violated: false"),
    ],
)
def test_what_it_says(texts, values, said):
    """The constraint and the values of its names; floats that are no numbers are refused as such."""
    assert refusal(checker(ConstraintSystem(texts)), *values) == said


def test_a_message_over_many_names_is_short():
    """Forty of them, and how many more there are."""
    system = ConstraintSystem([" + ".join(f"n{i}" for i in range(50)) + " == 1"])
    assert refusal(checker(system), *range(50)).endswith("n39 = 39, and 10 more")


@pytest.mark.parametrize(
    "name", ["sum", "prod", "t0", "check", "ValueError", "str", "__debug__", "Fraction", "hasattr"]
)
def test_a_name_that_the_code_needs_itself_is_spelled_otherwise(name):
    """The message has the user's own."""
    long = " + ".join(f"x{i}" for i in range(20))
    system = ConstraintSystem([f"{name} + sum_ + {long} == 3 // ({name} - 1) and gcd({name}, sum_) > 0"])
    values = dict.fromkeys(system.symbols, 0) | {name: 3, "sum_": -2}
    assert (refusal(checker(system), *values.values()) is None) is system.holds(values)
    assert f"where {name} = 0" in refusal(checker(ConstraintSystem(f"{name} > 0")), 0)


def test_integers_of_other_libraries_do_not_wrap_around():
    """They are made Python's own, and what is no integer is a TypeError."""
    numpy = pytest.importorskip("numpy")
    check = checker(ConstraintSystem(["n*n >= 0"]))
    assert check(numpy.int32(2**31 - 1)) is None
    with pytest.raises(TypeError, match=r"n is no integer: 1\.5"):
        check(1.5)
