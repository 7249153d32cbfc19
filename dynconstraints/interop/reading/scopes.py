"""Which expression a name of a Python source stands for, and what its imports call the functions of others."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

_MOST_STEPS = 16
"""How far a name is followed from assignment to assignment."""

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SCOPES = ast.Module | ast.ClassDef | _FUNCTIONS


class Scopes:
    """The scopes of one source: in each the names that are bound, and those that are assigned once."""

    def __init__(self, tree: ast.Module) -> None:
        self._around: dict[ast.AST, ast.AST] = {}
        self._bound: dict[ast.AST, Counter[str]] = {}
        self._once: dict[ast.AST, dict[str, ast.expr]] = {}
        self._imported: dict[ast.AST, dict[str, str]] = {}
        self._shared: set[str] = set()
        pending: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
        while pending:  # a tree can be deeper than Python calls nest
            node, scope = pending.pop()
            self._around[node] = scope
            self._note(node, scope)
            own = node if isinstance(node, _SCOPES) else scope
            outside = _outside(node)
            pending.extend((child, scope if child in outside else own) for child in ast.iter_child_nodes(node))

    def standing_for(self, node: ast.expr) -> ast.expr:
        """The expression; of a name that is assigned once in its scope, what is assigned to it."""
        for _ in range(_MOST_STEPS):
            found = self._assigned(node) if isinstance(node, ast.Name) else None
            if found is None:
                break
            node = found
        return node

    def called(self, node: ast.expr) -> str:
        """The dotted name of what is called, or named, as its own package has it: ``jax.export.symbolic_shape``.

        A name that the source binds itself has no such name: it is "".
        """
        parts: list[str] = []
        node = self.standing_for(node)
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = self.standing_for(node.value)
        if not isinstance(node, ast.Name):
            return ""
        scope = self._home(node)
        home = node.id if scope is None else self._imported[scope].get(node.id, "")
        return ".".join((home, *reversed(parts))) if home else ""

    def function(self, node: ast.expr) -> ast.FunctionDef | None:
        """The function of the source that a name stands for."""
        scope = self._home(node) if isinstance(node, ast.Name) else None
        if scope is None or not isinstance(node, ast.Name):
            return None
        body = getattr(scope, "body", ())
        found = [one for one in body if isinstance(one, ast.FunctionDef) and one.name == node.id]
        return found[0] if len(found) == 1 and self._bound[scope][node.id] == 1 else None

    def is_used(self, name: ast.Name) -> bool:
        """Whether the variable that is assigned to is read anywhere."""
        home = self._home(name)
        return any(
            isinstance(node, ast.Name)
            and node.id == name.id
            and isinstance(node.ctx, ast.Load)
            and self._home(node) is home
            for node in self._around
        )

    def scope_of(self, node: ast.AST) -> ast.AST:
        """The module, class or function that a node stands in."""
        return self._around[node]

    def _assigned(self, name: ast.Name) -> ast.expr | None:
        scope = self._home(name)
        if scope is None or self._bound[scope][name.id] > 1 or name.id in self._shared:
            return None
        return self._once[scope].get(name.id)

    def _home(self, name: ast.Name) -> ast.AST | None:
        """The scope that binds the name where it is used; None where none does, as of a builtin."""
        scope, is_own = self._around[name], True
        while True:
            is_visible = is_own or not isinstance(scope, ast.ClassDef)
            if is_visible and self._bound.get(scope, Counter())[name.id]:
                return scope
            if isinstance(scope, ast.Module):
                return None
            scope, is_own = self._around[scope], False

    def _note(self, node: ast.AST, scope: ast.AST) -> None:
        bound = self._bound.setdefault(scope, Counter())
        once, imported = self._once.setdefault(scope, {}), self._imported.setdefault(scope, {})
        if not isinstance(node, ast.arg):
            bound.update(bound_by(node))
        for target in targets(node):
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and value is not None and not _is_of_itself(target.id, value):
                once[target.id] = value
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=False)
                once.update({name.id: given for name, given in pairs if isinstance(name, ast.Name)})
            elif isinstance(target, ast.Tuple) and value is not None:
                once.update(self._parts(target, value, scope))
        if isinstance(node, ast.Import):
            imported.update((one.asname or one.name.split(".")[0], _imported_as(one)) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.update((one.asname or one.name, f"{node.module or ''}.{one.name}") for one in node.names)
        elif isinstance(node, _FUNCTIONS):
            self._bound.setdefault(node, Counter()).update(n for one in ast.walk(node.args) for n in bound_by(one))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            self._shared.update(node.names)

    def _parts(self, target: ast.Tuple, value: ast.expr, scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
        """The names of what is unpacked as indices into it."""
        for index, name in enumerate(target.elts):
            part = ast.Subscript(value, ast.Constant(index), ast.Load())
            for made in (part, part.slice):
                self._around[ast.copy_location(made, value)] = scope
            if isinstance(name, ast.Name):
                yield name.id, part


def targets(node: ast.AST) -> list[ast.expr]:
    """What an assignment is to."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.NamedExpr) else []


def bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node binds in its scope, but for what its parts bind."""
    match node:
        case ast.Name(name, ast.Store() | ast.Del()) | ast.arg(name):
            yield name
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.alias(name, asname):
            yield asname or name.split(".")[0]


def _is_of_itself(name: str, value: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def _imported_as(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.split(".")[0]


def _outside(node: ast.AST) -> frozenset[ast.AST]:
    """The parts of a function or class that are evaluated around it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return frozenset((node.args, *node.decorator_list, *((node.returns,) if node.returns else ())))
    if isinstance(node, ast.ClassDef):
        return frozenset((*node.decorator_list, *node.bases, *node.keywords))
    return frozenset()
