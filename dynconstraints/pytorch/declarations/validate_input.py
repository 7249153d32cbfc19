"""What a user passes to a declared integer, checked: value, name, constraints, each with its own message."""

from __future__ import annotations

import keyword
import math
from collections.abc import Callable
from functools import lru_cache
from numbers import Integral, Rational
from typing import Any, NamedTuple, cast

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import (
    ConstraintError,
    ConstraintSyntaxError,
    ConstraintViolationError,
    IntegerRangeError,
    NotAFloatError,
    NotAnIntegerError,
    UnboundNameError,
)
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Function, Predicate, conjunction
from dynconstraints.ir.spelling import as_read
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.pytorch.declarations.check_constraints import check_consistent, check_names
from dynconstraints.pytorch.declarations.check_values import check_bindings
from dynconstraints.pytorch.declarations.declaration import Binding, system_of
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION
from dynconstraints.pytorch.declarations.user_location import Place, calling_place, located
from dynconstraints.syntax.given import constraints_of
from dynconstraints.system import ConstraintSystem

LEAST, GREATEST = -(2**63), 2**63 - 1
"""What a declared integer may be, both inclusive: the 64 bits of the machine that compiled code runs on."""

_LARGEST_EXACT = 2**53
"""Up to this, every integer is a float."""

_RESERVED = frozenset(f.value for f in Function) | frozenset(p.value for p in Predicate) | {"true", "false", "range"}


class Declared(NamedTuple):
    """A name and the constraints that come with it.

    ``admits`` says at once whether a float satisfies them, where they are about its name alone; None where not.
    """

    name: str
    system: ConstraintSystem
    admits: Callable[[float], bool] | None = None


def integer(value: object, origin: str = "DynamicInt") -> int:
    """The value as a plain int. Raises NotAnIntegerError unless it is an int, a bool or another whole rational.

    Fractions, since ``statistics.mean`` of declared integers makes its answer from one.
    """
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Rational) and value.denominator == 1:
        return int(value.numerator)
    kind = type(value).__name__
    raise NotAnIntegerError(
        Diagnostic(
            "DC302",
            f"not an integer: {value!r} is a {kind}",
            (calling_place(f"{origin}({value!r})").label(repr(value), f"of type {kind}"),),
            help=(_fix(value),),
        )
    )


def declare(value: object, name: str | None, constraints: tuple[str | Constraint, ...]) -> Binding:
    """The binding that a declaration makes. Raises the ConstraintError of whatever is wrong with it."""
    number = integer(value)
    place = calling_place(f"DynamicInt({number})" if name is None else f'DynamicInt({number}, name="{name}")')
    try:
        own = declared(_hashable(name), constraints)
        if not LEAST <= number <= GREATEST:
            raise _out_of_range(own.name, number, place)
        check_bindings(own.system, {own.name: number}, {own.name: place})
    except ConstraintError as error:
        raise located(error, place) from None
    return Binding(own.name, number, own.system.constraints, place)


def real_number(value: object, *, allow_nonfinite: bool = False) -> float:
    """The value as a plain float. Raises NotAFloatError unless it is a float, fraction, or integer that a float holds.

    A fraction is rounded as ``float`` rounds it: ``statistics.mean`` of declared floats makes its answer from one.
    """
    number: float | None = None
    if isinstance(value, float):
        number = float(value)
    elif isinstance(value, Integral) and abs(int(value)) <= _LARGEST_EXACT:
        number = float(int(value))
    elif isinstance(value, Rational) and not isinstance(value, Integral):
        number = float(value)
    if number is not None and (math.isfinite(number) or allow_nonfinite):
        return number
    what, fix = _no_float(value)
    place = calling_place(f"DynamicFloat({value!r})")
    raise NotAFloatError(Diagnostic("DC305", what, (place.label(repr(value)),), help=(fix,)))


