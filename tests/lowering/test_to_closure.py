"""The compiled closure and the evaluator agree."""

import pytest
import strategies
from hypothesis import given

from dynconstraints import ConstraintSystem
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import holds, value_of
from dynconstraints.ir.nodes import Compare, Formula, Int, Name, Relation, Term
from dynconstraints.lowering.to_closure import compile_formula, compile_term
from dynconstraints.syntax.parser import parse


@given(strategies.formulas(), strategies.assignments())
def test_a_compiled_formula_holds_where_the_evaluator_says(formula: Formula, assignment: dict[str, int]):
    """Zero divisors, chains, conditionals and negation included."""
    compiled = compile_formula(formula, strategies.NAMES)
    assert compiled(*(assignment[name] for name in strategies.NAMES)) is holds(formula, assignment)


@given(strategies.terms(), strategies.assignments())
def test_a_compiled_term_has_the_value_that_the_evaluator_gives(term: Term, assignment: dict[str, int]):
    """None where it is undefined."""
    compiled = compile_term(term, strategies.NAMES)
    assert compiled(*(assignment[name] for name in strategies.NAMES)) == value_of(term, assignment)


def test_names_reach_nothing():
    """A name that is a builtin, a keyword or no identifier is only a parameter."""
    names = ("__import__", "min", "lambda", "x.shape[0]", "v0", "t0")
    formula = Compare(tuple(Name(n) for n in names), (Relation.LT,) * (len(names) - 1))
    assert compile_formula(formula, names)(1, 2, 3, 4, 5, 6)


def test_a_name_that_is_no_parameter_is_an_error():
    """KeyError, when compiled rather than when called."""
    with pytest.raises(KeyError):
        compile_formula(parse("a > b").formula, ["a"])


@pytest.mark.parametrize(
    "text",
    [
        " and ".join(f"n{i} > 0" for i in range(10_000)),
        " < ".join(f"n{i}" for i in range(10_000)),
        " + ".join(f"n{i}" for i in range(10_000)) + " > 0",
        " or ".join(f"1 // n{i} > 2" for i in range(3_000)),
        "(" * 99 + "n0" + " // n1)" * 99 + " == 0",
        "not " * 97 + "n0 // n1 == 0",
        "-" * 97 + "n0 // n1 == 0",
        "(" * 90 + "n0 if n0 // n1 > 0 else n1" + ")" * 90 + " == 0",
        "(n0 if n1 // n2 > 0 else " * 90 + "n1" + ")" * 90 + " == 0",
        "(n0 if 0 < 1 // " * 32 + "n1" + " else 5)" * 32 + " == 0",
    ],
    ids=lambda text: text[:30],
)
def test_wide_and_deep_formulas_compile(text: str):
    """Width costs no stack, and depth stays within what the parser lets through."""
    constraint: Constraint = parse(text)
    values = dict(zip(constraint.symbols, range(1, 20_000), strict=False))
    compiled = compile_formula(constraint.formula, constraint.symbols)
    assert compiled(*values.values()) is constraint.holds(values)


def test_constants_of_any_size_survive():
    """Beyond 64 bits, and negative."""
    formula = Compare((Name("a"), Int(-(10**40))), (Relation.GT,))
    assert compile_formula(formula, ["a"])(-(10**40) + 1)


@pytest.mark.parametrize(
    "text", ["p > 0.5 or is_power_of_two(n)", "p > 0.5 or gcd(n, 6) == 2", "p*n < 2.5 and n in range(0, 9, 4)"]
)
def test_operations_on_integers_beside_floats(text):
    """What only integers have stays theirs, and everything else is exact."""
    system = ConstraintSystem(text)
    for n in range(-3, 12):
        for p in (0.1, 0.5, 0.75):
            assert system.compile()({"p": p, "n": n}) is system.holds({"p": p, "n": n})
