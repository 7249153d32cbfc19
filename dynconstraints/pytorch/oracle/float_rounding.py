"""Arithmetic on symbols of floats, kept from being simplified: every operation rounds, in the order of the program.

sympy computes with reals. To it ``(a + 1e16) - 1e16`` is ``a``, and ``a + 0.1 > 0.3`` is ``a > 0.2`` with a 0.2 of its
own rounding, so a branch would go another way than in eager. An operand that is a result of arithmetic itself is
therefore handed on as one term.
"""

from __future__ import annotations

from typing import Any

import sympy

from dynconstraints.pytorch._torch.shape_env import functions, symbolic_node

OPERATIONS = ("add", "sub", "mul", "eq", "ne", "lt", "le", "gt", "ge")
"""The methods of symbolic nodes whose operands sympy would take apart."""


def whole(node: Any) -> Any:
    """The node, as one term to sympy if it is a float that was computed; integers are computed exactly."""
    expr = getattr(node, "expr", None)
    if expr is None or not node.is_float() or not isinstance(expr, sympy.Add | sympy.Mul | sympy.Pow):
        return node
    if isinstance(expr, sympy.Mul) and len(expr.args) == 2 and expr.args[0] in (-1, -1.0) and expr.args[1].is_Atom:
        return node  # the negative of a number is exact
    return symbolic_node(node, functions().Identity(expr))


def unwrapped(expr: sympy.Basic) -> sympy.Basic:
    """What was made one term."""
    return expr.args[0] if isinstance(expr, functions().Identity) else expr
