"""Eager torch: modes, transforms, autograd and the operators that Dynamo makes of Python calls."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.reduction import ForkingPickler
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import dynamo

function_modes: Any = torch._C._is_torch_function_mode_enabled  # noqa: SLF001
"""Whether a mode, such as ``with torch.device(...)``, sees the functions of torch that are called."""


unseen: Any = torch._C.DisableTorchFunction  # noqa: SLF001
"""In ``with unseen():`` no mode and no subclass (``__torch_function__``) sees what is asked of tensors."""


base_of_view: Any = vars(torch._C.TensorBase)["_base"].__get__  # noqa: SLF001  torch documents the attribute
"""The tensor that a tensor is a view of, or None, whatever the tensor's class makes of the question."""


reductions: dict[type, Callable[[Any], Any]] = ForkingPickler._extra_reducers  # type: ignore[attr-defined]  # noqa: SLF001
"""How multiprocessing takes objects apart for other processes, by their types; torch puts its own for tensors there."""


foreach: Callable[[str], Any] = lambda name: getattr(torch, f"_foreach_{name}")  # noqa: E731  torch names it so
"""An operation on lists of tensors, as optimizers use them."""


DispatchMode: Any = importlib.import_module("torch.utils._python_dispatch").TorchDispatchMode
"""Sees each operation on tensors before it runs."""


_transforms = torch._C._functorch.peek_interpreter_stack  # noqa: SLF001


_NO_DIMENSION = 2**40
"""No tensor has so many."""


def marked(tensor: Any) -> None:
    """Have graphs that were made for a tensor without names leave this one to graphs that know them.

    Torch guards that a tensor has no other dimensions marked as dynamic than the one of the compilation, and marks of
    its own accord nothing. The mark here is on a dimension that there is not, so it says nothing else. 2.10 to 2.15.
    """
    known = tensor.__dict__
    if "_dynamo_dynamic_indices" not in known:  # else torch takes it that the others are there, too
        known.update(_dynamo_dynamic_indices=set(), _dynamo_dynamic_range=set(), _dynamo_hint_overrides={})
        known["_has_dynamo_dim_marking"] = True  # 2.13 on: what is guarded first
    known["_dynamo_dynamic_indices"].add(_NO_DIMENSION)


def is_marked_static(attributes: Any) -> bool:
    """Whether the user marked sizes of a tensor, which has these attributes, as static ones. 2.10 to 2.15."""
    return bool(attributes.get("_dynamo_static_indices"))


def marks_of(tensor: Any) -> dict[str, Any]:
    """The marks of a tensor's dimensions, by attribute, where ours is among them; else none. For `marked_as`."""
    known = tensor.__dict__
    if _NO_DIMENSION not in known.get("_dynamo_dynamic_indices", ()):
        return {}
    return {name: value for name, value in known.items() if "_dynamo_" in name}


def marked_as(tensor: Any, marks: dict[str, Any]) -> Any:
    """The tensor, with the marks of another."""
    tensor.__dict__.update(marks)
    return tensor


def in_transforms() -> bool:
    """Whether vmap, grad and their like (``torch.func``) are at work, also in what Dynamo traces at the moment."""
    return _transforms() is not None


def inferred_sizes(shape: Any, numel: Any) -> Any:
    """The shape with its -1, if any, replaced by the size that the number of elements asks for."""
    return importlib.import_module("torch._prims_common").infer_size(shape, numel)


def fused_multiply_add() -> tuple[Any, ...]:
    """What Dynamo makes of ``addcmul_`` and ``addcdiv_`` with a factor; nothing in a release that lacks it."""
    prims = importlib.import_module("torch._inductor.inductor_prims")
    found = getattr(prims, "fma", None)
    return () if found is None else (found,)


def is_wrapper(tensor: Any) -> bool:
    """Whether the tensor is of a class that wraps other tensors and sees to operations by itself."""
    modes = importlib.import_module("torch.utils._python_dispatch")
    return bool(modes.is_traceable_wrapper_subclass(tensor))


@contextmanager
def recorded() -> Iterator[None]:
    """Has autograd record what is computed, also inside of a dispatch mode, where its keys are excluded."""
    c = torch._C  # noqa: SLF001
    included, excluded = c._dispatch_tls_local_include_set(), c._dispatch_tls_local_exclude_set()  # noqa: SLF001
    for key in (c.DispatchKey.AutogradFunctionality, c.DispatchKey.ADInplaceOrView):
        excluded = excluded - c.DispatchKeySet(key)
    with c._ForceDispatchKeyGuard(included, excluded), torch.enable_grad():  # noqa: SLF001
        yield


def functional(call: Callable[..., Any]) -> Callable[..., Any]:
    """The function as one of operations that write into nothing, for a trace that is past making them so."""
    module = importlib.import_module("torch._subclasses.functional_tensor")
    found: Callable[..., Any] = module.dispatch_functionalize(call)
    return found


def attention_is_fused(*args: Any, **kwargs: Any) -> bool:
    """Whether attention on these fake tensors is the CPU's fused kernel.

    As eager chooses, which the context manager ``sdpa_kernel`` has a say in; so it is run, to see what it calls.
    """
    called = set()

    class Watch(DispatchMode):  # type: ignore[misc]  # torch's classes come untyped
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            called.add(function)
            return function(*args, **(kwargs or {}))

    with Watch():
        torch.nn.functional.scaled_dot_product_attention(*args, **kwargs)
    return fused_attention()[0] in called


def fused_attention() -> tuple[Any, Any]:
    """The CPU's kernels, forward and backward."""
    name, aten = "_scaled_dot_product_flash_attention_for_cpu", torch.ops.aten
    return getattr(aten, name).default, getattr(aten, f"{name}_backward").default


def padding() -> tuple[Any, ...]:
    """What Dynamo makes of ``functional.pad``."""
    found = getattr(torch._C._nn, "pad", None)  # noqa: SLF001
    return () if found is None else (found,)


def symbolic_functions(names: Iterable[str]) -> dict[str, Any]:
    """What Dynamo makes of the functions of ``math`` on a symbol, by their names; a release may lack some."""
    found = {name: getattr(torch, f"_sym_{name}", None) for name in names}
    return {name: function for name, function in found.items() if function is not None}


@cache
def has_gradient_on_limit() -> bool:
    """Whether an element that equals the limit of ``clamp`` has a gradient; in 2.15 it has none.

    Tried out, apart from whatever traces or transforms at the moment.
    """
    modes = importlib.import_module("torch.utils._python_dispatch")
    apart = modes._disable_current_modes(), dynamo().outside_transforms()  # noqa: SLF001
    with apart[0], apart[1], torch.inference_mode(False), torch.enable_grad():
        x = torch.zeros(1, device="cpu", requires_grad=True)
        x.clamp(min=0.0).sum().backward()  # type: ignore[no-untyped-call]  # torch does not type it
        return bool(x.grad)


def tensor_of_symbols() -> tuple[Any, ...]:
    """What Dynamo makes of ``torch.tensor`` with a symbol in its data."""
    found = getattr(importlib.import_module("torch._refs"), "tensor", None)
    return () if found is None else (found,)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The containers with what the function makes of each value in them."""
    return importlib.import_module("torch.utils._pytree").tree_map(function, tree)


def is_ragged(size: Any) -> bool:
    """Whether a size of a nested tensor stands for one of each component."""
    return isinstance(size, torch.SymInt) and bool(size.node.is_nested_int())
