"""DynamicFloat: a float that `torch.compile` keeps dynamic and exact, with a name and constraints."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import torch
from typing_extensions import Self

from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, as_tuple
from dynconstraints.pytorch.declarations.validate_input import declare_float, real_number

_new, _isfinite = float.__new__, math.isfinite
_PLAIN = (float, int)
_MOST_MEMBERS = 64


def _derived(value: float, *operands: object) -> DynamicFloat:
    """The result of an operation: anonymous, and still under what is declared for the names behind it."""
    result = _new(DynamicFloat, value)
    if _isfinite(value):
        known = [d for o in operands if isinstance(d := getattr(o, "declaration", None), Declaration)]
        if known:
            result.declaration = known[0] if all(d is known[0] for d in known) else _joined(known)
    return result


def _joined(known: list[Declaration]) -> Declaration | None:
    """All that the declarations declare; None where that is too much to keep."""
    members: list[Binding] = []
    for member in (m for declaration in known for m in declaration.members):
        if member not in members:
            members.append(member)
    return Declaration(tuple(members)) if len(members) <= _MOST_MEMBERS else None


def _alike(value: float, operand: DynamicFloat) -> DynamicFloat:
    """The same for an operation with a plain number, or of one operand: the declaration is the operand's own."""
    result = _new(DynamicFloat, value)
    declaration = operand.declaration
    if declaration is not None and _isfinite(value):
        result.declaration = declaration
    return result


