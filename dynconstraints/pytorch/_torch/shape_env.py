"""ShapeEnv: symbols, value ranges, replacements, guards, and where they come from."""

from __future__ import annotations

import dataclasses
import importlib
import linecache
import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import _LOWERING, _OPERATION, _TRACED, dynamo


@cache
def shape_functions() -> SimpleNamespace:
    """Functions from shapes to shapes that ask whether sizes are 1, as pairs of their module or object and their name.

    Read in 2.10 to 2.15; what a release lacks is left out by the caller.
    """
    refs = importlib.import_module("torch._refs")
    fakes = importlib.import_module("torch._subclasses.fake_impls")
    common = importlib.import_module("torch._prims_common")
    nodes = importlib.import_module("torch.fx.experimental.sym_node").SymNode
    metadata = importlib.import_module("torch.fx.passes.shape_prop")
    return SimpleNamespace(
        broadcast_shapes=(refs, "_broadcast_shapes"),
        broadcast_tensors=(refs, "_maybe_broadcast"),
        broadcast_two=(fakes, "infer_size"),
        broadcast_in_dim=(torch.ops.prims.broadcast_in_dim.default, "prim_meta_impl"),
        view=(refs, "_reshape_view_helper"),
        contiguous=(common, "check_contiguous_sizes_strides"),
        contiguous_tensor=(common, "is_contiguous"),
        dense=(common, "_is_non_overlapping_and_dense_or_false"),
        recorded_format=(metadata, "is_contiguous_for_memory_format_or_false"),
        guard_or_false=(nodes, "guard_or_false"),
        guard_or_true=(nodes, "guard_or_true"),
    )


def unguarded() -> Any:
    """A context in which torch takes a question that has an answer for the unknown, too, for what is known of sizes."""
    return importlib.import_module("torch.fx.experimental._config").patch(backed_size_oblivious=True)


CONTIGUITY = "c10/core/Contiguity.h"
"""Where C++ works out whether a tensor is contiguous: first as if nothing were known of sizes that torch can't tell,
which may find that it is, whatever they are; then, if not, as a condition on them, asked by whoever wants to know."""


def known(node: Any) -> bool | None:
    """Whether the condition is known to hold, or not to, without a guard."""
    return evaluated(node.shape_env, node.expr)


def evaluated(env: Any, condition: Any) -> bool | None:
    """Whether the ShapeEnv knows the condition to hold, or not to, without a guard."""
    found = env._maybe_evaluate_static(condition)  # noqa: SLF001
    return None if found is None else bool(found)


def narrow(env: Any, symbol: Any, low: int | None, high: int | None) -> None:
    """Intersect the symbol's range in the ShapeEnv, which prints it as a guard, with low..high, both inclusive."""
    ranges = dynamo().ValueRanges
    known = ranges.unknown_int()
    found = ranges(known.lower if low is None else low, known.upper if high is None else high)
    env._update_var_to_range(symbol, found)  # noqa: SLF001  what torch's own constraints call


def forget_simplified(env: Any) -> None:
    """Have the ShapeEnv simplify anew: what it, and from 2.12 on its nodes, keep of expressions is out of date."""
    env._version_counter += 1  # noqa: SLF001
    if hasattr(env, "_replacements_version_counter"):
        env._replacements_version_counter += 1  # noqa: SLF001


def backed_values(env: Any) -> dict[Any, Any]:
    """The values of the symbols that are known before the graph runs; up to 2.10 under another name."""
    found: dict[Any, Any] = env.backed_var_to_val if hasattr(env, "backed_var_to_val") else env.var_to_val
    return found


def allow_numbers_of_tensors(env: Any) -> None:
    """Let the graph, here and in the compilers that it goes to, take numbers out of tensors.

    A program's own ``x.item()`` is asked for by Dynamo's setting, which stays as the user has it.
    """
    env.settings = dataclasses.replace(env.settings, allow_scalar_outputs=True)


def assert_in_graph(env: Any, condition: Any) -> bool:
    """Have the graph assert the condition when it runs, or guard it where no computed value is in it; as torch._check.

    False where it is known not to hold.
    """
    return bool(env.guard_or_defer_runtime_assert(condition, f"{condition}"))


