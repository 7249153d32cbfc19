"""Helpers for tests that compile: a backend that counts graphs, and the shape guards of what was compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch._dynamo as dynamo
from torch._dynamo.testing import CompileCounterWithBackend

import dynconstraints
from dynconstraints.pytorch.install.observe import observe

explain = partial(dynconstraints.explain, backend="eager")
explain_calls = partial(dynconstraints.explain_calls, backend="eager")
suggest = partial(dynconstraints.suggest, backend="eager")
"""For tests about something else than Inductor, which takes longer."""


class Compiled:
    """A function compiled with a counting backend; each graph's shape guards are kept, in torch's own notation."""

    def __init__(
        self, function: Callable[..., Any], fullgraph: bool = True, backend: str = "eager", **options: Any
    ) -> None:
        dynamo.reset()
        self.counter = CompileCounterWithBackend(backend)
        self.guards: list[list[str]] = []
        self.function = torch.compile(function, backend=self.counter, fullgraph=fullgraph, options=None, **options)

    @property
    def graphs(self) -> int:
        return self.counter.frame_count

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with observe() as frames:
            result = self.function(*args, **kwargs)
        self.guards += [list(frame.guards) for frame in frames]
        return result
