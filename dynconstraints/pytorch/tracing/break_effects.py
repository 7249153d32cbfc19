"""What runs in eager at a graph break: whether that may change what guards look at, and the user's line."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import Any

import torch

from dynconstraints.pytorch._torch.shape_env import is_users
from dynconstraints.pytorch._torch.trace import Called, called, indexed, is_kind, line_of, trace_values
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt

NUMBER = "a number out of a tensor"
"""What ``item()`` gives."""


@dataclass(frozen=True)
class Break:
    """The end of a frame before its function's: what runs in eager there, and the user's line.

    ``is_harmless`` where that changes nothing that guards look at; ``gives`` says what its result is, nothing where it
    is None in every call. ``returns`` where nothing is left of the function after it.
    """

    action: str
    line: str | None
    is_harmless: bool
    gives: str
    returns: bool


_READING = frozenset(
    ["item", "tolist", "numpy", "nonzero", "argwhere", "unique", "unique_consecutive", "masked_select"]
)
"""Functions of tensors whose results are data, or have sizes that are, and that change nothing."""

_WITHOUT_RESULT = frozenset(("print", "graph_break"))

_PLAIN = (int, float, bool, str, bytes, complex, NoneType, torch.Tensor, torch.nn.Parameter, DynamicInt, DynamicFloat)
"""Types whose objects print themselves, and do nothing else with it."""


def break_of(tx: Any, reason: Any) -> Break:
    """What ends the graph of the frame that is traced; called where its stack is as the instruction finds it."""
    stack = getattr(reason, "user_stack", None) or [tx.frame_summary()]
    line = line_of(next((place for place in reversed(stack) if is_users(place.filename)), stack[-1]))
    following = None if tx.instruction_pointer is None else tx.instructions[tx.instruction_pointer]
    returns = following is not None and following.opname == "RETURN_VALUE"
    call = called(tx) if tx is tx.output.root_tx else None
    if call is None:
        operands = indexed(tx)
        is_mask = operands is not None and all(map(_is_plain, operands))
        return Break("what that line does", line, is_mask, "what that line gives in eager", returns)
    name, is_harmless = _action(call)
    gives = "" if is_harmless and name in _WITHOUT_RESULT else f"the result of {name}(...)"
    return Break(f"{name}(...)", line, is_harmless, NUMBER if is_harmless and name == "item" else gives, returns)


def _action(call: Called) -> tuple[str, bool]:
    """What is called, and whether it is known to change nothing."""
    kinds, function = trace_values(), call.function
    if is_kind(function, kinds.Attribute) and is_kind(_realized(function.obj), kinds.Tensor):
        return function.name, function.name in _READING
    value = _value(function)
    name = getattr(value, "__name__", type(value).__name__)
    if value is print:
        return name, call.arguments is not None and all(map(_is_plain, call.arguments))
    if name in _READING and value is getattr(torch, name, None):
        return name, call.arguments is not None and "out" not in call.keywords
    return name, value is torch._dynamo.graph_break  # noqa: SLF001  torch documents it


def _value(variable: Any) -> Any:
    """The object that a variable of the trace stands for, as far as it is one of Python's."""
    kinds = trace_values()
    if is_kind(variable, kinds.Lazy) and not variable.is_realized():
        return variable.peek_value()
    variable = _realized(variable)
    for attribute in ("value", "fn"):
        if hasattr(variable, attribute):
            return getattr(variable, attribute)
    return variable.as_python_constant() if variable.is_python_constant() else variable


def _realized(variable: Any) -> Any:
    return variable.realize() if is_kind(variable, trace_values().Lazy) and variable.is_realized() else variable


def _is_plain(variable: Any) -> bool:
    kinds = trace_values()
    if is_kind(variable, kinds.Lazy) and not variable.is_realized():
        return type(variable.peek_value()) in _PLAIN
    variable = _realized(variable)
    if type(variable) is kinds.Tensor or is_kind(variable, kinds.Number):
        return True
    return is_kind(variable, kinds.Constant) or (
        is_kind(variable, kinds.Sequence) and all(map(_is_plain, variable.items))
    )
