"""A call of torch's that stays whole in the graph, where its numbers are read when the graph runs.

Inductor and AOTAutograd see one operation, which takes the numbers as tensors without dimensions. What runs is eager's
own kernel with numbers of Python's, and for the gradients eager's own backward, so the results are eager's to the bit;
in exchange nothing is fused with it, and the backward computes the call once more.

The graph has the call as a text: ``torch.std(t[0], -1, correction=n[0])`` of tensors ``t``, numbers ``n``, sizes ``s``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from dynconstraints.pytorch._compat import in_transforms, is_wrapper, recorded
from dynconstraints.pytorch.floating.operations import ANY, operation
from dynconstraints.pytorch.floating.table import NotLowered
from dynconstraints.pytorch.floating.values import Number, Operand, Value


def whole(call: str, *args: Operand, **kwargs: Operand) -> Value:
    """The result of a function, by its full name, or of a method of the first argument, by a name with a dot before it.

    Raises NotLowered inside of vmap and its like, for tensors that wrap others, and for arguments that are no numbers,
    tensors, sizes, types, texts or lists of them.
    """
    slots = _Slots()
    if call.startswith("."):
        subject, *args = args  # type: ignore[assignment]
        call = slots.text(subject) + call
    texts = [*map(slots.text, args), *(f"{name}={slots.text(v)}" for name, v in kwargs.items())]
    if in_transforms():
        raise NotLowered
    emit = slots.numbers[0].emit
    return Value(emit, emit(_operations()[0], f"{call}({', '.join(texts)})", slots.tensors, slots.numbers, slots.sizes))


class _Slots:
    """What a call is given, in the order in which its text has it."""

    def __init__(self) -> None:
        self.tensors: list[Value] = []
        self.numbers: list[Number] = []
        self.sizes: list[Any] = []

    def text(self, value: Operand) -> str:
        match value:
            case Number():
                return _put(value, self.numbers, "n")
            case Value() if not is_wrapper(value.fake):
                return _put(value, self.tensors, "t")
            case torch.fx.Proxy() if isinstance(value.node.meta.get("example_value"), torch.SymInt):
                return _put(value, self.sizes, "s")
            case list() | tuple():
                return f"[{', '.join(map(self.text, value))}]"
            case float() if not math.isfinite(value):
                return f"float('{value}')"
            case None | bool() | int() | float() | str() | torch.dtype():
                return repr(value)
        raise NotLowered


def _put(value: Any, slots: list[Any], name: str) -> str:
    slots.append(value)
    return f"{name}[{len(slots) - 1}]"


@cache
def _called(call: str) -> Callable[[Sequence[Tensor], Sequence[float], Sequence[int]], Tensor]:
    known = {"torch": torch, "operator": operator}
    found: Any = eval(f"lambda t, n, s: {call}", known)  # noqa: S307  a text that this file made
    return found  # type: ignore[no-any-return]


def _forward(call: str, tensors: Sequence[Tensor], numbers: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    return _called(call)(tensors, [v.item() for v in numbers], sizes)


def _fake_forward(call: str, tensors: Sequence[Tensor], numbers: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    return _called(call)(tensors, [ANY for _ in numbers], sizes)


def _gradients(grad: Tensor, wanted: Sequence[bool], call: str, tensors: Sequence[Tensor], *rest: Any) -> list[Tensor]:
    with recorded():
        leaves = [v.detach().requires_grad_(w) for v, w in zip(tensors, wanted, strict=True)]
        asked = [v for v in leaves if v.requires_grad]
        found = torch.autograd.grad(_forward(call, leaves, *rest), asked, grad, materialize_grads=True)
    return [g.clone(memory_format=torch.contiguous_format) for g in found]


def _fake_gradients(_grad: Tensor, wanted: Sequence[bool], _call: str, tensors: Any, *_rest: Any) -> list[Tensor]:
    asked = [v for v, w in zip(tensors, wanted, strict=True) if w]
    return [torch.empty_like(v, memory_format=torch.contiguous_format) for v in asked]


def _save(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ARG001  torch passes it by name
    ctx.call, tensors, numbers, ctx.sizes = inputs
    ctx.count = len(tensors)
    ctx.save_for_backward(*tensors, *numbers)


def _backward(ctx: Any, grad: Tensor) -> Any:
    tensors, numbers = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
    wanted = list(ctx.needs_input_grad[1])
    if torch.is_grad_enabled():  # the gradient's own gradient is asked for
        asked = [v for v, w in zip(tensors, wanted, strict=True) if w]
        again = _forward(ctx.call, tensors, numbers, ctx.sizes)
        found = iter(torch.autograd.grad(again, asked, grad, create_graph=True, materialize_grads=True))
    else:
        found = iter(_operations()[1](grad, wanted, ctx.call, tensors, numbers, ctx.sizes))
    # As torch takes the lists apart: of tensors, and so empty ones too, but not of sizes.
    return None, [next(found) if w else None for w in wanted], [None] * len(numbers), None if ctx.sizes else []


_CALL = "str call, Tensor[] tensors, Tensor[] numbers, SymInt[] sizes"


@cache
def _operations() -> tuple[Any, Any]:
    """The call, and its gradients."""
    return (
        operation(f"whole_call({_CALL}) -> Tensor", _forward, _fake_forward, _backward, _save),
        operation(f"whole_call_backward(Tensor grad, bool[] wanted, {_CALL}) -> Tensor[]", _gradients, _fake_gradients),
    )
