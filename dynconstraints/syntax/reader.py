"""Text -> node or Failure: the only module that runs lark, which is loaded with the first text."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir.nodes import Formula, Node, Term
from dynconstraints.syntax.failure import Failure, Unexpected
from dynconstraints.syntax.floats import check_floats

if TYPE_CHECKING:
    from lark import Lark

    from dynconstraints.syntax.driver import Driver

MAX_LENGTH = 1 << 18
# Sets of numbers, which are read fastest and may be long, count less: a hundred thousand sizes may be listed.
_MAX_LENGTH_WITH_SETS = 1 << 20
_SETS = re.compile(r"\{[-+\d_,\s]*\}")
# A run of prefixes and open brackets this long is nested too deep; finding it so spares the parser a long stack.
_LONGEST_PREFIXES = 1000
_PREFIXES = re.compile(rf"(?:(?:[-+({{]|not\b)\s*){{{_LONGEST_PREFIXES}}}")


def read_formula(text: str) -> Formula:
    """The formula that the text says. Raises Failure."""
    from dynconstraints.syntax.build import formula

    node = formula(_read(text))
    check_floats(text, node)
    return node


def read_term(text: str) -> Term:
    """The term that the text says. Raises Failure."""
    from dynconstraints.syntax.build import term

    node = term(_read(text))
    check_floats(text, node)
    return node


def _read(text: str) -> Node:
    if len(text) > MAX_LENGTH and (len(text) > _MAX_LENGTH_WITH_SETS or len(_SETS.sub("", text)) > MAX_LENGTH):
        message = f"the text has {len(text):,} characters, and {MAX_LENGTH:,} are the limit of one constraint"
        raise Failure("DC126", message, Span(0, 1), advice="split it into several constraints")
    if len(text) > _LONGEST_PREFIXES and (run := _PREFIXES.search(text)):
        message, advice = "the constraint is nested too deep", "split it into several constraints"
        raise Failure("DC125", message, Span(run.start(), run.start() + 1), advice=advice)
    try:
        return _driver().parse(text)  # type: ignore[no-any-return]  # what the builder makes are nodes
    except Unexpected as unexpected:
        raise _explained(text, unexpected) from None


def _explained(text: str, unexpected: Unexpected) -> Failure:
    from dynconstraints.syntax.slips import explain

    reading = _parser().parse_interactive(text[: unexpected.start])
    tokens = reading.lexer_thread.lex(None)  # type: ignore[no-untyped-call]  # lark leaves it untyped
    return explain(text, unexpected, list(tokens))


@cache
def _driver() -> Driver:
    from dynconstraints.syntax.driver import Driver

    return Driver(_parser())


@cache
def _parser() -> Lark:
    from dynconstraints.syntax.build import Builder
    from dynconstraints.syntax.tables import grammar, parser_of

    return parser_of(grammar(), Builder())
