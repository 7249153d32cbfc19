"""The source that is written out means what the formula means."""

import strategies
import sympy
from hypothesis import given

from dynconstraints.ir.evaluate import holds
from dynconstraints.lowering.sympy_source import sympy_source
from dynconstraints.syntax.parser import parse


@given(strategies.formulas(max_leaves=2), strategies.assignments())
def test_the_source_means_what_the_formula_means(formula, assignment):
    """Run, and with values put in, it is what the evaluator says."""
    scope = {}
    exec(sympy_source(formula), scope)
    values = {sympy.Symbol(name, integer=True): value for name, value in assignment.items()}
    assert bool(scope["constraints"].subs(values)) is holds(formula, assignment)


def test_the_source_imports_what_it_uses_and_nothing_else():
    """From sympy, and from here what sympy lacks."""
    assert sympy_source(parse("gcd(s0, s1) == 3").formula) == (
        "from dynconstraints.lowering.to_sympy import gcd\nfrom sympy import Equality, Integer, Symbol\n\n"
        "constraints = Equality(gcd(Symbol('s0', integer=True), Symbol('s1', integer=True)), Integer(3))"
    )
