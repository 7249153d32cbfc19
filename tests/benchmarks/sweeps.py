"""Graphs, shape guards and compile times over ten sizes a program: `python tests/benchmarks/sweeps.py [PROGRAM…]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch._dynamo as dynamo
from models import MODELS
from programs import PROGRAMS, Program
from rivals import APPROACHES
from tables import Table

from dynconstraints.pytorch.observe import observe


@dataclass(frozen=True)
class Result:
    """What one approach did over the sizes of one program.

    ``failure`` is what it raised on a valid size, if it did; the guards are those of the first graph, and ``asserts``
    counts the conditions on sizes that are left in that graph, to be checked by each call.
    """

    graphs: int
    guards: tuple[str, ...]
    asserts: int
    first_seconds: float
    seconds: float
    failure: str = ""


ASSERTS = ("_assert_scalar", "sym_constrain_range", "_check")


def sweep(program: Program, approach: str) -> Result:
    """Compile the program in the approach's way and call it at every size, compared with eager."""
    dynamo.reset()
    torch.manual_seed(0)
    way, function = APPROACHES[approach], program.make()
    asserts: list[int] = []
    first, failure, started = 0.0, "", time.process_time()

    def backend(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., Any]:
        asserts.append(sum(any(a in str(node.target) for a in ASSERTS) for node in graph.graph.nodes))
        return graph.forward

    with observe() as frames:
        try:
            options = way.options(program, function)
            compiled = torch.compile(way.wrap(program, function), backend=backend, fullgraph=True, **options)
            for size in program.sizes:
                arguments = program.arguments(size)
                expected = function(*arguments)
                before = time.process_time()
                with way.scope(program):
                    found = compiled(*way.prepare(program, arguments))
                first = first or time.process_time() - before
                torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        except Exception as error:  # the rivals raise whatever they raise
            if approach == "declared":
                raise
            failure = type(error).__name__
    guards = tuple(frames[0].guards) if frames else ()
    return Result(len(frames), guards, sum(asserts[:1]), first, time.process_time() - started, failure)


def tables(names: tuple[str, ...] = ()) -> list[Table]:
    rows = []
    for program in (*PROGRAMS, *MODELS):
        if names and program.name not in names:
            continue
        rows.append((program.name, *(_cell(sweep(program, approach)) for approach in APPROACHES)))
        print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    note = (
        'Ten sizes a program, `backend="eager"`: graphs; shape guards of the first graph, with the conditions left in '
        "it to be checked by each call; processor seconds of the first compile and of all ten. A name is what was "
        "raised on a valid size."
    )
    return [Table("sweeps", "(b) Graphs, guards and errors over sizes", note, ("program", *APPROACHES), tuple(rows))]


def _cell(result: Result) -> str:
    asserts = f" + {result.asserts}" if result.asserts else ""
    return (
        result.failure
        or f"{result.graphs}; {len(result.guards)}{asserts}; {result.first_seconds:.1f} s; {result.seconds:.1f} s"
    )


if __name__ == "__main__":
    for table in tables(tuple(sys.argv[1:])):
        print(table.markdown())
