"""What annotations say about sizes: jaxtyping's shapes, `Dims`, and the bounds of annotated-types.

All are read by their attributes, so none of these libraries has to be there.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.signature.dims import Dims
from dynconstraints.signature.shape import ANY, REST, Shape, read_shape


@dataclass(frozen=True)
class Annotations:
    """The shapes that a function's annotations tell, by path, and the constraints."""

    arguments: Mapping[str, Shape] = field(default_factory=dict)
    returns: Mapping[str, Shape] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()


_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_DEPTH = 4
"""How far into classes of annotated fields is looked."""


def annotated(function: Any, variables: Mapping[str, Any]) -> Annotations:
    """What the annotations of the function say; ``variables`` are those of the place where it is declared.

    Raises ArgumentError for one that declares something, and cannot be evaluated there.
    """
    hints = {name: _evaluated(hint, function, variables) for name, hint in _texts(function).items()}
    arguments: dict[str, Shape] = {}
    returns: dict[str, Shape] = {}
    constraints: list[str] = []
    for name, hint in hints.items():
        into = returns if name == "return" else arguments
        for path, text, bounds in _read(hint, "" if name == "return" else name, _DEPTH):
            into[path] = read_shape(Source(text, f"{name}: {text!r}"))
            constraints += bounds
    return Annotations(arguments, returns, tuple(constraints))


def _texts(function: Any) -> Mapping[str, Any]:
    return getattr(function, "__annotations__", None) or {}


def _evaluated(hint: Any, function: Any, variables: Mapping[str, Any]) -> Any:
    """The annotation; None for a text with a name that is there for type checkers alone."""
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, getattr(function, "__globals__", {}), dict(variables))  # noqa: S307  as typing does
    except Exception as error:
        if Dims.__name__ + "(" not in hint:
            return None
        what = f"an annotation cannot be read: {hint}"
        fix = (
            f"{type(error).__name__}: {error}; define its names before the function is declared, or give the text to it"
        )
        label = Label(Source(hint), Span(0, len(hint)))
        raise ArgumentError(Diagnostic("DC406", what, (label,), help=(fix,))) from None


def _read(hint: Any, path: str, depth: int) -> Iterator[tuple[str, str, list[str]]]:
    """Each path that an annotation tells something about: the text of the shape there, and constraints."""
    origin, inner = get_origin(hint), get_args(hint)
    text = _jaxtyping(hint)
    if text is not None:
        yield path, text, []
    elif origin is Annotated:
        yield from _metadata(path, inner[0], inner[1:], depth)
    elif origin in (typing.Union, types.UnionType):
        for each in inner:
            yield from _read(each, path, depth)
    elif origin in (list, tuple, dict) and depth:
        yield from _container(origin, inner, path, depth - 1)
    elif isinstance(hint, type) and depth:
        for name, each in _fields(hint):
            yield from _read(each, _below(path, name), depth - 1)


def _metadata(path: str, kind: Any, metadata: tuple[Any, ...], depth: int) -> Iterator[tuple[str, str, list[str]]]:
    told = next((m.text for m in metadata if isinstance(m, Dims)), None)
    if told is not None:
        yield path, told, []
    elif kind in (int, float) and "." not in path and path:
        constraints = [c for m in metadata for c in _bounds(path, m)]
        if constraints:
            yield path, path, constraints
    else:
        yield from _read(kind, path, depth)


def _bounds(name: str, metadata: Any) -> Iterator[str]:
    """The constraints of annotated-types: ``MultipleOf(32)``, ``Ge(1)``, ``Interval(ge=1, le=8)``."""
    step = getattr(metadata, "multiple_of", None)
    if isinstance(step, int):
        yield f"{name} % {step} == 0"
    for attribute, sign in _BOUNDS.items():
        bound = getattr(metadata, attribute, None)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            yield f"{name} {sign} {bound}"


def _container(origin: Any, inner: tuple[Any, ...], path: str, depth: int) -> Iterator[tuple[str, str, list[str]]]:
    if origin is dict and len(inner) == 2:
        yield from _read(inner[1], _below(path, "*"), depth)
    elif origin is list or (len(inner) == 2 and inner[1] is Ellipsis):
        yield from _read(inner[0], _below(path, "*"), depth)
    else:
        for index, each in enumerate(inner):
            yield from _read(each, _below(path, str(index)), depth)


def _fields(kind: type) -> Iterator[tuple[str, Any]]:
    """The annotated fields of a dataclass, a NamedTuple or a TypedDict."""
    is_typed = hasattr(kind, "_fields") or hasattr(kind, "__total__")
    if dataclasses.is_dataclass(kind) or is_typed:
        try:
            yield from get_type_hints(kind, include_extras=True).items()
        except Exception:
            return


def _below(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step


def _jaxtyping(hint: Any) -> str | None:
    """The sizes that ``Float[Tensor, "b 3 h w"]`` tells; those that jaxtyping does not bind to a name are left open."""
    text = getattr(hint, "dim_str", None)
    if not isinstance(text, str) or not hasattr(hint, "dtypes"):
        return None
    return " ".join(map(_size, text.split()))


def _size(word: str) -> str:
    word = word.rpartition("=")[2]
    if word.startswith("*") or word == REST:
        return REST
    return ANY if word.startswith(("_", "#", "?", "@", "{")) else word
