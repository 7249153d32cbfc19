"""Functions that stay whole, and are not written out for Inductor: their kernels do what cannot be, or not as exactly.

Norms of some orders are other norms, quotients rounded down depend on how they were rounded before, a quantile picks
elements by the number, normalizations and losses sum in an order of their own. Not here: what gives other sizes with
other numbers, or draws at random.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch._torch.eager import padding
from dynconstraints.pytorch.floats.ops.whole import whole, whole_writing
from dynconstraints.pytorch.floats.table import NotLowered, kept, lowers
from dynconstraints.pytorch.floats.values import Operand, Value

_FUNCTIONS = (
    *("torch.std", "torch.var", "torch.quantile", "torch.nanquantile", "torch.renorm", "torch.logit"),
    *("torch.linalg.vector_norm", "torch.norm", "torch.dist", "torch.cdist", "torch.pairwise_distance"),
    *("torch.cosine_similarity", "torch.floor_divide", "torch.isclose", "torch.nan_to_num"),
    *("torch.addmm", "torch.addmv", "torch.addr", "torch.baddbmm", "torch.addbmm", "torch.layer_norm"),
    *("torch.trapezoid", "torch.special.xlog1py", "torch.special.zeta", "torch.rms_norm", "torch.hardshrink"),
    *("torch.bucketize", "torch.searchsorted", "torch.fake_quantize_per_tensor_affine", "torch.threshold"),
    *("torch.celu", "torch.float_power"),
)
_LAYERS = (
    *("normalize", "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss"),
    *("triplet_margin_loss", "poisson_nll_loss", "local_response_norm", "lp_pool1d", "lp_pool2d"),
    *("huber_loss", "smooth_l1_loss", "cross_entropy", "layer_norm", "rms_norm", "group_norm"),
    *("elu", "celu", "softplus", "threshold", "softshrink", "pad"),
)
_METHODS = (
    *("std", "var", "norm", "quantile", "nanquantile", "renorm", "dist", "floor_divide", "isclose", "logit"),
    *("addmm", "addmv", "addr", "baddbmm", "addbmm", "index_add", "nan_to_num", "hardshrink"),
    *("float_power",),
)


def _register(name: str, *targets: Any, in_place: tuple[Any, ...] = ()) -> None:
    @lowers(*targets, in_place=in_place, guarded=False)
    def unchanged(*args: Operand, **kwargs: Operand) -> Value:
        if "out" in kwargs:
            raise NotLowered  # a call that writes into a tensor is no function
        return whole(name, *args, **kwargs)


def _register_layer(name: str, layer: Callable[..., Any]) -> None:
    """Of a function that writes into its first argument where it is told so."""

    @lowers(layer, guarded=False)
    def maybe_in_place(*args: Operand, **kwargs: Operand) -> Value:
        given = inspect.signature(layer).bind(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        if given.arguments.get("inplace"):
            given.arguments |= {"inplace": False, next(iter(given.arguments)): kept(x)}
            return x.call("copy_", whole(name, *given.args, **given.kwargs))
        return whole(name, *args, **kwargs)


for _name in (*_FUNCTIONS, *(f"torch.nn.functional.{name}" for name in _LAYERS)):
    _found: Any = torch
    for _part in _name.split(".")[1:]:
        _found = getattr(_found, _part, None)
    if _found is None:
        continue  # a release may lack some
    if inspect.isfunction(_found) and "inplace" in inspect.signature(_found).parameters:
        _register_layer(_name, _found)
    else:
        _register(_name, _found, *(padding() if _name.endswith(".pad") else ()))
for _name in _METHODS:
    _register(f".{_name}", _name, in_place=(f"{_name}_",) if hasattr(torch.Tensor, f"{_name}_") else ())
_register("operator.floordiv", operator.floordiv, in_place=(operator.ifloordiv,))


@lowers(functional.batch_norm, guarded=False)
def batch_norm(
    input: Value,  # noqa: A002  torch's name
    running_mean: Value | None,
    running_var: Value | None,
    weight: Value | None = None,
    bias: Value | None = None,
    training: bool = False,
    momentum: Operand = 0.1,
    eps: Operand = 1e-5,
) -> Value:
    """Which collects the mean and the variance in training."""
    written = [v for v in (running_mean, running_var) if v is not None] if training else []
    given = (input, running_mean, running_var, weight, bias, training, momentum, eps)
    found, *collected = whole_writing(written, "torch.nn.functional.batch_norm", *given)
    for running, after in zip(written, collected, strict=True):
        running.call("copy_", after)
    return found
