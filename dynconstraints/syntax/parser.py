"""Text -> constraint: what other layers call, with a cache, and the diagnostic of what is no constraint."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from dynconstraints.diagnostics.cells import shortened
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula, Node, Term
from dynconstraints.syntax.failure import Failure
from dynconstraints.syntax.reader import read_formula, read_term

# Longer texts are not remembered: they are rare, and 4096 of them would be a burden.
_REMEMBERED_LENGTH = 4096
_LINE_END = re.compile(r"\s*\\?\r?\n\s*")
_MAX_MENDS = 8
_MAX_SHOWN = 160


def parse(
    text: str,
    *,
    origin: str | None = None,
    file: str | None = None,
    line: int = 1,
    column: int = 1,
) -> Constraint:
    """The constraint that the text says.

    Args:
        text: One constraint of the language, such as ``s0 % 32 == 0`` or ``32 <= s0 <= 1024``.
        origin: How the user sees the place that holds the text, for messages.
        file: The file that it stands in, where that is known.
        line: The line in it, from 1.
        column: The column in the line, from 1, in code points.

    Returns:
        The Constraint; it keeps the text and the place.

    Raises:
        ConstraintSyntaxError: The text is no constraint; the error has the fix where the slip is a common one.

    Example:
        >>> parse("s0 % 32 == 0").symbols
        ('s0',)
    """
    text = _text(text, origin, file, line)
    return parse_in(Source(text, origin, file, line, column), text)


def parse_in(source: Source, text: str, offset: int = 0) -> Constraint:
    """The constraint that a part of a source says; ``offset`` is where ``text`` starts in it."""
    if len(text) <= _REMEMBERED_LENGTH:
        formula = _remembered(text)
        if formula is not None:
            return Constraint(formula, text, source, offset)
    try:
        return Constraint(read_formula(text), text, source, offset)
    except Failure as failure:
        raise ConstraintSyntaxError(_diagnostic(failure, text, source, offset, read_formula)) from None


def parse_term(text: str, origin: str | None = None) -> Term:
    """The term that the text says, such as ``s0 + 3``. Raises ConstraintSyntaxError."""
    text = _text(text, origin)
    return parse_term_in(Source(text, origin), text)


def parse_term_in(source: Source, text: str, offset: int = 0) -> Term:
    """The term that a part of a source says; ``offset`` is where ``text`` starts in it."""
    try:
        return read_term(text)
    except Failure as failure:
        raise ConstraintSyntaxError(_diagnostic(failure, text, source, offset, read_term)) from None


@lru_cache(maxsize=4096)
def _remembered(text: str) -> Formula | None:
    """The formula, or None where the text is no constraint: errors speak of their source, so they are made anew."""
    try:
        return read_formula(text)
    except Failure:
        return None


def _text(given: object, origin: str | None, file: str | None = None, line: int = 1) -> str:
    """What is given, as a plain str. Raises ConstraintSyntaxError where it is none."""
    if isinstance(given, str):
        return given if type(given) is str else str.__str__(given)
    if isinstance(given, bool):
        advice = "write the comparison between quotes; without them Python has already decided it"
    elif isinstance(given, bytes):
        advice = "decode it, or leave the b before the quotes out"
    elif isinstance(given, list | tuple | set | frozenset):
        advice = "one is wanted here: join them with `and`, or give each by itself"
    else:
        advice = "write it between quotes"
    shown = shortened(repr(given), _MAX_SHOWN)
    label = Label(Source(shown, origin, file, line), Span(0, len(shown)))
    message = f"a constraint is a text, not {type(given).__name__}"
    raise ConstraintSyntaxError(Diagnostic("DC127", message, (label,), help=(advice,)))


def _diagnostic(failure: Failure, text: str, source: Source, offset: int, read: Callable[[str], Node]) -> Diagnostic:
    label = Label(source, failure.span.shifted(offset), failure.known)
    advice = _fixed(failure, text, read) or failure.advice
    return Diagnostic(failure.code, failure.message, (label,), help=(advice,) if advice else ())


def _fixed(failure: Failure, text: str, read: Callable[[str], Node]) -> str | None:
    """What to write, where the fixes lead from slip to slip to a text that is accepted and short enough to be shown."""
    current: Failure | None = failure
    for _ in range(_MAX_MENDS):
        if current is None or current.fix is None or len(text) > _MAX_SHOWN:
            return None
        text = current.fix.applied(text)
        try:
            read(text)
        except Failure as next_failure:
            current = next_failure
        else:
            return f"write `{_LINE_END.sub(' ', text).strip()}`"
    return None
