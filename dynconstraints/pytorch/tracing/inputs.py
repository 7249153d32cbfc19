"""Declared ints and tensor dimensions into Dynamo's trace, as expressions over the parameters of their frame."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import sympy
import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.facts.domains.linear_equalities import Row
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names_in_order, substitute_term
from dynconstraints.ir.nodes import FloorDiv, Int, Name, Relation, Term, comparison, negated, total
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.eager import marked
from dynconstraints.pytorch._torch.shape_env import assert_in_graph, narrow, source_name
from dynconstraints.pytorch._torch.trace import keep_no_fakes, number_of_call
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.declarations.moments import FIRST_FACTS
from dynconstraints.pytorch.floats.trace import add_input
from dynconstraints.pytorch.frame.call_check import declarations_in, parameters
from dynconstraints.pytorch.frame.declared_inputs import declared_inputs, declared_tensor
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, Parameter, Place, Unknown, held_as
from dynconstraints.pytorch.frame.graph_nodes import proxy_of
from dynconstraints.pytorch.frame.leftover_values import is_left_behind
from dynconstraints.pytorch.frame.restart import KEY, TraceInput
from dynconstraints.pytorch.frame.sources import ComputedSource, ItemSource
from dynconstraints.pytorch.frame.sympy_bridge import affine_to_term, slot
from dynconstraints.pytorch.guards import entry_guard, signature_guard
from dynconstraints.pytorch.inductor import aot_scalars
from dynconstraints.pytorch.tracing.computed_values import assert_known, bound_in_trace, meet, said_in_trace
from dynconstraints.pytorch.tracing.result_names import known_input
from dynconstraints.pytorch.values.named_dims import base_of, named_dims


def wrap_int(builder: Any, value: Any) -> Any:
    """The variable that stands in the trace for a DynamicInt of ours: an expression over the frame's parameters.

    An anonymous one is a name of its own, called by its source: no constraints, one symbol.
    """
    tx, number = builder.tx, int(value)
    facts = facts_of(tx)
    base = dynamo().DynamicScalarSource(builder.source, True)
    declaration = value.declaration
    term: Term = value.expression or Name(source_name(base))
    members: tuple[Binding, ...] = () if declaration is None else declaration.members
    if is_left_behind(facts, builder.source, members):
        term, members = Name(source_name(base)), ()
    expr = bind(tx, facts, TraceInput(base, builder.source, None, number, term, members))
    entry_guard.install(facts)
    variable = facts.variables[source_name(builder.source)] = _variable(tx, facts, term, number, expr, base)
    return variable


def wrap_declared(builder: Any, value: Any, term: Term, declaration: Declaration) -> Any:
    """The variable of a number that a signature declares; what the number itself declares is checked at each call."""
    if isinstance(value, float):
        return _float(builder, float(value), term.id if isinstance(term, Name) else None, declaration)
    facts, base = facts_of(builder.tx), dynamo().DynamicScalarSource(builder.source, True)
    entrance = TraceInput(base, builder.source, None, int(value), term, declaration.members, by_signature=True)
    expr = bind(builder.tx, facts, entrance)
    entry_guard.install(facts)
    variable = facts.variables[source_name(builder.source)] = _variable(builder.tx, facts, term, int(value), expr, base)
    return variable


def wrap_float(builder: Any, value: Any) -> Any:
    """The variable that stands in the trace for a DynamicFloat; a constant where an earlier attempt needed one."""
    return _float(builder, float(value), value.name, value.declaration)


def _float(builder: Any, number: float, name: str | None, declaration: Declaration | None) -> Any:
    tx, source = builder.tx, builder.source
    facts = facts_of(tx)
    name = name or source_name(source)
    if declaration is not None and is_left_behind(facts, source, declaration.members):
        name, declaration = source_name(source), None
    try:
        facts.meet_float(name)
        facts.admit(() if declaration is None else declaration.members)
    except ConstraintError as error:
        raise passed_through(error) from None
    facts.floats.values[name] = number
    constant = name in facts.floats.constants or not math.isfinite(number)
    facts.places.append(Place(source, None, name, declaration, float, number if constant else None))
    entry_guard.install(facts)
    if constant:
        return dynamo().ConstantVariable.create(number)
    return facts.floats.variables.get(name) or add_input(tx, facts, name, source, number)


def bind_dimensions(builder: Any, tensor: Any) -> None:
    """Give the named dimensions of the tensor that is being wrapped their expressions, before its sizes get symbols.

    Dynamo takes a view together with its base: a base that is an argument itself gets its expressions with the view.
    """
    d, tx = dynamo(), builder.tx
    signed = declared_tensor(tensor, builder.get_source())
    if signed is not None:
        facts = facts_of(tx)
        _bind_sizes(tx, facts, tensor, builder.get_source(), signed, by_signature=True)
        entry_guard.install(facts)
    known = [(tensor, builder.get_source(), named_dims(tensor))]
    base = base_of(tensor)
    if base is not None and any(value is base for value in tx.output.local_scope.values()):
        known.append((base, d.AttrSource(builder.get_source(), "_base"), named_dims(base)))
    if signed is None and all(named is None for _, _, named in known):
        result = known_input(tx, tensor)
        if result is not None:
            _bind_sizes(tx, facts_of(tx), tensor, builder.get_source(), result, by_signature=True)
            entry_guard.install(facts_of(tx))
    for value, source, named in known:
        if named is not None:
            marked(value)  # before it is guarded: the graph serves all that have names, however they got them
            facts = facts_of(tx)
            if not is_left_behind(facts, source, named.declaration.members):
                _bind_sizes(tx, facts, value, source, named)
            entry_guard.install(facts)


def bind_computed(tx: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The variable of a value that the program computes and names with `bind`.

    What it computed before a graph break comes into the rest of the function as an int of the call, and is taken as if
    the call had passed it under the name: its constraints are guarded at the entry rather than asserted by the graph.
    """
    facts = facts_of(tx)
    entry_guard.install(facts)
    if not facts.computed.expressions:
        _look_at_arguments(tx)
    given = {**dict(zip(("name", "value"), args, strict=False)), **kwargs}
    of_call = number_of_call(given["value"], facts.env)
    if of_call is None or any(p.source == of_call[1] for p in facts.parameters.values()):
        return bound_in_trace(tx, facts, given)
    number, source = of_call
    if isinstance(source, dynamo().CallMethodItemSource):
        source = ItemSource(source.base)
    member = said_in_trace(tx, given, number)
    term, base = Name(member.name), dynamo().DynamicScalarSource(source, True)
    expr = bind(tx, facts, TraceInput(base, source, None, number, term, (member,)))
    meet(tx, facts, member, expr)
    return _variable(tx, facts, term, number, expr, base)


