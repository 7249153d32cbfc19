"""Declared ints and tensor dimensions into Dynamo's trace, as expressions over the parameters of their frame."""

from __future__ import annotations

import operator
import re
from functools import cache, partial, reduce
from typing import Any

import sympy
import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.facts.lattice import Row
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Int, Name, Relation, Term, comparison
from dynconstraints.pytorch import entry
from dynconstraints.pytorch._compat import dynamo, source_name
from dynconstraints.pytorch.declaration import Binding
from dynconstraints.pytorch.frame import FrameFacts, Parameter, Place, held_as
from dynconstraints.pytorch.sources import ParameterSource
from dynconstraints.pytorch.symbolic import operate


def wrap_int(builder: Any, value: Any) -> Any:
    """The variable that stands in the trace for a DynamicInt of ours: an expression over the frame's parameters.

    An anonymous one is a name of its own, called by its source: no constraints, one symbol.
    """
    d = dynamo()
    tx, number = builder.tx, int(value)
    facts = FrameFacts.of(tx.output.shape_env)
    base = d.DynamicScalarSource(builder.source, True)
    declaration = value.declaration
    term: Term = value.expression or Name(base.name)
    members: tuple[Binding, ...] = () if declaration is None else declaration.members
    expr = bind(tx, facts, base, number, term, members)
    facts.places.append(Place(builder.source, None, held_as(term), declaration))
    entry.install(facts)
    node = facts.env.create_symintnode(expr, hint=number, source=base)
    tx.output.tracked_fakes.append(d.TrackedFake(node, base, None))
    if not isinstance(node, torch.SymInt):
        return d.ConstantVariable.create(number)
    return d.SymNodeVariable.create(tx, _proxy_of(tx, facts, term), node)


def bind_dimensions(builder: Any, tensor: Any, named: Any) -> None:
    """Give the named dimensions of the tensor that is being wrapped their expressions, before its sizes get symbols."""
    d, tx, source = dynamo(), builder.tx, builder.get_source()
    facts = FrameFacts.of(tx.output.shape_env)
    for dimension, term in named.dims.items():
        base = d.TensorPropertySource(source, d.TensorProperty.SIZE, dimension)
        expr = bind(tx, facts, base, int(tensor.shape[dimension]), term, named.declaration.members, size_of_tensor=True)
        facts.dimensions[source_name(base)] = expr
        facts.places.append(Place(source, dimension, held_as(term), named.declaration))
    entry.install(facts)


def bind(
    tx: Any,
    facts: FrameFacts,
    base: Any,
    value: int,
    term: Term,
    members: tuple[Binding, ...],
    size_of_tensor: bool = False,
) -> sympy.Expr:
    """The value as an expression over the parameters; a new name may bring a new one. Raises the user's errors."""
    try:
        expr = facts.expression_of(term) if not isinstance(term, Name) else None
        name, new = facts.resolve(term, value, members)
        if expr is None and size_of_tensor:
            facts.learn([Constraint.of(comparison(Name(name), Relation.GE, _ZERO))])
        if expr is not None:
            return expr
        if not new:
            return facts.expressions[name]
        row = facts.row(name)
        parameter = _parameter(tx, facts, row, base, value) if row.divisor else None
        expr = facts.meet(name, value, row, parameter)
        _narrow(facts)
        return expr
    except ConstraintError as error:
        raise passed_through(error) from None


def _parameter(tx: Any, facts: FrameFacts, row: Row, base: Any, value: int) -> Parameter:
    """Make the row's parameter a symbol of the ShapeEnv and an input of the graph."""
    d = dynamo()
    earlier = tuple((c, facts.parameters[name].source) for name, c in row.coefficients)
    hints = sum(c * _hint(facts, name) for name, c in row.coefficients)
    hint = (value - row.constant - hints) // row.divisor
    plain = row.divisor == 1 and not row.constant and not earlier
    source = base if plain else ParameterSource(base, row.constant, earlier, row.divisor)
    env = facts.env
    symbol = env.create_unspecified_symbol(hint, source=source, dynamic_dim=d.DimDynamic.DYNAMIC)
    node = env.create_symintnode(symbol, hint=hint, source=source)
    label = re.sub(r"\W+", "_", f"parameter_of_{row.name}")
    proxy = tx.output.root_tracer.create_graph_input(label, type(node), node, source=source)
    proxy.node.meta["grapharg"] = d.GraphArg(source, node, False, None, is_tensor=False, example_strong_ref=node)
    tx.output.tracked_fakes.append(d.TrackedFake(node, source, None))
    return Parameter(symbol, source, node, proxy)


def _hint(facts: FrameFacts, name: str) -> int:
    return int(facts.parameters[name].node.node.hint)


def _narrow(facts: FrameFacts) -> None:
    """Give the ShapeEnv the parameters' ranges, which it guards by itself."""
    ranges = dynamo().ValueRanges
    state = facts.parameter_state()
    for name, parameter in facts.parameters.items():
        low, high = state.range_of(Name(name))
        known = ranges.unknown_int()
        found = ranges(known.lower if low is None else low, known.upper if high is None else high)
        facts.env._update_var_to_range(parameter.symbol, found)


def _proxy_of(tx: Any, facts: FrameFacts, term: Term) -> Any:
    """The term as nodes of the root graph, over the parameters' inputs.

    The nodes go to the root graph also while a subgraph is traced, which lifts what it uses.
    """
    d, tracer = dynamo(), tx.output.root_tracer

    def call(operation: Any, *operands: Any) -> Any:
        value = operation(*(v for _, v in operands))
        proxy = tracer.create_proxy("call_function", operation, tuple(p for p, _ in operands), {})
        d.set_example_value(proxy.node, value)
        return proxy, value

    def name_of(name: str) -> Any:
        affine = facts.rows[name].affine
        parts = []
        for parameter, coefficient in affine.coefficients:
            p = facts.parameters[parameter]
            part = (p.proxy, p.node)
            parts.append(part if coefficient == 1 else call(operator.mul, part, (coefficient, coefficient)))
        if affine.constant:
            parts.append((affine.constant, affine.constant))
        return reduce(partial(call, operator.add), parts)

    held = held_as(term)
    if held in facts.rows:
        return name_of(held)[0]
    return operate(term, name_of, call)[0]


def passed_through(error: ConstraintError) -> ConstraintError:
    """The same error, as one that Dynamo hands to the user untouched."""
    kind = _pass_through_class(type(error))
    copy = kind.__new__(kind)
    copy.__dict__.update(error.__dict__, first_useful_frame=None)
    copy.args = error.args
    return copy


@cache
def _pass_through_class(kind: type[ConstraintError]) -> type[ConstraintError]:
    return type(kind.__name__, (kind, dynamo().PassThrough), {"__module__": kind.__module__, "__doc__": kind.__doc__})


_ZERO = Int(0)
