"""Independent parts: constraints that share no name, directly or through others, can be answered for apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def components(items: Sequence[T], names_of: Mapping[T, Iterable[str]]) -> list[tuple[T, ...]]:
    """The items in the finest partition that keeps together those that share a name, each part in the given order.

    Items without names are parts of their own. Union-find by halving (R. Tarjan, J. van Leeuwen, *Worst-case analysis
    of set union algorithms*, J. ACM 31, 1984): nearly linear.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    for item in items:
        first, *others = names_of[item] or ("",)
        for other in others:
            parent[root(other)] = root(first)
    parts: dict[object, list[T]] = {}
    for item in items:
        names = tuple(names_of[item])
        parts.setdefault(root(names[0]) if names else item, []).append(item)
    return [tuple(part) for part in parts.values()]