@cache
def functions() -> SimpleNamespace:
    """The sympy functions that torch defines for sizes; names that a release lacks are None."""
    module = importlib.import_module("torch.utils._sympy.functions")
    names = ["FloorDiv", "CleanDiv", "ModularIndexing", "PythonMod", "Mod", "CeilDiv", "Max", "Min", "PowByNatural"]
    names += ["Where", "Identity", "FloatTrueDiv", "ToFloat", "TruncToFloat"]
    return SimpleNamespace(**{name: getattr(module, name, None) for name in names})


def records_symbols() -> bool:
    """Whether make_fx, at work for AOTAutograd or anything else, records what is computed of symbols."""
    return importlib.import_module("torch.fx.experimental.proxy_tensor").get_proxy_mode() is not None


def symbolic_node(node: Any, expr: Any) -> Any:
    """The node of a SymFloat, with another expression for the same number."""
    return type(node)(expr, node.shape_env, node.pytype, node._hint, fx_node=node.fx_node)  # noqa: SLF001


def source_name(source: Any) -> str:
    """The guard expression that gives a source's value; a method up to 2.10, a property after."""
    name = source.name
    return str(name() if callable(name) else name)


def input_fakes(env: Any) -> list[tuple[Any, str]]:
    """The tensors that the frame takes from its arguments, as fakes, and their sources; nothing once the trace is over.

    What a source reaches through a module belongs to the model.
    """
    tracked = getattr(env, "tracked_fakes", None) or ()
    found = [(t.fake, t.source) for t in tracked if isinstance(getattr(t, "fake", None), torch.Tensor)]
    return [(fake, source_name(source)) for fake, source in found if _is_of_call(source)]


def _is_of_call(source: Any) -> bool:
    """Whether the source reaches an argument by no way through a module."""
    kinds = []
    while source is not None:
        kinds.append(type(source).__name__)
        last, source = source, getattr(source, "base", None)
    is_module = any("NNModule" in kind for kind in kinds) or getattr(last, "local_name", "self") == "self"
    return not is_module and not {"GlobalSource", "ClosureSource"} & set(kinds)


def plain_source(name: str) -> str:
    """A guard expression as the user would write it: ``x.size(2)`` for ``L['x'].size()[2]``."""
    local = re.sub(r"\bL\['(\w+)'\]", r"\1", name)
    return re.sub(r"\.size\(\)\[(\d+)\]", r".size(\1)", re.sub(r"\bG\['(\w+)'\]", r"\1", local))


def replacement_place(env: Any, symbol: Any) -> Any:
    """Where a ShapeEnv learned what it replaces the symbol by; None if it keeps none."""
    return getattr(env, "replacements_slocs", {}).get(symbol)


def bound_place(env: Any, symbol: Any, *, is_upper: bool) -> Any:
    """Where a ShapeEnv learned an end of the symbol's range; None if it keeps none."""
    ends = getattr(env, "var_to_range_sloc", {}).get(symbol)
    return getattr(ends, "upper" if is_upper else "lower", None)


def stack_summary() -> tuple[Any, str]:
    """The method of ShapeEnv that tells where a guard comes from, and what about it is of interest to debug it."""
    return importlib.import_module("torch.fx.experimental.symbolic_shapes").ShapeEnv, "_get_stack_summary"


