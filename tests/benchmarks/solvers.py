"""Verdicts on the two corpora, beside z3 alone, TVM and JAX: `tox -e bench`, or with those installed,

    python tests/benchmarks/solvers.py

A line of a corpus gives constraints and asks a question that is true wherever they hold, or nowhere. Each engine gets
the line in its own terms, parsing left out for the others, and has settled it if it says which of the two; what it
cannot say in its language is not settled. For every line that is neither, an answer is wrong.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import reduce
from pathlib import Path
from statistics import median
from typing import Any

import z3
from against_jax import tables as of_making
from jax import export
from score import CORPUS
from tables import Table
from tvm import sym, tirx

from dynconstraints import ConstraintSystem, Implied, Refuted, parse
from dynconstraints.ir.nodes import (
    Add,
    And,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Function,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Not,
    Or,
    Relation,
    Term,
)
from dynconstraints.lowering.to_z3 import Encoder

PROVED, REFUTED = "proved", "refuted"
Z3_MILLISECONDS = 500

Question = tuple[list[Formula], Formula]
"""What holds, and what is asked."""


def of_ours(given: list[str], query: str) -> str | None:
    verdict = ConstraintSystem(given).implies(query)
    return PROVED if isinstance(verdict, Implied) else REFUTED if isinstance(verdict, Refuted) else None


def of_z3(given: list[Formula], query: Formula) -> str | None:
    """Two plain calls, each with a limit in time: is it nowhere untrue, is it nowhere true?"""
    for answer, ask in ((PROVED, Encoder.not_true), (REFUTED, Encoder.true)):
        encoder = Encoder(z3.Context(), fresh_quotients=False)
        solver = z3.Solver(ctx=encoder.context)
        solver.set("timeout", Z3_MILLISECONDS)
        solver.add(*(encoder.true(formula) for formula in given), ask(encoder, query), *encoder.sides)
        if solver.check() == z3.unsat:
            return answer
    return None


_RELATIONS = {
    Relation.EQ: tirx.EQ,
    Relation.NE: tirx.NE,
    Relation.LT: tirx.LT,
    Relation.LE: tirx.LE,
    Relation.GT: tirx.GT,
    Relation.GE: tirx.GE,
}
_TVM_FUNCTIONS = {Function.MIN: tirx.min, Function.MAX: tirx.max}


def of_tvm(given: list[Formula], query: Formula) -> str | None:
    """TVM's strongest proof, symbolic bounds with z3 behind them, of the question and of its negation."""
    variables: dict[str, Any] = {}
    asked = _in_tvm(query, variables)
    known = [_in_tvm(formula, variables) for formula in given]
    analyzer = sym.Analyzer()
    with ExitStack() as scopes:
        for formula in known:
            scopes.enter_context(analyzer.constraint_scope(formula))
        for answer, formula in ((PROVED, asked), (REFUTED, tirx.Not(asked))):
            if analyzer.can_prove(formula, sym.ProofStrength.SYMBOLIC_BOUND):
                return answer
    return None


def _in_tvm(node: Term | Formula, variables: dict[str, Any]) -> Any:
    def go(*nodes: Term | Formula) -> list[Any]:
        return [_in_tvm(n, variables) for n in nodes]

    match node:
        case Int(value) if abs(value) < 2**63:
            return tirx.const(value, "int64")
        case Name(id):
            return variables.setdefault(id, tirx.Var(id, "int64"))
        case Neg(operand):
            return tirx.const(0, "int64") - go(operand)[0]
        case Add(parts):
            return reduce(lambda a, b: a + b, go(*parts))
        case Mul(parts):
            return reduce(lambda a, b: a * b, go(*parts))
        case FloorDiv(left, right):
            return tirx.floordiv(*go(left, right))
        case Mod(left, right):
            return tirx.floormod(*go(left, right))
        case Call(function, arguments) if function in _TVM_FUNCTIONS:
            return reduce(_TVM_FUNCTIONS[function], go(*arguments))
        case Compare(operands, relations):
            sides = go(*operands)
            links = [_RELATIONS[r](a, b) for a, r, b in zip(sides, relations, sides[1:], strict=False)]
            return reduce(tirx.And, links)
        case And(parts):
            return reduce(tirx.And, go(*parts))
        case Or(parts):
            return reduce(tirx.Or, go(*parts))
        case Not(operand):
            return tirx.Not(*go(operand))
    raise NotImplementedError(type(node).__name__)


