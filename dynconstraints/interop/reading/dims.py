"""torch.export: Dims, and the ``dynamic_shapes`` that they stand in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.interop.layout import linear
from dynconstraints.interop.reading.expressions import UnreadError, term_of
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import Loose, Reading, bare, bound, never_negative, shape_of
from dynconstraints.interop.reading.trees import Grammar, Leaf, is_none, leaves, numbered
from dynconstraints.interop.reading.units import Unit, renamed
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Relation, Term
from dynconstraints.signature.shape import Shape

FORM = "torch.export"
_DIM, _DIMS = "torch.export.Dim", "torch.export.dims"
_KEYWORD = "dynamic_shapes"


@dataclass(frozen=True)
class Dim:
    """``Dim("h", min=4, max=64)``: its name, and its ends with their places."""

    name: str
    ends: tuple[tuple[Relation, int, Label], ...]


def read(python: PythonText) -> Iterator[Reading]:
    """Each ``dynamic_shapes`` of a source, with the Dims in it."""
    values = [keyword.value for call in python.calls for keyword in call.keywords if keyword.arg == _KEYWORD]
    for shapes in dict.fromkeys(map(python.standing_for, [*values, *python.assigned(_KEYWORD)])):
        reader = _Reader(python)
        reading = reader.read(shapes)
        if reader.is_torchs or (reading.arguments and not reading.unread):  # else they are of some other kind
            yield reading


def unused(python: PythonText) -> Iterator[Loose]:
    """Dims of a source with ``dynamic_shapes`` that are assigned to variables which are never read."""
    for node in ast.walk(python.tree):
        if not isinstance(node, ast.Assign) or not python.is_called(node.value, _DIM, _DIMS):
            continue
        for target in node.targets:
            named = target.elts if isinstance(target, ast.Tuple) else [target]
            for one in named:
                if isinstance(one, ast.Name) and not python.scopes.is_used(one):
                    yield Loose(one.id, python.label(one), f"no {_KEYWORD} has it, so it limits nothing")


class _Reader:
    """One ``dynamic_shapes``."""

    def __init__(self, python: PythonText) -> None:
        self._python = python
        self._dims: dict[ast.AST, Dim] = {}
        self._unread: list[Label] = []
        self.is_torchs = False

    def read(self, given: ast.expr) -> Reading:
        shapes = {}
        grammar = Grammar(self._is_size, lambda node: numbered(self._python, node, self._is_size_or_none))
        for leaf in leaves(self._python, given, grammar, self._unread):
            shape = self._shape(leaf)
            if shape is not None:
                shapes[leaf.path] = shape
        units = self._units(bare(shapes.values()))
        shapes = {path: renamed(shape, units) for path, shape in shapes.items()}
        ranges = tuple(c for dim in self._each() for c in _ranges(dim, units.get(dim.name)))
        return Reading(
            FORM,
            self._python.label(given),
            shapes,
            ranges=ranges,
            always=never_negative(shapes.values()),
            unread=tuple(self._unread),
        )

    def _each(self) -> list[Dim]:
        """The Dims; one that is made twice, alike, counts once."""
        return list({(dim.name, tuple(end[:2] for end in dim.ends)): dim for dim in self._dims.values()}.values())

    def _is_size(self, node: ast.expr) -> bool:
        node = self._python.standing_for(node)
        if isinstance(node, ast.BinOp) or (isinstance(node, ast.Constant) and type(node.value) is int):
            return True
        return self._dim(node) is not None or self._hint(node)

    def _is_size_or_none(self, node: ast.expr) -> bool:
        return self._is_size(node) or is_none(self._python.standing_for(node))

    def _hint(self, node: ast.expr) -> bool:
        """Whether it is ``Dim.AUTO`` or its like, with a range or without."""
        node = self._python.standing_for(node)
        match node.func if isinstance(node, ast.Call) else node:
            case ast.Attribute(value, "AUTO" | "DYNAMIC" | "STATIC") if self._python.is_of(value, _DIM):
                self.is_torchs = True
                return True
        return False

    def _shape(self, leaf: Leaf) -> Shape | None:
        if leaf.sizes is None:  # None, or of a number
            term = self._size(leaf.node)
            return None if term is None else shape_of([term])
        return leaf.shape(self._size)

    def _size(self, node: ast.expr) -> Term | None:
        standing = self._python.standing_for(node)
        if is_none(standing) or self._hint(standing):
            if isinstance(standing, ast.Call):  # a range without a name
                self._unread.append(self._python.label(standing))
            return None
        try:
            return term_of(node, self._resolve)
        except UnreadError as error:
            self._unread.append(self._python.label(error.node))
            return None

    def _resolve(self, node: ast.expr) -> Term | None:
        standing = self._python.standing_for(node)
        dim = self._dim(standing)
        if dim is not None:
            return Name(dim.name)
        return None if standing is node else term_of(standing, self._resolve)

    def _dim(self, node: ast.expr) -> Dim | None:
        """The Dim that a call makes, or that is one of several that it makes."""
        index = 0
        if isinstance(node, ast.Subscript) and self._python.is_called(node.value, _DIMS):
            at = self._python.literal(node.slice)
            node, index = node.value, at if isinstance(at, int) else 0
        elif not self._python.is_called(node, _DIM):
            return None
        assert isinstance(node, ast.Call)  # noqa: S101
        name = self._python.literal(
            node.args[index] if index < len(node.args) else self._python.argument(node, None, "name")
        )
        if not isinstance(name, str):
            return None
        self.is_torchs = True
        return self._dims.setdefault(node if not index else node.args[index], Dim(name, tuple(self._ends(node))))

    def _ends(self, call: ast.Call) -> Iterator[tuple[Relation, int, Label]]:
        for keyword in call.keywords:
            relation = {"min": Relation.GE, "max": Relation.LE}.get(keyword.arg or "")
            value = self._python.literal(keyword.value)
            if relation is not None and type(value) is int:
                yield relation, value, self._python.label(keyword)
            elif relation is not None and not is_none(keyword.value):
                self._unread.append(self._python.label(keyword))

    def _units(self, sizes: frozenset[str]) -> dict[str, Unit]:
        """Of Dims that are no size themselves the variable that is a multiple, as torch proposes it: ``h = 32*_h``."""
        known = {dim.name for dim in self._dims.values()}
        found: dict[str, Unit] = {}
        for node in ast.walk(self._python.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name, form = node.targets[0].id, self._multiple(node.value)
                dim = next((one for one in form if one), "")
                if dim and dim not in sizes and form[dim] > 0 and name == dim.lstrip("_") and name not in known:
                    found.setdefault(dim, Unit(name, form[dim], form.get("", 0), self._python.label(node)))
        return found

    def _multiple(self, value: ast.expr) -> dict[str, int]:
        """What is linear in one of these Dims, which may have the names of others; else nothing."""
        others = _Reader(self._python)
        try:
            form = linear(term_of(value, others._resolve)) if isinstance(value, ast.BinOp) else None
        except UnreadError:
            return {}
        is_one = form is not None and len(set(form) - {""}) == 1
        return form if form is not None and is_one and others._dims.keys() <= self._dims.keys() else {}


def _ranges(dim: Dim, unit: Unit | None) -> Iterator[Constraint]:
    if unit is None:
        yield from (bound(dim.name, relation, value, label) for relation, value, label in dim.ends)
        return
    yield from (bound(unit.name, relation, unit.at(value), label) for relation, value, label in dim.ends)
    yield from unit.divisor
