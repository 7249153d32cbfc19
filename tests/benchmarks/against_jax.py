"""Making a system of 1, 4 and 16 constraints and asking one implied question, beside JAX's shape polymorphism.

    tox -e bench            or, with jax installed:     python tests/benchmarks/against_jax.py [repeats]

The same sets in one process, taking turns, medians in milliseconds, from the texts on. Each turn has names of its own,
so that no text was seen before; the last column asks in texts that were. JAX answers a comparison with True, False, or
an error where it cannot tell; the questions here are ones to which both say yes.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from jax import export
from tables import Table

from dynconstraints import ConstraintSystem, Implied

# {i} is the number of the turn: part of every name.
SETS: dict[int, tuple[tuple[str, ...], str]] = {
    1: (("s{i} >= 32",), "s{i} >= 16"),
    4: (("s{i} % 32 == 0", "s{i} >= 32", "s{i} <= 1024", "b{i} >= 1"), "s{i} + b{i} >= 33"),
    16: (
        (
            *("s{i} % 64 == 0", "s{i} >= 64", "s{i} <= 4096", "b{i} >= 1", "b{i} <= 256"),
            *("hq{i} == 4*kv{i}", "kv{i} >= 1", "kv{i} <= 16", "d{i} % 8 == 0", "d{i} >= 16", "d{i} <= 128"),
            *("t{i} >= s{i}", "t{i} <= 8192", "p{i} <= s{i}", "p{i} >= 1", "t{i} >= b{i}"),
        ),
        "t{i} + p{i} >= 65",
    ),
}


def ours(constraints: Sequence[str], question: str) -> bool:
    return isinstance(ConstraintSystem(constraints).implies(question), Implied)


def jax(constraints: Sequence[str], question: str) -> bool:
    """The question is compared as JAX's users compare sizes: with Python's operator on the two dimensions."""
    scope = export.SymbolicScope([_in_jax(text) for text in constraints])
    left, right = question.split(" >= ")
    return bool(export.symbolic_shape(left, scope=scope)[0] >= int(right))


def _in_jax(text: str) -> str:
    left, relation, right = text.partition(" == ")
    divided = left.split(" % ")
    return f"mod({divided[0]}, {divided[1]}){relation}{right}" if len(divided) == 2 else text


def times(size: int, repeats: int) -> tuple[list[float], list[float], list[float]]:
    """Of each turn: ours, JAX's, and ours with texts that were seen before; in milliseconds."""
    spent: tuple[list[float], list[float], list[float]] = ([], [], [])
    for turn in range(repeats):
        texts, question = _turn(size, turn)
        for column, ask in zip(spent, (ours, jax, ours), strict=True):
            column.append(_timed(ask, texts, question))
    return spent


def _turn(size: int, turn: int) -> tuple[list[str], str]:
    texts, question = SETS[size]
    return [text.format(i=turn) for text in texts], question.format(i=turn)


def _timed(ask: Callable[[Sequence[str], str], bool], texts: Sequence[str], question: str) -> float:
    started = time.perf_counter()
    said = ask(texts, question)
    spent = 1e3 * (time.perf_counter() - started)
    if not said:
        raise AssertionError(f"{ask.__name__} does not say yes to {question}")
    return spent


def tables(repeats: int = 200) -> list[Table]:
    gc.disable()  # as timeit does
    rows = []
    for size in SETS:
        times(size, 5)
        rows.append((str(size), *(f"{median(column):.2f} ms" for column in times(size, repeats))))
    columns = ("constraints", "ours", "JAX", "ours, texts seen before")
    note = "From the texts of a set to the verdict on one question that both say yes to, taking turns, medians."
    return [Table("making", "(d) A set of constraints, and one question", note, columns, tuple(rows))]


if __name__ == "__main__":
    for table in tables(*map(int, sys.argv[1:])):
        print(table.markdown())
