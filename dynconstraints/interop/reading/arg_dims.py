"""vLLM: the dimensions that ``support_torch_compile`` is told change, and what its ``shape_invariants`` check."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.interop.reading.expressions import UnreadError, formula_of, term_of
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import Reading, indexed, never_negative, placed, shape_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Compare, Name, Relation, Term
from dynconstraints.signature.shape import Shape

FORM = "vLLM"
_DECORATOR, _DIMS, _INVARIANTS = "support_torch_compile", "dynamic_arg_dims", "shape_invariants"


def read(python: PythonText) -> Iterator[Reading]:
    """Each decorator of a source that is given dimensions; else what is assigned to its arguments."""
    calls = [call for call in python.calls if python.scopes.called(call.func).endswith(_DECORATOR)]
    for call in calls:
        dims, invariants = (python.argument(call, None, name) for name in (_DIMS, _INVARIANTS))
        if dims is not None:
            function = None if invariants is None else python.scopes.function(invariants) or invariants
            yield _Reader(python).read(call, dims, function, _forward(python, call))
    if not calls:
        for dims in python.assigned(_DIMS):
            yield _Reader(python).read(dims, dims, python.function(_INVARIANTS), None)


def _forward(python: PythonText, call: ast.Call) -> ast.FunctionDef | None:
    for node in ast.walk(python.tree):
        if isinstance(node, ast.ClassDef) and call in node.decorator_list:
            found = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "forward"]
            return found[0] if found else None
    return None


class _Reader:
    """One decorated class."""

    def __init__(self, python: PythonText) -> None:
        self._python = python
        self._unread: list[Label] = []
        self._named: dict[tuple[str, int], str] = {}
        self._numbers: dict[str, None] = {}
        self._parameters: frozenset[str] = frozenset()

    def read(
        self, place: ast.expr, dims: ast.expr, invariants: ast.AST | None, forward: ast.FunctionDef | None
    ) -> Reading:
        troubles = tuple(self._dims(dims, forward))
        said = tuple(self._invariants(invariants))
        shapes, left = self._shapes(said)
        always = never_negative(shape for path, shape in shapes.items() if path not in self._numbers)
        label, unread = self._python.label(place), tuple(self._unread)
        return Reading(FORM, label, shapes, left, always=always, unread=unread, troubles=troubles)

    def _dims(self, dims: ast.expr, forward: ast.FunctionDef | None) -> Iterator[Diagnostic]:
        """Notes the named dimensions; what is wrong is about arguments that forward does not have."""
        entries = self._python.entries(dims)
        if entries is None:
            self._unread.append(self._python.label(dims))
        known = None if forward is None else [one.arg for one in ast.walk(forward.args) if isinstance(one, ast.arg)]
        for at, value in entries or ():
            path = self._python.literal(at)
            if not isinstance(path, str):
                self._unread.append(self._python.label(at))
                continue
            if known is not None and path not in known:
                yield _no_parameter(path, known, self._python.label(at))
            self._note(path, value)

    def _note(self, path: str, value: ast.expr) -> None:
        entries, elements = self._python.entries(value), self._python.elements(value)
        unnamed: list[tuple[ast.expr, ast.expr | None]] = [(index, None) for index in elements or (value,)]
        for at, named in entries or unnamed:
            index, name = self._python.literal(at), None if named is None else self._python.literal(named)
            if type(index) is not int or not (named is None or isinstance(name, str)):
                self._unread.append(self._python.label(at))
            else:
                self._named[path, index] = name if isinstance(name, str) else own_name(path, index)

    def _invariants(self, function: ast.AST | None) -> Iterator[Constraint]:
        if not isinstance(function, ast.FunctionDef):
            self._unread.extend([] if function is None else [self._python.label(function)])
            return
        self._parameters = frozenset(one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg))
        for statement in function.body:
            match statement:
                case ast.Expr(ast.Call(ast.Attribute(attr="_check"), [condition, *_])):
                    yield from self._check(condition)
                case ast.Expr(ast.Constant()) | ast.Pass() | ast.Assign([ast.Name()]):
                    pass
                case _:
                    self._unread.append(self._python.label(statement))

    def _check(self, condition: ast.expr) -> Iterator[Constraint]:
        node = self._python.scopes.standing_for(condition)
        try:
            yield placed(formula_of(node, self._resolve), self._python.label(node))
        except UnreadError as error:
            self._unread.append(self._python.label(error.node))

    def _resolve(self, node: ast.expr) -> Term | None:
        """A size as the name of its dimension, and an argument as the number that it is."""
        node = standing = self._python.scopes.standing_for(node) if isinstance(node, ast.Name) else node
        match node:
            case ast.Call(ast.Attribute(ast.Name(path), "size"), [at], []):
                return self._name(path, at)
            case ast.Subscript(ast.Attribute(ast.Name(path), "shape"), at):
                return self._name(path, at)
            case ast.Subscript(ast.Call(ast.Attribute(ast.Name(path), "size"), [], []), at):
                return self._name(path, at)
            case ast.Name(path) if path in self._parameters:
                self._numbers[path] = None
                return Name(path)
            case ast.BinOp() | ast.Constant() if standing is not node:
                return term_of(standing, self._resolve)
        return None

    def _name(self, path: str, at: ast.expr) -> Term | None:
        index = self._python.literal(at)
        if type(index) is not int or path not in self._parameters:
            return None
        return Name(self._named.setdefault((path, index), own_name(path, index)))

    def _shapes(self, said: tuple[Constraint, ...]) -> tuple[Mapping[str, Shape], tuple[Constraint, ...]]:
        """The shapes, and the constraints but for those that say what an unnamed size is."""
        terms: dict[tuple[str, int], Term] = {place: Name(name) for place, name in self._named.items()}
        left = list(said)
        for place, name in self._named.items():
            found = [c for c in left if name in c.symbols]
            if name == own_name(*place) and len(found) == 1:
                term = _defined(found[0], name)
                if term is not None:
                    terms[place] = term
                    left.remove(found[0])
        left = [one for one in left if not _says_nothing(one)]
        paths = dict.fromkeys(path for path, _ in terms)
        shapes = {path: indexed({at: term for (of, at), term in terms.items() if of == path}) for path in paths}
        return {**shapes, **{path: shape_of([Name(path)]) for path in self._numbers}}, tuple(left)


def own_name(path: str, index: int) -> str:
    """The name of a dimension that has none."""
    return f"{path}_{index}".replace("-", "m").replace(".", "_")


def _defined(constraint: Constraint, name: str) -> Term | None:
    """What an equation says that a name is."""
    match constraint.formula:
        case Compare((Name(id), term), (Relation.EQ,)) | Compare((term, Name(id)), (Relation.EQ,)):
            return term if id == name and name not in names(term) else None
    return None


def _says_nothing(constraint: Constraint) -> bool:
    """Whether it compares a dimension with another of the same name."""
    match constraint.formula:
        case Compare((left, right), (Relation.EQ,)):
            return left == right
    return False


def _no_parameter(path: str, known: list[str], label: Label) -> Diagnostic:
    listed = ", ".join(name for name in known if name != "self") or "none"
    return Diagnostic("DC406", f"forward has no parameter {path}", (label,), help=(f"it has {listed}",))
