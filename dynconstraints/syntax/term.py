"""Text -> term: an expression by itself, such as ``s0 + 3``."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.nodes import Compare, Term
from dynconstraints.syntax.parser import parse


@lru_cache(maxsize=1024)
def parse_term(text: str) -> Term:
    """The term that the text says. Raises ConstraintSyntaxError, in the text's own columns."""
    try:
        formula = parse(f"({text}) == 0").formula
    except ConstraintSyntaxError as error:
        raise _in_own_columns(error, text) from None
    if isinstance(formula, Compare) and len(formula.operands) == 2:
        return formula.operands[0]
    raise AssertionError(f"an expression in parentheses is the left side of a comparison: {text!r}")


def _in_own_columns(error: ConstraintSyntaxError, text: str) -> ConstraintSyntaxError:
    """The error without the parenthesis that was put in front."""
    labels = tuple(
        replace(
            label,
            source=Source(text),
            span=Span(_clipped(label.span.start - 1, len(text)), max(1, _clipped(label.span.stop - 1, len(text)))),
        )
        for label in error.diagnostic.labels
    )
    return ConstraintSyntaxError(replace(error.diagnostic, labels=labels))


def _clipped(offset: int, length: int) -> int:
    return min(max(offset, 0), length)
