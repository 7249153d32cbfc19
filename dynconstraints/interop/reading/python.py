"""A Python source as it was written: its tree, its scopes, and the place of each node in its text."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.interop.reading.expressions import UnreadError, term_of
from dynconstraints.interop.reading.scopes import Scopes, targets
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.nodes import Term

_COLLECTIONS = frozenset({"dict", "frozenset", "list", "set", "tuple"})
_OPENING = re.compile(r"(?i:[ruf]{0,2})('''|\"\"\"|'|\")")


class PythonText:
    """One source, which is never run. Raises SyntaxError, ValueError or RecursionError where it is not Python."""

    def __init__(self, source: Source, tree: ast.Module | None = None) -> None:
        self.source = source
        self.tree = ast.parse(source.text) if tree is None else tree
        self.scopes = Scopes(self.tree)

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """All calls, in the order of the text."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return tuple(sorted(found, key=lambda call: (call.lineno, call.col_offset)))

    def assigned(self, name: str) -> list[ast.expr]:
        """What is assigned to variables of that name."""
        return [
            node.value
            for node in ast.walk(self.tree)
            for target in targets(node)
            if isinstance(target, ast.Name) and target.id == name
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None
        ]

    def function(self, name: str) -> ast.FunctionDef | None:
        """The function of that name that the module defines."""
        return next((one for one in self.tree.body if isinstance(one, ast.FunctionDef) and one.name == name), None)

    def calls_of(self, *names: str) -> list[ast.Call]:
        """The calls of functions of others, by their dotted names; the last part is enough where it is from afar."""
        return [call for call in self.calls if self.is_called(call, *names)]

    def is_called(self, node: ast.expr, *names: str) -> bool:
        """Whether the node is a call of one of the functions, wherever of its package that is imported from."""
        return isinstance(node, ast.Call) and self.is_of(node.func, *names)

    def is_of(self, node: ast.expr, *names: str) -> bool:
        """Whether the node names one of these, such as ``torch.Dim``: the package, and the last part."""
        found = self.scopes.called(node).split(".")
        wanted = [(one.split(".")[0], one.split(".")[-1]) for one in names]
        return len(found) > 1 and (found[0], found[-1]) in wanted

    def standing_for(self, node: ast.expr) -> ast.expr:
        """The expression, or what is assigned to the name that it is; of ``list(x)`` and its like it is ``x``."""
        node = self.scopes.standing_for(node)
        match node:
            case ast.Call(ast.Name(name), [copied], []) if name in _COLLECTIONS:
                return self.standing_for(copied)
        return node

    def literal(self, node: ast.expr | None) -> object:
        """What a literal stands for, also by a name, or the number that arithmetic of such is; None for others."""
        if node is None:
            return None
        node = self.scopes.standing_for(node)
        if isinstance(node, ast.BinOp):
            return self._computed(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            return -number if isinstance(number, int | float) else None
        return node.value if isinstance(node, ast.Constant) else None

    def _computed(self, node: ast.expr) -> int | None:
        def resolved(inner: ast.expr) -> Term | None:
            standing = self.scopes.standing_for(inner)
            return term_of(standing, resolved) if standing is not inner else None

        try:
            return value_of(term_of(node, resolved), {})
        except (UnreadError, RecursionError):
            return None

    def elements(self, node: ast.expr | None) -> list[ast.expr] | None:
        """The elements of a list or tuple, or of the sum of such; None where they are not all to be seen."""
        node = None if node is None else self.standing_for(node)
        match node:
            case ast.List(elements) | ast.Tuple(elements):
                parts = [self.elements(e.value) if isinstance(e, ast.Starred) else [e] for e in elements]
            case ast.BinOp(left, ast.Add(), right):
                parts = [self.elements(left), self.elements(right)]
            case _:
                return None
        return None if any(part is None for part in parts) else [one for part in parts for one in part or ()]

    def entries(self, node: ast.expr | None) -> list[tuple[ast.expr, ast.expr]] | None:
        """The keys and values of a dict, also as ``dict(x=…)``; None where they are not all to be seen."""
        node = None if node is None else self.standing_for(node)
        match node:
            case ast.Dict(keys, values):
                pairs = [
                    self.entries(value) if key is None else [(key, value)]
                    for key, value in zip(keys, values, strict=True)
                ]
                return None if any(pair is None for pair in pairs) else [one for pair in pairs for one in pair or ()]
            case ast.Call(ast.Name("dict"), [], keywords) if all(one.arg for one in keywords):
                return [(ast.copy_location(ast.Constant(one.arg), one.value), one.value) for one in keywords]
        return None

    def argument(self, call: ast.Call, position: int | None, name: str) -> ast.expr | None:
        """The argument that a call gives a parameter."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value
        before = [] if position is None else call.args[: position + 1]
        is_there = position is not None and len(before) > position
        return before[-1] if is_there and not any(isinstance(one, ast.Starred) for one in before) else None

    def text(self, node: ast.AST) -> str:
        """The characters of a node."""
        span = self.span(node)
        return self.source.text[span.start : span.stop]

    def label(self, node: ast.AST, text: str = "") -> Label:
        """A label on a node."""
        return Label(self.source, self.span(node), text)

    def span(self, node: ast.AST) -> Span:
        """Where a node stands in the text; of a keyword also its name."""
        at, end = (getattr(node, key) for key in ("lineno", "end_lineno"))
        return Span(self._offset(at, node.col_offset), self._offset(end or at, node.end_col_offset or 0))  # type: ignore[attr-defined]

    def inside(self, node: ast.expr, text: str) -> tuple[Source, int]:
        """The source and the offset in it of the text that a string literal stands for."""
        span, segment = self.span(node), self.text(node)
        opening = _OPENING.match(segment)
        if opening and segment[opening.end() : -len(opening[1])] == text:
            return self.source, span.start + opening.end()
        # Escapes, or several literals in a row: its characters are not those of the file.
        line, column = self.source.position(span.start)
        return Source(text, self.source.origin, self.source.file, line, column), 0

    def _offset(self, line: int, utf8: int) -> int:
        start = self._starts[line - 1]
        head = self.source.text[start : start + utf8]
        return start + (utf8 if head.isascii() else len(head.encode()[:utf8].decode(errors="ignore")))

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *(match.end() for match in re.finditer("\n", self.source.text)))
