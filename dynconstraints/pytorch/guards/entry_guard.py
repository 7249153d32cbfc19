"""The guard at the entry of a compiled frame: what the declarations say, checked on every later call.

The ShapeEnv guards the lattice (``n == 32*(n // 32)``) and the parameters' ranges by itself. What is left is here: that
an int is still an int, the constraints that don't fold, and what values or blocks declare that the frame was not
compiled under. Where the check fails the frame is compiled anew, and there the user gets his error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.fold import names_in_order, substitute
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.release import UpstreamDynamicInt
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.declarations.check_values import are_allowed, constraints_in_force
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.call_check import call_of, declarations_in
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, Place
from dynconstraints.pytorch.frame.leftover_values import check_unused
from dynconstraints.pytorch.guards.policies import enforce
from dynconstraints.pytorch.values.dims_record import NamedDims
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import named_dims, still

_CHECK = "___dynconstraints_entry"
_OURS = DynamicInt, DynamicFloat
_DECLARED: dict[type, type] = {int: UpstreamDynamicInt, float: DynamicFloat}


def install(facts: FrameFacts) -> None:
    """Have Dynamo build the frame's entry guard when the trace is done; once a frame."""
    if not facts.guarded:
        facts.guarded = True
        d = dynamo()
        d.install_guard(d.ShapeEnvSource().make_guard(partial(_create, facts)))


def _create(facts: FrameFacts, builder: Any, _guard: Any) -> None:
    try:
        check_unused(facts)
        enforce(facts)
    except ConstraintError as error:
        logging.getLogger("torch._guards").addFilter(
            _is_no_answer
        )  # torch logs whatever ends a guard, with its traceback
        raise passed_through(error) from None
    found = {(source_name(p.source), p.dimension): p for p in facts.places}
    places = [place for (name, _), place in found.items() if name not in facts.leftovers]
    seen = {source_name(place.source) for place in places}
    passed = {name: declared for name, declared in facts.passed.items() if name not in seen}
    arguments = ", ".join([*map(source_name, (p.source for p in places)), *passed])
    names = {**dynamo().closure_vars(), _CHECK: entry_check(facts, places, list(passed.values()))}
    text = "; ".join(c.text for c in facts.residual()) or "integers"
    builder.add_python_lambda_leaf_guard_to_root([f"{_CHECK}({arguments})"], [f"declared: {text}"], closure_vars=names)


def _is_no_answer(record: logging.LogRecord) -> bool:
    """Whether a record of a log is about anything but an error that the user gets as his answer."""
    return record.exc_info is None or not isinstance(record.exc_info[1], ConstraintError)


def entry_check(
    facts: FrameFacts, places: list[Place], passed: Sequence[tuple[Declaration, ...]] = ()
) -> Callable[..., bool]:
    """A function from the objects at the places to whether the compiled frame may serve them.

    More objects may follow: arguments that the program never looks at, and whose declarations hold for the call.
    ``passed`` is what those declared when the frame was compiled.
    """
    first = {place.name: i for i, place in reversed(list(enumerate(places)))}
    residual = []
    for constraint in facts.residual():
        formula = substitute(constraint.formula, facts.quotients)
        used = names_in_order(formula)
        holds = compile_formula(formula, used, floats=constraint in facts.real_constraints)
        residual.append((holds, tuple((first[n], places[first[n]].dimension) for n in used)))
    scope, computes = facts.scope.constraints, bool(facts.computed.expressions)
    leaves_open = facts.leaves_open()
    same = _same_floats(places)
    asked = [
        _tensor_unchanged(p) if p.dimension is not None else _number_unchanged(p, source_name(p.source) in facts.typed)
        for p in places
    ]
    unseen = [[(d.names, d.constraints) for d in declared] for declared in passed]

    def check(*objects: Any) -> bool:
        constraints = current_scope().constraints
        foreign = constraints is not scope and constraints != scope
        for value, unchanged in zip(objects, asked, strict=False):
            answer = unchanged(value)
            if answer is not True:
                if answer is None:
                    return False
                foreign = True
        judged = foreign or leaves_open
        if unseen:
            for value, compiled_with in zip(objects[len(asked) :], unseen, strict=True):
                found = [(d.names, d.constraints) for d in declarations_in(value)]
                judged = judged or bool(found)
                foreign = foreign or found != compiled_with
        for holds, slots in residual:
            if not holds(*(objects[i] if d is None else int(objects[i].shape[d]) for i, d in slots)):
                return False
        if same is not None and not same(objects):
            return False
        # What a graph asserts of the values that it computes, it asserts under its own declaration alone.
        return not (foreign and computes) and (not judged or _allowed(objects))

    return check


