"""What the variables of a trace hold where a graph break hands them over to the rest of the function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch._torch.trace import is_kind, is_variable, parts_of_source, trace_values

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Handed:
    """What a variable holds at a break: values of variables of the frame, constants, and results of its graph.

    ``values`` are the sizes and numbers of those results, as expressions of the trace; ``unknown`` says what else it
    holds.
    """

    variables: frozenset[str] = frozenset()
    constants: tuple[str, ...] = ()
    values: tuple[sympy.Expr, ...] = ()
    unknown: str | None = None

    def __or__(self, other: Handed) -> Handed:
        return Handed(
            self.variables | other.variables,
            self.constants + other.constants,
            self.values + other.values,
            self.unknown or other.unknown,
        )

    def under(self, env: Any, carried: AbstractSet[sympy.Expr]) -> Handed:
        """The same, where sizes and numbers without a name are known to be unknown; ``carried`` have one."""
        left = [value for expr in self.values if (value := env.replace(expr)).free_symbols and value not in carried]
        return replace(self, unknown=self.unknown or UNNAMED) if left else self


UNNAMED = "a size or number without a name"
"""What a graph computes from declared sizes, and a break hands on without."""


def handed(value: Any, output: Any, inputs: Mapping[int, Any]) -> Handed:
    """What a variable of the trace holds."""
    kinds = trace_values()
    if is_kind(value, kinds.Lazy) and value.is_realized():
        value = value.realize()
    if is_kind(value, kinds.Number) and not is_variable(value.source):
        return _of_number(value)
    if value.source is not None and not is_kind(value, (kinds.Cell, kinds.Size)):  # which are made anew
        return _of_source(value.source)
    if is_kind(value, kinds.Tensor):
        return _of_tensor(value, inputs)
    parts = _parts(value, output)
    if parts is not None:
        found = Handed(constants=(type(value).__name__,))
        for part in parts:
            found |= handed(part, output, inputs)
        return found
    if value.is_python_constant():
        constant = value.as_python_constant()
        return Handed(constants=(f"{type(constant).__name__} {constant!r}",))
    return Handed(unknown=f"a {type(value).__name__.removesuffix('Variable')}")


def _of_source(source: Any) -> Handed:
    variable, _ = parts_of_source(source)
    return Handed(constants=(source_name(source),)) if variable is None else Handed(frozenset({variable}))


def _of_tensor(value: Any, inputs: Mapping[int, Any]) -> Handed:
    if type(value) is not trace_values().Tensor:
        return Handed(unknown="a tensor of a class of its own")
    node = value.as_proxy().node
    example = node.meta.get("example_value")
    if id(example) in inputs:  # what works in place gives the user's own back
        argument = inputs[id(example)].meta.get("grapharg")
        return Handed(unknown="an input") if argument is None else _of_source(argument.source)
    if not isinstance(example, torch.Tensor) or example.layout != torch.strided:
        return Handed(unknown="a tensor that is not dense")
    if not _is_dense(example) or _symbols(example.storage_offset()):
        return Handed(unknown="a part of a tensor")
    return Handed(values=tuple(_expr(size) for size in example.shape if _symbols(size)))


def _is_dense(example: torch.Tensor) -> bool:
    """Whether the strides follow from the sizes in every call: as expressions they are those of a tensor that is
    contiguous, but for the order of its dimensions and those that are expanded.

    Only sizes above 1 tell the order.
    """
    dims = [(stride, size) for size, stride in zip(example.shape, example.stride(), strict=True) if _expr(stride) != 0]
    if _follow(reversed(dims)):
        return True
    hints = [(_hint(stride), _hint(size)) for stride, size in dims]
    if any(size is None or size < _TELLING or stride is None for stride, size in hints):
        return False
    return _follow(dims[i] for i in sorted(range(len(dims)), key=lambda i: hints[i]))


_TELLING = 2


def _follow(dims: Iterable[tuple[Any, Any]]) -> bool:
    """Whether each stride is the product of the sizes before it."""
    expected: Any = 1
    for stride, size in dims:
        if _expr(stride) != expected:
            return False
        expected = expected * _expr(size)
    return True


def _hint(number: Any) -> int | None:
    """The number in the call that is traced; None for one that only the graph knows."""
    return number.node.hint if isinstance(number, torch.SymInt) else int(number)


def _expr(number: Any) -> Any:
    return number.node.expr if isinstance(number, torch.SymInt) else number


def _symbols(number: Any) -> bool:
    node = getattr(number, "node", None)
    return node is not None and bool(node.expr.free_symbols)


def _of_number(value: Any) -> Handed:
    if not _symbols(value.sym_num):
        return Handed(constants=(str(value.sym_num),))
    if value.python_type() is not int:
        return Handed(unknown=f"a {value.python_type().__name__} made of what varies")
    return Handed(values=(value.sym_num.node.expr,))


def _parts(value: Any, output: Any) -> Iterable[Any] | None:
    """What a container of the trace holds, or a function closes over; None for anything else."""
    kinds = trace_values()
    if is_kind(value, kinds.Sequence):
        return list(value.items)
    if is_kind(value, kinds.Mapping):
        return [part for key, item in value.items.items() for part in (key.vt, item)]
    if is_kind(value, kinds.Cell):
        stored = output.side_effects.store_attr_mutations.get(value, {})
        contents = stored.get("cell_contents", value.pre_existing_contents)
        return [] if contents is None else [contents]
    if is_kind(value, kinds.Exit) and is_kind(value.ctx, kinds.Setting):
        return []
    if is_kind(value, kinds.NestedFunction) and value.wrapped_fn is None:
        return [part for part in (value.code, value.defaults, value.kwdefaults, value.closure) if part is not None]
    return None
