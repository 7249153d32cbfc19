"""jaxtyping: the shapes in the annotations of functions, such as ``Float[Tensor, "b 3 h w"]``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.interop.reading.expressions import UnreadError, names_of_text, term_of
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import Loose, Reading, bare, mentioned, never_negative, shape_of
from dynconstraints.ir.nodes import Int, Name, Term
from dynconstraints.signature.shape import Shape

FORM = "jaxtyping"
_WORD = re.compile(r"\S+")
_LOOSE = "jaxtyping raises where an expression has a name that no size is before"


def read(python: PythonText) -> Iterator[Reading]:
    """Each function of a source with such annotations."""
    for node in ast.walk(python.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            reading = _Reader(python).read(node)
            if reading is not None:
                yield reading


class _Axes:
    """The shapes of one function, from the texts of its annotations; ``numbers`` are parameters that are sizes."""

    def __init__(self, parameters: Iterable[str]) -> None:
        self._parameters = frozenset(parameters)
        self._places: dict[str, Label] = {}
        self.numbers: dict[str, None] = {}
        self.unread: list[Label] = []

    def shape(self, text: str, source: Source, offset: int) -> Shape:
        """The shape of an annotation's text, which stands in the source at the offset."""
        sizes: list[Term | None] = []
        rest = None
        for found in _WORD.finditer(text):
            word = found[0]
            label = Label(source, Span(offset + found.start(), offset + found.end()))
            marks = word[: len(word) - len(word.lstrip("*#?"))]
            name = word[len(marks) :].rpartition("=")[2] if "=" in word else word[len(marks) :]
            if word == "..." or "*" in marks:
                rest = len(sizes)
            else:
                is_open = bool(marks) or name.startswith("_")
                sizes.append(None if is_open else self._size(name, label))
        return shape_of(sizes, rest)

    def reading(self, label: Label, arguments: dict[str, Shape], returns: dict[str, Shape]) -> Reading:
        """All of the function."""
        shapes = (*arguments.values(), *returns.values())
        standing = bare(shapes) | self.numbers.keys()
        loose = tuple(Loose(n, self._places[n], _LOOSE) for n in mentioned(shapes, ()) if n not in standing)
        always, unread = never_negative(shapes), tuple(self.unread)
        arguments |= {name: shape_of([Name(name)]) for name in self.numbers if name not in arguments}
        return Reading(FORM, label, arguments, always=always, returns=returns, loose=loose, unread=unread)

    def _size(self, word: str, label: Label) -> Term | None:
        if word.isdigit():
            return Int(int(word))
        try:
            return term_of(ast.parse(word, mode="eval").body, lambda node: self._name(node, label))
        except (UnreadError, SyntaxError):
            self.unread.append(label)
            return None

    def _name(self, node: ast.expr, label: Label) -> Term | None:
        filled = node.elts[0] if isinstance(node, ast.Set) and len(node.elts) == 1 else None
        name = names_of_text(filled or node)
        if not isinstance(name, Name):
            return None
        if filled and name.id in self._parameters:  # {n} is the value of the parameter
            self.numbers[name.id] = None
        self._places.setdefault(name.id, label)
        return name


class _Reader:
    """One function of a source."""

    def __init__(self, python: PythonText) -> None:
        self._python = python
        self._axes = _Axes(())

    def read(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Reading | None:
        given = function.args
        parameters = (*given.posonlyargs, *given.args, *given.kwonlyargs)
        self._axes = _Axes(one.arg for one in parameters)
        arguments = {one.arg: shape for one in parameters if (shape := self._shape(one.annotation)) is not None}
        returns = dict(self._results(function.returns))
        if not arguments and not returns:
            return None
        start = self._python.span(function).start
        first = self._python.source.text.index(function.name, start)
        label = Label(self._python.source, Span(first, first + len(function.name)))
        return self._axes.reading(label, arguments, returns)

    def _results(self, annotation: ast.expr | None) -> Iterator[tuple[str, Shape]]:
        whole = self._shape(annotation)
        parts: Iterable[ast.expr] = ()
        match annotation:
            case ast.Subscript(ast.Name("tuple" | "Tuple"), ast.Tuple(elements)):
                parts = elements
        found = {"": whole} if whole is not None else {str(i): self._shape(one) for i, one in enumerate(parts)}
        yield from ((path, shape) for path, shape in found.items() if shape is not None)

    def _shape(self, annotation: ast.expr | None) -> Shape | None:
        annotation = None if annotation is None else self._python.scopes.standing_for(annotation)
        match annotation:
            case ast.Subscript(kind, ast.Tuple([_, text])) if self._is_jaxtyping(kind):
                return self._of_text(text)
            case ast.Subscript(ast.Name("Optional"), inner) | ast.BinOp(inner, ast.BitOr(), ast.Constant(None)):
                return self._shape(inner)
        return None

    def _of_text(self, node: ast.expr) -> Shape | None:
        text = self._python.literal(node)
        if not isinstance(text, str):
            self._axes.unread.append(self._python.label(node))
            return None
        return self._axes.shape(text, *self._python.inside(self._python.scopes.standing_for(node), text))

    def _is_jaxtyping(self, kind: ast.expr) -> bool:
        return self._python.scopes.called(kind).split(".")[0] == "jaxtyping"
