"""The guard at the entry of a compiled frame: what the declarations say, checked on every later call.

The ShapeEnv guards the lattice (``n == 32*(n // 32)``) and the parameters' ranges by itself. What is left is here: that
an int is still an int, the constraints that don't fold, and what values or blocks declare that the frame was not
compiled under. Where the check fails the frame is compiled anew, and there the user gets his error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.fold import names_in_order, substitute
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.pytorch._compat import UpstreamDynamicInt, dynamo, source_name
from dynconstraints.pytorch.calls import declarations_in
from dynconstraints.pytorch.checking import check_bindings, constraints_in_force, merged
from dynconstraints.pytorch.declaration import Declaration
from dynconstraints.pytorch.dims import named_dims
from dynconstraints.pytorch.dynamic_float import DynamicFloat
from dynconstraints.pytorch.dynamic_int import DynamicInt
from dynconstraints.pytorch.frame import FrameFacts, Place
from dynconstraints.pytorch.passing import passed_through
from dynconstraints.pytorch.policies import enforce
from dynconstraints.pytorch.scope import current_scope

_CHECK = "___dynconstraints_entry"
_DECLARED: dict[type, type] = {int: UpstreamDynamicInt, float: DynamicFloat}


def install(facts: FrameFacts) -> None:
    """Have Dynamo build the frame's entry guard when the trace is done; once a frame."""
    if not facts.guarded:
        facts.guarded = True
        d = dynamo()
        d.install_guard(d.ShapeEnvSource().make_guard(partial(_create, facts)))


def _create(facts: FrameFacts, builder: Any, _guard: Any) -> None:
    try:
        enforce(facts)
    except ConstraintError as error:
        raise passed_through(error) from None
    places = list({(source_name(p.source), p.dimension): p for p in facts.places}.values())
    seen = {source_name(place.source) for place in places}
    arguments = ", ".join([*map(source_name, (p.source for p in places)), *(n for n in facts.passed if n not in seen)])
    names = {**dynamo().closure_vars(), _CHECK: entry_check(facts, places)}
    text = "; ".join(c.text for c in facts.residual()) or "integers"
    builder.add_python_lambda_leaf_guard_to_root([f"{_CHECK}({arguments})"], [f"declared: {text}"], closure_vars=names)


def entry_check(facts: FrameFacts, places: list[Place]) -> Callable[..., bool]:
    """A function from the objects at the places to whether the compiled frame may serve them.

    More objects may follow: arguments that the program never looks at, and whose declarations hold for the call.
    """
    first = {place.name: i for i, place in reversed(list(enumerate(places)))}
    residual = []
    for constraint in facts.residual():
        formula = substitute(constraint.formula, facts.quotients)
        used = names_in_order(formula)
        holds = compile_formula(formula, used, floats=constraint in facts.real_constraints)
        residual.append((holds, tuple((first[n], places[first[n]].dimension) for n in used)))
    scope, computes = facts.scope.constraints, bool(facts.computed.expressions)
    kinds = tuple(None if place.dimension is not None else place.kind for place in places)
    same = _same_floats(places)
    # What a place was compiled for. Anything else, other names too, is checked as a call of its own.
    known = tuple(None if p.declaration is None else (p.declaration.names, p.declaration.constraints) for p in places)

    def check(*objects: Any) -> bool:
        constraints = current_scope().constraints
        foreign = constraints is not scope and constraints != scope
        for value, kind, compiled in zip(objects, kinds, known, strict=False):
            if kind is not None and type(value) is kind:
                continue
            if value is None or (kind is not None and not isinstance(value, _DECLARED[kind])):
                return False  # None is the base of what is no view
            declaration = _declared(value)
            foreign = foreign or (declaration is not None and (declaration.names, declaration.constraints) != compiled)
        for value in objects[len(places) :]:
            foreign = foreign or next(declarations_in(value), None) is not None
        for holds, slots in residual:
            if not holds(*(objects[i] if d is None else int(objects[i].shape[d]) for i, d in slots)):
                return False
        # What a graph asserts of the values that it computes, it asserts under its own declaration alone.
        return (same is None or same(objects)) and (not foreign or (not computes and _allowed(objects)))

    return check


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

    def same(objects: tuple[Any, ...]) -> bool:
        for i, text in constants:
            if float.hex(objects[i]) != text:
                return False
        for first, *others in by_name.values():
            if not math.isfinite(objects[first]):
                return False
            if others and any(float.hex(objects[i]) != float.hex(objects[first]) for i in others):
                return False
        return True

    return same


def _declared(value: Any) -> Declaration | None:
    """What an int, a float or a tensor carries; None for plain ones."""
    if isinstance(value, DynamicInt | DynamicFloat):
        return value.declaration
    named = named_dims(value)
    return None if named is None else named.declaration


def _allowed(objects: tuple[Any, ...]) -> bool:
    """Whether what the objects themselves declare, and the open blocks, holds for this call."""
    try:
        call = merged(d for value in objects for d in declarations_in(value))
        check_bindings(constraints_in_force([call]), call.bindings, call.places)
    except ConstraintError:
        return False
    return True