def declare_float(number: float, name: str | None, constraints: tuple[str | Constraint, ...]) -> Binding:
    """The binding that a declared float makes. Raises the ConstraintError of whatever is wrong with it."""
    place = calling_place(f"DynamicFloat({number})" if name is None else f'DynamicFloat({number}, name="{name}")')
    value = cast("int", number)
    try:
        own = declared(_hashable(name), constraints, is_real=True)
        if not math.isfinite(number) and constraints:
            raise _nonfinite(own, number)
        if own.admits is None or not own.admits(number):
            check_bindings(own.system, {own.name: value}, {own.name: place})
    except ConstraintError as error:
        raise located(error, place) from None
    return Binding(own.name, value, own.system.constraints, place)


@lru_cache(maxsize=1024)
def declared(name: str | None, constraints: tuple[str | Constraint, ...], *, is_real: bool = False) -> Declared:
    """The name and the constraints, checked for all that does not depend on the value."""
    FIRST_DECLARATION.come()
    system = system_of(constraints)
    check_names(system)
    own = _own_name(system) if name is None else _checked_name(name)
    system = system.typed((own,)) if is_real else system.typed((), (own,))
    if constraints and own not in system.symbols:
        raise _foreign(own, system)
    check_consistent(system)
    return Declared(own, system, _admission(own, system) if is_real else None)


def _admission(name: str, system: ConstraintSystem) -> Callable[[float], bool] | None:
    if any(symbol != name for symbol in system.symbols):
        return None
    return compile_formula(conjunction(tuple(c.formula for c in system.constraints)), (name,), floats=True)


def _own_name(system: ConstraintSystem) -> str:
    if len(system.symbols) == 1:
        return system.symbols[0]
    *others, last = system.symbols
    listed = f"{', '.join(others)} and {last}"
    raise UnboundNameError(
        Diagnostic(
            "DC401",
            f"ambiguous name: the constraints mention {listed}; pass name=...",
            tuple(c.label() for c in system.constraints),
            help=(f'write name="{system.symbols[0]}"',),
        )
    )


def _hashable(name: str | None) -> str | None:
    """The name, as a key. Raises ConstraintSyntaxError for what cannot be one, such as a list."""
    return name if name is None or isinstance(name, str) else _checked_name(name)


def _checked_name(name: object) -> str:
    if isinstance(name, str) and name.isidentifier():
        read = as_read(name)
        if not keyword.iskeyword(read) and read not in _RESERVED:
            return read
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
            help=(
                "constraints are not the name: pass them as constraints=[...]"
                if _says_constraints(name)
                else "a name is a Python identifier such as s0, batch or seq_len",
            ),
        )
    )


def _says_constraints(given: object) -> bool:
    """Whether constraints are given, as one text or a list of them, where a name is wanted."""
    try:
        return bool(system_of(constraints_of(given)))
    except ConstraintError:
        return False


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


def _no_float(value: Any) -> tuple[str, str]:
    """What is wrong with a value that is to be a float, and what to do."""
    if isinstance(value, float):
        return f"not a finite number: {value!r}", "pass allow_nonfinite=True if the program has to run on it"
    if isinstance(value, Integral):
        return f"no float is certain to hold {value!r}", "convert it with float(), which rounds it to the nearest"
    fix = "convert it first: float(value)" if not hasattr(value, "item") else "take it out first: value.item()"
    return f"not a float: {value!r} is a {type(value).__name__}", fix


def _nonfinite(own: Declared, number: float) -> ConstraintViolationError:
    first = own.system.constraints[0]
    return ConstraintViolationError(
        Diagnostic(
            "DC301",
            f"constraint violated: {first}",
            (first.label(f"{own.name} = {number}, which is no number"),),
            help=("constraints are about finite numbers; leave them out for a value that is none",),
        ),
        first,
        {own.name: cast("int", number)},
    )


def _fix(value: Any) -> str:
    if isinstance(value, float):
        return (
            f"write {int(value)}" if value.is_integer() else "round it first, with int(), math.floor() or math.ceil()"
        )
    if isinstance(value, str):
        return "convert it first: int(text)"
    return "take the number out of it first: value.item()" if hasattr(value, "item") else "pass an int"
