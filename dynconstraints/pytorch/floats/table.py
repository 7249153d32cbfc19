"""The table of operations that take a float of the user's as a tensor, by everything that a trace calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

import torch

from dynconstraints.pytorch.floats.values import Value

Lowering: TypeAlias = Callable[..., Value]

TABLE: dict[Any, Lowering] = {}
"""Functions, and the names of methods, to what they become."""


UNGUARDED: set[Any] = set()
"""Those of them that leave it to eager's kernel to refuse a number, when the graph runs."""


class NotLowered(Exception):  # noqa: N818  no error: the number becomes a constant of the graph
    """The operation cannot take the number as a tensor."""


def lowers(*targets: Any, in_place: tuple[Any, ...] = (), guarded: bool = True) -> Callable[[Lowering], Lowering]:
    """Register a lowering for functions and methods, and for the forms that write the result into their first."""

    def register(lowering: Lowering) -> Lowering:
        TABLE.update(dict.fromkeys(targets, lowering))
        TABLE.update(dict.fromkeys(in_place, _written(lowering)))
        if not guarded:
            UNGUARDED.update((*targets, *in_place))
        return lowering

    return register


_SECOND = ("other", "exponent", "tensor1", "mat1", "mat", "vec1", "batch1")
_KEYWORDS = {"input": 0, "self": 0, **dict.fromkeys(_SECOND, 1)}
_KEYWORDS |= {"tensor2": 2, "mat2": 2, "vec": 2, "vec2": 2, "batch2": 2}
"""The place of an operand that torch knows by a keyword, and a lowering by another."""
_ANYTHING = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
"""The parameters of a lowering that hands its arguments on as they are."""


def arranged(target: Any, args: Any, kwargs: dict[str, Any]) -> inspect.BoundArguments:
    """The arguments as the operation's lowering takes them. Raises NotLowered for those that it doesn't, as ``out``."""
    signature = inspect.signature(TABLE[target])
    placed, named = list(args), dict(kwargs)
    kinds = {p.kind for p in signature.parameters.values()}
    unknown = set() if kinds == _ANYTHING else named.keys() - signature.parameters.keys()
    for name in sorted(_KEYWORDS.keys() & unknown, key=lambda n: _KEYWORDS[n]):
        if _KEYWORDS[name] != len(placed):
            raise NotLowered
        placed.append(named.pop(name))
    try:
        return signature.bind(*placed, **named)
    except TypeError:
        raise NotLowered from None


def _written(lowering: Lowering) -> Lowering:
    @wraps(lowering)
    def written(x: Value, *args: Any, **kwargs: Any) -> Value:
        found = lowering(kept(x), *args, **kwargs)
        if not torch.can_cast(found.dtype, x.dtype):
            raise NotLowered  # eager refuses it
        return x.call("copy_", found)

    return written


def kept(x: Value) -> Value:
    """What a tensor is before it is written over, which its gradient may need."""
    has_gradient = torch.is_grad_enabled() and (x.fake.requires_grad or not x.fake.is_leaf)
    return x.call(torch.clone) if has_gradient else x
