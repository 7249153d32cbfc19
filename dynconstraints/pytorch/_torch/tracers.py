"""The traces of torch's that know of no declaration, each where all ways to it come together. Read in 2.13."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from dynconstraints.pytorch._torch.compilation import forward_hooks

DRAFT = "torch.export._draft_export"
"""The module of draft_export."""


def tracers() -> Mapping[str, tuple[Any, str]]:
    """Owner and name of each; of one that a release lacks the owner is None."""
    jit, scripts = (_module(name) for name in ("torch.jit._trace", "torch.jit._recursive"))
    found = {
        "trace": (jit, "_trace_impl"),
        "trace_module": (torch.jit, "trace_module"),
        "graph": (torch.jit, "_get_trace_graph"),
        "script": (scripts, "create_script_module"),
        "script_function": (_module("torch.jit._script"), "_check_directly_compile_overloaded"),
        "symbolic": (torch.fx.Tracer, "trace"),
        "proxies": (getattr(_module("torch.fx.experimental.proxy_tensor"), "_MakefxTracer", None), "trace"),
    }
    return {key: _present(*place) for key, place in found.items()}


def draft() -> tuple[Any, str]:
    """torch.export.draft_export."""
    return _present(_module(DRAFT), "draft_export")


def _present(owner: Any, name: str) -> tuple[Any, str]:
    return (owner if hasattr(owner, name) else None), name


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def is_part_of_a_compilation() -> bool:
    """Whether a trace is a step of torch.compile, or of an export."""
    return importlib.import_module("torch._guards").TracingContext.try_get() is not None


def is_precompiling() -> bool:
    """Whether make_fx is called by torch.compiler.precompile, which 2.14 and newer have."""
    frame = sys._getframe(1)  # noqa: SLF001  inspect.currentframe is the same, slower
    while frame is not None and frame.f_globals.get("__name__") != _PRECOMPILE:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None


_PRECOMPILE = "torch._precompile"


@contextmanager
def without_hooks(module: torch.nn.Module, ours: tuple[Any, ...]) -> Iterator[None]:
    """While open, the modules in it don't have these hooks on their ``forward``, which TorchScript would compile."""
    taken = [
        (hooks, key, hook)
        for inner in module.modules()
        if any(hook in forward_hooks(inner) for hook in ours)
        for hooks in (inner._forward_pre_hooks, inner._forward_hooks)  # noqa: SLF001
        for key, hook in list(hooks.items())
        if hook in ours
    ]
    for hooks, key, _ in taken:
        del hooks[key]
    try:
        yield
    finally:
        for hooks, key, hook in taken:
            hooks[key] = hook
