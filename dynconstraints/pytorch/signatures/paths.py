"""The values at a path of a call's arguments, or of its results, and how Python reaches each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from typing import Any

ALL = "*"
"""The step to each of the values in a container."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A value, the path to it without ``*``, and what Dynamo calls its source, such as ``L['batch']['image']``."""

    path: str
    access: str
    value: Any


def reach(path: str, start: Reached) -> Iterator[Reached]:
    """The values at the rest of a path, its first step taken; nothing where something on the way is missing."""
    steps = path.split(".")[1:]
    return _follow(steps, start)


def _follow(steps: Sequence[str], at: Reached) -> Iterator[Reached]:
    if not steps:
        yield at
        return
    first, *rest = steps
    for step, access, value in _inside(at.value, first):
        yield from _follow(rest, Reached(f"{at.path}.{step}", at.access + access, value))


def _inside(value: Any, step: str) -> Iterator[tuple[str, str, Any]]:
    """What one step leads to: the step itself, the text of its access, and the value.

    Containers are read by the methods of dict, list and tuple, whatever a subclass has in the place of them; of other
    objects only what they hold is looked at, so that no code of theirs runs.
    """
    kind = type(value)
    if issubclass(kind, dict):
        known: Mapping[Any, Any] = dict(dict.items(value))
        for key in known if step == ALL else _keys(known, step):
            yield str(key), f"[{key!r}]", known[key]
        if step in known or step == ALL or not known:
            return
    if issubclass(kind, tuple) and hasattr(kind, "_fields") and step in kind._fields:
        index = kind._fields.index(step)
        yield step, f"[{index}]", tuple.__getitem__(value, index)
    elif issubclass(kind, list | tuple):
        items = list.copy(value) if issubclass(kind, list) else list(tuple.__iter__(value))
        for index in range(len(items)) if step == ALL else _indices(step, len(items)):
            yield str(index), f"[{index}]", items[index]
    else:
        held = _held(value)
        for name in held if step == ALL else [step] * (step in held):
            yield name, f".{name}", held[name]


def astray(path: str, start: Reached) -> tuple[str, list[str]] | None:
    """Where a path leads to nothing though something like it is there: the path so far, and what is there.

    An absent key is as good as None; one much like it is a misspelt path.
    """
    at, steps = start, path.split(".")[1:]
    for index, step in enumerate(steps):
        found = list(_inside(at.value, step))
        if not found:
            known = [name for name, _, _ in _inside(at.value, ALL)]
            close = get_close_matches(step, known, 1)
            return (".".join((start.path, *steps[: index + 1])), known) if close else None
        name, access, value = found[0]
        at = Reached(f"{at.path}.{name}", at.access + access, value)
    return None


def _keys(known: Mapping[Any, Any], step: str) -> list[Any]:
    if step in known:
        return [step]
    return [int(step)] if _is_index(step) and int(step) in known else []


def _indices(step: str, number: int) -> list[int]:
    if not _is_index(step) or not -number <= int(step) < number:
        return []
    return [int(step) % number]


def _is_index(step: str) -> bool:
    return step.removeprefix("-").isdecimal()


def _held(value: Any) -> Mapping[str, Any]:
    """What an object holds, in its ``__dict__``, in slots, and as fields of a dataclass."""
    held = dict(getattr(value, "__dict__", {}))
    slots = [name for kind in type(value).__mro__ for name in _slots(kind)]
    slots += [f.name for f in fields(value)] if is_dataclass(value) and not isinstance(value, type) else []
    missing = object()
    for name in slots:
        found = held.get(name, missing) if name in held else getattr(value, name, missing)
        if found is not missing:
            held[name] = found
    return held


def _slots(kind: type) -> Sequence[str]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
