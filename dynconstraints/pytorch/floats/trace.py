"""Declared floats into Dynamo's trace: an input of the graph each, and constants where the program has no other use.

In the graph a declared float is a tensor without dimensions, float64; in the trace it is a symbol as well, so that
branches on it are guards, which the declaration may settle. The symbol never reaches an operation on tensors: what is
left of it when the trace is done is in the guards.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.floats.lowering import lower
from dynconstraints.pytorch.floats.table import NotLowered
from dynconstraints.pytorch.frame.float_facts import Constant
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.sources import ExactFloatSource, ExactTensorSource


def add_input(tx: Any, facts: FrameFacts, name: str, source: Any, value: float) -> Any:
    """The variable for a float: a new input of the graph, read exactly, and its symbol."""
    d, tracer = dynamo(), tx.output.root_tracer
    exact = ExactFloatSource(source)
    tensor_source = d.FloatTensorSource(exact)
    with d.outside_transforms():
        tensor = torch.tensor(value, dtype=torch.float64)
        fake = d.wrap_to_fake_tensor_and_record(tensor, tx=tx, is_tensor=False, source=tensor_source)
    label = re.sub(r"\W+", "_", source_name(source))
    proxy = tracer.create_graph_input(label, type(tensor), fake, source=tensor_source)
    proxy.node.meta["grapharg"] = d.GraphArg(
        ExactTensorSource(source),
        tensor,
        pass_arg_as_tensor=False,
        fake_tensor=fake,
        is_tensor=False,
        example_strong_ref=tensor,
    )
    d.set_example_value(proxy.node, fake)
    number = fake.item_memo
    item = tracer.create_proxy("call_method", "item", (proxy,), {})
    d.set_example_value(item.node, number)
    tx.output.tracked_fakes.append(d.TrackedFake(number, exact, None))
    variable = d.SymNodeVariable(item, number)
    facts.floats.add(name, number.node.expr, proxy, variable)
    return variable


def lowered(tracer: Any, facts: FrameFacts, kind: str, target: Any, args: Any, kwargs: Any) -> Any | None:
    """What stands for a node that Dynamo is about to add; None where it may add it as it is.

    Restarts the trace with the numbers of an operation that takes no tensor for them as constants.
    """
    if kind not in ("call_function", "call_method"):
        return None
    if target == "__abs__":  # up to 2.12 the method; a method is never taken for unused
        return tracer.create_proxy("call_function", operator.abs, args, kwargs)
    try:
        return lower(tracer, facts.floats.inputs, target, args, kwargs)
    except NotLowered:
        called = getattr(target, "__name__", str(target))
        raise _specialise(facts, _names_in(facts, (args, kwargs)), called, _user_line(tracer)) from None


def check_no_symbol_left(output: Any, facts: FrameFacts) -> None:
    """Restarts the trace where a symbol is still computed with in the graph: past it, torch would go by its value."""
    for node in output.graph.nodes:
        example = node.meta.get("example_value")
        if isinstance(example, torch.SymFloat | torch.SymBool | torch.SymInt) and node.op != "placeholder":
            names = facts.floats.names_in(example.node.expr.free_symbols)
            if names:
                raise _specialise(facts, names, "a result of the graph", None)


@contextmanager
def settled(facts: FrameFacts) -> Iterator[None]:
    """Keeps torch from turning the floats into constants: it does so with all that it did not make tensors itself."""
    symbols = {str(symbol) for symbol in facts.floats.inputs} - dynamo().settled_floats
    dynamo().settled_floats.update(symbols)
    try:
        yield
    finally:
        dynamo().settled_floats.difference_update(symbols)


def _specialise(facts: FrameFacts, names: tuple[str, ...], operation: str, line: str | None) -> Exception:
    found = {name: Constant(name, operation, line) for name in names}
    return facts.restart(f"{operation} does not support dynamic floats", constants=found)


def _names_in(facts: FrameFacts, values: Any) -> tuple[str, ...]:
    """The floats that the arguments were computed from; sympy forgets those of ``a * 0``, the graph does not."""
    found: dict[str, None] = {}

    def visit(value: Any) -> Any:
        node = value.node if isinstance(value, torch.fx.Proxy) else value
        example = node.meta.get("example_value") if isinstance(node, torch.fx.Node) else None
        if isinstance(example, torch.SymFloat | torch.SymBool | torch.SymInt):
            found.update(dict.fromkeys(facts.floats.names_in(example.node.expr.free_symbols)))
            torch.fx.node.map_aggregate(node.args, visit)
        return value

    torch.fx.node.map_aggregate(values, visit)
    return tuple(found)


def _user_line(tracer: Any) -> str | None:
    """The line of the user's that is being traced."""
    frame = tracer.output_graph.current_tx.frame_summary()
    return f"{frame.filename}:{frame.lineno} in {frame.name}"
