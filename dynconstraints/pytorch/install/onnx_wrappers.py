"""What stands around torch.onnx's export, which makes a model of a program.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from dynconstraints.pytorch.exporting.onnx_models import put_names


def models_named(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.onnx's export: a model of a declared program has the names, and the declaration in its metadata."""

    @wraps(original)
    def export(*args: Any, **kwargs: Any) -> Any:
        model = original(*args, **kwargs)
        put_names(model)
        return model

    return export
