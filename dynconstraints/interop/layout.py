"""Where the names of a declaration stand in the arguments: which sizes give them values, and which relate to others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Add, Int, Mul, Name, Neg, Relation, Term, comparison
from dynconstraints.ir.printer import show
from dynconstraints.signature.shape import Shape, is_number

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Slot:
    """One size: a dimension of an argument, or an argument that is a number; ``term`` is None for an undeclared one."""

    path: str
    index: int | None
    term: Term | None

    @property
    def place(self) -> str:
        """How messages call it."""
        return self.path if self.index is None else f"{self.path}.shape[{self.index}]"

    @property
    def relation(self) -> Constraint:
        """That the size is what it is declared to be."""
        assert self.term is not None  # noqa: S101  # callers ask declared ones
        formula = comparison(Name(self.place), Relation.EQ, self.term)
        text = f"{self.place} == {show(self.term)}"
        return Constraint(formula, text, Source(text))


@dataclass(frozen=True)
class Layout:
    """The sizes of all arguments, in order."""

    shapes: Mapping[str, Shape]

    @cached_property
    def slots(self) -> Mapping[str, tuple[Slot, ...]]:
        """The sizes by path. An argument whose text is its own name, as in ``n="n"``, is a number."""
        return {
            path: tuple(
                Slot(path, None if is_number(path, shape) else i, t)
                for i, t in zip(_indices(shape), shape.sizes, strict=True)
            )
            for path, shape in self.shapes.items()
        }

    def __iter__(self) -> Iterator[Slot]:
        return (slot for slots in self.slots.values() for slot in slots)

    def is_number(self, path: str) -> bool:
        """Whether the argument is a number rather than a tensor."""
        return is_number(path, self.shapes[path])

    @property
    def sizes(self) -> tuple[str, ...]:
        """The names that dimensions give values to."""
        return tuple(name for name, slot in self.homes.items() if slot.index is not None)

    @cached_property
    def homes(self) -> Mapping[str, Slot]:
        """The size that each name has its value from: one that is the name, else one that is linear in it alone."""
        found: dict[str, Slot] = {}
        for slot in self:
            if isinstance(slot.term, Name):
                found.setdefault(slot.term.id, slot)
        for slot in self:
            form = None if slot.term is None else linear(slot.term)
            names = [name for name in form or () if name]
            if len(names) == 1:
                found.setdefault(names[0], slot)
        return found

    @cached_property
    def relations(self) -> tuple[tuple[Slot, Constraint], ...]:
        """What sizes are declared to be beside those that give names their values."""
        return tuple(
            (slot, slot.relation)
            for slot in self
            if slot.term is not None and not (isinstance(slot.term, Name) and self.homes[slot.term.id] is slot)
        )


def _indices(shape: Shape) -> Iterator[int]:
    """Where the sizes stand; those behind any number of others are counted from the end."""
    count = len(shape.sizes)
    first = count if shape.rest is None else shape.rest
    return (i if i < first else i - count for i in range(count))


def layout_of(target: str, shapes: Mapping[str, Shape], *, full: bool = False, rest: bool = False) -> Layout:
    """The layout. Raises ArgumentError where the target needs shapes and has none, or not every dimension.

    ``full``: no size may be left undeclared. ``rest``: any number of them may be, where a shape has ``...``.
    """
    if not shapes:
        raise cannot(f"{target} needs the shapes of the arguments", 'give them, as in --shape x="b 3 h w"')
    for path, shape in shapes.items():
        if shape.rest is not None and not rest:
            raise _in_shape(target, path, shape, "...", "write one size for each dimension")
        if full and None in shape.sizes:
            raise _in_shape(target, path, shape, "_", "name each size")
    return Layout(shapes)


def cannot(message: str, advice: str, label: Label | None = None) -> ArgumentError:
    """The error for a declaration that a target cannot take."""
    return ArgumentError(Diagnostic("DC157", message, () if label is None else (label,), help=(advice,)))


def _in_shape(target: str, path: str, shape: Shape, word: str, advice: str) -> ArgumentError:
    text = f'{path}="{shape.text}"'
    first = next(found.start() for found in _WORD.finditer(shape.text) if found[0] == word)
    at = len(path) + 2 + first
    label = Label(Source(text), Span(at, at + len(word)))
    return cannot(f"{target} needs every size of {path}, and {word} leaves some open", advice, label)


def linear(term: Term) -> dict[str, int] | None:
    """The coefficients of the names, and the constant under ``""``; None where the term is not linear."""
    match term:
        case Int(value):
            return {"": value}
        case Name(id):
            return {id: 1}
        case Neg(operand):
            return _scaled(linear(operand), -1)
        case Add(terms):
            total: dict[str, int] = {}
            for part in map(linear, terms):
                if part is None:
                    return None
                for name, factor in part.items():
                    total[name] = total.get(name, 0) + factor
            return {name: factor for name, factor in total.items() if factor}
        case Mul(factors):
            result: dict[str, int] | None = {"": 1}
            for part in map(linear, factors):
                if part is None or result is None:
                    return None
                if not set(part) - {""}:
                    result = _scaled(result, part.get("", 0))
                elif not set(result) - {""}:
                    result = _scaled(part, result.get("", 0))
                else:
                    return None
            return result
        case _:
            return None


def _scaled(form: dict[str, int] | None, by: int) -> dict[str, int] | None:
    return None if form is None else {name: factor * by for name, factor in form.items() if factor * by}
