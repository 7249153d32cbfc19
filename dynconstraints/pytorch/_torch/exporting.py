"""torch.export: the inputs of a program, their sources while it is traced, and what an ExportedProgram is made of.

Read in 2.13.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import dynamo


@dataclass(frozen=True)
class Leaf:
    """One of the flat inputs of a program.

    ``keys`` lead to it from the arguments and keyword arguments; ``path`` is how its user calls it, and ``access`` what
    a guard of the program says for it.
    """

    index: int
    keys: tuple[Any, ...]
    path: str
    access: str
    value: Any


def leaves_of(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Leaf]:
    """The flat inputs of an export, in order."""
    names = _trace()._get_forward_arg_names(module, args, kwargs)  # noqa: SLF001
    found = _pytree().tree_flatten_with_path((args, dict(kwargs)))[0]
    return [_leaf(i, keys, names, value) for i, (keys, value) in enumerate(found)]


def _leaf(index: int, keys: tuple[Any, ...], names: list[str], value: Any) -> Leaf:
    top, first, *rest = keys
    name = first.key if top.idx else names[first.idx]
    steps = ".".join(map(_step, rest))
    return Leaf(index, keys, f"{name}.{steps}" if steps else name, f"L[{name!r}]{_pytree().keystr(rest)}", value)


def _step(key: Any) -> str:
    return str(next(getattr(key, name) for name in ("idx", "key", "name") if hasattr(key, name)))


def mapped_leaves(change: Callable[[Any], Any], value: Any) -> Any:
    """The value, each of the leaves in it replaced."""
    return _pytree().tree_map(change, value)


def sources_of(
    module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], leaves: list[Leaf]
) -> dict[str, list[Any]]:
    """What traces call the leaves: a strict one, which is Dynamo's, and one that is not."""
    util = importlib.import_module("torch._export.non_strict_utils")
    prefixes = util.make_sourced_prefixes(module, args, kwargs)
    flat = dynamo().LocalSource("flat_args")
    return {
        "strict": [util.GetItemSource(flat, leaf.index) for leaf in leaves],
        "non_strict": [util.key_path_to_source(leaf.keys, prefixes) for leaf in leaves],
    }


def is_collected(given: Any) -> bool:
    """Whether it is an object of torch's that dynamic_shapes are made from."""
    return isinstance(given, torch.export.ShapesCollection | torch.export.AdditionalInputs)


def is_inferred(given: Any) -> bool:
    """Whether dynamic_shapes are made from further examples, of which sizes that are the same tell nothing."""
    return isinstance(given, torch.export.AdditionalInputs)


def plain_shapes(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: Any) -> Any:
    """dynamic_shapes as a mapping or sequence; None for none."""
    return given.dynamic_shapes(module, args, dict(kwargs)) if is_collected(given) else given


def leaf_order(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[int]:
    """The numbers of the flat inputs in the order of the parameters, in which dynamic_shapes have them."""
    count = iter(range(1 << 30))
    numbered = _pytree().tree_map(lambda _: _Numbered(next(count)), (args, dict(kwargs)))
    found: list[int] = []
    combined = _shapes()._combine_args(module, *numbered)  # noqa: SLF001
    _shapes()._tree_map_with_path(lambda _, leaf: found.append(leaf.number), combined)  # noqa: SLF001
    return found


@dataclass(frozen=True)
class _Numbered:
    number: int


def mapped_shapes(
    change: Callable[[int, Any, Any], Any], module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: Any
) -> Any:
    """dynamic_shapes in the order of the module's parameters, the entry of each leaf replaced.

    ``change`` gets the number of the leaf among those of the combined arguments, the leaf and its entry.
    """
    shapes = _shapes()
    combined = shapes._combine_args(module, args, kwargs)  # noqa: SLF001
    count = iter(range(1 << 30))
    if not given:
        return shapes._tree_map_with_path(lambda _, leaf: change(next(count), leaf, None), combined)  # noqa: SLF001
    if isinstance(given, tuple | list):
        combined = type(given)(combined.values())
    else:
        given = {name: given[name] for name in combined if name in given} if given.keys() == combined.keys() else given
    return shapes._tree_map_with_path(  # noqa: SLF001
        lambda _, leaf, entry: change(next(count), leaf, entry), combined, given, tree_name="inputs"
    )


def dim_kinds() -> SimpleNamespace:
    """The classes of the entries of dynamic_shapes."""
    shapes = _shapes()
    return SimpleNamespace(
        Dim=shapes.Dim,
        Derived=shapes._DerivedDim,  # noqa: SLF001
        Hint=shapes._DimHint,  # noqa: SLF001
        HintType=shapes._DimHintType,  # noqa: SLF001
    )


AUTO: Any = torch.export.Dim.AUTO
"""The entry of a size that is dynamic unless the program needs it not to be."""


def dynamic_int(value: Any) -> int | None:
    """The number in what torch puts around an int of the example that is to be an input; None for anything else."""
    return int(value.val) if type(value) is _shapes()._IntWrapper else None  # noqa: SLF001


@contextmanager
def marks_kept(tensors: Iterable[torch.Tensor]) -> Iterator[None]:
    """While open, torch may mark dimensions of the tensors; then they have the marks that they had."""
    held = [(t, _marks(t)) for t in tensors]
    try:
        yield
    finally:
        for tensor, marks in held:
            for name in _marks(tensor).keys() - marks.keys():
                delattr(tensor, name)
            for name, value in marks.items():
                setattr(tensor, name, value)


def _marks(tensor: torch.Tensor) -> dict[str, Any]:
    held = getattr(tensor, "__dict__", {})
    return {name: v for name, v in held.items() if name.startswith("_dynamo_") or name == "_has_dynamo_dim_marking"}


@contextmanager
def expressions_allowed(env: Any, expressions: Iterable[Any]) -> Iterator[None]:
    """While open, an input may be an expression where torch looks for the range of a symbol."""
    added = {e: env.bound_sympy(e) for e in expressions if e not in env.var_to_range}
    env.var_to_range.update(added)
    try:
        yield
    finally:
        for expression in added:
            env.var_to_range.pop(expression, None)


def composite_kernel(operator: Any, kernel: Callable[..., Any]) -> Callable[[], None]:
    """Have traces ask the kernel what an operator is that C++ makes of others; it is given that, and the arguments.

    What is returned undoes it.
    """
    key = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001
    original = partial(operator._op_dk, key)  # noqa: SLF001

    def kernel_of_trace(*args: Any, **kwargs: Any) -> Any:
        return kernel(original, *args, **kwargs)

    operator.py_impl(key)(kernel_of_trace)

    def undo() -> None:
        operator.py_kernels.pop(key, None)
        operator._dispatch_cache.clear()  # noqa: SLF001

    return undo


unsafe_view: Any = torch.ops.aten._unsafe_view.default  # noqa: SLF001
"""A view of what nobody else has."""


def overlap_question() -> tuple[Any, str]:
    """What the traces of operations that write to tensors ask."""
    return torch, "_debug_has_internal_overlap"


def ranges_of_inputs() -> tuple[Any, str]:
    """What collects the ranges of the inputs when the trace of an export is done."""
    return _trace(), "make_constraints"


def strides_of_inputs(module: Any) -> Iterator[Any]:
    """The symbols in the strides and offsets of a graph's inputs."""
    for node in module.graph.find_nodes(op="placeholder"):
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor) and value.layout == torch.strided:
            for number in (*value.stride(), value.storage_offset()):
                if isinstance(number, torch.SymInt):
                    yield from number.node.expr.free_symbols


