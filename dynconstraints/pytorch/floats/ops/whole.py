"""A call of torch's that stays whole in the graph, where its numbers are read when the graph runs.

What runs is eager's own kernel with numbers of Python's, and for the gradients eager's own backward, so that the
results are eager's to the bit, and what eager refuses is refused; in exchange the backward computes the call once more.

Inductor, which fuses nothing with such a call, is given the arithmetic for those that have any: ``written_out``. It
rounds as what Inductor makes of a constant does.

The graph has the call as a text: ``torch.std(t[0], -1, correction=n[0])`` of tensors ``t``, numbers ``n``, sizes ``s``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import cache, wraps
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor

from dynconstraints.pytorch._torch.eager import foreach, functional, in_transforms, is_wrapper, recorded
from dynconstraints.pytorch.floats.ops.operations import ANY, operation
from dynconstraints.pytorch.floats.table import Lowering, NotLowered, lowers
from dynconstraints.pytorch.floats.values import HALF, Immediate, Number, Operand, Value

_WRITTEN_OUT: dict[str, Lowering] = {}
"""The arithmetic of calls, by the names that their texts begin with."""


_HALF_GRADIENTS_WHOLE = frozenset({"torch.pow", "operator.pow"})
"""Calls in whose gradients eager rounds the exponent less one to half precision, which arithmetic would not."""


_LINEAR: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("torch.add", "torch.sub", "torch.lerp"), (0, 1)),
    **dict.fromkeys(("torch.addmm", "torch.addmv", "torch.addr", "torch.baddbmm", "torch.addbmm"), (0,)),
    **dict.fromkeys(("torch.addcmul", "torch.addcdiv", "torch.trapezoid", "torch.nn.functional.pad"), (0,)),
    "t[0].addbmm": (0,),
    "t[0].index_add": (0, 2),
}
"""Tensors whose elements no gradient of the call depends on, by place: a program may write over them meanwhile."""


def written_out(
    name: str, *targets: Any, in_place: tuple[Any, ...] = (), guarded: bool = True
) -> Callable[[Lowering], Lowering]:
    """Register calls that stay whole, under a full name of torch's, with the arithmetic that Inductor is given.

    Where the arithmetic raises NotLowered, they stay whole there, too.
    """

    def register(lowering: Lowering) -> Lowering:
        arithmetic = _WRITTEN_OUT[name] = unwrap(lowering)  # of a call that is registered by another name, too

        @wraps(arithmetic)
        def unchanged(*args: Operand, **kwargs: Operand) -> Value:
            return whole(name, *args, **kwargs)

        return lowers(*targets, in_place=in_place, guarded=guarded)(unchanged)

    return register


def whole(call: str, *args: Operand, **kwargs: Operand) -> Value:
    """The result of a function, by its full name, or of a method of the first argument, by a name with a dot before it.

    Inside of vmap and its like, and for tensors that wrap others, nothing stays whole: there it is the arithmetic.
    Raises NotLowered where there is none, and for arguments that are no numbers, tensors, sizes, types, devices, texts
    or lists of them.
    """
    return whole_list(1, call, *args, **kwargs)[0]


def whole_list(count: int, call: str, *args: Operand, **kwargs: Operand) -> list[Value]:
    """The same for a call with several results, of which the first alone has a gradient."""
    if in_transforms() or any(isinstance(v, Value) and is_wrapper(v.fake) for v in (*args, *kwargs.values())):
        if call not in _WRITTEN_OUT:
            raise NotLowered
        return _listed(_WRITTEN_OUT[call](*args, **kwargs))
    slots = _Slots()
    name = slots.text(args[0]) + call if call.startswith(".") else call
    texts = [*map(slots.text, args[call.startswith(".") :]), *(f"{key}={slots.text(v)}" for key, v in kwargs.items())]
    made = f"{name}({', '.join(texts)})"
    for device in {v.fake.device.type for v in slots.tensors}:
        if torch.is_autocast_enabled(device):
            made = f"autocast({device!r}, {torch.get_autocast_dtype(device)}, lambda: {made})"
    emit = slots.numbers[0].emit
    is_written = _name(made) in _WRITTEN_OUT
    called = _operations()[2 if call.startswith("drawn.") else 3 if is_written else 0]
    found = emit(called, made, slots.tensors, slots.numbers, slots.sizes)
    return [Value(emit, emit(operator.getitem, found, i)) for i in range(count)]


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
            case torch.device():
                return f"torch.{value!r}"
            case None | bool() | int() | float() | str() | torch.dtype() | torch.layout() | torch.memory_format():
                return repr(value)
        raise NotLowered


def _put(value: Any, slots: list[Any], name: str) -> str:
    slots.append(value)
    return f"{name}[{len(slots) - 1}]"


def _autocast(device: str, dtype: torch.dtype, call: Callable[[], Any]) -> Any:
    with torch.autocast(device, dtype, cache_enabled=False):
        return call()


class _Collected:
    """Normalizations that write into what they collect, as functions that also give what this becomes."""

    @staticmethod
    def batch_norm(x: Tensor, mean: Tensor, variance: Tensor, *args: Any) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = mean.clone(), variance.clone()
        return torch.nn.functional.batch_norm(x, mean, variance, *args), mean, variance


class _Drawn:
    """Methods that fill a tensor with random numbers, as functions that fill a new one like it."""

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        return lambda like, *args: getattr(torch.empty_like(like), name)(*args)


class _Listed:
    """Operations that write into lists of tensors, as functions that give what one becomes."""

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        def written(x: Tensor, *args: Any) -> Tensor:
            found = x.clone()
            foreach(name)([found], *args)
            return found

        return written


@cache
def _called(call: str) -> Callable[[Sequence[Tensor], Sequence[float], Sequence[int]], Any]:
    ours = {"autocast": _autocast, "collected": _Collected, "drawn": _Drawn(), "listed": _Listed()}
    return _evaluated(call, {"torch": torch, "operator": operator, **ours})


def _evaluated(call: str, known: dict[str, Any]) -> Callable[..., Any]:
    found: Any = eval(f"lambda t, n, s: {call}", known)  # noqa: S307  a text that this file made
    return found  # type: ignore[no-any-return]


def _forward(call: str, tensors: Sequence[Tensor], numbers: Sequence[Tensor], sizes: Sequence[int]) -> list[Tensor]:
    return _listed(_called(call)(tensors, [v.item() for v in numbers], sizes))


def _fake_forward(call: str, tensors: Sequence[Tensor], numbers: Sequence[Any], sizes: Sequence[int]) -> list[Tensor]:
    return _listed(_called(call)(tensors, [ANY for _ in numbers], sizes))


def _listed(found: Any) -> list[Any]:
    return list(found) if isinstance(found, tuple) else [found]


def _gradients(grad: Tensor, wanted: Sequence[bool], call: str, tensors: Sequence[Tensor], *rest: Any) -> list[Tensor]:
    return _derived(_forward, grad, wanted, call, tensors, *rest)


def _derived(
    forward: Callable[..., list[Tensor]],
    grad: Tensor,
    wanted: Sequence[bool],
    call: str,
    tensors: Sequence[Tensor],
    *rest: Any,
) -> list[Tensor]:
    with recorded():
        leaves = [v.detach().requires_grad_(w) for v, w in zip(tensors, wanted, strict=True)]
        asked = [v for v in leaves if v.requires_grad]
        found = torch.autograd.grad(forward(call, leaves, *rest)[0], asked, grad, materialize_grads=True)
    return [g.clone(memory_format=torch.contiguous_format) for g in found]


def _fake_gradients(_grad: Tensor, wanted: Sequence[bool], _call: str, tensors: Any, *_rest: Any) -> list[Tensor]:
    asked = [v for v, w in zip(tensors, wanted, strict=True) if w]
    return [torch.empty_like(v, memory_format=torch.contiguous_format) for v in asked]


def _save(ctx: Any, inputs: Any, output: list[Tensor]) -> None:
    ctx.call, tensors, numbers, ctx.sizes = inputs
    ctx.count = len(tensors)
    unread = _LINEAR.get(_name(ctx.call), ())
    read = [v.new_zeros(()).expand(v.shape) if i in unread else v for i, v in enumerate(tensors)]
    ctx.save_for_backward(*read, *numbers)
    ctx.mark_non_differentiable(*output[1:])


def _backward(ctx: Any, grads: Sequence[Tensor]) -> Any:
    tensors, numbers = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
    wanted, grad = list(ctx.needs_input_grad[1]), grads[0]
    if torch.is_grad_enabled():  # the gradient's own gradient is asked for
        asked = [v if v.requires_grad else v.requires_grad_() for v, w in zip(tensors, wanted, strict=True) if w]
        again = _forward(ctx.call, tensors, numbers, ctx.sizes)[0]
        found = iter(torch.autograd.grad(again, asked, grad, create_graph=True, materialize_grads=True))
    else:
        gradients = _operations()[4 if _name(ctx.call) in _WRITTEN_OUT else 1]
        found = iter(gradients(grad, wanted, ctx.call, tensors, numbers, ctx.sizes))
    # As torch takes the lists apart: of tensors, and so empty ones too, but not of sizes.
    return None, [next(found) if w else None for w in wanted], [None] * len(numbers), None if ctx.sizes else []


_CALL = "str call, Tensor[] tensors, Tensor[] numbers, SymInt[] sizes"


@cache
def _operations() -> tuple[Any, ...]:
    """The call, its gradients, a call that draws random numbers, and call and gradients of what can be written out.

    Inductor takes an operation apart always or never.
    """
    return (
        operation(f"whole_call({_CALL}) -> Tensor[]", _forward, _fake_forward, _backward, _save),
        operation(f"whole_call_backward(Tensor grad, bool[] wanted, {_CALL}) -> Tensor[]", _gradients, _fake_gradients),
        operation(f"whole_draw({_CALL}) -> Tensor[]", _forward, _fake_forward, draws=True),
        operation(f"written_call({_CALL}) -> Tensor[]", _forward, _fake_forward, _backward, _save),
        operation(
            f"written_call_backward(Tensor grad, bool[] wanted, {_CALL}) -> Tensor[]", _gradients, _fake_gradients
        ),
    )


def decompositions() -> dict[Any, Callable[..., Any]]:
    """What Inductor makes of the call, and of its gradients, where it can be written out."""
    _, _, draw, call, gradients = _operations()
    return {call: _decomposed, draw: _decomposed, gradients: _decomposed_gradients}


def _decomposed(call: str, *given: Any) -> Any:
    try:
        return functional(_arithmetic)(call, *given)
    except NotLowered:
        return _operations()[0](call, *given)


def _decomposed_gradients(grad: Tensor, wanted: Sequence[bool], call: str, *given: Any) -> Any:
    try:
        if _name(call) in _HALF_GRADIENTS_WHOLE and grad.dtype in HALF:
            raise NotLowered
        return functional(_derived)(_arithmetic, grad, wanted, call, *given)
    except NotLowered:
        return _operations()[1](grad, wanted, call, *given)


def _name(call: str) -> str:
    return call.partition("(")[0]


def _arithmetic(call: str, tensors: Sequence[Tensor], numbers: Sequence[Tensor], sizes: Sequence[int]) -> list[Tensor]:
    emit, rest = Immediate(), call.removeprefix(_name(call))
    values = [Value(emit, v) for v in tensors], [Number(emit, v) for v in numbers]
    found = _evaluated(f"f{rest}", {"f": _WRITTEN_OUT[_name(call)], "torch": torch})(*values, sizes)
    return [v.proxy for v in _listed(found)]
