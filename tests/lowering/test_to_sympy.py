"""The sympy lowering and the evaluator agree."""

import strategies
import sympy
from hypothesis import given

from dynconstraints.ir.evaluate import holds, value_of
from dynconstraints.ir.nodes import Formula, Term
from dynconstraints.lowering.to_sympy import symbols_of, term_to_sympy, to_sympy
from dynconstraints.syntax.parser import parse

SYMBOLS = {name: sympy.Symbol(name, integer=True) for name in strategies.NAMES}


@given(strategies.formulas(max_leaves=4), strategies.assignments())
def test_a_lowered_formula_is_true_exactly_where_it_holds(formula: Formula, assignment: dict[str, int]):
    """Substituting integers leaves true or false, and undefined formulas are false."""
    lowered = to_sympy(formula, SYMBOLS)
    assert lowered.subs({SYMBOLS[n]: v for n, v in assignment.items()}) == sympy.sympify(holds(formula, assignment))


@given(strategies.terms(), strategies.assignments())
def test_a_lowered_term_has_the_value_that_the_evaluator_gives(term: Term, assignment: dict[str, int]):
    """nan where it is undefined."""
    value = value_of(term, assignment)
    lowered = term_to_sympy(term, SYMBOLS).subs({SYMBOLS[n]: v for n, v in assignment.items()})
    assert lowered == (sympy.nan if value is None else value)


def test_a_plain_constraint_looks_like_one():
    """No guards where nothing can be undefined."""
    formula = parse("s0 % 32 == 0 and s0 <= 1024").formula
    s0 = symbols_of(formula)["s0"]
    assert to_sympy(formula) == sympy.And(sympy.Eq(sympy.Mod(s0, 32), 0), s0 <= 1024)


def test_functions_print_as_the_language_spells_them():
    """gcd and lcm are the integers', not sympy's of polynomials."""
    assert str(to_sympy(parse("gcd(a, 12) == lcm(b, 4)").formula)) == "Eq(gcd(a, 12), lcm(b, 4))"
