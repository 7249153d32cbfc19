"""Functions that stay whole, and are not written out for Inductor: their kernels do what cannot be, or not as exactly.

Norms of some orders are other norms, quotients rounded down depend on how they were rounded before, a quantile picks
elements by the number. Not here: what gives other sizes with
other numbers, or draws at random.
"""

from __future__ import annotations

import operator
from typing import Any

import torch

from dynconstraints.pytorch.floats.ops.whole import whole
from dynconstraints.pytorch.floats.table import NotLowered, lowers
from dynconstraints.pytorch.floats.values import Operand, Value

_FUNCTIONS = (
    *("torch.std", "torch.var", "torch.quantile", "torch.nanquantile", "torch.renorm", "torch.logit"),
    *("torch.linalg.vector_norm", "torch.norm", "torch.dist", "torch.cdist", "torch.pairwise_distance"),
    *("torch.cosine_similarity", "torch.floor_divide", "torch.isclose", "torch.addbmm", "torch.float_power"),
    *("torch.trapezoid", "torch.special.xlog1py", "torch.special.zeta"),
    *("torch.bucketize", "torch.searchsorted", "torch.fake_quantize_per_tensor_affine"),
)
_LAYERS = (
    *("normalize", "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss"),
    *("triplet_margin_loss", "poisson_nll_loss", "local_response_norm", "lp_pool1d", "lp_pool2d"),
)
_METHODS = (
    *("std", "var", "norm", "quantile", "nanquantile", "renorm", "dist", "floor_divide", "isclose", "logit"),
    *("addbmm", "index_add", "float_power"),
)


def _register(name: str, *targets: Any, in_place: tuple[Any, ...] = ()) -> None:
    @lowers(*targets, in_place=in_place, guarded=False)
    def unchanged(*args: Operand, **kwargs: Operand) -> Value:
        if "out" in kwargs:
            raise NotLowered  # a call that writes into a tensor is no function
        return whole(name, *args, **kwargs)


for _name in (*_FUNCTIONS, *(f"torch.nn.functional.{name}" for name in _LAYERS)):
    _found: Any = torch
    for _part in _name.split(".")[1:]:
        _found = getattr(_found, _part, None)
    if _found is not None:  # a release may lack some
        _register(_name, _found)
for _name in _METHODS:
    _register(f".{_name}", _name, in_place=(f"{_name}_",) if hasattr(torch.Tensor, f"{_name}_") else ())
_register("operator.floordiv", operator.floordiv, in_place=(operator.ifloordiv,))
