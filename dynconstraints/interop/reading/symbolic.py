"""JAX: symbolic shapes as texts, and the constraints of their scopes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.diagnostics.source import Span
from dynconstraints.interop.layout import linear
from dynconstraints.interop.reading.expressions import Resolve, UnreadError, formula_of, names_of_text, term_of
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import (
    Loose,
    Reading,
    at_least,
    mentioned,
    never_negative,
    shape_of,
)
from dynconstraints.interop.reading.units import Unit, constraint_in_units, renamed
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.signature.shape import Shape

FORM = "JAX"
_SHAPE, _SPECS, _SCOPE = "jax.symbolic_shape", "jax.symbolic_args_specs", "jax.SymbolicScope"
_LEAST = "a variable of JAX is at least 1"


def read(python: PythonText) -> Iterator[Reading]:
    """Each scope of a source, with the shapes and constraints in it."""
    scopes: dict[ast.expr, list[ast.Call]] = {}
    for call in python.calls_of(_SHAPE, _SPECS, _SCOPE):
        scopes.setdefault(_scope_of(python, call), []).append(call)
    paths = dict(_paths(python))
    for scope, calls in scopes.items():
        yield _Reader(python, scope).read(calls, paths)


def _scope_of(python: PythonText, call: ast.Call) -> ast.expr:
    """What stands for the scope of a call: the call that makes it, or the first one without a scope of its own."""
    given = python.argument(call, None, "scope")
    if given is None:
        return call
    node = python.standing_for(given)
    if isinstance(node, ast.Attribute) and node.attr == "scope":
        node = python.standing_for(node.value)
        node = node.value if isinstance(node, ast.Subscript) else node
    return node if python.is_called(node, _SHAPE, _SPECS, _SCOPE) else call


def _paths(python: PythonText) -> Iterator[tuple[ast.expr, str]]:
    """The names that shapes are assigned to, and their paths in a dict of them."""
    for node in ast.walk(python.tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield from _below(python, node.value, node.targets[0].id)
    for given in python.assigned("shapes"):
        for key, value in python.entries(given) or ():
            yield from _below(python, value, str(python.literal(key)))


def _below(python: PythonText, given: ast.expr, path: str) -> Iterator[tuple[ast.expr, str]]:
    node = python.standing_for(given)
    entries = python.entries(node) or [
        (ast.Constant(index), one) for index, one in enumerate(python.elements(node) or ())
    ]
    for key, value in entries:
        yield from _below(python, value, f"{path}.{python.literal(key)}")
    if python.is_called(node, _SHAPE):
        yield node, path


class _Reader:
    """One scope."""

    def __init__(self, python: PythonText, scope: ast.expr) -> None:
        self._python = python
        self._scope = scope
        self._unread: list[Label] = []
        self._places: dict[str, Label] = {}
        self._open = False

    def read(self, calls: Iterable[ast.Call], paths: dict[ast.expr, str]) -> Reading:
        shapes: dict[str, Shape] = {}
        said: list[Constraint] = []
        for call in calls:
            is_scope = self._python.is_called(call, _SCOPE)
            given = self._python.argument(
                call, 0 if is_scope else None, "constraints_str" if is_scope else "constraints"
            )
            said += self._constraints(given)
            if not is_scope:
                shapes |= self._shapes(call, paths.get(call, f"{len(shapes)}"))
        loose = tuple(self._loose(shapes, said))
        label = self._python.label(self._scope)
        variables = mentioned(shapes.values(), said)
        units = _units(shapes, variables, label)
        divided = tuple(one for unit in units.values() for one in unit.divisor)
        least = tuple(
            at_least(
                Name(units[name].name if name in units else name), units[name].at(1) if name in units else 1, _LEAST
            )
            for name in variables
        )
        shapes = {path: renamed(shape, units) for path, shape in shapes.items()}
        always = (*least, *divided, *never_negative(shapes.values()))
        in_names = tuple(constraint_in_units(one, units) for one in said)
        return Reading(FORM, label, shapes, in_names, (), always, {}, loose, tuple(self._unread))

    def _loose(self, shapes: dict[str, Shape], said: Iterable[Constraint]) -> Iterator[Loose]:
        if self._open or self._unread:
            return
        standing = mentioned(shapes.values(), ())
        for name in mentioned((), said):
            if name not in standing and shapes:
                yield Loose(name, self._places[name], "no shape of the scope has it, so it limits nothing")

    def _shapes(self, call: ast.Call, path: str) -> dict[str, Shape]:
        is_specs = self._python.is_called(call, _SPECS)
        given = self._python.argument(call, 1 if is_specs else 0, "shapes_specs" if is_specs else "shape_spec")
        texts = [given] if given is not None else []
        if is_specs and given is not None and self._text(given) is None:
            texts = self._python.elements(given) or texts
        found = {}
        for index, node in enumerate(texts):
            shape = self._shape(node)
            if shape is not None:
                found[path if len(texts) == 1 else f"{path}.{index}"] = shape
        return found

    def _shape(self, given: ast.expr) -> Shape | None:
        text, node = self._text(given), self._python.scopes.standing_for(given)
        if text is None:
            self._unread.append(self._python.label(given))
            return None
        sizes: list[Term | None] = []
        rest = None
        for start, word in _dimensions(text):
            if word == "...":
                rest = len(sizes)
            elif word == "_":
                sizes.append(None)
            elif word:
                sizes.append(self._term(node, text, start, word))
        return shape_of(sizes, rest)

    def _term(self, node: ast.expr, text: str, start: int, word: str) -> Term | None:
        try:
            return term_of(_parsed(word), self._named(node, text, start))
        except (UnreadError, SyntaxError):
            self._unread.append(self._label(node, text, start, word))
            return None

    def _constraints(self, given: ast.expr | None) -> Iterator[Constraint]:
        elements = self._python.elements(given)
        if elements is None:
            self._open |= given is not None
            self._unread.extend([] if given is None else [self._python.label(given)])
        for element in elements or ():
            text, node = self._text(element), self._python.scopes.standing_for(element)
            if text is None:
                self._unread.append(self._python.label(element))
                continue
            try:
                formula = formula_of(_parsed(text), self._named(node, text, 0))
            except (UnreadError, SyntaxError):
                self._unread.append(self._label(node, text, 0, text))
                continue
            source, offset = self._python.inside(node, text)
            yield Constraint(formula, text, source, offset)

    def _named(self, node: ast.expr, text: str, start: int) -> Resolve:
        def resolve(inner: ast.expr) -> Term | None:
            name = names_of_text(inner)
            if isinstance(name, Name):
                span = name.span or Span(0, 0)
                self._places.setdefault(name.id, self._label(node, text, start + span.start, name.id))
            return name

        return resolve

    def _label(self, node: ast.expr, text: str, start: int, word: str) -> Label:
        source, offset = self._python.inside(node, text)
        return Label(source, Span(offset + start, offset + start + len(word)))

    def _text(self, node: ast.expr) -> str | None:
        found = self._python.literal(node)
        return found if isinstance(found, str) else None


def _units(shapes: dict[str, Shape], variables: Iterable[str], label: Label) -> dict[str, Unit]:
    """Of variables such as ``_h``, which stand in sizes as multiples alone, the smallest of these, as ``h``."""
    terms = [term for shape in shapes.values() for term in shape.sizes if term is not None]
    variables = tuple(variables)
    forms = [form for form in map(linear, terms) if form is not None and len(set(form) - {""}) == 1]
    found = {}
    for name in variables:
        own = sorted((form[name], form.get("", 0)) for form in forms if form.get(name, 0) > 0)
        plain = name.lstrip("_")
        if own and plain and plain != name and plain not in variables and own[0] != (1, 0):
            found[name] = Unit(plain, *own[0], label)
    return found


def _dimensions(text: str) -> Iterator[tuple[int, str]]:
    """The dimensions between commas that stand in no brackets, each with its start."""
    stripped = text.strip()
    first = text.index(stripped) if stripped else 0
    if stripped.startswith("(") and stripped.endswith(")") and _is_around(stripped):
        stripped, first = stripped[1:-1], first + 1
    depth = start = 0
    for at, character in enumerate(f"{stripped},"):
        depth += (character == "(") - (character == ")")
        if character == "," and (depth == 0 or at == len(stripped)):
            word = stripped[start:at]
            yield first + start + len(word) - len(word.lstrip()), word.strip()
            start = at + 1


def _is_around(text: str) -> bool:
    """Whether the first bracket is closed by the last character."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def _parsed(text: str) -> ast.expr:
    """The tree of an expression; JAX's power is Python's exclusive or."""
    return ast.parse(text.replace("^", "**"), mode="eval").body
