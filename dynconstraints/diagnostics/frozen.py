"""Frozen records whose classes take next to no time to make.

As with ``@dataclass(frozen=True, slots=True)`` fields are annotated names, with or without a default; records are equal
where their classes and fields are, and match by position. A dataclass compiles six methods of its own, though; to do so
for every node of the language would take longer than to parse and to solve most constraints. Here a class has one of
its own, ``__init__``, and shares the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Any:
        """For the type checker alone; its module takes a while to load."""
        return lambda kind: kind


def _nothing(_: object) -> tuple[()]:
    return ()


def _initializer(kind: type, fields: tuple[str, ...], defaults: Mapping[str, object]) -> Any:
    """``__init__``, which takes the fields in their order and goes to the slots themselves: the class is frozen."""
    parameters = ", ".join(f"{field}=default_{field}" if field in defaults else field for field in fields)
    lines = [f"set_{field}(self, {field})" for field in fields] or ["pass"]
    names: dict[str, Any] = {f"default_{field}": value for field, value in defaults.items()}
    names |= {f"set_{field}": kind.__dict__[field].__set__ for field in fields}
    exec(f"def __init__(self, {parameters}):\n " + "\n ".join(lines), names)  # noqa: S102  # names of fields alone
    return names["__init__"]


@dataclass_transform(frozen_default=True)
class _FrozenType(type):
    """Makes slots of the annotated names, and an ``__init__`` that fills them.

    Annotations are texts: the module of the class imports them from the future. ``apart`` names fields that neither
    equality nor ``repr`` looks at; subclasses inherit it.
    """

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], apart: tuple[str, ...] = ()) -> Any:
        fields = tuple(f for f, kind in body.get("__annotations__", {}).items() if not kind.startswith("ClassVar"))
        defaults = {field: body.pop(field) for field in fields if field in body}
        unseen = apart or next((getattr(base, "_apart", ()) for base in bases), ())
        seen = tuple(field for field in fields if field not in unseen)
        body["__slots__"] = (*body.get("__slots__", ()), *fields)
        body["__match_args__"], body["_apart"], body["_seen"] = fields, unseen, seen
        body["_key"] = staticmethod(attrgetter(*seen) if seen else _nothing)
        made: Any = super().__new__(cls, name, bases, body)
        made.__init__ = _initializer(made, fields, defaults)
        return made


class Frozen(metaclass=_FrozenType):
    """Base class of frozen records. The hash is kept, as it is asked for far more often than records are made."""

    __slots__ = ("_hash",)

    _hash: ClassVar[int]  # of each record; said to be the class's as it is no field
    _seen: ClassVar[tuple[str, ...]]
    _key: ClassVar[Any]
    __match_args__: ClassVar[tuple[str, ...]]

    def changed(self, **fields: Any) -> Self:
        """The record with other values of these fields."""
        return type(self)(**{name: getattr(self, name) for name in self.__match_args__} | fields)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        key = self._key
        return self is other or key(self) == key(other)

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            value = hash((type(self), self._key(self)))
            object.__setattr__(self, "_hash", value)
            return value

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._seen)
        return f"{type(self).__qualname__}({shown})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__match_args__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
