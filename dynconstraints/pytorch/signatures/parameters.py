"""A function's parameters, and which value of a call each of them gets."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

from dynconstraints.pytorch.signatures.paths import Reached


@dataclass(frozen=True)
class Parameters:
    """The parameters that a caller sees, without ``self``: those that may be passed by position, and all.

    ``rest`` takes what is left of the arguments by position, ``more`` of those by name, where the function has such.
    """

    positional: tuple[str, ...]
    names: tuple[str, ...]
    rest: str | None = None
    more: str | None = None

    @classmethod
    def of(cls, function: Any) -> Parameters:
        """Those of a function, method, or other callable. Raises ValueError or TypeError where Python knows none."""
        found = inspect.signature(function).parameters.values()
        kind = inspect.Parameter
        by_position = (kind.POSITIONAL_ONLY, kind.POSITIONAL_OR_KEYWORD)
        return cls(
            tuple(p.name for p in found if p.kind in by_position),
            tuple(p.name for p in found if p.kind not in (kind.VAR_POSITIONAL, kind.VAR_KEYWORD)),
            next((p.name for p in found if p.kind is kind.VAR_POSITIONAL), None),
            next((p.name for p in found if p.kind is kind.VAR_KEYWORD), None),
        )

    def bound(self, positional: Iterable[tuple[str, Any]], named: Mapping[str, tuple[str, Any]]) -> dict[str, Reached]:
        """The arguments by the names of their parameters; each given with the text of its access."""
        given = list(positional)
        found = {
            name: Reached(name, access, value) for name, (access, value) in zip(self.positional, given, strict=False)
        }
        if self.rest is not None and given[len(self.positional) :]:
            found[self.rest] = Reached(self.rest, "", tuple(value for _, value in given[len(self.positional) :]))
        others = {}
        for name, (access, value) in named.items():
            if name in self.names:
                found[name] = Reached(name, access, value)
            else:
                others[name] = value
        if self.more is not None and others:
            found[self.more] = Reached(self.more, "", others)
        return found

    def of_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Reached]:
        """The arguments of a call."""
        return self.bound((("", value) for value in args), {name: ("", value) for name, value in kwargs.items()})


def of_frame(
    parameters: Parameters, code: CodeType, variables: Mapping[str, Any], first: int = 0
) -> dict[str, Reached]:
    """The arguments of a call, as they stand in a frame that got them.

    That is the function's own frame, or that of a decorator, which passes on what it has in ``*args`` and ``**kwargs``.
    ``first`` is the number of its arguments by position that are not passed on: 1 for ``self``, which may be the first
    of its ``*args``.
    """
    own = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    rest, more = collecting(code)
    at_rest, at_more = _local(rest or ""), _local(more or "")
    items = tuple(variables.get(rest, ())) if rest is not None else ()
    given = dict(variables.get(more, {})) if more is not None else {}
    positional = [(_local(name), variables.get(name)) for name in own]
    positional += [(f"{at_rest}[{i}]", value) for i, value in enumerate(items)]
    named = {name: (_local(name), variables.get(name)) for name in keywords}
    named |= {name: (f"{at_more}[{name!r}]", value) for name, value in given.items()}
    found = parameters.bound(positional[first:], named)
    if rest is not None and parameters.rest is not None and len(own) - first == len(parameters.positional):
        found[parameters.rest] = Reached(parameters.rest, at_rest, items)
    if parameters.more is not None and parameters.more in found:
        others = found[parameters.more].value
        is_given = others.keys() <= given.keys()  # by the same names, so that they are reached through what has all
        found[parameters.more] = Reached(parameters.more, at_more if is_given else "", others)
    return found


def collecting(code: CodeType) -> tuple[str | None, str | None]:
    """The names of ``*args`` and ``**kwargs``, where the function has such."""
    at = code.co_argcount + code.co_kwonlyargcount
    rest = code.co_varnames[at] if code.co_flags & inspect.CO_VARARGS else None
    more = code.co_varnames[at + (rest is not None)] if code.co_flags & inspect.CO_VARKEYWORDS else None
    return rest, more


def _local(name: str) -> str:
    return f"L[{name!r}]"


_of_classes: WeakKeyDictionary[Any, Parameters] = WeakKeyDictionary()


def parameters_of_module(module: Any) -> Parameters:
    """The parameters of a module's ``forward``."""
    kind = type(module)
    if kind not in _of_classes:
        found = Parameters.of(kind.forward)
        _of_classes[kind] = Parameters(found.positional[1:], found.names[1:], found.rest, found.more)
    return _of_classes[kind]
