"""How a function is compiled, by which backend and with which options; and a copy of it compiled alike for a report."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from dynconstraints.pytorch._torch import compilation
from dynconstraints.pytorch.inductor.codegen_only import only_generated
from dynconstraints.pytorch.install.observe import Frames, observe
from dynconstraints.pytorch.signatures.checked import called_by
from dynconstraints.pytorch.signatures.registry import declare_alike

Backend = str | Callable[..., Any]


@dataclass(frozen=True)
class Way:
    """How torch.compile was called for a function, or would be for one that is not compiled.

    ``compilation`` is what torch keeps of that call; the backend may be another.
    """

    backend: Any
    fullgraph: bool
    compilation: Any

    @classmethod
    def of(cls, fn: Callable[..., Any], backend: Backend | None = None) -> Way:
        """The way of a compiled function, with another backend where one is given; else that of torch's defaults."""
        made = compilation.compilation_of(_compiled(fn))
        chosen = made
        if made is None or backend is not None:
            chosen = compilation.compilation_of(torch.compile(lambda: None, backend=backend or "inductor"))
        known = chosen if made is None else made
        return cls(compilation.backend_of(chosen), bool(getattr(known, "fullgraph", False)), known)

    @property
    def backend_name(self) -> str:
        """The backend as torch lists it, ``inductor``; of a callable its own name."""
        name = str(getattr(self.backend, "compiler_name", None) or getattr(self.backend, "__name__", ""))
        if re.fullmatch(r"[\w.-]+", name):
            return name
        return type(getattr(self.backend, "compiler_fn", self.backend)).__name__

    @contextmanager
    def observed(self, target: Callable[..., Any], **others: Any) -> Iterator[tuple[Callable[..., Any], Frames]]:
        """The target, which has a code of its own (`apart`), compiled in this way, and the frames that its calls bring.

        ``others`` are options that take the place of the user's.

        When the block ends, functions of the user's that were compiled on the way are rid of it.
        """
        own = _Own(self.backend)
        with observe() as frames, compilation.patched("torch._dynamo.config", {"caching_precompile": False}):
            try:
                yield compilation.compiled_alike(self.compilation, target, own, **others), frames
            finally:
                for code in {frame.code for frame in frames if frame.code is not None}:
                    compilation.forget_compiled(code, own)


class _Own:
    """A backend under an identity of its own: torch finds nothing that was compiled for another, nor the other way."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        for name in ("compiler_name", "__name__", "get_compiler_config", "backend_ctx_ctor", "reset"):  # torch asks
            if hasattr(backend, name):
                setattr(self, name, getattr(backend, name))

    def __call__(self, graph: Any, inputs: Any, **options: Any) -> Any:
        env = compilation.env_of(inputs)
        if env is None:
            return self.backend(graph, inputs, **options)
        with only_generated(env):
            return self.backend(graph, inputs, **options)


def original_of(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function or module that was compiled; itself where it was not."""
    if isinstance(fn, types.MethodType):
        function = original_of(fn.__func__)
        return fn if function is fn.__func__ else types.MethodType(function, fn.__self__)
    found: Any = getattr(fn, "_orig_mod", None)
    found = getattr(fn, "_torchdynamo_orig_callable", called_by(fn)) if found is None else found
    return fn if found is fn else original_of(found)


def apart(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The callable with a code object of its own, so that torch keeps its graphs apart."""
    bound = fn.forward if isinstance(fn, torch.nn.Module) else fn
    function = called_by(getattr(bound, "__func__", bound))
    if not isinstance(function, types.FunctionType):
        return lambda *args, **kwargs: fn(*args, **kwargs)
    copy = types.FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    declare_alike(function.__code__, copy.__code__)
    owner = getattr(bound, "__self__", None)
    return copy if owner is None else types.MethodType(copy, owner)


def _compiled(fn: Any) -> Any:
    """What torch.compile made of the callable: of a module that ``module.compile()`` was called of, its call."""
    inside = fn.__dict__.get("_compiled_call_impl") if isinstance(fn, torch.nn.Module) else None
    return fn if inside is None else inside
