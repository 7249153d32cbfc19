"""The CPU's fused kernel of attention, with a scale that is read when the graph runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dynconstraints.pytorch._torch.eager import fused_attention
from dynconstraints.pytorch.floats.ops.operations import ANY, operation

if TYPE_CHECKING:
    from torch import Tensor


def fused() -> Any:
    """The operation: of queries, keys, values, a mask or none, the scale, and whether it is causal.

    It gives the result, and what the gradient needs.
    """
    return _operations()[0]


def _forward(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: Tensor, causal: bool) -> Any:
    return fused_attention()[0](q, k, v, 0.0, causal, attn_mask=mask, scale=scale.item())


def _fake_forward(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, _scale: Tensor, causal: bool) -> Any:
    return fused_attention()[0](q, k, v, 0.0, causal, attn_mask=mask, scale=ANY)


def _gradients(grad: Tensor, *given: Any) -> Any:
    q, k, v, mask, scale, causal, found, sums = given
    return fused_attention()[1](grad, q, k, v, found, sums, 0.0, causal, attn_mask=mask, scale=scale.item())


def _fake_gradients(grad: Tensor, *given: Any) -> Any:
    q, k, v, mask, _, causal, found, sums = given
    return fused_attention()[1](grad, q, k, v, found, sums, 0.0, causal, attn_mask=mask, scale=ANY)


def _save(ctx: Any, inputs: Any, output: Any) -> None:
    *tensors, ctx.causal = inputs
    ctx.save_for_backward(*tensors, *output)
    ctx.mark_non_differentiable(output[1])


def _backward(ctx: Any, grad: Tensor, _: Any) -> Any:
    q, k, v, mask, scale, found, sums = ctx.saved_tensors
    return *_operations()[1](grad, q, k, v, mask, scale, ctx.causal, found, sums), None, None, None


_GIVEN = "Tensor query, Tensor key, Tensor value, Tensor? attn_mask, Tensor scale, bool is_causal"
_FOUND = "Tensor output, Tensor logsumexp"


@cache
def _operations() -> tuple[Any, Any]:
    backward = f"fused_attention_backward(Tensor grad, {_GIVEN}, {_FOUND}) -> (Tensor, Tensor, Tensor)"
    return (
        operation(f"fused_attention({_GIVEN}) -> ({_FOUND})", _forward, _fake_forward, _backward, _save),
        operation(backward, _gradients, _fake_gradients),
    )
