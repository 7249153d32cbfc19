"""What a declared int costs in eager programs beside upstream's and a plain one: `python tests/benchmarks/eager.py`."""

from __future__ import annotations

import timeit

import torch
from tables import Table
from torch.fx.experimental.sym_node import DynamicInt as UpstreamDynamicInt

from dynconstraints import DynamicInt

ARITHMETIC = ("v + 1", "v + v", "2 * v", "v // 2", "v % 4", "-v", "v < 65", "v == 64")
AS_INT = ("hash(v)", "items[v]")
TORCH = (
    *("torch.ones(v)", "torch.ones(v, 3)", "torch.full((v,), 1.0)", "torch.arange(v)", "x.new_zeros(v)"),
    *("x.view(4, 2*v)", "x.expand(v, -1, -1)", "x.narrow(0, 0, v)", "x[:v]"),
)


def nanoseconds(statement: str, number: int = 1000, rounds: int = 15) -> dict[str, float]:
    """The shortest time of the statement for each kind of v, taken in turns, so that a busy machine hits all alike."""
    kinds = {"int": 64, "upstream": UpstreamDynamicInt(64), "declared": DynamicInt(64, name="n")}
    space = {"torch": torch, "x": torch.ones(128, 4), "items": list(range(100))}
    best = dict.fromkeys(kinds, float("inf"))
    for _ in range(rounds):
        for kind, v in kinds.items():
            taken = timeit.timeit(statement, globals={**space, "v": v}, number=number) / number
            best[kind] = min(best[kind], taken * 1e9)
    return best


def tables() -> list[Table]:
    torch.set_num_threads(1)
    statements = (*ARITHMETIC, *AS_INT, *TORCH)
    rows = [(f"`{s}`", *(f"{t:,.0f} ns" for t in nanoseconds(s).values())) for s in statements]
    note = "The shortest of 15 rounds, taking turns."
    head = ("v = 64", "int", "upstream", "ours")
    return [Table("eager", "(e) A DynamicInt in eager programs", note, head, tuple(rows))]


if __name__ == "__main__":
    for table in tables():
        print(table.markdown())