def placed(sloc: Any) -> Any:
    """The place of a guard with the innermost line of the user's own, and of the operation at work where only that
    knows any.

    Behind Dynamo, which follows the user's lines, AOTAutograd and Inductor go from operation to operation.
    """
    if sloc.maybe_user_loc is not None:
        stack = dynamo().TracingContext.extract_stack()
        lines = [(s.filename, f"{s.line}  # {s.filename}:{s.lineno} in {s.name}") for s in stack or ()]
        return _Placed(sloc.framework_loc, sloc.maybe_user_loc, _own_line(lines))
    graph = importlib.import_module("torch._inductor.virtualized").V.graph if _LOWERING in sys.modules else None
    node = getattr(graph, "current_node", None)
    meta = importlib.import_module("torch.fx.traceback").get_current_meta() if node is None else node.meta
    found = [line.groupdict() for line in _TRACED.finditer(meta.get("stack_trace") or "")]
    lines = [(line["file"], "{code}  # {file}:{line} in {function}".format(**line)) for line in found]
    own = _own_line(lines)
    if own is None and not lines:
        return sloc
    sources = meta.get("source_fn_stack") or meta.get("fwd_source_fn_stack") or [("", "")]
    target = sources[-1][1] if node is None else node.target
    called = f"{target}" if isinstance(target, torch._ops.OpOverload) else getattr(target, "__name__", f"{target}")  # noqa: SLF001
    return _Placed(f"{_OPERATION}{called}", lines[-1][1], own)


@dataclasses.dataclass(frozen=True)
class _Placed(importlib.import_module("torch._guards").SLoc):  # type: ignore[misc]  # Any to mypy
    """A place as torch tells it, and the innermost line of the user's own code on the way there, where there is one."""

    own: str | None = None


def _own_line(lines: Sequence[tuple[str, str]]) -> str | None:
    """The innermost of the lines, each with its file, that is not in an installed package, nor in Python itself."""
    return next((line for file, line in reversed(lines) if is_users(file)), None)


@cache
def is_users(file: str) -> bool:
    """Whether the file is one of the user's own: not installed, not a part of Python, nor of this package."""
    path = Path(file)
    if {"site-packages", "dist-packages"} & set(path.parts) or file.startswith("<frozen"):
        return False
    return not any(folder in path.parents for folder in _FOREIGN)


_FOREIGN = (Path(torch.__file__).parent, Path(os.__file__).parent, Path(__file__).parents[2])
"""Folders of torch, which may come from a checkout, of Python, and of this package."""


def operation_of(sloc: Any) -> str | None:
    """The operation that a guard was asked at, where AOTAutograd or Inductor asked; None for others."""
    place = getattr(sloc, "framework_loc", None)
    return place.removeprefix(_OPERATION) if isinstance(place, str) and place.startswith(_OPERATION) else None


def user_line(sloc: Any) -> str | None:
    """The line that a guard comes from, as torch tells it: ``code  # file:3 in f``; None where that is one of ours.

    It is the innermost outside of installed packages, where there is one. Torch leaves out what the file's path has in
    common with its own, and one character more where that is only the root; the file is there to be found.
    """
    known = getattr(sloc, "own", None) or getattr(sloc, "maybe_user_loc", None)
    file = getattr(getattr(sloc, "framework_loc", None), "filename", "")
    if known is None and file.startswith(str(Path(__file__).parent)):
        return None
    return _whole_line(known or str(sloc))


def inner_line(sloc: Any) -> str | None:
    """The line that torch itself tells, where it is further inside than the user's."""
    own, told = getattr(sloc, "own", None), getattr(sloc, "maybe_user_loc", None)
    inner = None if own is None or told is None else _whole_line(told)
    return None if inner is None or inner == _whole_line(str(own)) else inner


def _whole_line(line: str) -> str:
    return re.sub(r"(?<= in )torch_dynamo_resume_in_(\w+)_at_\d+$", r"\1", _FILE.sub(_whole_path, line))


_FILE = re.compile(r"(?<=  # )(?:(?!  # ).)+(?=:\d+ in [^#]*$)")
"""The file in such a line, whose code may have a comment of its own."""


def _whole_path(found: re.Match[str]) -> str:
    cut = found[0]
    whole = [str(folder / cut) for folder in Path(torch.__file__).parents]
    whole += [file for file in linecache.cache if file.endswith(cut) and len(file) == len(cut) + 2]
    read = [file for file in whole if file in linecache.cache]
    return next(iter([*read, *filter(os.path.isfile, whole)]), cut)


def hint_of(size: Any) -> int | None:
    """What a symbolic size is in the call that is traced; None where only the graph computes it."""
    found = getattr(size.node, "hint", None)
    return found if isinstance(found, int) else None
