"""Functions that stay whole: their kernels do what cannot be written out with a number that changes, or not as exactly.

Norms of some orders are other norms, quotients rounded down depend on how they were rounded before, a quantile picks
elements by the number. Not here: what gives other sizes with other numbers, draws at random, or writes in place.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import torch

from dynconstraints.pytorch.floating.table import NotLowered, lowers
from dynconstraints.pytorch.floating.values import Operand, Value
from dynconstraints.pytorch.floating.whole import whole

_FUNCTIONS = (
    *("torch.std", "torch.var", "torch.quantile", "torch.nanquantile", "torch.renorm", "torch.logit"),
    *("torch.linalg.vector_norm", "torch.norm", "torch.dist", "torch.cdist", "torch.pairwise_distance"),
    *("torch.cosine_similarity", "torch.floor_divide", "torch.isclose", "torch.addbmm"),
    *("torch.trapezoid", "torch.special.xlog1py", "torch.special.zeta"),
    *("torch.bucketize", "torch.searchsorted", "torch.fake_quantize_per_tensor_affine"),
)
_LAYERS = (
    *("normalize", "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss"),
    *("triplet_margin_loss", "poisson_nll_loss", "local_response_norm", "lp_pool1d", "lp_pool2d"),
)
_METHODS = (
    *("std", "var", "norm", "quantile", "nanquantile", "renorm", "dist", "floor_divide", "isclose", "logit"),
    *("addbmm", "index_add", "index_fill", "scatter"),
)


def _register(name: str, *targets: Any) -> None:
    @lowers(*targets)
    def unchanged(*args: Operand, **kwargs: Operand) -> Value:
        devices = {v.fake.device.type for v in (*args, *kwargs.values()) if isinstance(v, Value)}
        if any(map(torch.is_autocast_enabled, devices)):
            raise NotLowered  # it may cast what the call is given
        return whole(name, *args, **kwargs)


for _name in (*_FUNCTIONS, *(f"torch.nn.functional.{name}" for name in _LAYERS)):
    _register(_name, reduce(getattr, _name.split(".")[1:], torch))
for _name in _METHODS:
    _register(f".{_name}", _name)
_register("operator.floordiv", operator.floordiv)
