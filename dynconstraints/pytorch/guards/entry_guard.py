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
from typing import Any, cast

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.fold import names_in_order
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.release import UpstreamDynamicInt
from dynconstraints.pytorch.declarations.check_values import are_allowed, constraints_in_force, differ
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.call_check import call_of, declarations_in
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.leftover_values import check_unused
from dynconstraints.pytorch.guards.entry_data import EntryData, GuardedPlace, Signed
from dynconstraints.pytorch.guards.policies import enforce
from dynconstraints.pytorch.guards.saved import remember
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
        d.install_guard(d.ShapeEnvSource().make_guard(partial(_create, _Entry(facts))))


class _Entry:
    """What the guard asks: of a trace while it is under way, and data as soon as it is done."""

    def __init__(self, facts: FrameFacts | None, data: EntryData | None = None) -> None:
        self._facts, self._data = facts, data

    def data(self) -> EntryData:
        """The data. Raises the user's errors at the end of a trace."""
        if self._facts is not None:
            check_unused(self._facts)
            enforce(self._facts)
            self._data, self._facts = EntryData.of(self._facts), None
        return cast("EntryData", self._data)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Entry, (None, self._data)


def _create(entry: _Entry, builder: Any, _guard: Any) -> None:
    try:
        data = entry.data()
    except ConstraintError as error:
        logging.getLogger("torch._guards").addFilter(
            _is_no_answer
        )  # torch logs whatever ends a guard, with its traceback
        raise passed_through(error) from None
    names = {**dynamo().closure_vars(), _CHECK: entry_check(data)}
    remember(builder, data)
    code = [f"{_CHECK}({data.arguments})"]
    builder.add_python_lambda_leaf_guard_to_root(code, [f"declared: {data.text}"], closure_vars=names)


def _is_no_answer(record: logging.LogRecord) -> bool:
    """Whether a record of a log is about anything but an error that the user gets as his answer."""
    return record.exc_info is None or not isinstance(record.exc_info[1], ConstraintError)


def entry_check(data: EntryData) -> Callable[..., bool]:
    """A function from the objects at the places to whether the compiled frame may serve them.

    More objects may follow: arguments that the program never looks at, and whose declarations hold for the call.
    """
    places = data.places
    first = {place.name: i for i, place in reversed(list(enumerate(places)))}
    residual = []
    for formula, is_real in data.residual:
        used = names_in_order(formula)
        holds = compile_formula(formula, used, floats=is_real)
        residual.append((holds, tuple((first[n], places[first[n]].dimension) for n in used)))
    scope, computes, leaves_open, signed = data.scope, data.computes, data.leaves_open, data.signed
    same = _same_floats(places)
    asked = [
        _signed(p) if p.by_signature else _tensor_unchanged(p) if p.dimension is not None else _number_unchanged(p)
        for p in places
    ]
    unseen = [list(declared) for _, declared in data.passed]

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


def _number_unchanged(place: GuardedPlace) -> Callable[[Any], bool | None]:
    """Whether a number declares what its place was compiled for, or nothing; None for what is no such number.

    Where the program asks for the type, a plain number is none. Where one declares something else, other names too, it
    is checked as a call of its own. Runs in each call, often on the value of the call before.
    """
    kind, declared = (None, DynamicInt) if place.typed else (place.kind, _DECLARED[place.kind])
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


def _tensor_unchanged(place: GuardedPlace) -> Callable[[Any], bool | None]:
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


def _same_floats(places: Sequence[GuardedPlace]) -> Callable[[tuple[Any, ...]], bool] | None:
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


def _signed(place: GuardedPlace) -> Callable[[Any], bool | None]:
    """Whether what a signature declares is there: a tensor, whose sizes other guards see to, or a number."""
    if place.dimension is not None:
        return lambda value: None if value is None else True
    kind, declared = place.kind, _DECLARED[place.kind]
    return lambda value: True if type(value) is kind or isinstance(value, declared) else None


def _allowed(objects: tuple[Any, ...], signed: Signed | None) -> bool:
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
