"""Whether the wrappers do their work in the torch at hand: one operation compiled, its guard looked at."""

from __future__ import annotations

import torch


def selftest() -> None:
    """Raises RuntimeError unless a declared int compiles, is right, and leaves its divisibility as a guard."""
    from dynconstraints.pytorch.install.observe import observe
    from dynconstraints.pytorch.values.dynamic_int import DynamicInt

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        return x + n if n % 4 == 0 else x

    x = torch.ones(1)
    with observe() as frames:
        compiled = torch.compile(program, backend="eager", fullgraph=True)
        values = [int(compiled(DynamicInt(n, name="n", constraints=["n % 8 == 0"]), x)) for n in (16, 24)]
        outside = int(compiled(12, x)), int(compiled(13, x))
    first = frames[0].guards if frames else ()
    if values != [17, 25] or outside != (13, 1) or not any("8*" in guard for guard in first):
        raise RuntimeError(f"the self-test gave {values}, {outside} and the guards {list(first)}")
