"""Operations of the project's own in a graph, made when the first graph needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

ANY = 0.5
"""Stands for a number where only types and sizes of results are asked for, which no operation here has depend on it."""

_LIBRARY: Any = torch.library.Library("dynconstraints", "FRAGMENT")  # type: ignore[no-untyped-call]
_TAGS = tuple(getattr(torch.Tag, n) for n in ("pt2_compliant_tag", "needs_exact_strides") if hasattr(torch.Tag, n))


def _refuse(_ctx: Any, *_grads: Any) -> Any:
    raise RuntimeError("the gradient of a compiled gradient was asked for, which torch.compile does not support")


def operation(
    signature: str,
    kernel: Callable[..., Any],
    fake: Callable[..., Any],
    backward: Callable[..., Any] = _refuse,
    save: Callable[..., None] | None = None,
    *,
    draws: bool = False,
) -> Any:
    """An operation that torch does not look into, by its name and signature; kernels run below autograd."""
    name = signature.partition("(")[0]
    _LIBRARY.define(signature, tags=(*_TAGS, torch.Tag.nondeterministic_seeded) if draws else _TAGS)
    _LIBRARY.impl(name, kernel, "CompositeExplicitAutograd")
    torch.library.register_fake(f"dynconstraints::{name}", fake, lib=_LIBRARY)
    torch.library.register_autograd(f"dynconstraints::{name}", backward, setup_context=save, lib=_LIBRARY)
    return getattr(torch.ops.dynconstraints, name).default
