"""A function of the language is its spelling and its entry in the table: every reading follows from that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

ENTRY = """
MEANINGS[Function.ISQRT] = Meaning(
    1,
    1,
    lambda value: math.isqrt(value) if value >= 0 else None,
    law=And((
        comparison(VALUE, Relation.GE, Int(0)),
        comparison(Mul((VALUE, VALUE)), Relation.LE, _A),
        comparison(_A, Relation.LT, Mul((Add((VALUE, Int(1))), Add((VALUE, Int(1)))))),
    )),
    domain=comparison(_A, Relation.GE, Int(0)),
    python="isqrt",
    is_monotone=True,
    is_nonnegative=True,
)
"""

PROGRAM = r"""
import sympy, z3
from dynconstraints import ConstraintSystem, parse
from dynconstraints.ir.evaluate import holds
from dynconstraints.lowering.sympy_source import sympy_source
from dynconstraints.lowering.to_closure import compile_formula, python_source
from dynconstraints.lowering.to_sympy import to_sympy
from dynconstraints.lowering.to_z3 import expression

VALUES = range(-3, 40)
for text in ("isqrt(n) == 4", "isqrt(n) >= 3 or n < 0", "not (isqrt(n - 2) < 2)", "isqrt(n // (n - 9)) == 1"):
    formula = parse(text).formula
    true = [n for n in VALUES if holds(formula, {"n": n})]
    closure, source = compile_formula(formula, ["n"]), {}
    exec(python_source(formula, ["n"]), source)
    condition, symbol = to_sympy(formula), sympy.Symbol("n", integer=True)
    exec(sympy_source(formula), printed := {})
    for n in VALUES:
        assert closure(n) is source["holds"](n) is (n in true), (text, n)
        assert (condition.subs(symbol, n) == sympy.true) is (n in true), (text, n)
        assert (printed["constraints"].subs(symbol, n) == sympy.true) is (n in true), (text, n)
        expr = expression([formula])
        solver = z3.SolverFor("QF_NIA", ctx=expr.ctx)
        solver.add(expr, z3.Int("n", expr.ctx) == n)
        assert (solver.check() == z3.sat) is (n in true), (text, n)
    within = ConstraintSystem([text, "-3 <= n < 40"])
    assert within.count() == len(true), text
    assert within.bounds("n") == (min(true), max(true)), text
    assert bool(true) and str(within.implies(f"n <= {max(true)}")) == "Implied()", text
assert ConstraintSystem(["0 <= n <= 50"]).bounds("isqrt(n)") == (0, 7)
assert "v!1" in ConstraintSystem(["isqrt(n) == 4"]).to_smtlib()
"""


def test_a_function_is_its_spelling_and_its_entry(tmp_path: Path) -> None:
    """An integer square root, added in two places, means the same to every reading."""
    package = tmp_path / "dynconstraints"
    shutil.copytree(ROOT / "dynconstraints", package, ignore=shutil.ignore_patterns("__pycache__", "pytorch"))
    shutil.copytree(ROOT / "grammar", tmp_path / "grammar")
    nodes, table = package / "ir" / "nodes.py", package / "ir" / "functions.py"
    nodes.write_text(nodes.read_text().replace('    LCM = "lcm"\n', '    LCM = "lcm"\n    ISQRT = "isqrt"\n'))
    names = "from dynconstraints.ir.nodes import Add, And\n"
    table.write_text(f"{table.read_text()}\n{names}{ENTRY}")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
