"""Torch's guards as a report shows them: what torch multiplies out is a product again, and none says what another does.

``1 + a*b + a + b != 1`` beside ``1 < 1 + a*b + a + b`` is ``1 < (1 + a)*(1 + b)``. The guards themselves stay as they
are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import sympy

_MOST = 4_000
"""Characters of a guard; nobody reads more."""


def shown_guards(guards: Sequence[str]) -> list[str]:
    """The guards, without those that follow from another and each in factors where that repeats less."""
    kept = [guard for guard in dict.fromkeys(guards) if not any(_follows(guard, other) for other in guards)]
    return [_factored(guard) if len(guard) <= _MOST else guard for guard in kept]


def _follows(guard: str, other: str) -> bool:
    """Whether one says that two are different, and the other which is less."""
    one, than = _comparison(guard), _comparison(other)
    return bool(
        one and than and one[1] is ast.NotEq and than[1] in (ast.Lt, ast.Gt) and {one[0], one[2]} == {than[0], than[2]}
    )


def _comparison(guard: str) -> tuple[str, type[ast.cmpop], str] | None:
    match _tree(guard):
        case ast.Compare(left, [relation], [right]):
            return ast.unparse(left), type(relation), ast.unparse(right)
    return None


def _tree(guard: str) -> ast.expr | None:
    try:
        return ast.parse(guard, mode="eval").body
    except SyntaxError:  # what torch writes for C++
        return None


def _factored(guard: str) -> str:
    tree = _tree(guard)
    if not isinstance(tree, ast.Compare):
        return guard
    sides = [tree.left, *tree.comparators]
    told = [_side(side) for side in sides]
    if all(text is None for text in told):
        return guard
    parts = [ast.unparse(side) if text is None else text for side, text in zip(sides, told, strict=True)]
    signs = [ast.unparse(ast.Compare(ast.Name("a"), [op], [ast.Name("b")]))[2:-2] for op in tree.ops]
    return parts[0] + "".join(f" {sign} {part}" for sign, part in zip(signs, parts[1:], strict=True))


def _side(side: ast.expr) -> str | None:
    """A sum in factors, where fewer of its terms are repeated then; None elsewhere."""
    atoms: dict[str, sympy.Symbol] = {}
    expr = _polynomial(side, atoms)
    if not isinstance(expr, sympy.Add) or len(atoms) < 2:
        return None
    factored = sympy.factor(expr)
    if _uses(factored) >= _uses(expr):
        return None
    texts = {str(symbol): text for text, symbol in atoms.items()}
    return re.sub(r"_\d+_", lambda found: texts[found[0]], str(factored))


def _uses(expr: sympy.Basic) -> int:
    return sum(isinstance(node, sympy.Symbol) for node in sympy.preorder_traversal(expr))


def _polynomial(tree: ast.expr, atoms: dict[str, sympy.Symbol]) -> sympy.Expr:
    match tree:
        case ast.Constant(int(value)):
            return sympy.Integer(value)
        case ast.UnaryOp(ast.USub(), operand):
            return -_polynomial(operand, atoms)
        case ast.BinOp(left, ast.Add(), right):
            return _polynomial(left, atoms) + _polynomial(right, atoms)
        case ast.BinOp(left, ast.Sub(), right):
            return _polynomial(left, atoms) - _polynomial(right, atoms)
        case ast.BinOp(left, ast.Mult(), right):
            return _polynomial(left, atoms) * _polynomial(right, atoms)
    text = ast.unparse(tree)
    return atoms.setdefault(f"({text})" if isinstance(tree, ast.BinOp) else text, sympy.Symbol(f"_{len(atoms)}_"))
