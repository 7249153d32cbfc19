"""Which calls declare constraints, whatever a source calls the functions, and where in a call everything stands."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dynconstraints.interop.reading.scopes import bound_by, targets

INT, FLOAT, SCOPE, SYSTEM = "DynamicInt", "DynamicFloat", "dynamic_int_constraints", "ConstraintSystem"
DIMS, BIND, EXTEND = "name_dims", "bind", "extend"

_PACKAGE = "dynconstraints"
_OURS_ALONE = frozenset({INT, FLOAT, SCOPE, DIMS})
"""Names that nobody else has: they count wherever they are from. Others are imported from us, or reached through us."""

_MOST_STEPS = 16
"""How far a name is followed from assignment to assignment."""

MARKS = tuple(name.encode() for name in (_PACKAGE, SYSTEM, *sorted(_OURS_ALONE)))
"""A file without any of these bytes declares nothing, and need not be parsed."""


@dataclass(frozen=True, slots=True)
class Form:
    """The positions of a call's parameters, None for those that have none.

    ``is_real`` says whether the value that the constraints come with is a float, and is None where they come with none.
    """

    constraints: int | None = 0
    name: int | None = None
    value: int | None = None
    names: int | None = None
    is_real: bool | None = None

    @property
    def binds(self) -> bool:
        """Whether it binds one name to one value."""
        return self.name is not None


FORMS: Mapping[str, Form] = {
    INT: Form(2, name=1, value=0, is_real=False),
    FLOAT: Form(2, name=1, value=0, is_real=True),
    BIND: Form(None, name=0, value=1, is_real=False),
    DIMS: Form(None, names=1, is_real=False),
    SCOPE: Form(),
    SYSTEM: Form(),
    EXTEND: Form(),
}


class Callees:
    """The calls of one source by what they call, and the names that stand for one expression all over it."""

    def __init__(self, nodes: tuple[ast.AST, ...]) -> None:
        self._aliases = dict(_aliases(nodes))
        self._modules = frozenset(_modules(nodes))
        self._once = dict(_assigned_once(nodes))
        self._fields = dict(_fields(nodes, self._once))

    def standing_for(self, node: ast.expr | None) -> ast.expr | None:
        """The expression; of a name, or a field of a class, that is bound once, what is assigned to it."""
        for _ in range(_MOST_STEPS):
            match node:
                case ast.Name(name) if name in self._once:
                    node = self._once[name]
                case ast.Attribute(ast.Name(), name) if name in self._fields:
                    node = self._fields[name]
                case _:
                    break
        return node

    def of(self, call: ast.Call, steps: int = _MOST_STEPS) -> str | None:
        """The key of the call in ``FORMS``; None where it declares no constraints."""
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == EXTEND and steps:
            return EXTEND if self._is_system(function.value, steps - 1) else None
        name = self._public(function)
        return name if name in FORMS and name != EXTEND else None

    def _public(self, function: ast.expr | None) -> str | None:
        function = self.standing_for(function)
        if isinstance(function, ast.Attribute):
            is_known = function.attr in _OURS_ALONE or function.attr == SYSTEM or self._is_ours(function.value)
            return function.attr if is_known else None
        if isinstance(function, ast.Name):
            everything = function.id if "*" in self._aliases else None
            return self._aliases.get(function.id, function.id if function.id in _OURS_ALONE else everything)
        return None

    def _is_ours(self, node: ast.expr) -> bool:
        """Whether it is our package, or a module of it."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._modules

    def _is_system(self, node: ast.expr | None, steps: int) -> bool:
        node = self.standing_for(node)
        if isinstance(node, ast.BinOp):
            return steps > 0 and (self._is_system(node.left, steps - 1) or self._is_system(node.right, steps - 1))
        return isinstance(node, ast.Call) and self.of(node, steps) in (SYSTEM, EXTEND)


def _aliases(nodes: tuple[ast.AST, ...]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _PACKAGE:
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _modules(nodes: tuple[ast.AST, ...]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == _PACKAGE:
                    yield alias.asname or _PACKAGE
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _PACKAGE:
            yield from (alias.asname or alias.name for alias in node.names)  # some are modules, as `pytorch` is


def _assigned_once(nodes: tuple[ast.AST, ...]) -> Iterator[tuple[str, ast.expr]]:
    """Names of what is assigned to them, such as ``CONSTRAINTS = ["s0 % 32 == 0"]``.

    A name that is bound anywhere else in the source, as a parameter for one, may be something else where it is used.
    """
    bound = Counter(name for node in nodes for name in bound_by(node))
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            for target in targets(node):
                if isinstance(target, ast.Name) and bound[target.id] == 1:
                    yield target.id, node.value


def _fields(nodes: tuple[ast.AST, ...], once: Mapping[str, ast.expr]) -> Iterator[tuple[str, ast.expr]]:
    """Lists in the bodies of classes, by names that nothing else in the source is assigned to."""
    stored = {node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)}
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            inside = (target for one in node.body for target in targets(one) if isinstance(target, ast.Name))
            yield from ((t.id, once[t.id]) for t in inside if t.id in once and t.id not in stored)
