"""The sweeps of the benchmark, held to their counts: ten sizes a program, equal to eager, few graphs, few guards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from models import MODELS
from programs import PROGRAMS, Program
from sweeps import sweep

# Graphs: one, and one more where the least sizes decide between a view and a copy.
EXPECTED = {
    "U-Net": (1, 5),
    "Swin": (1, 4),
    "pixel": (2, 4),
    "GQA": (2, 6),
    "patchify": (2, 4),
    "int n": (1, 2),
    "chunked CE": (2, 1),
    "LLaMA": (1, 1),  # maybe_mark_dynamic and ShapesSpec have 2
    "GPT-2": (1, 1),
}


@pytest.mark.parametrize("program", [p for p in (*PROGRAMS, *MODELS) if p.name in EXPECTED], ids=lambda p: p.name)
def test_a_sweep_needs_no_more_graphs_and_guards_than_recorded(program: Program) -> None:
    """What is left are the sizes, each with its range and what equals it, and the strides."""
    graphs, guards = EXPECTED[program.name]
    result = sweep(program, "declared")
    assert result.graphs <= graphs
    assert len(result.guards) <= guards, result.guards


def test_a_size_that_is_its_unit_first_costs_one_more_graph_at_most() -> None:
    """h = w = 4 with h % 4 == 0: the graph for it, then the one for all the others."""
    program = next(p for p in PROGRAMS if p.name == "pixel")
    smallest = [(4, 4), (16, 24), (8, 40), (4, 16), (4, 4)]
    units_first = Program(program.name, program.make, program.constraints, smallest, program.arguments, program.dims)
    assert sweep(units_first, "declared").graphs <= 3
