"""Constraint strings in Python source, found in its syntax tree: the source is never imported or run."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from dynconstraints.cli.lint.nesting import nested
from dynconstraints.cli.report import InputError
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span

_INT, _FLOAT, _SCOPE, _SYSTEM = "DynamicInt", "DynamicFloat", "dynamic_int_constraints", "ConstraintSystem"
_CALLEES = (_INT, _FLOAT, _SCOPE, _SYSTEM)
_VALUES = (_INT, _FLOAT)
_POSITION = {_INT: 2, _FLOAT: 2, _SCOPE: 0, _SYSTEM: 0}
"""The position of the parameter ``constraints`` of each."""

MARKS = tuple(name.encode() for name in _CALLEES)
"""A file without any of these bytes declares nothing, and need not be parsed."""

_OPENING = re.compile(r"(?i:[ru]?)('''|\"\"\"|'|\")")


@dataclass(frozen=True, slots=True)
class Written:
    """A constraint as a string literal: its text, and the character of ``source`` at which it starts."""

    text: str
    source: Source
    offset: int


@dataclass(frozen=True, slots=True)
class Value:
    """A number as a literal, and where it stands; a float is typed as the int that other values are."""

    number: int
    label: Label


@dataclass(frozen=True, slots=True)
class Group:
    """The constraints of one call, which hold together.

    ``line`` is where the call is, ``callee`` what it calls, ``declared`` the name it binds and ``value`` what it binds
    it to, where they are literals; ``unread`` counts the elements that are no string literals. Where no constraints are
    given at all, ``gives_constraints`` is false; ``is_named`` is true where a name is given, literal or not.
    """

    callee: str
    line: int
    written: tuple[Written, ...]
    declared: str | None
    value: Value | None
    unread: int
    gives_constraints: bool
    is_named: bool = False

    @property
    def is_real(self) -> bool | None:
        """Whether the value that is declared is a float; None where none is."""
        return {_INT: False, _FLOAT: True}.get(self.callee)


@dataclass(frozen=True, slots=True)
class Declarations:
    """What a source declares: ``nested`` has each group, by its place in ``groups``, that is inside blocks, and those
    of the blocks, outermost first."""

    groups: tuple[Group, ...]
    nested: tuple[tuple[int, tuple[int, ...]], ...]


def python_text(data: bytes, file: str) -> str:
    """The text of a Python source in the encoding that it declares. Lines end with ``\\n``, as Python reads them.

    Raises InputError where it is not in that encoding.
    """
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        reason = error.reason if isinstance(error, UnicodeDecodeError) else error.msg
        message = f"the file {file} cannot be decoded: {reason}"
        raise InputError(Diagnostic("DC142", message, help=("save it as UTF-8, or declare its encoding",))) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def groups_in(text: str, file: str) -> tuple[Group, ...]:
    """The groups of a source, in its order. Raises InputError where the text is not Python."""
    return declarations_in(text, file).groups


def declarations_in(text: str, file: str) -> Declarations:
    """The groups of a source, in its order, and which are inside which. Raises InputError where it is not Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(_not_python(file, error.msg, text, error.lineno or 1)) from None
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL, or nesting beyond what CPython parses
        raise InputError(_not_python(file, str(error) or "it is nested too deep", text, 1)) from None
    return _Finder(tree, text, file).declarations()


