"""Graphs, shape guards and compile times over ten sizes a program: `python tests/benchmarks/sweeps.py [PROGRAM…]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch._dynamo as dynamo
from programs import PROGRAMS, Program

from dynconstraints import DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.observe import observe


@dataclass(frozen=True)
class Result:
    """What one approach did over the sizes of one program."""

    graphs: int
    guards: tuple[str, ...]
    first_seconds: float
    seconds: float
    failure: str = ""


def declared(program: Program, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with their names and the program's constraints."""
    given = []
    for value, dims in zip(arguments, program.dims, strict=True):
        if isinstance(value, int) and dims is not None:
            given.append(DynamicInt(value, name=dims))
        elif dims is not None:
            given.append(name_dims(value, dims))
        else:
            given.append(value)
    return tuple(given)


def marked(mark: Callable[[torch.Tensor, int], None]) -> Callable[[Program, tuple[Any, ...]], tuple[Any, ...]]:
    def prepare(program: Program, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        for value, dims in zip(arguments, program.dims, strict=True):
            if isinstance(value, torch.Tensor):
                for dimension in dims or ():
                    mark(value, dimension)
        return arguments

    return prepare


APPROACHES: dict[str, tuple[Callable[[Program, tuple[Any, ...]], tuple[Any, ...]], dict[str, Any]]] = {
    "plain": (lambda program, arguments: arguments, {}),
    "dynamic=True": (lambda program, arguments: arguments, {"dynamic": True}),
    "maybe_mark": (marked(dynamo.maybe_mark_dynamic), {}),
    "declared": (declared, {}),
}


def sweep(program: Program, approach: str, backend: str = "eager") -> Result:
    """Compile the program once an approach and call it at every size, compared with eager."""
    dynamo.reset()
    prepare, options = APPROACHES[approach]
    function = program.make()
    compiled = torch.compile(function, backend=backend, fullgraph=True, **options)
    first, started = 0.0, time.process_time()
    with observe() as frames:
        for size in program.sizes:
            arguments = program.arguments(size)
            expected = function(*arguments)
            before = time.process_time()
            try:
                with dynamic_int_constraints(program.constraints if approach == "declared" else ()):
                    found = compiled(*prepare(program, arguments))
            except Exception as error:  # the rivals raise whatever they raise
                if approach == "declared":
                    raise
                return Result(len(frames), (), first, 0.0, type(error).__name__)
            first = first or time.process_time() - before
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    return Result(len(frames), frames[0].guards, first, time.process_time() - started)


def main(names: list[str]) -> None:
    print(f"{'program':12}{'approach':14}{'graphs':>7}{'guards':>8}{'first s':>9}{'sweep s':>9}")
    for program in PROGRAMS:
        if names and program.name not in names:
            continue
        for approach in APPROACHES:
            r = sweep(program, approach)
            counts = f"{program.name:12}{approach:14}{r.graphs:7}{len(r.guards):8}"
            print(f"{counts}{r.first_seconds:9.2f}{r.seconds:9.2f}  {r.failure}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
