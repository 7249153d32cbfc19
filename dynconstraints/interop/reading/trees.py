"""Nested dicts, lists and calls of a source as leaves by path, as torch and JAX take the shapes of arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import indexed, shape_of
from dynconstraints.ir.nodes import Term
from dynconstraints.signature.shape import Shape


@dataclass(frozen=True)
class Leaf:
    """What stands for one argument: ``sizes`` are the expressions of a tensor's, by index, None where it is no tensor.

    ``is_whole`` says whether these are all of its dimensions.
    """

    path: str
    node: ast.expr
    sizes: Mapping[int, ast.expr] | None = None
    is_whole: bool = True

    def shape(self, size: Callable[[ast.expr], Term | None]) -> Shape | None:
        """The shape; None where no size is declared."""
        found = {index: size(node) for index, node in (self.sizes or {}).items()}
        if self.is_whole:
            return shape_of(list(found.values()))
        return indexed(found) if any(term is not None for term in found.values()) else None


@dataclass(frozen=True)
class Grammar:
    """How a system writes trees: ``opened`` takes the call off that a container stands in, ``tensor`` has the sizes of
    what is a tensor, and whether these are all, and ``is_size`` knows a size."""

    is_size: Callable[[ast.expr], bool]
    tensor: Callable[[ast.expr], tuple[Mapping[int, ast.expr], bool] | None]
    opened: Callable[[ast.expr], ast.expr] = lambda node: node


def leaves(
    python: PythonText, given: ast.expr, grammar: Grammar, unread: list[Label], path: str = ""
) -> Iterator[Leaf]:
    """The leaves by path."""
    node = python.standing_for(given)
    tensor = grammar.tensor(node) if path else None
    if tensor is not None:
        yield Leaf(path, node, *tensor)
        return
    inner = grammar.opened(node)
    entries, elements = python.entries(inner), python.elements(inner)
    if entries is not None:
        for at, value in entries:
            key = python.literal(at)
            if isinstance(key, str | int):
                yield from leaves(python, value, grammar, unread, f"{path}.{key}" if path else str(key))
            else:
                unread.append(python.label(at))
    elif elements is not None:
        for index, element in enumerate(elements):
            yield from leaves(python, element, grammar, unread, f"{path}.{index}" if path else str(index))
    elif grammar.is_size(node):
        yield Leaf(path, given)
    elif not is_none(node):
        unread.append(python.label(given))


def numbered(
    python: PythonText, node: ast.expr, is_size: Callable[[ast.expr], bool]
) -> tuple[Mapping[int, ast.expr], bool] | None:
    """The sizes of a list of them, or of a dict from indices to them; None where it is none."""
    entries, elements = python.entries(node), python.elements(node)
    if entries:
        keys = [python.literal(key) for key, _ in entries]
        found = {key: value for key, (_, value) in zip(keys, entries, strict=True) if type(key) is int}
        return (found, False) if len(found) == len(entries) and all(map(is_size, found.values())) else None
    if elements and all(is_size(one) or is_none(one) for one in elements) and not all(map(is_none, elements)):
        return dict(enumerate(elements)), True
    return None


def is_none(node: ast.expr) -> bool:
    """Whether it is None."""
    return isinstance(node, ast.Constant) and node.value is None
