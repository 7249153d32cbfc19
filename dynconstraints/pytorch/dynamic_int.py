"""DynamicInt: an int that `torch.compile` keeps dynamic, with a name, constraints, and arithmetic that remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex, cast

from typing_extensions import Self

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import FloorDiv, Mod, Name, Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._compat import UpstreamDynamicInt
from dynconstraints.pytorch.arithmetic import (
    CONSTANT,
    Base,
    absolute,
    applied,
    combined,
    expression,
    maximum,
    minimum,
    named,
    power,
    scaled,
    times,
)
from dynconstraints.pytorch.declaration import Declaration, as_tuple
from dynconstraints.pytorch.declaring import declare, integer

_LARGEST_EXPONENT = 64
"""Powers and shifts by more than this are not remembered: no value within 64 bits has them."""

Rule = Callable[[Any, Any, int], "Base | None"]


def base_of(value: int) -> Base | None:
    """The base of an operand: CONSTANT for a plain int, None for a dynamic one that depends on no names."""
    if isinstance(value, DynamicInt):
        return value._base
    return None if isinstance(value, UpstreamDynamicInt) else CONSTANT


def linked(value: int, base: Base | None) -> DynamicInt:
    """The value as a dynamic integer over the base."""
    result = _new(DynamicInt, value)
    if base is not None:
        result._base = base
    return result


_new = int.__new__


def _sum(left: int, right: int, _: int) -> Base | None:
    a, b = base_of(left), base_of(right)
    if a is None or b is None:
        return None
    return a if b is CONSTANT else b if a is CONSTANT else combined(a, b, 1)


def _difference(left: int, right: int, _: int) -> Base | None:
    a, b = base_of(left), base_of(right)
    if a is None or b is None:
        return None
    return a if b is CONSTANT else combined(a, b, -1)


def _product(left: int, right: int, value: int) -> Base | None:
    a, b = base_of(left), base_of(right)
    if a is None or b is None:
        return None
    if b is CONSTANT:
        return scaled(a, int(right))
    return scaled(b, int(left)) if a is CONSTANT else applied(times, value, (a, left), (b, right))


def _applying(build: Callable[..., Term]) -> Rule:
    def rule(left: int, right: int, value: int) -> Base | None:
        a, b = base_of(left), base_of(right)
        return None if a is None or b is None else applied(build, value, (a, left), (b, right))

    return rule


def _power(left: int, right: int, value: int) -> Base | None:
    if base_of(right) is not CONSTANT or not 0 <= right <= _LARGEST_EXPONENT:
        return None
    return _applying(power)(left, right, value)


def _left_shift(left: int, right: int, value: int) -> Base | None:
    known = base_of(right) is CONSTANT and right < _LARGEST_EXPONENT
    return _product(left, 1 << int(right), value) if known else None


def _right_shift(left: int, right: int, value: int) -> Base | None:
    known = base_of(right) is CONSTANT and right < _LARGEST_EXPONENT
    return _applying(FloorDiv)(left, 1 << int(right), value) if known else None


def _masked(left: int, right: int, value: int) -> Base | None:
    """``n & 2**k - 1`` is ``n % 2**k``, for every sign of n; other masks have no place in the language."""
    if base_of(left) is CONSTANT:
        left, right = right, left
    mask = int(right)
    if base_of(right) is not CONSTANT or mask <= 0 or mask & (mask + 1):
        return None
    return _applying(Mod)(left, mask + 1, value)


def _forgotten(*_: int) -> None:
    return None


def _binary(compute: Callable[[int, int], int], rule: Rule) -> Callable[[DynamicInt, int], DynamicInt]:
    def operator(self: DynamicInt, other: int) -> DynamicInt:
        value = compute(self, other)
        if value is NotImplemented:
            return cast("DynamicInt", value)
        return linked(value, rule(self, other, value))

    return operator


def _reflected(compute: Callable[[int, int], int], rule: Rule) -> Callable[[DynamicInt, int], DynamicInt]:
    def operator(self: DynamicInt, other: int) -> DynamicInt:
        value = compute(self, other)
        if value is NotImplemented:
            return cast("DynamicInt", value)
        return linked(value, rule(other, self, value))

    return operator


class DynamicInt(UpstreamDynamicInt):
    """An int that `torch.compile` treats as dynamic; with a name, it means the same wherever the name turns up.

    ``DynamicInt(64, name="s0", constraints=["s0 % 32 == 0"])`` binds ``s0`` to 64 for the calls that it is passed to,
    under constraints that hold for each of them. Without a name, constraints over exactly one name give it that name;
    without constraints too, it is anonymous. Constraints may mention further names; what follows for its own is checked.

    It hashes, compares, indexes and formats as the int it is. Arithmetic with ints gives DynamicInts that know their
    expression over the names, up to a bounded size; beyond it, and from operations that have no place in the constraint
    language, they are anonymous. Two things no subclass of int can do: ``True + n`` and ``math.gcd(n, 4)`` are plain ints,
    and ``min(n, m)`` is whichever of its arguments is the least.

    Raises a ConstraintError that says which: NotAnIntegerError for a value that is no int, bool or NumPy integer; for named
    ones also ConstraintViolationError, IntegerRangeError (beyond 64 bits), InconsistentConstraintsError,
    ConstraintSyntaxError and UnboundNameError.
    """

    _base: Base | None = None

    def __new__(
        cls, value: int, name: str | None = None, constraints: str | Constraint | Iterable[str | Constraint] = ()
    ) -> Self:
        """Check the declaration, and make the int."""
        listed = as_tuple(constraints)
        if name is None and not listed:
            self = _new(cls, integer(value))
            base = value._base if isinstance(value, DynamicInt) else None
        else:
            binding = declare(value, name, listed)
            self = _new(cls, binding.value)
            base = named(binding)
        if base is not None:
            self._base = base
        return self

    @property
    def name(self) -> str | None:
        """The name that it was declared with; None for an anonymous or derived one."""
        term = self.expression
        return term.id if isinstance(term, Name) else None

    @property
    def expression(self) -> Term | None:
        """What it is over the names (``s0``, ``2*s0 + 1``), as a term of the constraint language; None for an anonymous one."""
        base = self._base
        return None if base is None else expression(base.terms, int(self) - base.value)

    @property
    def declaration(self) -> Declaration | None:
        """The bindings of the names in the expression and their constraints; None for an anonymous one."""
        return None if self._base is None else Declaration(self._base.bindings)

    def __repr__(self) -> str:
        term = self.expression
        match term:
            case None:
                return f"DynamicInt({int(self)})"
            case Name(id):
                return f'DynamicInt({int(self)}, name="{id}")'
            case _:
                return f'DynamicInt({int(self)}, expression="{show(term)}")'

    # As digits wherever it becomes text: a file name, a log line.
    __str__ = int.__repr__

    # As the int it is: the slots of int itself, so they cost what they cost there.
    __hash__ = int.__hash__
    __eq__ = int.__eq__
    __ne__ = int.__ne__
    __lt__ = int.__lt__
    __le__ = int.__le__
    __gt__ = int.__gt__
    __ge__ = int.__ge__

    __add__ = _binary(int.__add__, _sum)
    __radd__ = _reflected(int.__radd__, _sum)
    __sub__ = _binary(int.__sub__, _difference)
    __rsub__ = _reflected(int.__rsub__, _difference)
    __mul__ = _binary(int.__mul__, _product)
    __rmul__ = _reflected(int.__rmul__, _product)
    __floordiv__ = _binary(int.__floordiv__, _applying(FloorDiv))
    __rfloordiv__ = _reflected(int.__rfloordiv__, _applying(FloorDiv))
    __mod__ = _binary(int.__mod__, _applying(Mod))
    __rmod__ = _reflected(int.__rmod__, _applying(Mod))
    __lshift__ = _binary(int.__lshift__, _left_shift)
    __rlshift__ = _reflected(int.__rlshift__, _left_shift)
    __rshift__ = _binary(int.__rshift__, _right_shift)
    __rrshift__ = _reflected(int.__rrshift__, _right_shift)
    __and__ = _binary(int.__and__, _masked)
    __rand__ = _reflected(int.__rand__, _masked)
    __or__ = _binary(int.__or__, _forgotten)
    __ror__ = _reflected(int.__ror__, _forgotten)
    __xor__ = _binary(int.__xor__, _forgotten)
    __rxor__ = _reflected(int.__rxor__, _forgotten)
    __sym_min__ = _binary(min, _applying(minimum))
    __sym_max__ = _binary(max, _applying(maximum))

    def __divmod__(self, other: int) -> tuple[int, int]:
        return NotImplemented if int.__divmod__(self, other) is NotImplemented else (self // other, self % other)

    def __rdivmod__(self, other: int) -> tuple[int, int]:
        return NotImplemented if int.__rdivmod__(self, other) is NotImplemented else (other // self, other % self)

    def __pow__(self, exponent: int, modulus: int | None = None) -> Any:
        value = int.__pow__(self, exponent, modulus)
        if not isinstance(value, int):  # a float, for a negative exponent, or NotImplemented
            return value
        if modulus is None:
            return linked(value, _power(self, exponent, value))
        # Python's three-argument power has the sign of the modulus, as its remainder has.
        whole = linked(0, _power(self, exponent, 0)) if exponent >= 0 else self
        return linked(value, _applying(Mod)(whole, modulus, value)) if whole._base else linked(value, None)

    def __rpow__(self, base: int, modulus: int | None = None) -> Any:
        value = int.__rpow__(self, base, modulus)
        return linked(value, None) if isinstance(value, int) else value

    def __neg__(self) -> DynamicInt:
        base = self._base
        return linked(-int(self), None if base is None else scaled(base, -1))

    def __pos__(self) -> DynamicInt:
        return linked(self, self._base)

    def __invert__(self) -> DynamicInt:
        base = self._base
        return linked(~int(self), None if base is None else scaled(base, -1))

    def __abs__(self) -> DynamicInt:
        value, base = abs(int(self)), self._base
        return linked(value, None if base is None else applied(absolute, value, (base, self)))

    def __round__(self, digits: SupportsIndex | None = None) -> DynamicInt:
        value = int.__round__(self) if digits is None else int.__round__(self, digits)
        return linked(value, self._base if value == self and (digits is None or digits.__index__() >= 0) else None)

    __trunc__ = __floor__ = __ceil__ = conjugate = __pos__
    numerator = property(__pos__)
