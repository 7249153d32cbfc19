"""Relations between sizes, declared for a block of calls: one symbol is left, and what follows costs no guard."""

import torch

from dynconstraints import ConstraintViolationError, DynamicInt, dynamic_int_constraints
from dynconstraints.pytorch.install.observe import observe


@torch.compile(backend="eager", fullgraph=True)
def pool(x: torch.Tensor, s0: int, s1: int) -> torch.Tensor:
    if s1 % 2 == 0 and s1 // 2 == s0:  # settled by the declaration: no guard, no second graph
        return x[:s1].view(s0, 2).mean(1)
    return x[:s0]


with dynamic_int_constraints(["s1 == 2*s0", "s0 >= 4"]), observe() as frames:
    for n in (4, 8, 32, 100):
        s0, s1 = DynamicInt(n, name="s0"), DynamicInt(2 * n, name="s1")
        print(n, tuple(pool(torch.arange(500.0), s0, s1).shape))
    print("graphs:", len(frames))
    for guard in frames[0].guards:
        print("  guard:", guard)
    try:
        pool(torch.arange(500.0), DynamicInt(8, name="s0"), DynamicInt(17, name="s1"))
    except ConstraintViolationError as error:
        print(error)

# Arithmetic keeps the link: 2*n is known to be 2*n, without any declaration.
n = DynamicInt(16, name="n")
print(repr(2 * n + 1))
