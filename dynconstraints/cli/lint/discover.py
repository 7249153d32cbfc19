"""Constraint strings in Python source, found in its syntax tree: the source is never imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from dynconstraints.cli.lint.callees import DIMS, FORMS, SCOPE, Callees
from dynconstraints.cli.lint.nesting import nested
from dynconstraints.cli.report import InputError
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span

_OPENING = re.compile(r"(?i:[ruf]{0,2})('''|\"\"\"|'|\")")
_WHOLE_NAME = re.compile(r"[^\W\d]\w*")
_COLLECTIONS = frozenset({"frozenset", "list", "set", "sorted", "tuple"})


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
    it to, where they are literals; ``unread`` counts the elements that are no string literals, and ``mentioned`` are
    the names in those parts of them that are. ``dimensions`` are the expressions that name those of a tensor. Where no
    constraints are given at all, ``gives_constraints`` is false; ``is_named`` is true where a name is given, literal or
    not.
    """

    callee: str
    line: int
    written: tuple[Written, ...]
    declared: str | None
    value: Value | None
    unread: int
    gives_constraints: bool
    is_named: bool = False
    dimensions: tuple[Written, ...] = ()
    mentioned: frozenset[str] = frozenset()

    @property
    def is_real(self) -> bool | None:
        """Whether the value that is declared is a float; None where none is."""
        return FORMS[self.callee].is_real

    @property
    def binds(self) -> bool:
        """Whether one name is bound to one value."""
        return FORMS[self.callee].binds


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
        self._callees = Callees(self._nodes)

    def declarations(self) -> Declarations:
        found = ((node, self._callees.of(node)) for node in self._nodes if isinstance(node, ast.Call))
        calls = {call: callee for call, callee in found if callee}
        inside = tuple(nested(self._tree, lambda node: self._block(node, calls), lambda call: _is_value(calls, call)))
        in_blocks = {call for call, _ in inside}
        groups = {
            call: self._group(calls[call], call, given)
            for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset))
            if (given := _argument(call, FORMS[calls[call]].constraints, "constraints")) is not None
            or call in in_blocks
            or calls[call] == DIMS
            or isinstance(_literal(_argument(call, FORMS[calls[call]].name, "name")), str)
        }
        order = {call: place for place, call in enumerate(groups)}
        places = ((order[call], tuple(order[one] for one in around if one in order)) for call, around in inside)
        return Declarations(tuple(groups.values()), tuple(places))

    def _block(self, node: ast.expr, calls: Mapping[ast.Call, str]) -> ast.Call | None:
        """The call that makes the block which a ``with`` or a decorator opens; a name may stand for it."""
        made = self._callees.standing_for(node)
        return made if isinstance(made, ast.Call) and calls.get(made) == SCOPE else None

    def _group(self, callee: str, call: ast.Call, given: ast.expr | None) -> Group:
        form = FORMS[callee]
        elements = list(self._elements(given)) if given else []
        texts = [(element, _text(element)) for element in elements]
        written = tuple(self._written(element, text) for element, text in texts if text is not None)
        named = _argument(call, form.name, "name")
        name, is_named = (
            _literal(named),
            not (named is None or (isinstance(named, ast.Constant) and named.value is None)),
        )
        names = self._callees.standing_for(_argument(call, form.names, "names"))
        spelled = [(one, _text(one)) for one in (names.values if isinstance(names, ast.Dict) else [])]
        return Group(
            callee,
            call.lineno,
            written,
            name if isinstance(name, str) else None,
            self._value(_argument(call, form.value, "value"), bool(form.is_real)) if form.binds else None,
            len(elements) - len(written),
            given is not None,
            is_named,
            tuple(self._written(one, text) for one, text in spelled if text is not None),
            frozenset(name for element, text in (*texts, *spelled) if text is None for name in _mentioned(element)),
        )

    def _elements(self, given: ast.expr, steps: int = 16) -> Iterator[ast.expr]:
        """The elements of a list, or of what adds up, copies or unpacks lists; else what is given, as the only one."""
        given = self._callees.standing_for(given) or given
        match given:
            case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
                for element in elements:
                    yield from self._elements(element.value) if isinstance(element, ast.Starred) else (element,)
            case ast.BinOp(left, ast.Add(), right) if steps and _text(left) is None and _text(right) is None:
                yield from self._elements(left, steps - 1)
                yield from self._elements(right, steps - 1)
            case ast.Call(ast.Name(name), [copied], []) if name in _COLLECTIONS and steps:
                yield from self._elements(copied, steps - 1)
            case _:
                yield given

    def _value(self, node: ast.expr | None, is_real: bool) -> Value | None:
        number = _literal(node)
        if node is None or (type(number) is not int and not (type(number) is float and is_real)):
            return None
        return Value(cast("int", number), Label(self._source, Span(self._at(node), self._end(node))))

    def _written(self, literal: ast.expr, text: str) -> Written:
        start, stop = self._at(literal), self._end(literal)
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


def _is_value(calls: Mapping[ast.Call, str], call: ast.Call) -> bool:
    return call in calls and FORMS[calls[call]].is_real is not None


def _text(node: ast.expr) -> str | None:
    """The text of a string literal, also of an f-string with nothing to fill in; None where it is none."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return "".join(texts) if len(texts) == len(parts) else None


def _mentioned(node: ast.expr) -> Iterator[str]:
    """The names in the literal parts of an f-string, but what may go on in what is filled in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    for place, part in enumerate(parts):
        if isinstance(part, ast.Constant):
            text = str(part.value)
            for found in _WHOLE_NAME.finditer(text):
                goes_on = (found.start() == 0 and place > 0) or (found.end() == len(text) and place + 1 < len(parts))
                if not goes_on:
                    yield found[0]


def _argument(call: ast.Call, position: int | None, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is None:
        return None
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
    return Diagnostic("DC802", f"{file} is not Python", (label,), help=("fix the source; `python` reports the same",))
