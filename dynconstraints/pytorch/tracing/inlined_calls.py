"""Calls of declared functions and modules inside of another trace: their arguments get names that are theirs alone.

A block that is called at three resolutions has three sizes of one name, so the names of each such call are told apart.
An input of the frame that nothing has looked at yet is named as if the frame had declared it; what was computed, or has
its symbols already, is named as by `bind`: the constraints are asserted, and known from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Relation, Term, comparison
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import hint_of, source_name
from dynconstraints.pytorch._torch.trace import is_kind, items_of_container, unseen_value
from dynconstraints.pytorch.declarations.declaration import Binding
from dynconstraints.pytorch.declarations.user_location import Place
from dynconstraints.pytorch.frame.declared_inputs import declared_inputs
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, is_declared
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.guards import entry_guard
from dynconstraints.pytorch.signatures.calls import Item, item_of, known_call, place_of, placed_constraints
from dynconstraints.pytorch.signatures.parameters import Parameters, parameters_of_module
from dynconstraints.pytorch.signatures.paths import ALL, Reached, reach
from dynconstraints.pytorch.signatures.registry import is_declared_somewhere, signature_of_code, signature_of_module
from dynconstraints.pytorch.tracing.computed_values import meet
from dynconstraints.pytorch.tracing.inputs import facts_of
from dynconstraints.pytorch.values.named_dims import named_dims
from dynconstraints.signature.shape import Shape
from dynconstraints.signature.signature import Signature


@dataclass(frozen=True)
class Called:
    """What is called in a trace: its signature, the parameters, and how many of the arguments are none of theirs."""

    signature: Signature
    parameters: Parameters
    bound: int = 0


def declared_in_trace(variable: Any, args: Sequence[Any]) -> Called | None:
    """The signature of the function that a variable of the trace stands for; None where it has none.

    A module's ``forward`` is bound to it, or gets it as the first of its arguments.
    """
    code = variable.fn.__code__
    signature = signature_of_code(code)
    if signature is not None:
        return Called(signature, Parameters.of(variable.fn))
    if not is_declared_somewhere(code):
        return None
    bound = getattr(variable, "obj", None)
    module = getattr(bound if bound is not None else next(iter(args), None), "value", None)
    signature = signature_of_module(module)
    return None if signature is None else Called(signature, parameters_of_module(module), int(bound is None))


def name_arguments(tx: Any, called: Called, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Give the arguments of the call their names. Raises the user's errors."""
    passed = args[called.bound :]
    given = called.parameters.bound((("", each) for each in passed), {n: ("", each) for n, each in kwargs.items()})
    signature = _told_apart(called.signature, _number(tx), called.signature.file, called.signature.line)
    try:
        found = [(shape, each) for path, shape in signature.arguments.items() for each in _leaves(path, given)]
        unseen = [item for shape, each in found if (item := _input(signature, each, shape)) is not None]
        if unseen:
            declared_inputs().add(signature, unseen, known_call(signature, unseen))
        named = {id(item.reached.value) for item in unseen}
        _start_again_with(tx, signature, found)
        seen = [(shape, path, _realized(each), id(value) in named) for shape, (path, each, value) in found if each]
        if called.signature != declared_inputs().signature or not _says_nothing_new(tx, called.signature, given):
            for shape, path, variable, is_named in seen:
                if not is_named:
                    _bind(tx, signature, path, variable, shape)
    except ConstraintError as error:
        raise passed_through(error) from None


_Leaf = tuple[str, Any, Any]
"""The path of an argument, its variable where the trace has one by itself, and its value where nothing has seen it."""


def _leaves(path: str, given: dict[str, Reached]) -> Iterator[_Leaf]:
    first, *steps = path.split(".")
    start = given.get(first)
    if start is not None:
        yield from _below(first, start.value, steps)


def _below(path: str, variable: Any, steps: list[str]) -> Iterator[_Leaf]:
    value = unseen_value(variable) if not isinstance(variable, tuple | dict) else None
    if value is not None and steps:
        start = Reached(path, source_name(variable.original_source()), value)
        for reached in reach(".".join((path, *steps)), start):
            yield reached.path, None, reached
    elif not steps:
        yield path, variable, value
    else:
        for key, inner in items_of_container(variable):
            if steps[0] in (ALL, str(key)):
                yield from _below(f"{path}.{key}", inner, steps[1:])


def _input(signature: Signature, leaf: _Leaf, shape: Shape) -> Item | None:
    """An input of the frame that nothing has looked at, and that nothing else declares."""
    path, variable, value = leaf
    if isinstance(value, Reached):
        reached = value
    elif value is not None:
        reached = Reached(path, source_name(variable.original_source()), value)
    else:
        return None
    tensor = reached.value
    if isinstance(tensor, torch.Tensor) and (named_dims(tensor) or declared_inputs().of_tensor(tensor, "")):
        return None
    item = item_of(signature, reached, shape)
    return None if item is None or (None in item.terms and reached.access in declared_inputs().numbers) else item


