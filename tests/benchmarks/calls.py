"""What a step costs around its kernel, with tensors of its own as a loop over batches has them:
`python tests/benchmarks/calls.py`.

Programs of one tiny kernel, so that guards, Dynamo's entry, Inductor's wrapper and names are all that takes time. Each
step gets new tensors, of the next of ten sizes, and names or marks them itself, where that is the way. Earlier figures
had one set of tensors, named once: they left out what naming a batch costs, and that the entry of the graph looks more
closely at a tensor that it has not seen before. The last column is still measured so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import signature
from itertools import cycle, islice
from statistics import median
from typing import Any

import torch
import torch._dynamo as dynamo
from kernels import Column, fresh, spent, tolerating
from programs import Program
from rivals import APPROACHES, Approach
from tables import Table

from dynconstraints import DynamicInt, declare, name_dims


def scaled(x: torch.Tensor, n: int) -> torch.Tensor:
    return x * (n // 16)


def halves(x: torch.Tensor) -> torch.Tensor:
    return x.view(2, x.shape[0] // 2) * 2


def summed(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x + y[: x.shape[0]]


def mixed(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x * 2 + y


TEN = [64 + 16 * i for i in range(10)]

PROGRAMS = (
    Program(
        "two batches",
        lambda: fresh(mixed),
        ("t % 8 == 0", "8 <= t <= 1024", "2 <= b <= 64"),
        [(2 + i, 8 * i + 8) for i in range(10)],
        lambda size: (torch.ones(size), torch.ones(size)),
        ({0: "b", 1: "t"}, {0: "b", 1: "t"}),
    ),
    Program(
        "a named int",
        lambda: fresh(scaled),
        ("n % 16 == 0", "n >= 16"),
        TEN,
        lambda n: (torch.ones(4), n),
        (None, "n"),
    ),
    Program(
        "a named dimension",
        lambda: fresh(halves),
        ("t % 8 == 0", "t >= 8"),
        TEN,
        lambda t: (torch.ones(t),),
        ({0: "t"},),
    ),
    Program(
        "two, and a relation",
        lambda: fresh(summed),
        ("u == 2*t", "t >= 2"),
        TEN,
        lambda t: (torch.ones(t), torch.ones(2 * t)),
        ({0: "t"}, {0: "u"}),
    ),
)


def _with_constraints(program: Program, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with their names, which bring the constraints: no block is open."""
    given = []
    for value, dims in zip(arguments, program.dims, strict=True):
        if isinstance(value, int) and dims is not None:
            given.append(DynamicInt(value, name=dims, constraints=program.constraints))
        else:
            given.append(value if dims is None else name_dims(value, dims, constraints=program.constraints))
    return tuple(given)


class Called(torch.nn.Module):
    """A module that does what the function does, with the parameters of the function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *given: Any) -> Any:
        return self.function(*given)


def _as_module(_: Program, function: Callable[..., Any]) -> Callable[..., Any]:
    return Called(function)


def _declared(program: Program, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a signature of what the program's arguments are named by."""
    return declare(
        function, dict(_shapes(program, list(signature(function).parameters))), constraints=program.constraints
    )


def _declared_module(program: Program, function: Callable[..., Any]) -> Callable[..., Any]:
    paths = [f"given.{position}" for position in range(len(program.dims))]
    return declare(Called(function), dict(_shapes(program, paths)), constraints=program.constraints)


def _shapes(program: Program, paths: list[str]) -> Iterator[tuple[str, str]]:
    for path, dims, value in zip(paths, program.dims, program.arguments(program.sizes[0]), strict=True):
        if isinstance(dims, str):
            yield path, dims
        elif dims is not None:
            yield path, " ".join(dims.get(dimension, "_") for dimension in range(value.dim()))


SEEN_BEFORE = "`name_dims`, tensors seen before"
NAMES_ALONE = "`name_dims` alone"
_DYNAMIC, _NAMED = APPROACHES["dynamic=True"], APPROACHES["declared"]
STEPS: dict[str, Approach] = {
    "static": APPROACHES["plain"],
    "`dynamic=True`": _DYNAMIC,
    "`declare`": Approach(wrap=_declared),
    "`name_dims` in a block": _NAMED,
    "`name_dims` with constraints": Approach(prepare=_with_constraints),
    "module, `dynamic=True`": replace(_DYNAMIC, wrap=_as_module),
    "module, `declare`": Approach(wrap=_declared_module),
    NAMES_ALONE: _NAMED,
    SEEN_BEFORE: _NAMED,
}
"""Each way to take a step; static is for the first of the sizes alone, since torch makes no ten graphs."""


def measure(program: Program, rounds: int = 25, steps: int = 200) -> dict[str, Column]:
    """Microseconds a step, one number a round, for each way."""
    dynamo.reset()
    found = {way: Column() for way in STEPS}
    turns: dict[str, Callable[[], Callable[[], Any]]] = {}
    for way, approach in STEPS.items():
        with tolerating(way, found[way]), approach.scope(program):
            turns[way] = _turn(program, way, approach, steps)
            spent(turns[way](), steps)
    for _ in range(rounds):
        for way, turn in turns.items():
            with tolerating(way, found[way]), STEPS[way].scope(program):
                found[way].times.append(spent(turn(), steps))
    return found


def _turn(program: Program, way: str, approach: Approach, steps: int) -> Callable[[], Callable[[], Any]]:
    """What makes the tensors of so many steps, which is not timed, and returns a function that takes the next one."""
    function = program.make()
    compiled = torch.compile(approach.wrap(program, function), fullgraph=True, **approach.options(program, function))
    sizes = program.sizes[:1] if way in ("static", SEEN_BEFORE) else program.sizes

    def turn() -> Callable[[], Any]:
        if way == SEEN_BEFORE:
            named = approach.prepare(program, program.arguments(sizes[0]))
            return lambda: compiled(*named)
        batches = iter([program.arguments(size) for size in islice(cycle(sizes), steps)])
        if way == NAMES_ALONE:
            return lambda: approach.prepare(program, next(batches))
        return lambda: compiled(*approach.prepare(program, next(batches)))

    return turn


def tables() -> list[Table]:
    torch.set_num_threads(1)
    rows = []
    for program in PROGRAMS:
        cells = [c.failure or f"{median(c.times):.0f} µs" for c in measure(program).values()]
        rows.append((f"{program.name}: {', '.join(f'`{c}`' for c in program.constraints if '==' in c)}", *cells))
        print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    note = (
        "Processor time of a step whose kernel takes a microsecond, compiled by Inductor, names included, on new "
        "tensors of ten sizes in turn (static: of one); median of 25 rounds. An earlier figure was of the kind of the "
        "last column: it left out the naming of each batch, and that the entry looks closely at a tensor that is new."
    )
    return [Table("calls", "(c) A step around its kernel", note, ("program", *STEPS), tuple(rows))]


if __name__ == "__main__":
    for table in tables():
        print(f"\n{table.title}\n\n{table.note}\n\n{table.markdown()}")
