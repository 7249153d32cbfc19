"""Terms over names as nodes of the graph that is traced."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import torch

from dynconstraints.ir.nodes import Term
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import allow_numbers_of_tensors
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, held_as
from dynconstraints.pytorch.frame.sympy_bridge import operate


def proxy_of(tx: Any, facts: FrameFacts, term: Term) -> Any:
    """The term over declared names as nodes of the root graph, over the parameters' inputs.

    The nodes go to the root graph also while a subgraph is traced, which lifts what it uses.
    """
    call = partial(_call, tx.output.root_tracer)
    held = held_as(term)
    if held in facts.rows:
        return _declared(facts, held, call)[0]
    return operate(term, lambda name: _declared(facts, name, call), call)[0]


def gcd_in_graph(tx: Any, facts: FrameFacts, left: Term, right: Term) -> Any:
    """The gcd of two terms over declared and computed names, as a symbol that the graph computes when it runs.

    Sizes have no gcd; tensors do.
    """
    allow_numbers_of_tensors(facts.env)
    call = partial(_call, tx.output.current_tracer)

    def name_of(name: str) -> Any:
        known = facts.computed.nodes.get(name)
        return _declared(facts, name, partial(_call, tx.output.root_tracer)) if known is None else known

    tensors = []
    for term in (left, right):
        proxy, _ = operate(term, name_of, call)
        options = {"dtype": torch.int64, "device": "cpu"}
        tensors.append(tx.output.current_tracer.create_proxy("call_function", torch.full, ((), proxy), options))
    found = tx.output.current_tracer.create_proxy("call_function", torch.gcd, tuple(tensors), {})
    for proxy in (*tensors, found):
        dynamo().set_example_value(proxy.node, dynamo().get_fake_value(proxy.node, tx))
    item = tx.output.current_tracer.create_proxy("call_method", "item", (found,), {})
    value = dynamo().get_fake_value(item.node, tx)
    dynamo().set_example_value(item.node, value)
    return value.node.expr


def _declared(facts: FrameFacts, name: str, call: Callable[..., Any]) -> Any:
    """A name that the trace has met over its parameters: the node, and the number that it stands for."""
    affine = facts.rows[name].affine
    parts = []
    for parameter, coefficient in affine.coefficients:
        p = facts.parameters[parameter]
        part = (p.proxy, p.node)
        parts.append(part if coefficient == 1 else call(operator.mul, part, (coefficient, coefficient)))
    if affine.constant:
        parts.append((affine.constant, affine.constant))
    return reduce(partial(call, operator.add), parts)


def _call(tracer: Any, operation: Any, *operands: Any) -> Any:
    value = operation(*(v for _, v in operands))
    proxy = tracer.create_proxy("call_function", operation, tuple(p for p, _ in operands), {})
    dynamo().set_example_value(proxy.node, value)
    return proxy, value
