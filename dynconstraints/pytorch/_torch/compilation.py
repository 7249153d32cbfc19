"""How a function is compiled: torch.compile's settings of a call, and a copy that is compiled alike."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import CodeType, SimpleNamespace
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import KEPT_BY_INDUCTOR
from dynconstraints.pytorch._torch.trace import current_trace


@cache
def compiled_calls() -> SimpleNamespace:
    """What each call of a compiled function goes through, also where a stance runs it in eager; read in 2.13.

    ``choose_callback`` is called by a frame of ``code``, whose variables are ``args``, ``kwargs`` and ``fn``, and the
    ``cleanups`` that are called when the call ends; where a release has no such frame, both are None.
    """
    frames = importlib.import_module("torch._dynamo.eval_frame")
    c = importlib.import_module("torch._C._dynamo.eval_frame")
    name, used = "_callback_from_stance", {"args", "kwargs", "fn", "cleanups"}
    parts = frames._TorchDynamoContext.__call__.__code__.co_consts  # noqa: SLF001
    codes = [part for part in parts if isinstance(part, CodeType) and name in part.co_names]
    found = [code for code in codes if used <= {*code.co_varnames, *code.co_freevars}]

    def ask_again(function: Any) -> None:
        """Forget that the function is never to be compiled."""
        actions = (c._FrameAction.DEFAULT, c._FrameAction.DEFAULT)  # noqa: SLF001
        c.set_code_exec_strategy(function.__code__, c._FrameExecStrategy(*actions))  # noqa: SLF001

    code = found[0] if len(found) == 1 else None
    return SimpleNamespace(choose_callback=(None if code is None else frames, name), code=code, ask_again=ask_again)


def compilation_of(compiled: Any) -> Any:
    """What torch.compile keeps of how it was called, for what it made; None for what it did not make."""
    asked = getattr(compiled, "get_compiler_config", None)
    held = [cell.cell_contents for cell in getattr(asked, "__closure__", None) or ()]
    kind = importlib.import_module("torch._dynamo.eval_frame").OptimizeContext if held else ()
    return next((context for context in held if isinstance(context, kind)), None)


def backend_of(compilation: Any) -> Any:
    """The backend as it was given to torch.compile, with its options; None where torch.compile is switched off."""
    if compilation is None:
        return None
    return importlib.import_module("torch._dynamo.eval_frame").innermost_backend(compilation.callback)


def compiled_alike(compilation: Any, function: Any, backend: Any, **others: Any) -> Any:
    """The function compiled with the options of another call of torch.compile, but for these, by its own backend."""
    options = {"guard_filter_fn": getattr(getattr(compilation, "_hooks", None), "guard_filter_fn", None)}
    specs = ("shapes_spec", "dynamic_shapes") if "dynamic" not in others else ()  # torch takes one of the two
    options |= {name: getattr(compilation, f"_{name}", None) for name in ("dynamic", *specs)} | others
    fullgraph = bool(getattr(compilation, "fullgraph", False))
    if not fullgraph:
        options["error_on_graph_break"] = getattr(compilation, "error_on_graph_break", None)
    given = {name: value for name, value in options.items() if value is not None}
    return torch._dynamo.optimize(backend, nopython=fullgraph, **given)(function)  # noqa: SLF001


def forget_compiled(code: Any, backend: Any) -> None:
    """Take out what the backend compiled for the code object; what others did stays."""
    frames: Any = torch._C._dynamo.eval_frame  # noqa: SLF001
    deleted: Any = getattr(importlib.import_module("torch._dynamo.guards"), "DeletedGuardManagerWrapper", None)
    for entry in frames._debug_get_cache_entry_list(code) if deleted is not None else ():  # noqa: SLF001
        manager = entry.guard_manager
        if getattr(entry, "backend", None) is backend and getattr(manager, "extra_state", None) is not None:
            manager.extra_state.invalidate(manager.cache_entry, deleted("it was compiled for a report"))


def forget_graphs(code: CodeType) -> None:
    """Take out all that was compiled for the code object, whoever did it; torch has it only where it compiled."""
    frames = sys.modules.get("torch._dynamo.eval_frame")
    reset = getattr(frames, "reset_code", None)
    if reset is not None:
        reset(code)


def forget_graphs_that_call(module: torch.nn.Module) -> None:
    """Take out the graphs of functions that may have taken the module's code in: their guards speak of its class, or
    of the module itself, by their identities."""
    frames: Any = torch._C._dynamo.eval_frame  # noqa: SLF001
    seen = getattr(sys.modules.get("torch._dynamo.convert_frame"), "input_codes", None)
    spoken = str(id(module)), str(id(type(module)))
    for code in [reference() for reference in getattr(seen, "seen", ())]:
        entries = [] if code is None else frames._debug_get_cache_entry_list(code)  # noqa: SLF001
        if any(part in str(entry.guard_manager) for entry in entries for part in spoken):
            forget_graphs(code)


KEPT_BY_AUTOGRAD = dict.fromkeys(
    ("enable_autograd_cache", "enable_remote_autograd_cache", "bundled_autograd_cache", "force_autograd_cache"), False
)


@contextmanager
def patched(module: str, settings: Mapping[str, Any]) -> Iterator[None]:
    """While open, settings of a config module of torch's; those that a release lacks are left out."""
    config = importlib.import_module(module)
    with config.patch({name: value for name, value in settings.items() if hasattr(config, name)}):
        yield


