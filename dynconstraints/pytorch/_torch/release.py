"""Which torch is at hand, and whether it is one that the project knows."""

from __future__ import annotations

from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError

__all__ = [
    "DYNAMIC_SPEC",
    "NEXT",
    "NO_TORCH_FUNCTION",
    "OLDEST",
    "UpstreamDynamicInt",
    "inlined",
    "inlined_as",
    "release",
    "runs_in_eager",
]

OLDEST, NEXT = (2, 10), (2, 16)
"""The releases that this file was read against: from the first, below the second."""


def _unsupported(what: str, fix: str) -> UnsupportedTorchError:
    return UnsupportedTorchError(Diagnostic("DC701", what, help=(fix,)))


try:
    import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise _unsupported(
        "declared sizes need torch, which is not installed", "pip install dynconstraints[torch]"
    ) from None


try:
    # 2.10 to 2.15. Dynamo recognises a dynamic integer by `isinstance` of this class, so ours derives from it.
    from torch.fx.experimental.sym_node import DynamicInt as UpstreamDynamicInt
except ImportError:
    raise _unsupported(
        f"torch {torch.__version__} has no dynamic integers", "install torch 2.10 or later, below 2.16"
    ) from None


DYNAMIC_SPEC = "_dynamic_spec"
"""Where torch's decorator `dynamic_spec` leaves the ShapesSpec of a function; since 2.15."""

NO_TORCH_FUNCTION: Any = torch._C._disabled_torch_function_impl  # noqa: SLF001  what torch's own classes say it with
"""As ``__torch_function__`` of a class: torch has nothing to ask of its objects."""


def release() -> tuple[int, int]:
    """Major and minor number of the torch at hand."""
    major, minor, *_ = torch.__version__.split(".")
    return int(major), int(minor)


def inlined_as(wrapper: Any, function: Any, *, as_compiled: bool) -> None:
    """Have Dynamo take the function for the wrapper where a trace meets that, as it does with compiled functions.

    ``as_compiled`` where torch.compile is to take it, too. Since 2.13 it does so only for the wrapper itself, by its
    identity; where bound methods of it would be unwrapped, too, and lose their object, it is left to compile both.
    """
    wrapper._torchdynamo_inline = function  # noqa: SLF001
    if as_compiled and release() >= (2, 13):
        wrapper._torchdynamo_orig_callable = function  # noqa: SLF001
        wrapper._torchdynamo_wrapper_id = id(wrapper)  # noqa: SLF001


def inlined(wrapper: Any) -> Any:
    """What `inlined_as` was told."""
    return wrapper._torchdynamo_inline  # noqa: SLF001


_callback: Any = torch._C._dynamo.eval_frame.get_eval_frame_callback  # noqa: SLF001  2.10 to 2.15


def runs_in_eager() -> bool:
    """Whether the frames that are called at the moment run as they are, and none is asked to be compiled."""
    return _callback() in (None, False)
