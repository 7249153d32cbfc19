"""SMT-LIB scripts: another reader of them comes to the same verdict and the same values."""

import pytest
import z3
from hypothesis import given, settings
from strategies import constraints

from dynconstraints import ConstraintSystem
from dynconstraints.solver.verdicts import Sat, Unsat


def read(script):
    """What z3 says to the script alone, and the symbols that are declared."""
    solver = z3.Solver(ctx=z3.Context())
    solver.set("rlimit", 2_000_000)
    solver.from_string(script)
    declared = [line.split()[1].strip("|") for line in script.splitlines() if line.startswith("(declare-fun")]
    assert len(declared) == len(set(declared))
    assert script.endswith("\n(check-sat)\n")
    return str(solver.check()), declared


RESERVED = (
    "let",
    "par",
    "exists",
    "forall",
    "match",
    "distinct",
    "ite",
    "xor",
    "mod",
    "div",
    "Int",
    "push",
    "_",
    "xor_",
)


@pytest.mark.parametrize("name", RESERVED)
def test_a_name_that_smtlib_keeps_for_itself_is_spelled_apart(name):
    """`xor` is a function there and `let` opens a term; they may well be sizes here."""
    answer, declared = read(ConstraintSystem([f"{name} > 2", "xor_ > 1", f"0*{name} == 0"]).to_smtlib())
    assert answer == "sat"
    assert len(declared) == len({name, "xor_"})


@pytest.mark.parametrize("text", ["größe > 2", "0*größe == 0", "gcd(größe, b) == 3 and 0*höhe == 0"])
def test_letters_beyond_ascii_are_in_bars_and_declared_once(text):
    """As the standard wants it; also for names that a formula does not depend on."""
    script = ConstraintSystem([text]).to_smtlib()
    assert read(script)[0] == "sat"
    assert "declare-fun |größe|" in script
    assert all(line.isascii() or "|" in line for line in script.splitlines())


def test_real_names_are_declared_real_whatever_they_are_called():
    """Under the name that they got."""
    script = ConstraintSystem(["0.0 < xor < 0.5"]).to_smtlib()
    assert "(set-logic QF_NIRA)\n(declare-fun xor_ () Real)" in script
    assert read(script)[0] == "sat"


@settings(max_examples=60, deadline=None)
@given(constraints())
def test_the_script_has_the_verdict_of_the_system(constraint):
    """Where both know one."""
    system = ConstraintSystem([constraint])
    verdict, (answer, _) = system.check(), read(system.to_smtlib())
    assert not (answer == "sat" and isinstance(verdict, Unsat))
    assert not (answer == "unsat" and isinstance(verdict, Sat))
