"""What a graph had computed when an assertion of it failed: computed once more, where that gives the same.

Compiled code says which assertion failed, in torch's notation, and not for what number. The part of the graph that
leads to the numbers is run again with the same inputs, unless something may have changed them, or it is random.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import sympy
import torch

from dynconstraints.pytorch._torch.eager import DispatchMode


def values_of(graph: Any, symbols: AbstractSet[Any], args: tuple[Any, ...]) -> Mapping[Any, Any]:
    """The values of the symbols in a call of the graph; of none where they can't be known afterwards."""
    places = {symbol: place for symbol, place in _symbols(graph) if symbol in symbols}
    if any(map(_changes, graph.graph.nodes)):
        return {}
    try:
        with torch.no_grad(), _Repeatable():
            known = _run(graph, {node for node, _ in places.values()}, args)
    except Exception:  # whatever the program raises: there is an error to tell already
        return {}
    return {s: sympy.Integer(int(known[n] if i is None else known[n].shape[i])) for s, (n, i) in places.items()}


def _symbols(graph: Any) -> Iterator[tuple[sympy.Symbol, tuple[Any, int | None]]]:
    """Where in the graph each symbol is: a node, and which of its dimensions if it is a tensor."""
    for node in graph.graph.nodes:
        example = node.meta.get("example_value")
        sizes = enumerate(example.shape) if isinstance(example, torch.Tensor) else [(None, example)]
        for index, size in sizes:
            if isinstance(size, torch.SymInt) and size.node._expr.is_Symbol:  # noqa: SLF001  before it is replaced
                yield size.node._expr, (node, index)  # noqa: SLF001


def _run(graph: Any, asked: set[Any], args: tuple[Any, ...]) -> Mapping[Any, Any]:
    """The values of the nodes that are asked for, those alone computed that lead there."""
    needed, left = set(asked), list(asked)
    while left:
        new = set(left.pop().all_input_nodes) - needed
        needed |= new
        left += new
    interpreter = torch.fx.Interpreter(graph, garbage_collect_values=False)
    interpreter.args_iter = iter(args)
    for node in graph.graph.nodes:
        if node in needed or node.op == "placeholder":
            interpreter.env[node] = interpreter.run_node(node)
    return interpreter.env


def _changes(node: Any) -> bool:
    """Whether the node may change a tensor in place, by the ways that torch has to say so."""
    if node.op == "call_function":
        name = "" if node.target in vars(operator).values() else getattr(node.target, "__name__", "")
    else:
        name = node.target if node.op == "call_method" else ""
    in_place = name.endswith("_") and not name.endswith("__")
    return in_place or node.target in _IN_PLACE or "out" in node.kwargs


_IN_PLACE = [getattr(operator, f"i{name}") for name in vars(operator) if f"i{name}" in vars(operator)]
_IN_PLACE += [operator.setitem, operator.delitem]


class _Repeatable(DispatchMode):  # type: ignore[misc]  # torch's classes come untyped
    """Raises at an operation whose result is another each time."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise RuntimeError(f"{func} is random")
        return func(*args, **(kwargs or {}))
