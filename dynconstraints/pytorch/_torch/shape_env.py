"""ShapeEnv: symbols, value ranges, replacements, guards, and where they come from."""

from __future__ import annotations

import dataclasses
import importlib
import linecache
import os
import re
import sys
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


def placed_at_operation(sloc: Any) -> Any:
    """The place of a guard with the user's line of the operation at work, and its name, where only those know it.

    Behind Dynamo, which follows the user's lines, AOTAutograd and Inductor go from operation to operation.
    """
    if sloc.maybe_user_loc is not None:
        return sloc
    graph = importlib.import_module("torch._inductor.virtualized").V.graph if _LOWERING in sys.modules else None
    node = getattr(graph, "current_node", None)
    meta = importlib.import_module("torch.fx.traceback").get_current_meta() if node is None else node.meta
    line = _last_line(meta.get("stack_trace") or "")
    if line is None:
        return sloc
    sources = meta.get("source_fn_stack") or meta.get("fwd_source_fn_stack") or [("", "")]
    target = sources[-1][1] if node is None else node.target
    called = f"{target}" if isinstance(target, torch._ops.OpOverload) else getattr(target, "__name__", f"{target}")  # noqa: SLF001
    return dataclasses.replace(sloc, maybe_user_loc=line, framework_loc=f"{_OPERATION}{called}")


def _last_line(trace: str) -> str | None:
    """The last line of a traceback that is not in torch, as torch tells the line of a guard."""
    torchs = str(Path(torch.__file__).parent)
    lines = [found for found in _TRACED.finditer(trace) if not found["file"].startswith(torchs)]
    return None if not lines else "{code}  # {file}:{line} in {function}".format(**lines[-1].groupdict())


def operation_of(sloc: Any) -> str | None:
    """The operation that a guard was asked at, where AOTAutograd or Inductor asked; None for others."""
    place = getattr(sloc, "framework_loc", None)
    return place.removeprefix(_OPERATION) if isinstance(place, str) and place.startswith(_OPERATION) else None


def user_line(sloc: Any) -> str | None:
    """The line that a guard comes from, as torch tells it: ``code  # file:3 in f``; None where that is one of ours.

    Torch leaves out what the file's path has in common with its own, and one character more where that is only the
    root; the file is there to be found.
    """
    known = getattr(sloc, "maybe_user_loc", None)
    file = getattr(getattr(sloc, "framework_loc", None), "filename", "")
    if known is None and file.startswith(str(Path(__file__).parent)):
        return None
    line = _FILE.sub(_whole_path, known or str(sloc))
    return re.sub(r"(?<= in )torch_dynamo_resume_in_(\w+)_at_\d+$", r"\1", line)


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
