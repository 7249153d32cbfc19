"""torch's ShapesSpec: variables, the specs of arguments that they stand in, and assumptions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.interop.reading.expressions import UnreadError, formula_of, term_of
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import (
    Loose,
    Reading,
    at_least,
    bare,
    bound,
    mentioned,
    never_negative,
    placed,
    shape_of,
)
from dynconstraints.interop.reading.trees import Grammar, is_none, leaves
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Relation, Term
from dynconstraints.signature.shape import Shape

FORM = "ShapesSpec"
_SIZE, _INT = "torch.ShapeVar", "torch.IntVar"
_TREES = ("torch.ParamsSpec", "torch.DictSpec", "torch.ObjectSpec", "torch.SeqSpec")
_KEYWORDS = ("shapes_spec", "dynamic_shapes")
_SIZES = "a ShapeVar is at least 0"


def read(python: PythonText) -> Iterator[Reading]:
    """Each spec of a source: a ShapesSpec, or what stands for one without assumptions."""
    specs: list[ast.expr] = list(python.calls_of("torch.ShapesSpec"))
    for call in python.calls:
        specs += [python.standing_for(one.value) for one in call.keywords if one.arg in _KEYWORDS]
        specs += map(python.standing_for, call.args[:1] if python.is_of(call.func, "torch.dynamic_spec") else ())
    for spec in dict.fromkeys(specs):
        reader = _Reader(python)
        reading = reader.read(spec)
        if reader.is_specs or python.is_called(spec, "torch.ShapesSpec"):
            yield reading


def unused(python: PythonText) -> Iterator[Loose]:
    """Variables of specs that are assigned, and never read."""
    for node in ast.walk(python.tree):
        if isinstance(node, ast.Assign) and python.is_called(node.value, _SIZE, _INT):
            for target in node.targets:
                if isinstance(target, ast.Name) and not python.scopes.is_used(target):
                    yield Loose(target.id, python.label(target), "no spec has it, so it limits nothing")


class _Reader:
    """One spec."""

    def __init__(self, python: PythonText) -> None:
        self._python = python
        self._names: dict[ast.Call, str] = {}
        self._places: dict[str, Label] = {}
        self._unread: list[Label] = []
        self._tensors: list[Shape] = []
        self.is_specs = False

    def read(self, spec: ast.expr) -> Reading:
        python = self._python
        is_whole = isinstance(spec, ast.Call) and python.is_called(spec, "torch.ShapesSpec")
        params = python.argument(spec, 0, "params") if is_whole else spec  # type: ignore[arg-type]
        shapes = {} if params is None else dict(self._shapes(params))
        said = tuple(self._assumptions(spec)) if is_whole and isinstance(spec, ast.Call) else ()
        ranges = tuple(c for call, name in self._names.items() for c in self._ranges(call, name))
        sized = [name for call, name in self._names.items() if python.is_called(call, _SIZE)]
        always = (
            *(at_least(Name(name), 0, _SIZES) for name in sized),
            *never_negative(self._tensors),
        )
        standing = bare(shapes.values())
        loose = tuple(
            Loose(name, self._places[name], "torch refuses a name that is no size of its own when it compiles")
            for name in mentioned(shapes.values(), said)
            if name not in standing
        )
        always = tuple(dict.fromkeys(always))
        return Reading(FORM, python.label(spec), shapes, said, ranges, always, {}, loose, tuple(self._unread))

    def _shapes(self, params: ast.expr) -> Iterator[tuple[str, Shape]]:
        for leaf in leaves(self._python, params, Grammar(self._is_size, self._tensor, self._opened), self._unread):
            if leaf.sizes is not None:
                self._tensors.append(shape_of([self._size(one) for one in leaf.sizes.values()]))
                yield leaf.path, self._tensors[-1]
            else:
                term = self._size(leaf.node)
                if term is not None:
                    yield leaf.path, shape_of([term])

    def _assumptions(self, spec: ast.Call) -> Iterator[Constraint]:
        given = self._python.argument(spec, None, "assumptions")
        elements = self._python.elements(given)
        if elements is None and given is not None and not is_none(given):
            self._unread.append(self._python.label(given))
        for element in elements or ():
            node = self._python.standing_for(element)
            try:
                yield placed(formula_of(node, self._resolve), self._python.label(node))
            except UnreadError as error:
                self._unread.append(self._python.label(error.node))

    def _ranges(self, call: ast.Call, name: str) -> Iterator[Constraint]:
        for keyword in call.keywords:
            relation = {"min": Relation.GE, "max": Relation.LE}.get(keyword.arg or "")
            value = self._python.literal(keyword.value)
            if relation is not None and type(value) is int:
                yield bound(name, relation, value, self._python.label(keyword))
            elif relation is not None and not is_none(keyword.value):
                self._unread.append(self._python.label(keyword))

    def _opened(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Call) and self._python.is_called(node, *_TREES):
            self.is_specs = True
            return node.args[0] if node.args else node.keywords[0].value if node.keywords else ast.Dict([], [])
        return node

    def _tensor(self, node: ast.expr) -> tuple[Mapping[int, ast.expr], bool] | None:
        if not isinstance(node, ast.Call) or not self._python.is_called(node, "torch.TensorSpec"):
            return None
        self.is_specs = True
        elements = self._python.elements(self._python.argument(node, 0, "dims"))
        return None if elements is None else (dict(enumerate(elements)), True)

    def _is_size(self, node: ast.expr) -> bool:
        is_number = isinstance(node, ast.Constant) and type(node.value) is int
        return is_number or isinstance(node, ast.BinOp) or self._python.is_called(node, _SIZE, _INT)

    def _size(self, node: ast.expr) -> Term | None:
        if is_none(self._python.standing_for(node)) or self._python.is_of(node, "torch.STATIC"):
            return None
        try:
            return term_of(node, self._resolve)
        except UnreadError as error:
            self._unread.append(self._python.label(error.node))
            return None

    def _resolve(self, node: ast.expr) -> Term | None:
        standing = self._python.standing_for(node)
        if isinstance(standing, ast.Call) and self._python.is_called(standing, _SIZE, _INT):
            self.is_specs = True
            name = self._name(standing)
            self._places.setdefault(name, self._python.label(node))
            return Name(name)
        return None if standing is node else term_of(standing, self._resolve)

    def _name(self, call: ast.Call) -> str:
        """The name of a variable; of two with one name, which torch tells apart, the second has a number behind it."""
        if call not in self._names:
            given = self._python.literal(self._python.argument(call, 0, "name"))
            name = wanted = given if isinstance(given, str) else "anon"
            number = 1
            while name in self._names.values():
                name, number = f"{wanted}_{number}", number + 1
            self._names[call] = name
        return self._names[call]
