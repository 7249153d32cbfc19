"""Graphs and compile times of forward and backward under Inductor: `python tests/benchmarks/training.py [PROGRAM…]`."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import torch
import torch._dynamo as dynamo
import torch._inductor.config as inductor
from programs import PROGRAMS, Program
from rivals import APPROACHES
from tables import Table

from dynconstraints.pytorch.install.observe import observe

TRAINED = ("U-Net", "Swin", "chunked CE")
COMPARED = ("dynamic=True", "declared")
SIZES = (0, 1, 2, 4)
"""Which of the program's sizes, counted from 0: of the fifth, Swin sums more elements than Inductor sums in one way."""


def trained(program: Program, approach: str) -> tuple[int, float]:
    """Graphs, and processor seconds of all that compiling and running the sizes takes; gradients are eager's."""
    dynamo.reset()
    torch.manual_seed(0)
    way, function = APPROACHES[approach], program.make()
    parameters = list(function.requires_grad_().parameters()) if isinstance(function, torch.nn.Module) else []
    seconds = 0.0
    with observe() as frames, inductor.patch(force_disable_caches=True, compile_threads=1):
        compiled = torch.compile(
            way.wrap(program, function), backend="inductor", fullgraph=True, **way.options(program, function)
        )
        for i in SIZES:
            arguments = program.arguments(program.sizes[i])
            expected = _gradients(function, arguments, parameters)
            fresh = tuple(a.detach().clone() if isinstance(a, torch.Tensor) else a for a in arguments)
            before = _processor()
            with way.scope(program):
                found = _gradients(compiled, way.prepare(program, fresh), parameters)
            seconds += _processor() - before
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    return len(frames), seconds


def _processor() -> float:
    """Processor seconds so far, with those of the C++ compiler."""
    return sum(os.times()[:4])


def _gradients(call: Any, arguments: tuple[Any, ...], parameters: list[torch.nn.Parameter]) -> list[torch.Tensor]:
    """Of the sum of squares of what is called, by its float arguments and the parameters."""
    inputs = [a.requires_grad_() for a in arguments if isinstance(a, torch.Tensor) and a.is_floating_point()]
    return list(torch.autograd.grad(call(*arguments).square().sum(), [*inputs, *parameters]))


def tables(names: tuple[str, ...] = TRAINED) -> list[Table]:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*force disabled.*")
    rows = []
    for program in PROGRAMS:
        if program.name in names:
            found = {approach: trained(program, approach) for approach in COMPARED}
            rows.append((program.name, *(f"{graphs}; {seconds:.1f} s" for graphs, seconds in found.values())))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    note = (
        f'{len(SIZES)} sizes of the sweeps, forward and backward, `backend="inductor"`, caches off: graphs, and '
        "processor seconds of all that the calls take, the C++ compiler's among them. A second graph is Inductor's own "
        "way to sum more than 4,096 floats."
    )
    return [Table("training", "Training over sizes", note, ("program", *COMPARED), tuple(rows))]


if __name__ == "__main__":
    for table in tables(tuple(sys.argv[1:]) or TRAINED):
        print(table.markdown())
