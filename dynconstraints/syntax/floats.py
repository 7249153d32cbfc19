"""Where float literals may not stand: below the operations on integers."""

from __future__ import annotations

import re

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Node, Real
from dynconstraints.ir.sorts import is_of_integers
from dynconstraints.syntax.failure import Failure

# A text without a match has no float literal, which spares the usual text the walk.
_HINT = re.compile(r"\d[.eE]|\.\d")


def check_floats(text: str, node: Node) -> None:
    """Raises Failure for a float literal below an operation on integers."""
    if not _HINT.search(text):
        return
    for inner in walk(node):
        if is_of_integers(inner):
            for literal in walk(inner):
                if isinstance(literal, Real):
                    message = "a float literal stands in an operation on integers"
                    known, advice = "an operation on integers", "write an integer; floats have +, -, * and comparisons"
                    raise Failure("DC123", message, _at(literal), known=known, advice=advice)


def _at(node: Node) -> Span:
    return node.span or Span(0, 1)
