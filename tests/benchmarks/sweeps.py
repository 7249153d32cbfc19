"""Graphs, shape guards and compile times over ten sizes a program: `python tests/benchmarks/sweeps.py [PROGRAM…]`."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

import torch
import torch._dynamo as dynamo
from models import MODELS
from programs import PROGRAMS, Program
from rivals import APPROACHES
from tables import Table, spread
from warming import warm_up

from dynconstraints.pytorch.install.observe import observe

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """What one approach did over the sizes of one program.

    ``failure`` is what it raised on a valid size, if it did; the guards are those of the first graph, and ``asserts``
    counts the conditions on sizes that are left in that graph, to be checked by each call. ``oracle_seconds`` are those
    of the first compile that the declaration was asked in.
    """

    graphs: int
    guards: tuple[str, ...]
    asserts: int
    first_seconds: float
    seconds: float
    oracle_seconds: float
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
    oracle = frames[0].facts.seconds if frames and frames[0].facts is not None else 0.0
    return Result(len(frames), guards, sum(asserts[:1]), first, time.process_time() - started, oracle, failure)


def apart(program: Program, approach: str) -> Result:
    """The sweep in a process of its own."""
    return forked(f"{program.name}, {approach}", lambda: sweep(program, approach))


def forked(what: str, work: Callable[[], T]) -> T:
    """What the work returns in a process forked off this one, warmed up, its garbage frozen: it leaves nothing here."""
    gc.collect()
    gc.freeze()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            found: tuple[bool, Any] = True, work()
        except BaseException as error:  # the parent raises it
            found = False, f"{type(error).__name__}: {error}"
        with os.fdopen(write, "wb") as pipe:
            pickle.dump(found, pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        is_done, result = pickle.load(pipe)
    os.waitpid(child, 0)
    if not is_done:
        raise RuntimeError(f"{what}: {result}")
    return result  # type: ignore[no-any-return]


COMPARED = ("dynamic=True", "ShapesSpec", "declared")
ROUNDS = 3
"""How often the approaches that are compared are run, in turn; the seconds of all are medians."""


def measured(program: Program) -> dict[str, list[Result]]:
    """The results of each approach."""
    found: dict[str, list[Result]] = {approach: [] for approach in APPROACHES}
    for turn in range(ROUNDS if program in PROGRAMS else 1):
        for approach in APPROACHES:
            if turn == 0 or approach in COMPARED:
                found[approach].append(apart(program, approach))
    return found


def tables(names: tuple[str, ...] = ()) -> list[Table]:
    torch.set_num_threads(1)
    warm_up()
    rows, compared = [], []
    for program in (*PROGRAMS, *MODELS):
        if names and program.name not in names:
            continue
        found = measured(program)
        rows.append((program.name, *(_cell(found[approach]) for approach in APPROACHES)))
        compared.append((program.name, *_ratios(found)))
        print(*rows[-1], *compared[-1][1:], sep=" | ", file=sys.stderr, flush=True)
    note = (
        'Ten sizes a program, `backend="eager"`: graphs; shape guards of the first graph, with the conditions left in '
        "it to be checked by each call; processor seconds of the first compile and of all ten, in a process forked "
        "after a warm-up. A name is what was raised on a valid size. With declarations all guards on one value are "
        "merged into one chained comparison: its range, its multiple, what equals it."
    )
    told = (
        "The same runs: processor seconds with declarations to those of others, each pair of one round, and the share "
        "of compile time spent in our solver; medians, and quartiles."
    )
    columns = ("program", *(f"{what} to {other}" for other in COMPARED[:2] for what in ("first", "sweep")))
    return [
        Table("sweeps", "(b) Graphs, guards and errors over sizes", note, ("program", *APPROACHES), tuple(rows)),
        Table("compiling", "(b) Compile times compared", told, (*columns, "oracle's share"), tuple(compared)),
    ]


def _cell(results: list[Result]) -> str:
    result = results[0]
    asserts = f" + {result.asserts}" if result.asserts else ""
    first, whole = median(r.first_seconds for r in results), median(r.seconds for r in results)
    return result.failure or f"{result.graphs}; {len(result.guards)}{asserts}; {first:.1f} s; {whole:.1f} s"


def _ratios(found: dict[str, list[Result]]) -> list[str]:
    """Ours to each other in the first compile and the whole sweep, then the oracle's share."""
    ours, cells = found["declared"], []
    for other in COMPARED[:2]:
        for seconds in (lambda r: r.first_seconds, lambda r: r.seconds):
            pairs = list(zip(ours, found.get(other, ()), strict=False))
            failed = not pairs or any(theirs.failure for _, theirs in pairs)
            cells.append("–" if failed else _spread([seconds(a) / seconds(b) for a, b in pairs]))
    return [*cells, _spread([r.oracle_seconds / r.first_seconds for r in ours])]


def _spread(values: list[float]) -> str:
    return spread(values * 2)  # of one value, too, there are quartiles then


if __name__ == "__main__":
    for table in tables(tuple(sys.argv[1:])):
        print(table.markdown())