def placeholders_of(program: Any) -> list[Any]:
    """The user's inputs of an ExportedProgram, as the trace saw them."""
    kind = importlib.import_module("torch.export.graph_signature").InputKind.USER_INPUT
    nodes = [node for node in program.graph.nodes if node.op == "placeholder"]
    pairs = zip(nodes, program.graph_signature.input_specs, strict=True)
    return [node for node, spec in pairs if spec.kind == kind]


def env_of_program(program: Any) -> Any:
    """The ShapeEnv of an ExportedProgram; None of one without symbols."""
    return _programs()._get_shape_env(program.graph_module)  # noqa: SLF001


def on_copies(module: Any, action: Callable[[Any], None]) -> None:
    """Have something done with each deep copy of a graph module, which copies none of its hooks on calls."""
    if hasattr(module, "_register_deepcopy_hook"):
        module._register_deepcopy_hook(action)  # noqa: SLF001


def symbols_of(inputs: Iterable[Any]) -> Iterator[Any]:
    """The symbolic sizes and ints among inputs."""
    for value in inputs:
        for size in value.shape if isinstance(value, torch.Tensor) else [value]:
            if isinstance(size, torch.SymInt):
                yield size


def input_values(module: Any) -> list[Any]:
    """The inputs of a graph as the trace saw them."""
    return [node.meta.get("val") for node in module.graph.find_nodes(op="placeholder")]


def fresh_env() -> Any:
    """A ShapeEnv of its own."""
    return importlib.import_module("torch.fx.experimental.symbolic_shapes").ShapeEnv(tracked_fakes=[])


def guards_code(program: Any, known: frozenset[Any]) -> list[str]:
    """Torch's own guards of a program, but for those on known symbols alone."""
    env = env_of_program(program)
    if env is None or not known:
        return list(program._guards_code)  # noqa: SLF001
    guards = env.guards
    env.guards = [guard for guard in guards if not guard.expr.free_symbols <= known]
    try:
        return list(_programs()._convert_guards_to_code(program.graph_module))  # noqa: SLF001
    finally:
        env.guards = guards


def set_guards(program: Any, code: list[str]) -> None:
    """Have a program check these expressions."""
    program._guards_code = code  # noqa: SLF001


def flat(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The flat inputs of a call."""
    found: list[Any] = _pytree().tree_leaves((args, dict(kwargs)))
    return found


def keyword_names(program: Any) -> tuple[str, ...]:
    """The keyword arguments that a program was exported with, in order."""
    spec = program.call_spec.in_spec
    return tuple(spec.children()[1].context or ()) if spec is not None else ()


@cache
def program_hooks() -> dict[str, tuple[Any, str]]:
    """What makes a program, and what makes modules of one."""
    unlift = importlib.import_module("torch.export._unlift")
    unflatten = importlib.import_module("torch.export.unflatten")
    return {
        "program": (_programs().ExportedProgram, "__init__"),
        "decomposed": (_programs().ExportedProgram, "run_decompositions"),
        "module": (unlift, "_unlift_exported_program_lifted_states"),
        "unflattened": (unflatten.UnflattenedModule, "__init__"),
    }


def _trace() -> Any:
    return importlib.import_module("torch.export._trace")


def _shapes() -> Any:
    return importlib.import_module("torch.export.dynamic_shapes")


def _programs() -> Any:
    return importlib.import_module("torch.export.exported_program")


def _pytree() -> Any:
    return importlib.import_module("torch.utils._pytree")