def _operators(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The methods for ``a <op> other`` and ``other <op> a``."""
    forward, backward = getattr(float, f"__{name}__"), getattr(float, f"__r{name}__")
    compute = getattr(operator, name)

    def ordinary(self: DynamicFloat, other: object) -> Any:
        kind = type(other)
        if kind in _PLAIN or (kind is DynamicFloat and other.declaration is self.declaration):  # type: ignore[attr-defined]
            return _alike(forward(self, other), self)
        # NumPy's scalars keep their type only beside the exact type float.
        if kind is not DynamicFloat and hasattr(other, "__array_priority__"):
            return compute(float(self), other)
        value = forward(self, other)
        return _derived(value, self, other) if type(value) is float else value

    def reflected(self: DynamicFloat, other: object) -> Any:
        if type(other) in _PLAIN:
            return _alike(backward(self, other), self)
        value = backward(self, other)
        return _derived(value, self, other) if type(value) is float else value

    return ordinary, reflected


class DynamicFloat(float):
    """A float that `torch.compile` treats as dynamic: one graph for all its values, each used exactly.

    A float is the rational number that it holds. It hashes, compares and formats as the float it is. Arithmetic gives
    DynamicFloats that are anonymous and stay under what is declared for the names behind them. In a compiled program,
    an operation of torch that does not support dynamic floats makes it a constant of the graph, which
    ``on_specialize`` of `dynamic_int_constraints` can report.

    Args:
        value: A float, a fraction, or an integer that a float holds.
        name: An identifier, bound to the value for the calls that it is passed to. Left out, it is the only name of the
            constraints; without constraints, too, the float is anonymous.
        constraints: One constraint, or a collection of them, which hold for each of these calls; they may mention
            integers as well, as ``steps*lr <= 4.0`` does.
        allow_nonfinite: Whether NaN and the infinities are taken; a graph is compiled for each of them.

    Attributes:
        name: The name that it was declared with; None for an anonymous or derived one.

    Raises:
        NotAFloatError: The value is no float or integer, or an integer that no float holds, or not finite.
        ConstraintViolationError: The value breaks a constraint, or leaves no values for other names.
        InconsistentConstraintsError: Nothing satisfies the constraints.
        ConstraintSyntaxError: A text is not a constraint, or the name is no name.
        UnboundNameError: The constraints never mention the name, or don't tell which of theirs it is.

    Example:
        >>> lr = DynamicFloat(0.5, name="lr", constraints=["0.0 < lr <= 1.0"])
        >>> lr / 2
        DynamicFloat(0.25)
    """

    declaration: Declaration | None = None
    """The bindings of the names behind it and their constraints; None for an anonymous one."""

    name: str | None = None
    """The name that it was declared with; None for an anonymous or derived one."""

    def __new__(
        cls,
        value: float,
        name: str | None = None,
        constraints: str | Constraint | Iterable[str | Constraint] = (),
        *,
        allow_nonfinite: bool = False,
    ) -> Self:
        """Check the declaration, and make the float."""
        listed = as_tuple(constraints)
        number = real_number(value, allow_nonfinite=allow_nonfinite)
        self = _new(cls, number)
        if name is not None or listed:
            binding = declare_float(number, name, listed)
            self.declaration, self.name = Declaration((binding,)), binding.name
        elif isinstance(value, DynamicFloat):
            self.declaration, self.name = value.declaration, value.name
        return self

    def __repr__(self) -> str:
        digits = float.__repr__(self)
        return f"DynamicFloat({digits})" if self.name is None else f'DynamicFloat({digits}, name="{self.name}")'

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # Constraints travel as texts and are checked again where they arrive; plain data only, for weights_only loads.
        texts = tuple(c.text for c in self.declaration.constraints) if self.declaration and self.name else ()
        return restored, (float(self), self.name, texts)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    __str__ = float.__repr__

    # As the float it is: the slots of float itself.
    __hash__ = float.__hash__
    __eq__ = float.__eq__
    __ne__ = float.__ne__
    __lt__ = float.__lt__
    __le__ = float.__le__
    __gt__ = float.__gt__
    __ge__ = float.__ge__

    if TYPE_CHECKING:  # checkers take no function that a variable holds for a method

        def __add__(self, other: float, /) -> DynamicFloat: ...
        def __radd__(self, other: float, /) -> DynamicFloat: ...
        def __sub__(self, other: float, /) -> DynamicFloat: ...
        def __rsub__(self, other: float, /) -> DynamicFloat: ...
        def __mul__(self, other: float, /) -> DynamicFloat: ...
        def __rmul__(self, other: float, /) -> DynamicFloat: ...
        def __truediv__(self, other: float, /) -> DynamicFloat: ...
        def __rtruediv__(self, other: float, /) -> DynamicFloat: ...
        def __floordiv__(self, other: float, /) -> DynamicFloat: ...
        def __rfloordiv__(self, other: float, /) -> DynamicFloat: ...
        def __mod__(self, other: float, /) -> DynamicFloat: ...
        def __rmod__(self, other: float, /) -> DynamicFloat: ...
    else:
        __add__, __radd__ = _operators("add")
        __sub__, __rsub__ = _operators("sub")
        __mul__, __rmul__ = _operators("mul")
        __truediv__, __rtruediv__ = _operators("truediv")
        __floordiv__, __rfloordiv__ = _operators("floordiv")
        __mod__, __rmod__ = _operators("mod")

    def __pow__(self, exponent: Any, modulus: None = None) -> Any:
        value = float.__pow__(self, exponent, modulus)
        return _derived(value, self, exponent) if type(value) is float else value

    def __rpow__(self, base: Any, modulus: None = None) -> Any:
        value = float.__rpow__(self, base, modulus)
        return _derived(value, base, self) if type(value) is float else value

    def __neg__(self) -> DynamicFloat:
        return _alike(float.__neg__(self), self)

    def __pos__(self) -> DynamicFloat:
        return self

    def __abs__(self) -> DynamicFloat:
        return _alike(float.__abs__(self), self)

    @overload
    def __round__(self, digits: None = None) -> int: ...
    @overload
    def __round__(self, digits: SupportsIndex) -> DynamicFloat: ...
    def __round__(self, digits: SupportsIndex | None = None) -> float:
        value = float.__round__(self, digits)
        return _derived(value, self) if isinstance(value, float) else value


def restored(value: float, name: str | None, texts: tuple[str, ...]) -> DynamicFloat:
    """The float that was pickled as its value, its name and its constraints."""
    return DynamicFloat(value, name, texts, allow_nonfinite=not math.isfinite(value))


torch.serialization.add_safe_globals([DynamicFloat, restored])
