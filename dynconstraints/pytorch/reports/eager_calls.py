"""A call in eager with other sizes: whether the program itself takes them, and which unnamed sizes go along.

A counterexample at which the program fails without the compiler, too, asks for a narrower declaration, not for another
graph. Where it fails, and works with a size that nobody named changed alike, that size was forgotten.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names
from dynconstraints.pytorch.frame.call_check import declarations_in
from dynconstraints.pytorch.reports.model import Forgotten
from dynconstraints.pytorch.reports.suggesting.size_names import of_shape
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import named_dims

_ELEMENTS = 2**22
"""Larger calls are not tried."""

_MOST_TRIED = 12
"""Unnamed sizes that are changed in search of one that goes along."""

_DEPTH = 4

Unnamed = tuple[str, "int | None"]
"""An argument as the user writes it, and its dimension, None for an int; nothing names it."""


@contextmanager
def in_eager() -> Iterator[None]:
    """While open, programs run for a trial: in eager, what is compiled too, without gradients, random numbers left."""
    with (
        torch.compiler.set_stance("force_eager"),
        torch.no_grad(),
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class EagerCall:
    """A function and the arguments of a call, by the names of the parameters; some of them are declared."""

    target: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    labels: Sequence[str]

    @cached_property
    def values(self) -> Mapping[str, int]:
        """What the names are."""
        given = (*self.args, *self.kwargs.values())
        return {n: v for value in given for d in declarations_in(value) for n, v in d.bindings.items()}

    def failure(self, values: Mapping[str, int], more: Mapping[Unnamed, int] | None = None) -> str | None:
        """What the program raises for these values of the names, and of some unnamed sizes; None where it raises
        nothing, and where that isn't known."""
        if not self._is_served:
            return None
        return self._run(values, more or {})

    @cached_property
    def _is_served(self) -> bool:
        """Whether the call as it is works without the compiler and without gradients, as others are tried."""
        return self._run(self.values, {}) is None

    def _run(self, values: Mapping[str, int], more: Mapping[Unnamed, int]) -> str | None:
        made = _Made(values, more)
        args = [made.of(value, label) for value, label in zip(self.args, self.labels, strict=True)]
        kwargs = {name: made.of(value, name) for name, value in self.kwargs.items()}
        changed = {n for n, v in values.items() if v != self.values.get(n)}
        if made.elements > _ELEMENTS or not changed <= made.met:
            return None
        try:
            with in_eager():
                self.target(*args, **kwargs)
        except Exception as error:  # whatever the user's program raises
            return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        return None

    def forgotten(self, name: str, values: Mapping[str, int]) -> tuple[Forgotten, ...]:
        """The unnamed sizes that go along with the name: the program fails for its other value, and works where they
        change, too. As few as do."""
        now, then = self.values.get(name), values.get(name)
        if now is None or then is None or now == then or self.failure(values) is None:
            return ()
        for change in _changes(name, now, then):
            alike = {where: other for where, size in self._unnamed() if (other := change.of(size)) is not None}
            alike = dict(list(alike.items())[:_MOST_TRIED])
            found = next((t for t in ([w] for w in alike) if self._works(values, alike, t)), None)
            if found is None and len(alike) > 1 and self._works(values, alike, list(alike)):
                found = list(alike)
                for where in list(alike):
                    fewer = [w for w in found if w != where]
                    found = fewer if self._works(values, alike, fewer) else found
            if found:
                sizes = dict(self._unnamed())
                return tuple(Forgotten(_written(w), sizes[w], change.expression) for w in found)
        return ()

    def _works(self, values: Mapping[str, int], alike: Mapping[Unnamed, int], chosen: Sequence[Unnamed]) -> bool:
        return self.failure(values, {where: alike[where] for where in chosen}) is None

    def _unnamed(self) -> list[tuple[Unnamed, int]]:
        found: list[tuple[Unnamed, int]] = []
        for value, label in (*zip(self.args, self.labels, strict=True), *((v, n) for n, v in self.kwargs.items())):
            found += _unnamed_in(value, label, _DEPTH)
        return found