def of_jax(given: list[Formula], query: Formula) -> str | None:
    """One comparison of two dimensions, as JAX's users write it; it raises where it cannot tell.

    That two are unequal it also says where it cannot tell.
    """
    if not isinstance(query, Compare) or len(query.relations) != 1:
        raise NotImplementedError("a question of more than one comparison")
    scope = export.SymbolicScope([text for formula in given for text in _jax_constraints(formula)])
    (relation,) = query.relations
    left, right = (export.symbolic_shape(_in_jax(side), scope=scope)[0] for side in query.operands)
    said = {
        Relation.EQ: lambda: left == right,
        Relation.NE: lambda: left != right,
        Relation.LT: lambda: left < right,
        Relation.LE: lambda: left <= right,
        Relation.GT: lambda: left > right,
        Relation.GE: lambda: left >= right,
    }[relation]()
    if relation in (Relation.EQ, Relation.NE) and said is (relation is Relation.NE):
        return None
    return PROVED if said else REFUTED


def _jax_constraints(formula: Formula) -> list[str]:
    """JAX has == and >= and <=; a strict comparison of integers is one of these."""
    if not isinstance(formula, Compare):
        raise NotImplementedError(type(formula).__name__)
    texts = []
    for a, relation, b in zip(formula.operands, formula.relations, formula.operands[1:], strict=False):
        left, right = _in_jax(a), _in_jax(b)
        if relation is Relation.NE:
            raise NotImplementedError("!=")
        strict = {Relation.LT: (">=", right, f"{left} + 1"), Relation.GT: (">=", left, f"{right} + 1")}
        sign, one, other = strict.get(relation, (relation.value, left, right))
        texts.append(f"{one} {sign} {other}")
    return texts


def _in_jax(term: Term) -> str:
    match term:
        case Int(value):
            return str(value)
        case Name(id):
            return id
        case Neg(operand):
            return f"-1*({_in_jax(operand)})"
        case Add(parts):
            return " + ".join(map(_in_jax, parts))
        case Mul(parts):
            return "*".join(f"({_in_jax(part)})" for part in parts)
        case FloorDiv(left, right):
            return f"floordiv({_in_jax(left)}, {_in_jax(right)})"
        case Mod(left, right):
            return f"mod({_in_jax(left)}, {_in_jax(right)})"
        case Call(Function.MIN | Function.MAX as function, arguments):
            return f"{function.value}({', '.join(map(_in_jax, arguments))})"
    raise NotImplementedError(type(term).__name__)


ENGINES: dict[str, Callable[..., str | None]] = {"z3 alone": of_z3, "TVM": of_tvm, "JAX": of_jax}


def scores(path: Path) -> list[str]:
    """A cell an engine, ours first: how many it settled of those that are true or false everywhere; median time."""
    lines = [line for line in map(json.loads, path.read_text().splitlines()) if "query" in line]
    expected = [line["expect"] for line in lines]
    total = sum(e in (PROVED, REFUTED) for e in expected)
    cells = []
    for name, engine in {"ours": of_ours, **ENGINES}.items():
        said, times = [], []
        for line in lines:
            question: Any = (line["given"], line["query"])
            if name != "ours":
                question = ([parse(text).formula for text in line["given"]], parse(line["query"]).formula)
            started = time.perf_counter()
            try:
                said.append(engine(*question))
            except Exception:  # what cannot be said, and JAX's way of not knowing
                said.append(None)
            times.append(1e3 * (time.perf_counter() - started))
        right = sum(s is not None and s == e for s, e in zip(said, expected, strict=True))
        wrong = sum(
            s is not None and s != e and not (name == "JAX" and s == _of_positive(line))
            for s, e, line in zip(said, expected, lines, strict=True)
        )
        cells.append(f"{right} of {total}{f', {wrong} wrong' if wrong else ''}; {median(times):.2f} ms")
        print(path.stem, name, cells[-1], file=sys.stderr, flush=True)
    return cells


def _of_positive(line: dict[str, Any]) -> str | None:
    """The verdict for sizes of 1 and more, which JAX takes all of them to be."""
    system = ConstraintSystem(line["given"])
    names = {*system.symbols, *ConstraintSystem([line["query"]]).symbols}
    return of_ours([*line["given"], *(f"{name} >= 1" for name in names)], line["query"])


def tables() -> list[Table]:
    gc.disable()  # as timeit does
    rows = [(f"{path.stem}.jsonl", *scores(path)) for path in (CORPUS / "facts.jsonl", CORPUS / "hard.jsonl")]
    note = (
        f"Settled of the questions that are true everywhere or nowhere, and the median time of a verdict; z3 has "
        f"{Z3_MILLISECONDS} ms a call, and ours parses its texts within the time. JAX and TVM cannot say all of it; "
        "TVM proves with symbolic bounds and z3, JAX takes sizes to be positive."
    )
    verdicts = Table("verdicts", "(d) Verdicts", note, ("corpus", "ours", *ENGINES), tuple(rows))
    return [verdicts, *of_making()]


if __name__ == "__main__":
    for table in tables():
        print(f"\n{table.title}\n\n{table.markdown()}")
