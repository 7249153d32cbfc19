"""Sets that speak of floats: verdicts, models and intervals against the evaluator on a grid of rationals."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynconstraints.diagnostics.errors import ConstraintSyntaxError, SolverLimitError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Add, Compare, Int, Mul, Name, Neg, Not, Or, Real, Relation, Term
from dynconstraints.solver.reals.intervals import Interval
from dynconstraints.solver.reals.reals import Reals
from dynconstraints.solver.verdicts import Implied, Open, Refuted, Sat, Unsat
from dynconstraints.system import ConstraintSystem

REALS = frozenset({"p", "q"})
GRID = [Fraction(k, 4) for k in range(-10, 11)]

literals = st.one_of(st.integers(-3, 3).map(Int), st.sampled_from([-1.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.5]).map(Real))
leaves = st.one_of(literals, st.sampled_from(["p", "q", "n"]).map(Name))
relations = st.sampled_from(list(Relation))


@st.composite
def comparisons(draw: st.DrawFn, terms: st.SearchStrategy[Term] = leaves):
    """A comparison of two terms."""
    return Compare((draw(terms), draw(terms)), (draw(relations),))


sums = st.one_of(
    leaves,
    leaves.map(Neg),
    st.tuples(leaves, leaves).map(Add),
    st.tuples(literals, leaves).map(Mul),
)
formulas = st.one_of(
    comparisons(sums),
    comparisons(sums).map(Not),
    st.tuples(comparisons(sums), comparisons(sums)).map(Or),
)


def assignments():
    """A grid over p, q (quarters) and n (integers)."""
    return ({"p": p, "q": q, "n": n} for p, q, n in product(GRID[::2], GRID[::2], range(-2, 3)))


@settings(max_examples=60, deadline=None)
@given(st.lists(formulas, min_size=1, max_size=3), formulas)
def test_verdicts_agree_with_the_evaluator_on_a_grid(given_: list, query):
    """Implied holds wherever the set does, refuted nowhere; witnesses are checked; a found point is never lost."""
    system = ConstraintSystem(map(Constraint.of, given_), reals=REALS)
    asked = Constraint.of(query)
    legal = [a for a in assignments() if system.holds(a)]
    verdict, found = system.implies(asked), system.check()
    assert isinstance(found, Sat) or not legal
    if isinstance(found, Sat):
        assert system.holds({"p": 0, "q": 0, "n": 0} | dict(found.model))
    match verdict:
        case Implied():
            assert all(asked.holds(a) for a in legal)
        case Refuted():
            assert not any(asked.holds(a) for a in legal)
        case Open(holds_at, fails_at):
            free = {"p": 0, "q": 0, "n": 0}
            assert system.holds(free | dict(holds_at))
            assert asked.holds(free | dict(holds_at))
            assert system.holds(free | dict(fails_at))
            assert not asked.holds(free | dict(fails_at))
        case _:
            raise AssertionError(f"linear questions are decided, and this was not: {verdict}")


@settings(max_examples=60, deadline=None)
@given(st.lists(comparisons(), min_size=1, max_size=4), comparisons())
def test_intervals_answer_as_z3_does(given_: list, query):
    """The answer without z3 is the answer of z3."""
    from dynconstraints.solver.reals.z3_query import solve

    quick = Reals(given_, REALS)
    slow = [solve(given_, (query,), REALS), solve((*given_, query), (), REALS)]
    verdict = quick.implies(query)
    expected = Implied if slow[0] is None else Refuted if slow[1] is None else Open
    assert isinstance(verdict, expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(comparisons(sums), min_size=1, max_size=3), sums)
def test_a_range_encloses_what_is_attained(given_: list, term):
    """On the grid; an end that is tight is attained by some model."""
    from dynconstraints.ir.evaluate import value_of

    system = ConstraintSystem(map(Constraint.of, given_), reals=REALS)
    values = [value_of(term, a) for a in assignments() if system.holds(a)]
    found = system.range(term)
    for value in values:
        assert found.lower is None or found.lower < value or (found.lower == value and not found.lower_is_open)
        assert found.upper is None or value < found.upper or (found.upper == value and not found.upper_is_open)


@pytest.mark.parametrize(
    ("constraints", "reals"),
    [
        (["0.0 < lr <= 1.0"], {"lr"}),
        (["steps*lr <= 4.0", "steps % 2 == 0"], {"lr"}),
        (["2.0*p <= 1.0", "p // 2 == 0"], set()),
        (["s0 <= 3"], set()),
        (["lr > 0", "lr < 0.5"], {"lr"}),
    ],
)
def test_names_beside_float_literals_are_real_unless_they_are_divided(constraints: list[str], reals: set[str]):
    """What ``reals`` is where it is not given."""
    assert ConstraintSystem(constraints).reals == reals


def test_an_integer_beside_a_float_literal_stays_one_where_that_is_said():
    """Its range ends at integers."""
    assert ConstraintSystem(["2.0*p <= 9.0"], reals=()).bounds("p") == (None, 4)
    assert ConstraintSystem(["2.0*p <= 9.0"]).bounds("p") == (None, 4.5)


def test_ends_that_do_not_belong_are_open():
    """And said to be."""
    found = ConstraintSystem(["0.0 < lr <= 1.0"]).range("lr")
    assert (found.lower, found.upper, found.lower_is_open, found.upper_is_open) == (0.0, 1.0, True, False)
    assert str(Interval(0, Fraction(1, 3), lower_is_open=True)) == "(0, 1/3]"


def test_floats_are_the_rationals_that_they_hold():
    """0.1 is above a tenth, and three of it above 0.3."""
    assert isinstance(ConstraintSystem(["10*p <= 1", "p >= 0.1"]).check(), Unsat)
    assert isinstance(ConstraintSystem(["p == 0.1"]).implies("3*p > 0.3"), Implied)
    assert isinstance(ConstraintSystem(["p == 5e-324"]).implies("p > 0"), Implied)


def test_answers_beyond_verdicts():
    """Minimal sets, cores, projections, samples and neighbours speak of floats, too."""
    system = ConstraintSystem(["lr > 0.1", "lr > 0.2", "lr <= 1.0"])
    assert [c.text for c in system.minimize()] == ["lr > 0.2", "lr <= 1.0"]
    assert system.nearest({"lr": 3.0}) == {"lr": 1.0}
    samples = system.sample(5, seed=3)
    assert len(samples) == 5
    assert all(system.holds(s) for s in samples)
    assert system.sample(5, seed=3) == samples
    assert len(ConstraintSystem(["p < 0.0", "p > 1.0", "q > 0.0"]).cores()[0]) == 2
    assert [c.text for c in ConstraintSystem(["2*lr < 0.5", "s > lr"], reals=("lr", "s")).project(["lr"])] == [
        "2*lr < 0.5",
        "lr < 0.25",
    ]
    with pytest.raises(SolverLimitError):
        system.count()


def test_a_violation_says_where_the_value_has_to_be():
    """In the user's text, with decimals."""
    assert str(ConstraintSystem(["0.0 < lr <= 1.0", "4*lr <= 3.0"]).violation({"lr": 1.5})) == (
        "error[DC301]: constraint violated: 0.0 < lr <= 1.0; 4*lr <= 3.0\n"
        "    0.0 < lr <= 1.0\n"
        "    ^^^^^^^^^^^^^^^    lr = 1.5\n"
        "    4*lr <= 3.0\n"
        "    ^^^^^^^^^^^    lr = 1.5, and 4*1.5 = 6.0\n"
        "  help: lr has to be in (0.0, 0.75]"
    )


def test_a_real_name_is_not_divided():
    """DC135, at the name."""
    with pytest.raises(ConstraintSyntaxError) as caught:
        ConstraintSystem(["lr < 2", "lr % 2 == 0"], reals=["lr"])
    assert caught.value.code == "DC135"


def test_a_violation_of_several_names_shows_values_that_satisfy():
    """Each name may be in its own interval; what is proposed is what floats hold, and is not beyond the limit."""
    text = str(ConstraintSystem(["steps * lr <= 4.0", "lr > 0"], reals=["lr"]).violation({"steps": 100, "lr": 0.1}))
    assert text == (
        "error[DC301]: constraint violated: steps * lr <= 4.0\n"
        "    steps * lr <= 4.0\n"
        "    ^^^^^^^^^^^^^^^^^    steps = 100, lr = 0.1, and 100*0.1 = 10.000000000000000555...\n"
        "  help: this, for example, satisfies every constraint: lr = 0.039999999999999994"
    )


def test_a_violation_names_no_interval_without_ends():
    """Not ``lr has to be in (-oo, oo)``."""
    assert "help" not in str(ConstraintSystem(["lr != 1.0"]).violation({"lr": 1.0}))
