"""Inductor as far as the code that it generates: its guards are all there, and no compiler of C++ or Triton is run.

A graph that a report compiles is lowered, scheduled and written out as ever, since that is what asks for guards. What
runs in its place is the graph that Inductor was given, operation by operation. Nothing of it is kept on disk.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from types import SimpleNamespace
from typing import Any

import torch

from dynconstraints.pytorch._torch import compilation
from dynconstraints.pytorch.declarations.moments import FIRST_REPORT
from dynconstraints.pytorch.frame.restart import KEY

_MARK = f"{KEY}_only_generated"
_generating: ContextVar[bool] = ContextVar("dynconstraints_generating", default=False)


@contextmanager
def only_generated(env: Any) -> Iterator[None]:
    """Have Inductor generate code only for graphs of this ShapeEnv, now or, as backwards are, later.

    While open, AOTAutograd neither finds nor keeps anything on disk.
    """
    FIRST_REPORT.come()
    env.__dict__[_MARK] = True
    with compilation.patched("torch._functorch.config", compilation.KEPT_BY_AUTOGRAD):
        yield


def without_kernels(original: Callable[..., Any]) -> Callable[..., Any]:
    """compile_fx._compile_fx_inner: from a graph, as AOTAutograd leaves it, to what runs it."""

    @wraps(original)
    def _compile_fx_inner(gm: Any, example_inputs: Any, *args: Any, **kwargs: Any) -> Any:
        env = compilation.env_of(example_inputs)
        if env is None or _MARK not in env.__dict__ or compilation.compiles_ahead():
            return original(gm, example_inputs, *args, **kwargs)
        as_given = torch.fx.GraphModule(gm, copy.deepcopy(gm.graph))
        if kwargs.get("cudagraphs") is not None:
            kwargs["cudagraphs"] = type(kwargs["cudagraphs"])(False)
        token = _generating.set(True)
        try:
            with compilation.nothing_built():
                original(gm, example_inputs, *args, **kwargs)
        finally:
            _generating.reset(token)
        return _boxed(as_given)

    return _compile_fx_inner


def _boxed(graph: Any) -> Callable[[list[Any]], Any]:
    """The graph as AOTAutograd calls it: with a list, which it may empty."""

    def run(args: list[Any]) -> Any:
        given = tuple(args)
        args.clear()
        return graph.forward(*given)

    setattr(run, "_boxed_call", True)  # noqa: B010  torch's own mark, of a function
    return run


def without_module(original: Callable[..., Any]) -> Callable[..., Any]:
    """GraphLowering.compile_to_module: from a graph that was lowered to a module of code, loaded and compiled."""

    @wraps(original)
    def compile_to_module(self: Any) -> Any:
        if not _generating.get():
            return original(self)
        self.codegen()
        return SimpleNamespace(call=None)

    return compile_to_module