def _variable(tx: Any, facts: FrameFacts, term: Term, number: int, expr: sympy.Expr, base: Any) -> Any:
    """The variable of an int of the call that is the term; torch guards that it is the expression."""
    d = dynamo()
    node = facts.env.create_symintnode(expr, hint=number, source=base)
    tx.output.tracked_fakes.append(d.TrackedFake(node, base, None))
    if not isinstance(node, torch.SymInt):
        return d.ConstantVariable.create(number)
    return d.SymNodeVariable.create(tx, proxy_of(tx, facts, term), node)


def _bind_sizes(
    tx: Any, facts: FrameFacts, tensor: Any, source: Any, named: Any, *, by_signature: bool = False
) -> None:
    d = dynamo()
    facts.offsets.add(source_name(d.TensorPropertySource(source, d.TensorProperty.STORAGE_OFFSET)))
    # Names before expressions, which then follow from them.
    for dimension, term in sorted(named.dims.items(), key=lambda item: not isinstance(item[1], Name)):
        base = d.TensorPropertySource(source, d.TensorProperty.SIZE, dimension)
        size = int(tensor.shape[dimension])
        expr = bind(tx, facts, TraceInput(base, source, dimension, size, term, named.declaration.members, by_signature))
        facts.dimensions[source_name(base)] = expr


def watch_arguments(output: Any) -> None:
    """Have the frame's arguments that declare something guarded, whether or not the program looks at them."""
    declared = {name: tuple(declarations_in(value)) for name, value in _arguments(output).items()}
    passed = {name: found for name, found in declared.items() if found}
    if passed:
        facts = facts_of(output.root_tx)
        facts.passed = {source_name(dynamo().LocalSource(name)): found for name, found in passed.items()}
        entry_guard.install(facts)


def guard_signature(output: Any) -> None:
    """Have the signature of the frame's function, and that of its module, guarded, whether or not it has a graph."""
    inputs, code = declared_inputs(), output.root_tx.f_code
    if inputs.owner is not None:
        signature_guard.guard_owner(inputs.owner)
    if inputs.signature is not None:
        signature_guard.guard_signature(code, output.shape_env.__dict__.get(KEY))


def _arguments(output: Any) -> dict[str, Any]:
    """What the frame was called with."""
    return {name: output.local_scope.get(name) for name in parameters(output.root_tx.f_code)}


def _look_at_arguments(tx: Any) -> None:
    """Meet what the call declares: the graph is to assert what relates that to the names of computed values."""
    known = tx.output.root_tx.symbolic_locals
    for name, value in _arguments(tx.output).items():
        if name in known and next(declarations_in(value, 0), None) is not None:
            known[name].realize()


def facts_of(tx: Any) -> FrameFacts:
    """The facts of the frame that is being traced, made at its first declared value."""
    env = tx.output.shape_env
    if KEY not in env.__dict__:
        FIRST_FACTS.come()
        aot_scalars.complete_in(tx.output.root_tx.f_code)
        keep_no_fakes(tx.output)
        facts, early = FrameFacts.start(env)
        for entrance in early:
            bind(tx, facts, entrance)
    return env.__dict__[KEY]  # type: ignore[no-any-return]


