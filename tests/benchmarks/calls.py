"""What a call of a compiled function costs around its kernel: `python tests/benchmarks/calls.py`.

Programs of one tiny kernel, so that guards, Dynamo's entry and Inductor's wrapper are all that takes time. Names are
given once, as a loop over batches of one shape would.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from statistics import median
from typing import Any

import torch
import torch._dynamo as dynamo
from kernels import WAYS, Column, fresh, spent, tolerating
from programs import Program
from rivals import APPROACHES
from tables import Table


def scaled(x: torch.Tensor, n: int) -> torch.Tensor:
    return x * (n // 16)


def halves(x: torch.Tensor) -> torch.Tensor:
    return x.view(2, x.shape[0] // 2) * 2


def summed(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x + y[: x.shape[0]]


PROGRAMS = (
    Program(
        "a named int",
        lambda: fresh(scaled),
        ("n % 16 == 0", "n >= 16"),
        [64],
        lambda n: (torch.ones(4), n),
        (None, "n"),
    ),
    Program(
        "a named dimension",
        lambda: fresh(halves),
        ("t % 8 == 0", "t >= 8"),
        [64],
        lambda t: (torch.ones(t),),
        ({0: "t"},),
    ),
    Program(
        "two, and a relation",
        lambda: fresh(summed),
        ("u == 2*t", "t >= 2"),
        [64],
        lambda t: (torch.ones(t), torch.ones(2 * t)),
        ({0: "t"}, {0: "u"}),
    ),
)


def measure(program: Program, rounds: int = 25) -> dict[str, Column]:
    """Microseconds a call, one number a round, for each way."""
    dynamo.reset()
    found = {way: Column() for way in WAYS}
    calls: dict[str, Any] = {}
    with ExitStack() as stack:
        for way, name in WAYS.items():
            approach, function = APPROACHES[name], program.make()
            stack.enter_context(approach.scope(program))
            with tolerating(way, found[way]):
                options = approach.options(program, function)
                compiled = torch.compile(approach.wrap(program, function), fullgraph=True, **options)
                given = approach.prepare(program, program.arguments(program.sizes[0]))
                compiled(*given)
                calls[way] = lambda compiled=compiled, given=given: compiled(*given)
        for _ in range(rounds):
            for way, call in calls.items():
                found[way].times.append(spent(call, 200))
    return found


def tables() -> list[Table]:
    torch.set_num_threads(1)
    rows = []
    for program in PROGRAMS:
        cells = [c.failure or f"{median(c.times):.0f} µs" for c in measure(program).values()]
        rows.append((f"{program.name}: {', '.join(f'`{c}`' for c in program.constraints if '==' in c)}", *cells))
        print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    note = "Processor time of a call whose kernel takes a microsecond, median of 25 rounds."
    return [Table("calls", "(c) A call around its kernel", note, ("program", *WAYS), tuple(rows))]


if __name__ == "__main__":
    for table in tables():
        print(f"\n{table.title}\n\n{table.markdown()}")
