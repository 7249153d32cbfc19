"""Where float literals may stand: in constraints over a DynamicFloat, and there not where integers are divided."""

from __future__ import annotations

import re

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Call, FloorDiv, Function, Member, Mod, Node, RangeOf, Real, Test
from dynconstraints.syntax.failure import Failure

# A text without a match has no float literal, which spares the usual text the walk.
_HINT = re.compile(r"\d[.eE]|\.\d")
_OF_REALS = (Function.MIN, Function.MAX, Function.ABS)


def check_floats(text: str, node: Node, *, allowed: bool) -> None:
    """Raises Failure for a float literal where none is allowed, or below an operation on integers."""
    if not _HINT.search(text):
        return
    for inner in walk(node):
        if isinstance(inner, Real) and not allowed:
            advice = "names are integers here; write an integer"
            raise Failure("DC123", "a float literal needs a constraint over a DynamicFloat", _at(inner), advice=advice)
        if _is_of_integers(inner):
            for literal in walk(inner):
                if isinstance(literal, Real):
                    known = "an operation on integers"
                    raise Failure(
                        "DC123", "a float literal stands in an operation on integers", _at(literal), known=known
                    )


def _is_of_integers(node: Node) -> bool:
    match node:
        case FloorDiv() | Mod() | Test() | Member(_, RangeOf()):
            return True
        case Call(function):
            return function not in _OF_REALS
        case _:
            return False


def _at(node: Node) -> Span:
    return node.span or Span(0, 1)
