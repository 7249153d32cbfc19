"""Inductor's decisions that ask for a literal size, where a declared bound says as much.

A wrapper asks the original first, and adds to its answer only in a graph with declared sizes, only on what holds at
every entry (``statically_known_…`` asks the guarded ranges and the oracle, and leaves no guard), and only where the
kernel was measured to gain: ``tests/benchmarks/kernels.py``. The declaration is in the keys of the caches on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import sympy

from dynconstraints.pytorch._torch import inductor as torch_inductor
from dynconstraints.pytorch.frame.restart import KEY


def two_passes(original: Callable[..., bool]) -> Callable[..., bool]:
    """lowering.use_two_step_variance: the variance of a short row takes two passes, the mean first, since the row stays
    in the cache; Welford's single pass is for long rows. A row is short where its declared length is."""
    known = torch_inductor.inductor()

    @wraps(original)
    def use_two_step_variance(x: Any, axis: Any, *args: Any, **kwargs: Any) -> bool:
        if original(x, axis, *args, **kwargs):
            return True
        sizes = _declared_sizes()
        if sizes is None or x.get_device().type != "cpu":
            return False
        reduced = known.reduced_axes(x, axis)
        length = sympy.prod(x.get_size()[i] for i in reduced)
        rows = sympy.prod(size for i, size in enumerate(x.get_size()) if i not in reduced)
        symbolic = bool(length.free_symbols) and rows != 1  # the original has judged the others
        return symbolic and bool(sizes.statically_known_leq(length, known.two_step_threshold()))

    return use_two_step_variance


def _declared_sizes() -> Any:
    """What Inductor knows of the sizes of the graph that it compiles; None where none are declared."""
    sizes = torch_inductor.inductor().graph().sizevars
    return sizes if KEY in sizes.shape_env.__dict__ else None