class _Finder:
    """One source: its tree, its lines, and what its imports call our names."""

    def __init__(self, tree: ast.Module, text: str, file: str) -> None:
        self._tree = tree
        self._nodes = tuple(ast.walk(tree))
        self._source = Source(text, file=file)
        self._aliases = dict(_aliases(self._nodes))
        self._once = dict(_assigned_once(tree, self._nodes))

    def declarations(self) -> Declarations:
        calls = {node: callee for node in self._nodes if isinstance(node, ast.Call) and (callee := self._callee(node))}
        inside = tuple(nested(self._tree, lambda node: self._block(node, calls), lambda call: _is_value(calls, call)))
        in_blocks = {call for call, _ in inside}
        groups = {
            call: self._group(calls[call], call, given)
            for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset))
            if (given := _argument(call, _POSITION[calls[call]], "constraints")) is not None or call in in_blocks
        }
        order = {call: place for place, call in enumerate(groups)}
        places = ((order[call], tuple(order[one] for one in around if one in order)) for call, around in inside)
        return Declarations(tuple(groups.values()), tuple(places))

    def _block(self, node: ast.expr, calls: Mapping[ast.Call, str]) -> ast.Call | None:
        """The call that makes the block which a ``with`` or a decorator opens; a name may stand for it."""
        made = self._once.get(node.id) if isinstance(node, ast.Name) else node
        return made if isinstance(made, ast.Call) and calls.get(made) == _SCOPE else None

    def _callee(self, call: ast.Call) -> str | None:
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        name = self._aliases.get(name, name)
        # Two packages may have a ConstraintSystem; ours is imported by its name, or reached through our package.
        if name == _SYSTEM and name not in self._aliases.values() and not isinstance(function, ast.Attribute):
            return None
        return name if name in _CALLEES else None

    def _group(self, callee: str, call: ast.Call, given: ast.expr | None) -> Group:
        if isinstance(given, ast.Name):
            given = self._once.get(given.id, given)
        elements = given.elts if isinstance(given, ast.List | ast.Tuple | ast.Set) else [given] if given else []
        written = tuple(self._written(e) for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str))
        named = _argument(call, 1, "name") if callee in _VALUES else None
        name, is_named = (
            _literal(named),
            not (named is None or (isinstance(named, ast.Constant) and named.value is None)),
        )
        value = self._value(_argument(call, 0, "value"), callee) if callee in _VALUES else None
        declared = name if isinstance(name, str) else None
        unread = len(elements) - len(written)
        return Group(callee, call.lineno, written, declared, value, unread, given is not None, is_named)

    def _value(self, node: ast.expr | None, callee: str) -> Value | None:
        number = _literal(node)
        if node is None or (type(number) is not int and not (type(number) is float and callee == _FLOAT)):
            return None
        return Value(cast("int", number), Label(self._source, Span(self._at(node), self._end(node))))

    def _written(self, literal: ast.Constant) -> Written:
        text, start, stop = str(literal.value), self._at(literal), self._end(literal)
        segment = self._source.text[start:stop]
        opening = _OPENING.match(segment)
        if opening and segment[opening.end() : -len(opening[1])] == text:
            return Written(text, self._source, start + opening.end())
        # Escapes, or several literals in a row: its characters are not those of the file.
        line, column = self._source.position(start)
        return Written(text, Source(text, file=self._source.file, line=line, column=column), 0)

    def _at(self, node: ast.expr) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _end(self, node: ast.expr) -> int:
        return self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def _offset(self, line: int, utf8: int) -> int:
        start = self._starts[line - 1]
        head = self._source.text[start : start + utf8]
        return start + (utf8 if head.isascii() else len(head.encode()[:utf8].decode(errors="ignore")))

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *(match.end() for match in re.finditer("\n", self._source.text)))


def _aliases(nodes: tuple[ast.AST, ...]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dynconstraints":
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _assigned_once(tree: ast.Module, nodes: tuple[ast.AST, ...]) -> Iterator[tuple[str, ast.expr]]:
    """Module-level names of what is assigned to them, such as ``CONSTRAINTS = ["s0 % 32 == 0"]``.

    A name that is bound anywhere else in the source, as a parameter for one, may be something else where it is used.
    """
    bound = Counter(name for node in nodes for name in _bound_by(node))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and bound[target.id] == 1:
                    yield target.id, node.value


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(name, ast.Store() | ast.Del()) | ast.arg(name):
            yield name
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.alias(name, asname):
            yield asname or name


def _is_value(calls: Mapping[ast.Call, str], call: ast.Call) -> bool:
    return calls.get(call) in _VALUES


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    before = call.args[: position + 1]
    return before[position] if len(before) > position and not any(isinstance(a, ast.Starred) for a in before) else None


def _literal(node: ast.expr | None) -> object:
    """What a literal stands for, which may be a negative number; None for what is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        number = node.operand.value
        return -number if isinstance(number, int | float) else None
    return node.value if isinstance(node, ast.Constant) else None


def _not_python(file: str, reason: str, text: str, line: int) -> Diagnostic:
    lines = text.split("\n")
    number = min(line, len(lines))
    start = sum(len(before) + 1 for before in lines[: number - 1])
    label = Label(Source(text, file=file), Span(start, start + len(lines[number - 1])), reason)
    return Diagnostic("DC802", f"{file} is not Python", (label,), help=("mend the source; `python` reports the same",))