def _number_unchanged(place: Place, typed: bool) -> Callable[[Any], bool | None]:
    """Whether a number declares what its place was compiled for, or nothing; None for what is no such number.

    ``typed`` where the program asks for the type: a plain number is none then.

    Where it declares something else, other names too, it is checked as a call of its own. Runs in each call, often on
    the value of the call before.
    """
    kind, declared = (None, DynamicInt) if typed else (place.kind, _DECLARED[place.kind])
    compiled, last = place.declaration, None

    def unchanged(value: Any) -> bool | None:
        nonlocal last
        if type(value) is kind or value is last:
            return True
        if not isinstance(value, declared):
            return None
        found = value.declaration if isinstance(value, _OURS) else None
        if found is not None and not _alike(found, compiled):
            return False
        last = value if found is None or not found.calls else None
        return True

    return unchanged


def _tensor_unchanged(place: Place) -> Callable[[Any], bool | None]:
    """The same of a tensor; None for None, the base of what is no view."""
    compiled = place.declaration
    last: NamedDims | None = None

    def unchanged(value: Any) -> bool | None:
        nonlocal last
        if last is not None and still(value, last):
            return True
        if value is None:
            return None
        found = named_dims(value)
        if found is None:
            return True
        if not _alike(found.declaration, compiled):
            return False
        last = found if not found.declaration.calls else None
        return True

    return unchanged


def _alike(found: Declaration, compiled: Declaration | None) -> bool:
    """Whether they are about the same names under the same constraints; mostly as one text said it, in each call."""
    if compiled is None:
        return False
    if len(found.members) == len(compiled.members) and all(map(_said_alike, found.members, compiled.members)):
        return True
    return found.names == compiled.names and found.constraints == compiled.constraints


def _said_alike(one: Binding, other: Binding) -> bool:
    return one.name == other.name and one.constraints is other.constraints


def _same_floats(places: list[Place]) -> Callable[[tuple[Any, ...]], bool] | None:
    """Whether floats are finite, as the constants that the frame is compiled for, and alike where they have one name.

    None for a frame without floats. Signs of zero and NaN count, as they do in arithmetic.
    """
    constants = [(i, p.constant.hex()) for i, p in enumerate(places) if p.constant is not None]
    by_name: dict[str, list[int]] = {}
    for i, place in enumerate(places):
        if place.kind is float and place.constant is None:
            by_name.setdefault(place.name, []).append(i)
    if not constants and not by_name:
        return None
    finite = tuple(first for first, *_ in by_name.values())
    alike = tuple((first, i) for first, *others in by_name.values() for i in others)

    def same(objects: tuple[Any, ...]) -> bool:
        for i, text in constants:
            if float.hex(objects[i]) != text:
                return False
        for i in finite:
            if not isfinite(objects[i]):
                return False
        return not alike or all(float.hex(objects[i]) == float.hex(objects[j]) for i, j in alike)

    return same


def _allowed(objects: tuple[Any, ...]) -> bool:
    """Whether what the objects themselves declare, and the open blocks, holds for this call."""
    try:
        call = call_of(objects)
        return call is None or are_allowed(constraints_in_force([call]), call.bindings)
    except ConstraintError:
        return False