def _start_again_with(tx: Any, signature: Signature, found: list[tuple[Shape, _Leaf]]) -> None:
    """Restart the trace where inputs of the frame got their symbols before the call that declares them was met."""
    inputs = declared_inputs()
    items = [item for shape, leaf in found if (item := _seen_input(signature, leaf, shape)) is not None]
    new = [item for item in items if item.reached.access not in inputs.sources]
    if new:
        inputs.add_by_source(signature, new, known_call(signature, new))
        reason = "an input has the sizes of a declared function that is called with it"
        facts = tx.output.shape_env.__dict__.get(KEY)
        raise dynamo().Restart(restart_reason=reason) if facts is None else facts.restart(reason)


def _seen_input(signature: Signature, leaf: _Leaf, shape: Shape) -> Item | None:
    """An input of the frame that the trace has looked at, with sizes that nothing declares."""
    path, variable, value = leaf
    if variable is None or value is not None:
        return None
    seen = _realized(variable)
    if not is_kind(seen, dynamo().TensorVariable) or seen.source is None:
        return None
    fake = seen.as_proxy().node.meta["example_value"]
    hints = [size if isinstance(size, int) else hint_of(size) for size in fake.shape]
    sizes = [hint for hint in hints if hint is not None]
    if len(sizes) < len(hints) or any(is_declared(size) for size in fake.shape):
        return None
    return item_of(signature, Reached(path, source_name(seen.source), torch.empty(sizes, device="meta")), shape)


def _says_nothing_new(tx: Any, signature: Signature, given: dict[str, Reached]) -> bool:
    """Whether the sizes are what the frame's own call says that they are: a decorator passes on what it got."""
    leaves = [(shape, each) for path, shape in signature.arguments.items() for each in _leaves(path, given)]
    facts: FrameFacts = facts_of(tx)
    return all(variable is not None for _, (_, variable, _) in leaves) and all(
        facts.expression_of(term) == expr
        for shape, (path, variable, _) in leaves
        for _, expr, term in _sizes(signature, path, _realized(variable), shape)
    )


def _realized(variable: Any) -> Any:
    return variable.realize() if is_kind(variable, dynamo().LazyVariableTracker) else variable


def _bind(tx: Any, signature: Signature, path: str, variable: Any, shape: Shape) -> None:
    """Name what the trace has as expressions."""
    for label, expr, term in _sizes(signature, path, variable, shape):
        facts: FrameFacts = facts_of(tx)
        entry_guard.install(facts)
        constraints = placed_constraints(signature)
        place = place_of(signature)
        at = Place(place.origin, place.file, place.line, f'{path}="{shape}"')
        if isinstance(term, Name):
            meet(tx, facts, Binding(term.id, 0, constraints, at), expr)
        else:
            same = Constraint.of(comparison(Name(label), Relation.EQ, term))
            meet(tx, facts, Binding(label, 0, (at.constraint(same), *constraints), at), expr)


def _sizes(signature: Signature, path: str, variable: Any, shape: Shape) -> Iterator[tuple[str, Any, Term]]:
    """The declared sizes of a variable as expressions, each with what it is called where it has no name itself."""
    d = dynamo()
    if is_kind(variable, d.SymNodeVariable) and variable.python_type() is int and shape.number is not None:
        yield path, variable.sym_num.node.expr, shape.number
    elif is_kind(variable, d.ConstantVariable) and type(variable.value) is int and shape.number is not None:
        yield path, sympy.Integer(variable.value), shape.number
    elif is_kind(variable, d.TensorVariable):
        fake = variable.as_proxy().node.meta["example_value"]
        item = item_of(signature, Reached(path, "", fake), shape)
        for dimension, term in ({} if item is None else item.terms).items():
            size = fake.shape[dimension]
            yield (
                f"{path}.shape[{dimension}]",
                size.node.expr if isinstance(size, torch.SymInt) else sympy.Integer(size),
                term,
            )


def _number(tx: Any) -> int:
    """How many calls of declared functions the trace has met before this one."""
    output = tx.output
    number = output.__dict__.get(_CALLS, 0)
    output.__dict__[_CALLS] = number + 1
    return int(number)


_CALLS = "_dynconstraints_calls"


@lru_cache(maxsize=1024)
def _told_apart(signature: Signature, number: int, file: str | None, line: int) -> Signature:
    """The signature, its names those of one call: ``block.h``, and ``block.h'2`` in the second call.

    Signatures that say the same at other places are equal, so what tells them apart is given as well.
    """
    mark = "" if number == 0 else f"'{number + 1}"
    used = {*signature.names, *signature.system.symbols}
    names: dict[str, Term] = {name: Name(f"{signature.name}.{name}{mark}") for name in used}
    return signature.renamed(names).placed(file, line)
