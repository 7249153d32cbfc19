"""What a user passes to a declared integer, checked: value, name, constraints, each with its own message."""

from __future__ import annotations

import keyword
from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import (
    ConstraintError,
    ConstraintSyntaxError,
    IntegerRangeError,
    NotAnIntegerError,
    UnboundNameError,
)
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Function, Predicate
from dynconstraints.pytorch.checking import check_bindings
from dynconstraints.pytorch.declaration import Binding, system_of
from dynconstraints.pytorch.placing import Place, calling_place, located
from dynconstraints.pytorch.wellformed import check_consistent, check_names
from dynconstraints.system import ConstraintSystem

LEAST, GREATEST = -(2**63), 2**63 - 1
"""What a declared integer may be, both inclusive: the 64 bits of the machine that compiled code runs on."""

_RESERVED = frozenset(f.value for f in Function) | frozenset(p.value for p in Predicate) | {"true", "false", "range"}


class Declared(NamedTuple):
    """A name and the constraints that come with it."""

    name: str
    system: ConstraintSystem


def integer(value: object, origin: str = "DynamicInt") -> int:
    """The value as a plain int. Raises NotAnIntegerError unless it is an int, a bool or a NumPy integer."""
    if isinstance(value, Integral):
        return int(value)
    kind = type(value).__name__
    raise NotAnIntegerError(
        Diagnostic(
            "DC302",
            f"not an integer: {value!r} is a {kind}",
            (calling_place(f"{origin}({value!r})").label(repr(value), f"of type {kind}"),),
            help=(_mend(value),),
        )
    )


def declare(value: object, name: str | None, constraints: tuple[str | Constraint, ...]) -> Binding:
    """The binding that a declaration makes. Raises the ConstraintError of whatever is wrong with it."""
    number = integer(value)
    place = calling_place(f"DynamicInt({number})" if name is None else f'DynamicInt({number}, name="{name}")')
    try:
        own = declared(name, constraints)
        if not LEAST <= number <= GREATEST:
            raise _out_of_range(own.name, number, place)
        check_bindings(own.system, {own.name: number}, {own.name: place})
    except ConstraintError as error:
        raise located(error, place) from None
    return Binding(own.name, number, own.system.constraints, place)


@lru_cache(maxsize=1024)
def declared(name: str | None, constraints: tuple[str | Constraint, ...]) -> Declared:
    """The name and the constraints, checked for all that does not depend on the value."""
    system = system_of(constraints)
    check_names(system)
    own = _own_name(system) if name is None else _checked_name(name)
    if constraints and own not in system.symbols:
        raise _foreign(own, system)
    check_consistent(system)
    return Declared(own, system)


def _own_name(system: ConstraintSystem) -> str:
    if len(system.symbols) == 1:
        return system.symbols[0]
    listed = ", ".join(system.symbols)
    raise UnboundNameError(
        Diagnostic(
            "DC401",
            f"which of {listed} is this integer's name?",
            tuple(c.label() for c in system.constraints),
            help=(f'say it: name="{system.symbols[0]}"',),
        )
    )


def _checked_name(name: object) -> str:
    if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name) and name not in _RESERVED:
        return name
    text = name if isinstance(name, str) else repr(name)
    why = (
        "it is no string"
        if not isinstance(name, str)
        else "it is a word of the language"
        if name.isidentifier()
        else "it is no identifier"
    )
    raise ConstraintSyntaxError(
        Diagnostic(
            "DC151",
            f"not a name: {text!r}" if isinstance(name, str) else f"not a name: {text}",
            (Label(Source(text), Span(0, len(text)), why),),
            help=("a name is a Python identifier such as s0, batch or seq_len",),
        )
    )


def _foreign(name: str, system: ConstraintSystem) -> UnboundNameError:
    listed = ", ".join(system.symbols)
    return UnboundNameError(
        Diagnostic(
            "DC401",
            f"the constraints of {name} never speak of {name}, only of {listed}",
            tuple(c.label() for c in system.constraints),
            help=(f"write {name}, or give constraints over other names to dynamic_int_constraints([...])",),
        ),
        name,
    )


def _out_of_range(name: str, value: int, place: Place) -> IntegerRangeError:
    side = f"above 2**63 - 1 = {GREATEST}" if value > 0 else f"below -2**63 = {LEAST}"
    return IntegerRangeError(
        Diagnostic(
            "DC303",
            f"{name} does not fit in 64 bits: {value}",
            (place.label(str(value), side),),
            help=("compiled code counts in 64 bits; an integer this large can only be used undeclared, in eager mode",),
        ),
        None,
        {name: value},
    )


def _mend(value: Any) -> str:
    if isinstance(value, float):
        return (
            f"write {int(value)}" if value.is_integer() else "round it first, with int(), math.floor() or math.ceil()"
        )
    if isinstance(value, str):
        return "convert it first: int(text)"
    return "take the number out of it first: value.item()" if hasattr(value, "item") else "pass an int"
