"""The guard at the entry of a compiled frame: what the declarations say, checked on every later call.

The ShapeEnv guards the lattice (``n == 32*(n // 32)``) and the parameters' ranges by itself. What is left is here: that
an int is still an int, the constraints that don't fold, and what values or blocks declare that the frame was not
compiled under. Where the check fails the frame is compiled anew, and there the user gets his error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from types import CodeType
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.fold import names_in_order, substitute
from dynconstraints.ir.nodes import Name
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.release import UpstreamDynamicInt
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.declarations.check_values import are_allowed, constraints_in_force, differ
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.call_check import call_of, declarations_in, parameters
from dynconstraints.pytorch.frame.declared_inputs import DeclaredInputs, Owner, check_frame, declared_inputs
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, Place
from dynconstraints.pytorch.frame.leftover_values import check_unused
from dynconstraints.pytorch.guards.policies import enforce
from dynconstraints.pytorch.signatures.paths import ALL
from dynconstraints.pytorch.signatures.registry import signature_of_module
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import NamedDims, named_dims, still

_CHECK, _OWNER = "___dynconstraints_entry", "___dynconstraints_owner"
_SIGNED = "___dynconstraints_signature"
_OURS = DynamicInt, DynamicFloat
_DECLARED: dict[type, type] = {int: UpstreamDynamicInt, float: DynamicFloat}


def install(facts: FrameFacts) -> None:
    """Have Dynamo build the frame's entry guard when the trace is done; once a frame."""
    if not facts.guarded:
        facts.guarded = True
        d = dynamo()
        d.install_guard(d.ShapeEnvSource().make_guard(partial(_create, facts)))


def guard_owner(owner: Owner) -> None:
    """Have the graph of a module's class serve that module, or others declared alike: they share their code."""
    d = dynamo()
    d.install_guard(d.ShapeEnvSource().make_guard(partial(_create_owner, owner)))


def _create_owner(owner: Owner, builder: Any, _guard: Any) -> None:
    def declared_alike(module: Any) -> bool:
        found = signature_of_module(module)
        return found is owner.signature or found == owner.signature

    names = {**dynamo().closure_vars(), _OWNER: declared_alike}
    text = "declared: nothing" if owner.signature is None else f"declared: {owner.signature!r}"
    builder.add_python_lambda_leaf_guard_to_root([f"{_OWNER}({owner.access})"], [text], closure_vars=names)


def guard_signature(code: CodeType, facts: FrameFacts | None) -> None:
    """Have each call of a declared function checked by the signature where the frame's own guards don't do all of it.

    So it is with an argument that the program never uses, a name that only expressions tell, a frame without a graph.
    """
    d = dynamo()
    d.install_guard(d.ShapeEnvSource().make_guard(partial(_create_signed, code, facts, declared_inputs())))


def _create_signed(code: CodeType, facts: FrameFacts | None, inputs: DeclaredInputs, builder: Any, _: Any) -> None:
    signature = inputs.signature
    if signature is None:
        return
    places = [] if facts is None else [place for place in facts.places if place.by_signature]
    signed = None if facts is None else _Signed.of(facts, places)
    is_done = (
        signed is not None
        and signed.tells_all
        and inputs.accesses <= {source_name(p.source) for p in places}
        and not any("." in path and (ALL in path or path not in inputs.paths) for path in signature.arguments)
    )
    names = parameters(code)
    absent = [name for name in names if name in signature.arguments and name not in inputs.paths]
    if is_done and not absent:
        return
    unpassed = slice(len(names), len(names) + len(absent))

    def holds(*values: Any) -> bool:
        if is_done and not any(value is not None for value in values[unpassed]):
            return True
        try:
            check_frame(code, {**inputs.closure, **dict(zip(names, values, strict=False))})
        except ConstraintError:
            return False
        return True

    known = {**dynamo().closure_vars(), _SIGNED: holds}
    given = ", ".join(f"L[{name!r}]" for name in (*names, *absent))
    builder.add_python_lambda_leaf_guard_to_root([f"{_SIGNED}({given})"], [repr(signature)], closure_vars=known)


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
        _signed(p)
        if p.by_signature
        else _tensor_unchanged(p)
        if p.dimension is not None
        else _number_unchanged(p, source_name(p.source) in facts.typed)
        for p in places
    ]
    signed = _Signed.of(facts, places)
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
        if foreign and computes:
            return False
        return not judged or _allowed(objects, signed)

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


def _signed(place: Place) -> Callable[[Any], bool | None]:
    """Whether what a signature declares is there: a tensor, whose sizes other guards see to, or a number."""
    if place.dimension is not None:
        return lambda value: None if value is None else True
    kind, declared = place.kind, _DECLARED[place.kind]
    return lambda value: True if type(value) is kind or isinstance(value, declared) else None


@dataclass(frozen=True)
class _Signed:
    """What signatures declare of a frame's inputs: the names and constraints, and how the names follow from objects.

    A slot is a name, the index of the object, its dimension if it is a tensor, and the affine form that the size has of
    the name: ``coefficient*name + constant``.
    """

    slots: tuple[tuple[str, int, int | None, int, int], ...]
    declaration: Declaration

    @classmethod
    def of(cls, facts: FrameFacts, places: Sequence[Place]) -> _Signed | None:
        """That of a frame; None where there is nothing."""
        mine = [(i, place) for i, place in enumerate(places) if place.by_signature]
        members = {m.name: m for _, place in mine for m in (place.declaration.members if place.declaration else ())}
        slots = []
        for i, place in mine:
            affine = affine_of(facts.held.get(place.name, Name(place.name)))
            if affine is not None and len(affine.coefficients) == 1 and affine.coefficients[0][0] in members:
                ((name, coefficient),) = affine.coefficients
                slots.append((name, i, place.dimension, coefficient, affine.constant))
        return cls(tuple(slots), Declaration(tuple(members.values()))) if mine else None

    @property
    def tells_all(self) -> bool:
        """Whether the objects tell the value of each name."""
        return {name for name, *_ in self.slots} >= set(self.declaration.names)

    def values(self, objects: tuple[Any, ...]) -> dict[str, int]:
        """The values of the names that follow from one size or number; the others are left open."""
        found = {}
        for name, i, dimension, coefficient, constant in self.slots:
            size = objects[i] if dimension is None else int(objects[i].shape[dimension])
            found[name] = size if coefficient == 1 and not constant else (size - constant) // coefficient
        return found


def _allowed(objects: tuple[Any, ...], signed: _Signed | None) -> bool:
    """Whether what the objects themselves declare, a signature, and the open blocks, holds for this call."""
    try:
        call = call_of(objects)
        if signed is None:
            return call is None or are_allowed(constraints_in_force([call]), call.bindings)
        carried = () if call is None else call.members
        known = signed.values(objects)
        if any(differ(known.get(m.name, m.value), m.value) for m in carried):
            return False
        known.update((m.name, m.value) for m in carried)
        return are_allowed(constraints_in_force([signed.declaration, Declaration(carried)]), known)
    except ConstraintError:
        return False
