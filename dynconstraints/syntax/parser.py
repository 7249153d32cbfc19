"""Text -> constraint: the grammar's parser, its cache, and the diagnostic of what is no constraint."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula
from dynconstraints.syntax.failure import Failure, Unexpected

if TYPE_CHECKING:
    from lark import Lark

MAX_LENGTH = 1 << 18
# Longer texts are not remembered: they are rare, and 4096 of them would be a burden.
_REMEMBERED_LENGTH = 4096
# A run of prefixes and open brackets this long is nested too deep; finding it so spares the parser a long stack.
_LONGEST_PREFIXES = 2000
_PREFIXES = re.compile(r"(?:(?:[-+({]|not\b)\s*){1000}")
_LINE_END = re.compile(r"\s*\\?\r?\n\s*")
_MAX_MENDS = 8
_MAX_SHOWN = 160


def parse(
    text: str, origin: str | None = None, *, file: str | None = None, line: int = 1, column: int = 1
) -> Constraint:
    """The constraint that the text says. Raises ConstraintSyntaxError, with the mend where the slip is a common one.

    ``origin`` is how the user sees the place that holds the text; ``file``, ``line`` and ``column`` (from 1) say where
    the text starts, where that is known.
    """
    if type(text) is str:
        return parse_in(Source(text, origin, file, line, column), text)
    if isinstance(text, str):
        return parse(str.__str__(text), origin, file=file, line=line, column=column)
    raise _not_a_text(text, origin, file, line)


def parse_in(source: Source, text: str, offset: int = 0) -> Constraint:
    """The constraint that a part of a source says; ``offset`` is where ``text`` starts in it."""
    if len(text) <= _REMEMBERED_LENGTH:
        formula = _remembered(text)
        if formula is not None:
            return Constraint(formula, text, source, offset)
    try:
        return Constraint(_read(text), text, source, offset)
    except Failure as failure:
        raise ConstraintSyntaxError(_diagnostic(failure, text, source, offset)) from None


@lru_cache(maxsize=4096)
def _remembered(text: str) -> Formula | None:
    """The formula, or None where the text is no constraint: errors speak of their source, so they are made anew."""
    try:
        return _read(text)
    except Failure:
        return None


def _read(text: str) -> Formula:
    """The formula that the text says. Raises Failure."""
    from dynconstraints.syntax.build import formula

    if len(text) > MAX_LENGTH:
        message = f"the text has {len(text):,} characters, and {MAX_LENGTH:,} are the limit of one constraint"
        raise Failure("DC126", message, Span(0, 1), help="split it into several constraints")
    if len(text) > _LONGEST_PREFIXES and (run := _PREFIXES.search(text)):
        raise Failure("DC125", "the constraint is nested too deep", Span(run.start(), run.start() + 1))
    try:
        return formula(_parse_tree(text))
    except Unexpected as unexpected:
        raise _explained(text, unexpected) from None


def _parse_tree(text: str) -> object:
    from lark.exceptions import UnexpectedToken

    try:
        return _parser().parse(text)
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise Unexpected(len(text), len(text)) from None
        span = error.token.span
        raise Unexpected(span.start, span.stop) from None


def _explained(text: str, unexpected: Unexpected) -> Failure:
    from dynconstraints.syntax.slips import explain

    reading = _parser().parse_interactive(text[: unexpected.start])
    return explain(text, unexpected, list(reading.lexer_thread.lex(None)))


def _diagnostic(failure: Failure, text: str, source: Source, offset: int) -> Diagnostic:
    label = Label(source, failure.span.shifted(offset), failure.known)
    help = _mended(failure, text) or failure.help
    return Diagnostic(failure.code, failure.message, (label,), help=(help,) if help else ())


def _mended(failure: Failure, text: str) -> str | None:
    """What to write, where the mends lead from slip to slip to a text that is a constraint, short enough to be shown."""
    current: Failure | None = failure
    for _ in range(_MAX_MENDS):
        if current is None or current.mend is None or len(text) > _MAX_SHOWN:
            return None
        text = current.mend.applied(text)
        try:
            _read(text)
        except Failure as next_failure:
            current = next_failure
        else:
            return f"write `{_LINE_END.sub(' ', text.strip())}`"
    return None


def _not_a_text(given: object, origin: str | None, file: str | None, line: int) -> ConstraintSyntaxError:
    kind = type(given).__name__
    help = "write it between quotes"
    if isinstance(given, bool):
        help = "write the comparison between quotes; without them Python has already decided it"
    elif isinstance(given, bytes):
        help = "decode it, or leave the b before the quotes out"
    labels = (Label(Source(repr(given)[:_MAX_SHOWN], origin, file, line), Span(0, _MAX_SHOWN)),)
    return ConstraintSyntaxError(Diagnostic("DC127", f"a constraint is a text, not {kind}", labels, help=(help,)))


@cache
def _parser() -> Lark:
    from lark import Lark

    from dynconstraints.syntax.build import Builder
    from dynconstraints.syntax.lexer import Tokens

    return Lark(_grammar(), parser="lalr", lexer=Tokens, transformer=Builder(), maybe_placeholders=False)


def _grammar() -> str:
    package = Path(__file__).parent.parent
    for folder in (package, package.parent):  # a wheel has it inside, a checkout and an editable install beside
        path = folder / "grammar" / "constraints.lark"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError("grammar/constraints.lark is missing from the installation")
