"""What a function calls the sizes of its arguments: ``b, c, h, w = x.shape``, or ``x: Float[Tensor, "b c h w"]``.

Read from its source, never run; a name is taken where it can only mean the argument's size.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


def names_in_source(fn: Callable[..., Any], ranks: Mapping[str, int]) -> dict[tuple[str, int | None], str]:
    """The name of each dimension that the function names. ``ranks`` are the arguments, as written, and how many
    dimensions they have. Nothing for a function whose source is not at hand."""
    definition = _definition(fn)
    if definition is None:
        return {}
    changed = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    spelled = {ast.unparse(ast.parse(argument)): argument for argument in ranks}
    found: dict[tuple[str, int | None], str] = {}
    for text, dimension, name in (*_annotated(definition), *_assigned(definition)):
        argument = spelled.get(text)
        if argument is None or text.split("[")[0].split(".")[0] in changed:
            continue
        rank = ranks[argument]
        index = dimension + rank if dimension < 0 else dimension
        if 0 <= index < rank and name.strip("_"):
            found.setdefault((argument, index), name)
    return found


def _definition(fn: Callable[..., Any]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
    except (OSError, TypeError, SyntaxError):  # no source, or that of a lambda within a line
        return None
    first = tree.body[0] if tree.body else None
    return first if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _annotated(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, int, str]]:
    """Dimensions that an annotation lists, as those of jaxtyping do."""
    for argument in (*definition.args.posonlyargs, *definition.args.args, *definition.args.kwonlyargs):
        match argument.annotation:
            case ast.Subscript(slice=ast.Tuple(elts=[*_, ast.Constant(value=str(listed))])):
                words = listed.split()
                if not any(word.startswith(("*", "...", "#")) for word in words):
                    yield from ((argument.arg, i, word) for i, word in enumerate(words) if word.isidentifier())


def _assigned(definition: ast.AST) -> Iterator[tuple[str, int, str]]:
    """Dimensions that an assignment takes out of a shape."""
    for statement in ast.walk(definition):
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        shape = _shape(statement.value)
        match statement.targets[0]:
            case ast.Name(id) if shape is not None and shape.is_one:
                yield shape.owner, shape.first, id
            case ast.Tuple(targets) | ast.List(targets) if shape is not None and not shape.is_one:
                if all(isinstance(t, ast.Name) for t in targets):
                    yield from ((shape.owner, shape.first + i, ast.unparse(t)) for i, t in enumerate(targets))


class _Shape(NamedTuple):
    """Sizes of something: one of them, or those from the first on."""

    owner: str
    first: int
    is_one: bool


def _shape(value: ast.expr) -> _Shape | None:
    """What ``x.shape`` or ``x.size()`` is, or is taken out of one."""
    whole: _Shape | None
    match value:
        case ast.Attribute(owner, "shape") | ast.Call(ast.Attribute(owner, "size"), [], []):
            return _Shape(ast.unparse(owner), 0, False)
        case ast.Call(ast.Attribute(owner, "size"), [index], []):
            whole, first, is_one = _Shape(ast.unparse(owner), 0, False), _number(index), True
        case ast.Subscript(inner, ast.Slice(lower, None, None)):
            whole, first, is_one = _shape(inner), 0 if lower is None else _number(lower), False
        case ast.Subscript(inner, index):
            whole, first, is_one = _shape(inner), _number(index), True
        case _:
            return None
    if whole is None or first is None or whole.is_one or whole.first:
        return None
    return whole._replace(first=first, is_one=is_one)


def _number(value: ast.expr) -> int | None:
    match value:
        case ast.Constant(int(number)):
            return number
        case ast.UnaryOp(ast.USub(), ast.Constant(int(number))):
            return -number
    return None