@cache
def inductor_compilation() -> dict[str, tuple[Any, str]]:
    """From a graph to what runs it, and within that the step from lowered code to a loaded module. Read in 2.13.

    They are of use together; where a release lacks one, it has none.
    """
    found = {
        "graph": (importlib.import_module("torch._inductor.compile_fx"), "_compile_fx_inner"),
        "module": (importlib.import_module("torch._inductor.graph").GraphLowering, "compile_to_module"),
    }
    return found if all(hasattr(owner, name) for owner, name in found.values()) else dict.fromkeys(found, (None, ""))


def env_of(inputs: Any) -> Any:
    """The ShapeEnv of the trace that a backend is given a graph of; None where there is none."""
    mode = importlib.import_module("torch._guards").detect_fake_mode(inputs)
    return getattr(mode, "shape_env", None)


def compiles_ahead() -> bool:
    """Whether Inductor is at work for AOTInductor, whose result is a file."""
    return bool(importlib.import_module("torch._inductor.virtualized").V.aot_compilation)


@contextmanager
def nothing_built() -> Iterator[None]:
    """While open, Inductor keeps no graph on disk, and builds nothing to measure it.

    Where it looks for the vector instructions of the CPU it takes the CPU's word; what it concluded is forgotten, so
    that whoever runs its code has the compiler tried, too.
    """
    config = importlib.import_module("torch._inductor.config")
    trials = dict.fromkeys(("benchmark_fusion", "benchmark_combo_kernel", "benchmark_kernel"), False)
    settings = {**KEPT_BY_INDUCTOR, **trials}
    if config.max_autotune or config.max_autotune_gemm:
        settings["deterministic"] = True  # of several kernels for an operation, one without a trial
    with patched("torch._inductor.config", settings), _untried_instructions():
        yield


@contextmanager
def _untried_instructions() -> Iterator[None]:
    isa = importlib.import_module("torch._inductor.cpu_vec_isa")
    known = getattr(isa.valid_vec_isa_list, "cache_info", None)
    if known is None or known().currsize or not hasattr(isa.VecISA, "check_build"):
        yield
        return
    original, isa.VecISA.check_build = isa.VecISA.check_build, lambda *_: True
    try:
        yield
    finally:
        isa.VecISA.check_build = original
        isa.valid_vec_isa_list.cache_clear()
        kinds = [kind for kind in vars(isa).values() if isinstance(kind, type) and issubclass(kind, isa.VecISA)]
        for method in (method for kind in kinds for method in vars(kind).values()):
            getattr(method, "cache_clear", lambda: None)()


def code_of_compilation() -> Any:
    """The code of the frame that is being compiled; None outside of a compilation."""
    tx = current_trace()
    return None if tx is None else tx.output.root_tx.f_code


