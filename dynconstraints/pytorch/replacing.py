"""Constructors that name what they make: torch's own functions and methods, each behind a thin wrapper.

Torch asks no int of a size list, of a range or of a length what it is, and gives it no say in the result; what is left
is to look at the arguments beside it. So when the first DynamicInt with a name is made, the constructors are replaced;
programs that make none keep torch as it is. (A call in whose arguments the first one is made was looked up before.)
Where no DynamicInt is among the arguments, a wrapper calls the original and does nothing else; where one is, it also
records the sizes on the result (`dims.attach_sizes`). ``zeros_like`` and its like are replaced as soon as `name_dims`
names a tensor, too: what they make has the names of the tensor that it is like.

Torch and others know these functions by identity. So a replaced function of ``torch`` equals the original, hashes like
it, and to modes is the one that ``torch`` has; and of a method the class shows the original, ``torch.Tensor.view``,
while ``x.view`` is the wrapper.

Slices are left as they are: with a ``__getitem__`` in Python, C takes tensors for sequences, and
``torch.tensor([torch.tensor(1.0)])`` is an error. ``x.narrow(0, 0, n)`` is ``x[:n]`` with a name.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from operator import index
from types import MethodType
from typing import Any

import torch
from torch.overrides import handle_torch_function

from dynconstraints.pytorch import dims, dynamic_int
from dynconstraints.pytorch._compat import function_modes, known_to_jit, only_eager
from dynconstraints.pytorch.constructors import FUNCTIONS, LIKES, METHODS, Rule
from dynconstraints.pytorch.dynamic_int import DynamicInt

_lock = threading.Lock()
_originals: list[Callable[[], None]] = []
"""What puts each original back."""


def install() -> None:
    """Replace the constructors. Calling it again does nothing."""
    install_likes()
    with _lock:
        if dynamic_int.before_first_name is None:
            return
        for name, rule in FUNCTIONS.items():
            _replace_function(name, rule)
        for name, rule in METHODS.items():
            _replace_method(name, rule)
        dynamic_int.before_first_name = None


def install_likes() -> None:
    """Replace the functions that make a tensor of another's sizes. Calling it again does nothing."""
    with _lock:
        if dims.before_first_name is None:
            return
        for name in LIKES:
            _replace_like(name)
        dims.before_first_name = None


def uninstall() -> None:
    """Put the originals back."""
    with _lock:
        while _originals:
            _originals.pop()()
        dynamic_int.before_first_name, dims.before_first_name = install, install_likes


class _Equal:
    """Equal to the original, of its hash, its text and, to whoever asks, its class."""

    __slots__ = ()
    original: Any

    def __eq__(self, other: object) -> bool:
        return self.original is (other.original if isinstance(other, _Equal) else other)

    def __hash__(self) -> int:
        return hash(self.original)

    def __repr__(self) -> str:
        return repr(self.original)

    @property
    def __class__(self) -> type:
        return type(self.original)

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise TypeError(f"the class of {self!r} cannot be changed")


class Constructor(_Equal, functools.partial[Any]):
    """A function of ``torch`` that names what it makes; a partial, since calling one is fast."""

    def __reduce__(self) -> Any:
        return self.original.__name__  # pickled as the object that torch has under this name


class Method(_Equal):
    """A method of ``torch.Tensor`` that names what it makes: a tensor has the wrapper, the class the original."""

    __slots__ = ("original", "wrapper")

    def __init__(self, original: Any, wrapper: Callable[..., Any]) -> None:
        self.original, self.wrapper = original, wrapper

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self.original if instance is None else MethodType(self.wrapper, instance)


def _replace_function(name: str, rule: Rule) -> None:
    original = getattr(torch, name)
    plain = tuple if name == "arange" else _plain  # which takes any int alike

    # What these calls cost is what every call of torch's costs more, so they are written out.
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            kind = type(value)
            if kind is not int and kind in _LOOKED_AT and (kind is DynamicInt or DynamicInt in map(type, value)):
                break
        else:
            if not kwargs:
                return in_mode(args, kwargs) if function_modes() else original(*args)
            if _SIZES.isdisjoint(kwargs) and not function_modes():
                return original(*args, **kwargs)
        if function_modes():
            return in_mode(args, kwargs)
        return _named(original(*plain(args), **kwargs), rule, args, kwargs)

    def in_mode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _named(_through_modes(constructor, args, kwargs), rule, args, kwargs)

    constructor = _put_in_place(name, original, call)


def _replace_like(name: str) -> None:
    original = getattr(torch, name)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = _through_modes(constructor, args, kwargs) if function_modes() else original(*args, **kwargs)
        if type(result) is torch.Tensor and args:
            named = dims.named_dims(args[0])
            if named is not None and only_eager():
                dims.attach(result, named.dims, named.declaration)
        return result

    constructor = _put_in_place(name, original, call)


def _put_in_place(name: str, original: Any, call: Callable[..., Any]) -> Constructor:
    constructor = Constructor(call)
    functools.update_wrapper(constructor, original)
    constructor.original = original
    setattr(torch, name, constructor)
    known_to_jit(constructor, original)
    _originals.append(lambda: setattr(torch, name, original))
    return constructor


def _through_modes(constructor: Constructor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Modes compare with the function that torch has."""
    return handle_torch_function(constructor, _flat((*args, *kwargs.values())), *args, **kwargs)


def _replace_method(name: str, rule: Rule) -> None:
    original = getattr(torch.Tensor, name)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            kind = type(value)
            if kind is not int and kind in _LOOKED_AT and (kind is DynamicInt or DynamicInt in map(type, value)):
                break
        else:
            if not kwargs:
                return original(*args)
            if _SIZES.isdisjoint(kwargs):
                return original(*args, **kwargs)
        tensor = args[0]
        given = args if type(tensor) not in _TENSORS or function_modes() else (tensor, *_plain(args[1:]))
        return _named(original(*given, **kwargs), rule, args, kwargs)

    setattr(torch.Tensor, name, Method(original, call))
    _originals.append(lambda: delattr(torch.Tensor, name))


_TENSORS = frozenset({torch.Tensor, torch.nn.Parameter})
"""Tensors that no ``__torch_function__`` of a user's is asked about."""

_LOOKED_AT = frozenset({DynamicInt, tuple, list, torch.Size})
_SIZES = frozenset({"size", "shape", "repeats", "start", "end", "step", "length"})
"""The keywords by which sizes are given."""


def _flat(values: Iterable[Any]) -> list[Any]:
    return [v for value in values for v in (value if isinstance(value, tuple | list) else (value,))]


def _plain(sizes: Sequence[Any]) -> Sequence[Any]:
    """Sizes, or a tuple of them and what follows, as plain ints, which torch takes in half the time; else as given."""
    try:
        if sizes and type(sizes[0]) is tuple:
            return (tuple(map(index, sizes[0])), *sizes[1:])
        return tuple(map(index, sizes))
    except TypeError:
        return sizes


def _named(result: Any, rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result, its sizes recorded: of a plain tensor that torch has just made, outside of every trace."""
    if type(result) is torch.Tensor and only_eager() and not (kwargs and kwargs.get("out") is result):
        sizes = rule(args, kwargs)
        if sizes is not None:
            dims.attach_sizes(result, sizes)
    return result


dynamic_int.before_first_name, dims.before_first_name = install, install_likes
