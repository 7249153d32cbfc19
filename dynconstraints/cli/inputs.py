"""Constraints from arguments, files and standard input, each with the place it was written at."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import click

from dynconstraints.cli.nearest_name import nearest_name
from dynconstraints.cli.reading import STANDARD_INPUT, decoded_argument, read_file, read_standard_input
from dynconstraints.cli.report import InputError
from dynconstraints.diagnostics.cells import shortened
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Term
from dynconstraints.ir.spelling import as_read
from dynconstraints.syntax.files import Listing, parse_bytes, parse_content
from dynconstraints.syntax.parser import parse_in
from dynconstraints.syntax.term import parse_term

FILES = (".dync", ".smt2")
"""How paths end to files of constraints: one a line, or a script of SMT-LIB."""

Found: TypeAlias = Constraint | Diagnostic
"""A constraint, or why there is none: a slip in one does not keep the others from being read."""

_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*=\s*([+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*")

_MOST_LISTED = 100


def collect(arguments: Iterable[str], sources: Iterable[str] = ()) -> tuple[Constraint, ...]:
    """The constraints of the arguments, then those of the ``--from`` files, in their order.

    Raises UsageError where nothing at all is given, and InputError with every syntax error and every unusable file.
    """
    arguments, sources = tuple(arguments), tuple(sources)
    if not arguments and not sources:
        raise click.UsageError("no constraints: give some as arguments, a .dync file, - for standard input, or --from")
    found = [f for number, text in enumerate(arguments, start=1) for f in _argument(text, f"argument {number}")]
    return checked((*found, *(f for path in sources for f in _source(path))))


def checked(found: Iterable[Found]) -> tuple[Constraint, ...]:
    """The constraints. Raises InputError with all the troubles where there are any."""
    found = tuple(found)
    troubles = [one for one in found if isinstance(one, Diagnostic)]
    if troubles:
        raise InputError(*troubles)
    return tuple(one for one in found if isinstance(one, Constraint))


def one_argument(text: str, place: str) -> Constraint:
    """A constraint that an argument of its own holds, such as the query of ``implies``. Raises InputError."""
    (constraint,) = checked([read(Source(decoded_argument(text, place), place), text)])
    return constraint


def term_in(text: str) -> Term | None:
    """The term that an argument says; None where it says none, but perhaps a constraint."""
    if text == "-" or text.endswith(FILES):
        return None
    try:
        return parse_term(text)
    except ConstraintSyntaxError:
        return None


def read(source: Source, text: str, offset: int = 0) -> Found:
    """The constraint that a part of a source says, or why it says none."""
    try:
        return parse_in(source, text, offset)
    except ConstraintSyntaxError as error:
        return error.diagnostic


def assignment_of(texts: Iterable[str], reals: frozenset[str] = frozenset()) -> dict[str, int]:
    """The values that texts such as ``s0=64`` give to names; those in ``reals`` may have a point or an exponent.

    Raises InputError where one is none, or a name has two.
    """
    values: dict[str, int] = {}
    for text in texts:
        match = _ASSIGNMENT.fullmatch(text)
        name = "" if match is None else as_read(match[1])
        if match is None or not _has_digits(match[2], name in reals):
            raise InputError(_no_assignment(text))
        value = _number(match[2])
        if values.setdefault(name, value) != value:
            message = f"{name} is given two values: {values[name]} and {value}"
            raise InputError(Diagnostic("DC402", message, help=(f"give {name} one value",)))
    return values


def require_known(names: Iterable[str], known: tuple[str, ...]) -> None:
    """Raises InputError where one of the names is not known: no constraint speaks of it."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(*(_unknown_name(name, known) for name in unknown))


def is_assignment(text: str) -> bool:
    """Whether an argument has the form of an assignment; a constraint never has."""
    return _ASSIGNMENT.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether an argument is a single name; a constraint never is."""
    return text.strip().isidentifier() and text.strip().lower() not in ("true", "false")


def _argument(text: str, place: str) -> tuple[Found, ...]:
    try:
        if text == "-":
            return _all(parse_bytes(read_standard_input(), origin=STANDARD_INPUT))
        if text.endswith(FILES):
            return _all(parse_content(read_file(text), text))
        return (read(Source(decoded_argument(text, place), place), text),)
    except InputError as refusal:
        return refusal.findings


def _source(path: str) -> tuple[Found, ...]:
    try:
        data = read_file(path)
        return _all(parse_content(data, path)) if path.endswith(FILES) else tuple(_python(data, path))
    except InputError as refusal:
        return refusal.findings


def _python(data: bytes, path: str) -> Iterator[Found]:
    from dynconstraints.cli.lint.discover import groups_in, python_text

    for group in groups_in(python_text(data, path), path):
        for written in group.written:
            yield read(written.source, written.text, written.offset)


def _all(listing: Listing) -> tuple[Found, ...]:
    return (*listing.constraints, *listing.diagnostics)


def _has_digits(text: str, is_real: bool) -> bool:
    try:
        return math.isfinite(float(text)) if is_real else isinstance(int(text), int)
    except (ValueError, OverflowError):  # a trailing underscore, or more digits than Python converts
        return False


def _number(text: str) -> int:
    value: Any = int(text) if text.lstrip("+-").replace("_", "").isdigit() else float(text)  # of a real name
    return value  # type: ignore[no-any-return]


def _unknown_name(name: str, known: tuple[str, ...]) -> Diagnostic:
    near = nearest_name(name, known) if len(known) <= _MOST_LISTED else None
    listed = ", ".join(known[:_MOST_LISTED]) or "no names"
    more = f", and {len(known) - _MOST_LISTED:,} more" if len(known) > _MOST_LISTED else ""
    advice = f"did you mean {near}?" if near else f"they speak of {listed}{more}"
    return Diagnostic("DC403", f"no constraint speaks of {shortened(name)}", help=(advice,))


def _no_assignment(text: str) -> Diagnostic:
    label = Label(Source(text, "the assignment"), Span(0, len(text)))
    return Diagnostic("DC801", "this assigns no integer to a name", (label,), help=("write it as `s0=64`",))