def settings_kept() -> Callable[[], bool]:
    """A question that can be asked later: whether torch's settings that guards look at are what they are now."""
    guard = importlib.import_module("torch._C._dynamo.guards").GlobalStateGuard()
    return lambda: bool(guard.check())


def makes_sizes_dynamic() -> bool:
    """Whether torch makes sizes dynamic that change from call to call: not under ``dynamic=False``."""
    config = importlib.import_module("torch._dynamo.config")
    return bool(config.automatic_dynamic_shapes or not config.assume_static_by_default)


def is_kept_on_disk(compiled: Any) -> bool:
    """Whether torch saves what a backend made of a graph, and so wants it as it is."""
    return hasattr(type(compiled), "serialize_compile_artifacts")


def most_graphs() -> int:
    """How often torch compiles a function before it gives up on it."""
    config = importlib.import_module("torch._dynamo.config")
    return int(getattr(config, "recompile_limit", None) or config.cache_size_limit)


@cache
def module_calls() -> tuple[CodeType, ...]:
    """The code of what runs when a module is called; ``self``, ``args`` and ``kwargs`` are its variables."""
    found = (getattr(torch.nn.Module, name, None) for name in ("_call_impl", "_wrapped_call_impl"))
    return tuple(f.__code__ for f in found if f is not None)


def is_module_call(code: CodeType) -> bool:
    """Whether it is one of these, by identity: code that Dynamo makes may have no hash."""
    return any(code is call for call in module_calls())


def is_inlining_frame(code: CodeType) -> bool:
    """Whether the frame is torch's own around a module that is not compiled by itself; ``fn`` is that module."""
    return code.co_name == "inner" and code.co_filename.endswith("external_utils.py") and "fn" in code.co_freevars


def inlining_frames() -> tuple[CodeType, ...]:
    """The code of these frames, which all such modules share; torch has it only where it compiles."""
    wrap = getattr(sys.modules.get("torch._dynamo.external_utils"), "wrap_inline", None)
    consts = () if wrap is None else wrap.__code__.co_consts
    return tuple(code for code in consts if isinstance(code, CodeType) and is_inlining_frame(code))


def forward_hooks(module: torch.nn.Module) -> tuple[Any, ...]:
    """The hooks before and after a module's ``forward``."""
    return (*module._forward_pre_hooks.values(), *module._forward_hooks.values())  # noqa: SLF001


def saved_calls() -> tuple[Any, str]:
    """The call of a function that was compiled ahead of time, in this process or another; None for a release without.

    Its ``guard_manager`` and its variables are told by `guards_of_saved`. Read in 2.13.
    """
    try:
        kind = importlib.import_module("torch._dynamo.aot_compile").AOTCompiledFunction
    except (ImportError, AttributeError):
        return None, ""
    return (kind, "__call__") if hasattr(kind, "prepare_f_locals") else (None, "")


def guards_of_saved(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The guards of such a function, and the variables of a call of it that they refuse."""
    return function._artifacts.guard_manager, function.prepare_f_locals(*args, **kwargs)  # noqa: SLF001


def guard_pickler() -> tuple[Any, str]:
    """How what guards look at goes into a file: a tensor by its sizes and kind, without its marks. Read in 2.13."""
    kind = getattr(_module("torch._dynamo.guards"), "GuardsStatePickler", None)
    return (kind if hasattr(kind, "reducer_override") else None), "reducer_override"


def ahead_of_time() -> dict[str, tuple[Any, str]]:
    """What traces a frame that nobody calls, and what compiles it for a file, if anything; read in 2.13."""
    found = {
        "capture": ("torch._dynamo.convert_frame", "_fullgraph_capture_frame"),
        "compile": ("torch._dynamo.aot_compile", "aot_compile_fullgraph"),
    }
    modules = {key: _module(name) for key, (name, _) in found.items()}
    return {k: (modules[k] if hasattr(modules[k], name) else None, name) for k, (_, name) in found.items()}


def exports() -> tuple[Any, str]:
    """What torch.export, and its draft, trace by. Read in 2.13."""
    found, name = _module("torch.export._trace"), "_export"
    return (found if hasattr(found, name) else None), name


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


REFUSED_BY_GUARDS = "GuardManager check failed"
"""How torch's error for such a call begins."""