@dataclass(frozen=True)
class _Change:
    """How a size goes with a name, as an expression of it."""

    expression: str
    of: Callable[[int], int | None]


def _changes(name: str, now: int, then: int) -> Iterator[_Change]:
    """The same size; a multiple or a part of it; so much more or less."""
    yield _Change(name, lambda size: then if size == now else None)
    for factor in (2, 3, 4, 8, 16):
        yield _Change(f"{factor}*{name}", lambda size, f=factor: f * then if size == f * now else None)  # type: ignore[misc]
        if then % factor == now % factor == 0:
            yield _Change(f"{name} // {factor}", lambda size, f=factor: then // f if size * f == now else None)  # type: ignore[misc]
    for more in (1, -1):
        sign = "+" if more > 0 else "-"
        yield _Change(f"{name} {sign} 1", lambda size, m=more: then + m if size == now + m else None)  # type: ignore[misc]


@dataclass
class _Made:
    """The arguments of another call: values of names, and of unnamed sizes; the names that were ``met`` on the way."""

    values: Mapping[str, int]
    unnamed: Mapping[Unnamed, int]
    met: set[str] = field(default_factory=set)
    elements: int = 0

    def of(self, value: Any, label: str, depth: int = _DEPTH) -> Any:
        """What takes the place of a value."""
        if isinstance(value, torch.Tensor):
            return self._tensor(value, label)
        if isinstance(value, DynamicFloat):
            self.met |= {value.name} & self.values.keys() if value.name else set()
            return float(self.values.get(value.name or "", value))
        if isinstance(value, DynamicInt):
            return self._number(value)
        if type(value) is int:
            return self.unnamed.get((label, None), value)
        if depth and type(value) in (list, tuple):
            return type(value)(self.of(item, f"{label}[{i}]", depth - 1) for i, item in enumerate(value))
        if depth and type(value) is dict:
            return {key: self.of(item, f"{label}[{key!r}]", depth - 1) for key, item in value.items()}
        return value

    def _tensor(self, tensor: torch.Tensor, label: str) -> torch.Tensor:
        named = named_dims(tensor)
        dims = {} if named is None else named.dims
        shape = []
        for dimension, size in enumerate(tensor.shape):
            term, wanted = dims.get(dimension), self.unnamed.get((label, dimension), int(size))
            if term is not None and names(term) <= self.values.keys():
                self.met |= names(term)
                found = value_of(term, self.values)
                wanted = wanted if found is None else int(found)
            shape.append(wanted)
        self.elements += math.prod(shape)
        if self.elements > _ELEMENTS or min(shape, default=0) < 0:
            self.elements = _ELEMENTS + 1
            return tensor
        return of_shape(tensor.detach(), shape).clone()

    def _number(self, value: DynamicInt) -> int:
        term = value.expression
        if term is None or not names(term) <= self.values.keys():
            return int(value)
        self.met |= names(term)
        found = value_of(term, self.values)
        return int(value) if found is None else int(found)


def _unnamed_in(value: Any, label: str, depth: int) -> Iterator[tuple[Unnamed, int]]:
    if isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter):
        named = named_dims(value)
        known = () if named is None else named.dims
        yield from (((label, d), int(size)) for d, size in enumerate(value.shape) if d not in known)
    elif type(value) is int:
        yield (label, None), value
    elif depth and type(value) in (list, tuple):
        for i, item in enumerate(value):
            yield from _unnamed_in(item, f"{label}[{i}]", depth - 1)
    elif depth and type(value) is dict:
        for key, item in value.items():
            yield from _unnamed_in(item, f"{label}[{key!r}]", depth - 1)


def _written(where: Unnamed) -> str:
    argument, dimension = where
    return argument if dimension is None else f"{argument}.size({dimension})"