def bind(tx: Any, facts: FrameFacts, entrance: TraceInput) -> sympy.Expr:
    """The value as an expression over the parameters; a new name may bring a new one. Raises the user's errors.

    A program that is exported has the user's inputs alone: there ``tx`` is None, and parameters are no inputs.
    """
    term = entrance.term
    try:
        facts.admit(entrance.members)
        expr = facts.expression_of(term) if not isinstance(term, Name) else None
        if expr is None and (unknown := facts.unknown_factor(term, entrance.value)) is not None:
            _meet(tx, facts, entrance, unknown)
            expr = facts.expression_of(term)
        if expr is None:
            name = facts.hold(term)
            if name not in facts.rows:
                if facts.is_factor_of_held(name):
                    raise facts.restart("a factor of an earlier size arrived with a later value", (entrance,))
                _meet(tx, facts, entrance, Unknown(name, entrance.value, _BASE))
            expr = facts.expressions[name]
        if facts.computed.expressions:
            assert_known(tx, facts)
        declaration = Declaration(entrance.members) if entrance.members else None
        place = Place(entrance.source, entrance.dimension, held_as(term), declaration)
        facts.places.append(replace(place, by_signature=entrance.by_signature))
        return expr
    except ConstraintError as error:
        raise passed_through(error) from None


def _meet(tx: Any, facts: FrameFacts, entrance: TraceInput, unknown: Unknown) -> None:
    """Take a name into the frame, with the parameter that its row brings, if any."""
    if unknown.divisor is not None:
        facts.quotients[unknown.name] = FloorDiv(Name(held_as(entrance.term)), unknown.divisor)
    if entrance.dimension is not None:
        facts.learn([Constraint.of(comparison(Name(unknown.name), Relation.GE, _ZERO))], {unknown.name: unknown.value})
    row = facts.row(unknown.name)
    parameter = _parameter(tx, facts, row, entrance, unknown) if row.divisor else None
    facts.meet(unknown.name, unknown.value, row, parameter)
    if parameter is not None and unknown.name in facts.settled:
        assert_in_graph(facts.env, sympy.Eq(parameter.symbol, parameter.hint))
    _narrow(facts)


def _parameter(tx: Any, facts: FrameFacts, row: Row, entrance: TraceInput, unknown: Unknown) -> Parameter:
    """Make the row's parameter a symbol of the ShapeEnv and an input of the graph."""
    d, env = dynamo(), facts.env
    earlier = affine_to_term(row.constant, row.coefficients)
    term = unknown.quotient if earlier == _ZERO else total((unknown.quotient, negated(earlier)))
    source = _computed(facts, entrance.base, term if row.divisor == 1 else FloorDiv(term, Int(row.divisor)))
    hint = (unknown.value - row.constant - sum(c * facts.hint(name) for name, c in row.coefficients)) // row.divisor
    # sympy is told what the range, guarded at every entry, says anyway: strides such as max(1, 16*k) are 16*k then.
    positive = _is_positive(facts, row) or None
    symbol = env.create_symbol(hint, source, d.DimDynamic.DYNAMIC, None, positive, do_not_specialize_zero_one=True)
    if positive:
        narrow(env, symbol, 1, None)
    node = env.create_symintnode(symbol, hint=hint, source=source)
    env.tracked_fakes.append(d.TrackedFake(node, source, None))
    return Parameter(symbol, source, node, None if tx is None else _graph_input(tx, row, source, node), hint)


def _graph_input(tx: Any, row: Row, source: Any, node: Any) -> Any:
    label = re.sub(r"\W+", "_", f"parameter_of_{row.name}")
    proxy = tx.output.root_tracer.create_graph_input(label, type(node), node, source=source)
    proxy.node.meta["grapharg"] = dynamo().GraphArg(source, node, False, None, is_tensor=False, example_strong_ref=node)
    return proxy


def _is_positive(facts: FrameFacts, row: Row) -> bool:
    """Whether the parameter is at least 1 in all that is declared."""
    least, _ = facts.parameter_state(row).range_of(Name(row.name))
    return least is not None and least > 0


def _computed(facts: FrameFacts, base: Any, term: Term) -> Any:
    """The source of a term over `slot` 0, the base, and the names of parameters."""
    if term == _BASE:
        return base
    used = [name for name in names_in_order(term) if name != _BASE.id]
    slots: dict[str, Term] = {name: slot(i) for i, name in enumerate(used, 1)}
    return ComputedSource(base, tuple(facts.parameters[n].source for n in used), substitute_term(term, slots))


def _narrow(facts: FrameFacts) -> None:
    """Give the ShapeEnv the parameters' ranges, which it guards by itself."""
    state = facts.parameter_state()
    for name, parameter in facts.parameters.items():
        narrow(facts.env, parameter.symbol, *state.range_of(Name(name)))


_ZERO, _BASE = Int(0), slot(0)
