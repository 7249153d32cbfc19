"""Scripts of SMT-LIB as constraints: what they mean is what z3 says they mean; what can't be said is an error."""

import pytest
import z3
from hypothesis import given
from strategies import assignments, formulas

from dynconstraints import ConstraintSyntaxError, ConstraintSystem
from dynconstraints.ir import nodes
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Call, FloorDiv, Function, Int, Mod

SCRIPT = """
(set-logic QF_LIA) ; sizes of a layer
(declare-fun h () Int) (declare-const |the width| Int) (declare-const even Bool)
(define-fun half ((n Int)) Int (div n 2))
(assert (! (and (<= 16 h 1024) ((_ divisible 16) h)) :named range))
(assert (let ((w (half h))) (= |the width| (ite even (* 2 w) (- h 1)))))
(assert (=> even (distinct h 64 128)))
(assert (or (not even) (> (abs (- h)) (mod h (- 7)))))
(check-sat)
(exit)
"""


def test_a_script_is_read_assertion_by_assertion() -> None:
    assert [constraint.text for constraint in ConstraintSystem.from_smtlib(SCRIPT)] == [
        "0 <= even <= 1",
        "16 <= h <= 1024 and h % 16 == 0",
        "the_width == (2*(h // 2) if even == 1 else h - 1)",
        "even == 1 => h != 64 and h != 128 and 64 != 128",
        "not even == 1 or abs(-h) > h % 7",
    ]


@pytest.mark.parametrize(
    "assertion",
    [
        *("(= x y 3)", "(distinct x y 2)", "(< x y 7)", "(xor (> x 1) (> y 1))", "(= (> x 1) (> y 1) (> x y))"),
        *(
            "(=> (> x 0) (> y 0) (> x y))",
            "(= (div x (- 3)) y)",
            "(= (mod x (- 3)) y)",
            "(= (div x 3) y)",
            "(> (* x y) 2)",
        ),
        *(
            "(= (- x) (+ y 1 2))",
            "(= (- x 1 y) 0)",
            "(ite (> x 0) (= y 1) (= y 2))",
            "(let ((x y) (y x)) (< x (* 2 y)))",
        ),
        *("(not (distinct (> x 1) (> y 1) (> x y)))", "(and true (or false (= x 2)))"),
    ],
)
def test_an_assertion_means_what_z3_takes_it_for(assertion: str) -> None:
    script = f"(declare-const x Int)(declare-const y Int)(assert {assertion})"
    system = ConstraintSystem.from_smtlib(script)
    (meant,) = z3.parse_smt2_string(script)
    x, y = z3.Ints("x y")
    for a in range(-7, 8):
        for b in range(-4, 5):
            said = z3.is_true(z3.simplify(z3.substitute(meant, (x, z3.IntVal(a)), (y, z3.IntVal(b)))))
            assert system.holds({"x": a, "y": b}) is said, (a, b)


def _is_plain(formula) -> bool:
    """Without divisions by terms and functions for which the script has names of its own."""
    own = (Function.GCD, Function.LCM, Function.CEILDIV, Function.ALIGN_UP, Function.ALIGN_DOWN)
    return not any(
        (isinstance(n, FloorDiv | Mod) and not (isinstance(n.divisor, Int) and n.divisor.value))
        or (isinstance(n, Call) and n.function in own)
        or isinstance(n, nodes.Test)
        for n in walk(formula)
    )


@given(formulas().filter(_is_plain), assignments())
def test_what_is_written_as_a_script_is_read_back(formula, values) -> None:
    system = ConstraintSystem([Constraint.of(formula)])
    again = ConstraintSystem.from_smtlib(system.to_smtlib())
    assert again.holds(values) is system.holds(values)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("(declare-const x Real)", "x is of the sort Real, and constraints are about Int"),
        ("(declare-fun f (Int) Int)", "declare-fun of such a form is not read"),
        (
            "(declare-const x Int)(assert (= (div 6 x) 2))",
            "div by this divisor has a value of SMT-LIB's own where it is 0",
        ),
        ("(assert (= (mod 6 0) 2))", "mod by this divisor has a value of SMT-LIB's own where it is 0"),
        ("(assert (> y 2))", "y is not declared"),
        ("(assert (> 2 true))", "> is about numbers, and here is a truth value"),
        ("(assert (and 2 true))", "and is about truth values, and here is a number"),
        ("(assert 2)", "a truth value is due here, and this is a number"),
        ("(assert (bvadd 2 3))", "bvadd is not read, or not declared"),
        ("(push 1)", "push of such a form is not read"),
        ("(assert true", "this parenthesis is never closed"),
        (")", "this parenthesis closes nothing"),
        ("(" * 1000, "the script is nested too deep"),
        ('(assert "', "this is no token of SMT-LIB"),
        ("x", "this is no command"),
    ],
)
def test_what_constraints_cannot_say_is_an_error_at_its_place(script: str, message: str) -> None:
    with pytest.raises(ConstraintSyntaxError) as caught:
        ConstraintSystem.from_smtlib(script)
    assert caught.value.diagnostic.code == "DC144"
    assert caught.value.diagnostic.message == message
    assert caught.value.diagnostic.labels[0].source.text == script
