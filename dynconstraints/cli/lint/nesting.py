"""Which blocks are open where, read from how a syntax tree nests."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from dynconstraints.diagnostics import errors

Around: TypeAlias = tuple[ast.Call, ...]
"""The calls whose blocks are open at a place, outermost first."""

_TRANSPARENT = frozenset({"classmethod", "compile", "inference_mode", "no_grad", "staticmethod"})
"""Decorators that call what they decorate at once, so that a block above them is open in its body."""

_EXPECTING = frozenset({"assertRaises", "assertRaisesRegex", "raises", "suppress"})
"""Context managers for code that is to fail."""

_EXPECTED = frozenset({"BaseException", "Exception", "ValueError", *vars(errors)})


def nested(
    tree: ast.Module, opened_by: Callable[[ast.expr], ast.Call | None], declares: Callable[[ast.Call], bool]
) -> Iterator[tuple[ast.Call, Around]]:
    """The calls that open a block, or declare a value, inside blocks, each with the calls that opened those.

    A block is opened by an item of a ``with``, for the items after it and the body, and by a decorator, for the
    decorators below it and the body. A function that is only defined inside a block may run elsewhere, as may a
    generator expression: nothing that is open around it is known to be open in it. What is in a ``pytest.raises`` or a
    ``try`` for our errors is not put together with what is around that: it is there to fail.
    """
    found: list[tuple[ast.Call, Around]] = []

    def entered(expression: ast.expr, around: Around) -> Around:
        call = opened_by(expression)
        if call is None or call in around:
            return around
        if around:
            found.append((call, around))
        return (*around, call)

    def parts(node: ast.AST, around: Around) -> Iterator[tuple[ast.AST, Around]]:
        match node:
            case ast.With(items, body):
                for item in items:
                    yield item.context_expr, around
                    around = () if _name(item.context_expr) in _EXPECTING else entered(item.context_expr, around)
                yield from _each(body, around)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _each((*node.decorator_list, node.args), around)
                inside: Around = ()
                for decorator in _open_in_body(node.decorator_list, opened_by):
                    inside = entered(decorator, inside)
                yield from _each(node.body, inside)
            case ast.Try(body, handlers, orelse, final) if any(map(_expects, handlers)):
                yield from _each(body, ())
                yield from _each((*handlers, *orelse, *final), around)
            case ast.Lambda() | ast.GeneratorExp():
                yield from _each(ast.iter_child_nodes(node), ())
            case _:
                yield from _each(ast.iter_child_nodes(node), around)

    pending: list[tuple[ast.AST, Around]] = [(tree, ())]
    while pending:  # a tree can be deeper than Python calls nest
        node, around = pending.pop()
        if around and isinstance(node, ast.Call) and declares(node):
            found.append((node, around))
        pending.extend(parts(node, around))
    return iter(found)


def _each(nodes: Iterable[ast.AST], around: Around) -> Iterator[tuple[ast.AST, Around]]:
    return ((node, around) for node in nodes)


def _open_in_body(decorators: list[ast.expr], opened_by: Callable[[ast.expr], ast.Call | None]) -> Iterable[ast.expr]:
    """The decorators, outermost first, whose blocks are open whenever the body runs.

    What an unknown decorator makes of the function may run its body later, when a block above it is left.
    """
    known: list[ast.expr] = []
    for decorator in reversed(decorators):
        if opened_by(decorator) is not None:
            known.append(decorator)
        elif _name(decorator) not in _TRANSPARENT:
            break
    return reversed(known)


def _expects(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _name(kind) in _EXPECTED for kind in kinds)


def _name(expression: ast.expr) -> str:
    """The last part of what is called, or named: ``compile`` of ``torch.compile(fullgraph=True)``."""
    called = expression.func if isinstance(expression, ast.Call) else expression
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
