"""DynamicInt: an int that `torch.compile` keeps dynamic, with a name, constraints, and arithmetic that remembers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, cast

import torch
from typing_extensions import Self

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.release import NO_TORCH_FUNCTION, UpstreamDynamicInt
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, as_tuple
from dynconstraints.pytorch.declarations.user_location import calling_place
from dynconstraints.pytorch.declarations.validate_input import declare, integer
from dynconstraints.pytorch.values import operator_rules
from dynconstraints.pytorch.values.expression import expression, named, opaque
from dynconstraints.pytorch.values.operator_rules import DEFERRED, LARGEST_EXPONENT, Compute, Link, Rule, base_of
from dynconstraints.pytorch.values.size_equations import term_of

_Operator: TypeAlias = "Callable[[DynamicInt, int], DynamicInt]"

_new = int.__new__  # upstream's constructor checks again what is known here


def _linked(value: int, link: Link) -> DynamicInt:
    """The value as a dynamic integer with the link."""
    result = _new(DynamicInt, value)
    if link is not None:
        result.link = link
    return result


def _derived(value: int, compute: Compute, rule: Rule, left: int, right: int) -> DynamicInt:
    """The result of an operation, with a note of what it was, or with what follows if the note would be too long."""
    result = _new(DynamicInt, value)
    size = 1
    for operand in (left, right):
        if isinstance(operand, UpstreamDynamicInt):
            link = operand.link if isinstance(operand, DynamicInt) else None
            if link is None:
                return result
            size += link[-1]
    result.link = (compute, rule, left, right, size) if size <= DEFERRED else rule(left, right, value)
    return result


def _noted(operand: DynamicInt, value: int, compute: Compute, rule: Rule, left: int, right: int) -> DynamicInt:
    """What `_derived` gives where the other operand is a plain int, the common case, sooner."""
    result, link = _new(DynamicInt, value), operand.link
    if link is not None:
        size = link[-1] + 1
        result.link = (compute, rule, left, right, size) if size <= DEFERRED else rule(left, right, value)
    return result


def _operators(compute: Compute, rule: Rule | None) -> tuple[_Operator, _Operator]:
    """The methods for ``n <op> other`` and ``other <op> n``; with no rule, for an operation that gives no integer."""
    name = compute.__name__.strip("_")
    forward: Compute = getattr(int, f"__{name}__")
    backward: Compute = getattr(int, f"__r{name}__")

    def ordinary(self: DynamicInt, other: int) -> DynamicInt:
        value = forward(self, other)
        if value is NotImplemented:
            return cast("DynamicInt", _foreign(compute, int(self), other, other))
        if not rule:
            return cast("DynamicInt", value)
        return (
            _noted(self, value, compute, rule, self, other)
            if type(other) is int
            else _derived(value, compute, rule, self, other)
        )

    def reflected(self: DynamicInt, other: int) -> DynamicInt:
        value = backward(self, other)
        if value is NotImplemented:
            return cast("DynamicInt", _foreign(compute, other, int(self), other))
        if not rule:
            return cast("DynamicInt", value)
        return (
            _noted(self, value, compute, rule, other, self)
            if type(other) is int
            else _derived(value, compute, rule, other, self)
        )

    return ordinary, reflected


def _foreign(compute: Callable[[Any, Any], Any], left: object, right: object, other: object) -> Any:
    """The operation with an operand that int leaves to itself.

    NumPy's arrays and scalars keep their type only beside the exact type int (NEP 50), so they get that. On the left
    they don't ask us; if they did (``__array_priority__``), their comparisons would too, and those are int's own slots.
    """
    return compute(left, right) if hasattr(other, "__array_priority__") else NotImplemented


def _shifting(ordinary: _Operator, shift: Compute) -> _Operator:
    """The operator where a plain int is added or taken away: the value moves, the base is shared."""

    def shifted(self: DynamicInt, other: int) -> DynamicInt:
        return _linked(shift(self, other), self.link) if type(other) is int else ordinary(self, other)

    return shifted


class DynamicInt(UpstreamDynamicInt):
    """An int that `torch.compile` treats as dynamic; with a name, it means the same wherever the name turns up.

    It hashes, compares, indexes and formats as the int it is. Arithmetic with ints gives DynamicInts that know their
    expression over the names, up to a bounded size; beyond it, and from operations that have no place in the constraint
    language, they are anonymous. Python asks no subclass of int in ``True + n``, ``pow(2, n, 5)`` and
    ``math.gcd(n, 4)``: they are plain ints; and ``min(n, m)`` is whichever of its arguments is the least.

    In a compiled function ``~n``, ``divmod``, ``round``, ``pow(n, 2, 5)``, ``math.gcd(n, 4)``, ``math.lcm`` and
    ``math.isqrt`` stay in its one graph, too. Text (``str(n)``, f-strings) needs the value: it breaks the graph, and
    with ``fullgraph=True`` makes the int a constant of it, which ``on_specialize`` tells. What sizes have no function
    for torch refuses there: ``math.gcd`` of two such ints, ``pow(2, n, 5)``, ``math.comb``, ``n.bit_count()``.

    Args:
        value: An int, a bool, a NumPy integer, or a fraction that is whole; a named one within 64 bits.
        name: An identifier, bound to the value for the calls that it is passed to. Left out, it is the only name of the
            constraints; without constraints, too, the int is anonymous.
        constraints: One constraint, or a collection of them, which hold for each of these calls. They may mention
            further names; what follows for its own is checked.

    Attributes:
        name: The name that it was declared with; None for an anonymous or derived one.
        expression: What it is over the names, as a term of the language; None for an anonymous one.

    Raises:
        NotAnIntegerError: The value is no integer.
        IntegerRangeError: A named one does not fit in 64 bits.
        ConstraintViolationError: The value breaks a constraint, or leaves no values for other names.
        InconsistentConstraintsError: Nothing satisfies the constraints.
        ConstraintSyntaxError: A text is not a constraint, or the name is no name.
        UnboundNameError: The constraints never mention the name, or don't tell which of theirs it is.

    Example:
        >>> n = DynamicInt(64, name="s0", constraints=["s0 % 32 == 0"])
        >>> 2*n + 1
        DynamicInt(129, expression="2*s0 + 1")
    """

    link: Link = None
    """How it depends on names, as the rules of arithmetic keep it; not for users, who have `expression`."""

    _declared: Declaration | None = None

    def __new__(
        cls, value: int, name: str | None = None, constraints: str | Constraint | Iterable[str | Constraint] = ()
    ) -> Self:
        """Check the declaration, and make the int."""
        listed = as_tuple(constraints)
        if name is None and not listed:
            self = _new(cls, integer(value))
            link: Link = value.link if isinstance(value, DynamicInt) else None
        else:
            binding = declare(value, name, listed)
            self, link = _new(cls, binding.value), named(binding)
        if link is not None:
            self.link = link
        return self

    @property
    def name(self) -> str | None:
        """The name that it was declared with; None for an anonymous or derived one."""
        term = self.expression
        return term.id if isinstance(term, Name) else None

    @property
    def expression(self) -> Term | None:
        """What it is over the names (``s0``, ``2*s0 + 1``), as a term of the language; None for an anonymous one."""
        base = base_of(self)
        return None if base is None else expression(base.terms, int(self) - base.value)

    @property
    def declaration(self) -> Declaration | None:
        """The bindings of the names in the expression and their constraints; None for an anonymous one."""
        base = base_of(self)
        if base is None:
            return None
        if self._declared is None or self._declared.members is not base.bindings:
            self._declared = Declaration(base.bindings)
        return self._declared

    def __repr__(self) -> str:
        term = self.expression
        match term:
            case None:
                return f"DynamicInt({int(self)})"
            case Name(id):
                return f'DynamicInt({int(self)}, name="{id}")'
            case _:
                return f'DynamicInt({int(self)}, expression="{show(term)}")'

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # Constraints travel as texts and are checked again where they arrive; plain data only, for weights_only loads.
        state = {key: value for key, value in vars(self).items() if key not in _OWN_STATE} or None
        declaration, term = self.declaration, self.expression
        if declaration is None or term is None:
            return type(self), (int(self),), state
        members = tuple((b.name, b.value, tuple(c.text for c in b.constraints)) for b in declaration.members)
        match term, members:
            case Name(), ((name, _, texts),):
                return type(self), (int(self), name, texts), state
        return restored, (int(self), show(term), members), state

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    # What torch looks for on each object in a list of sizes; found here, it costs a third of finding nothing. One that
    # answers could name what `torch.zeros((n, 2))` makes, but torch refuses `torch.zeros(n, 2)` then, takes `n * x` for
    # a call of its own, and asks no int of `arange`, `narrow` and slices.
    __torch_function__ = NO_TORCH_FUNCTION

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

    if TYPE_CHECKING:  # checkers take no function that a variable holds for a method

        def __add__(self, other: int, /) -> DynamicInt: ...
        def __radd__(self, other: int, /) -> DynamicInt: ...
        def __sub__(self, other: int, /) -> DynamicInt: ...
        def __rsub__(self, other: int, /) -> DynamicInt: ...
        def __mul__(self, other: int, /) -> DynamicInt: ...
        def __rmul__(self, other: int, /) -> DynamicInt: ...
        def __floordiv__(self, other: int, /) -> DynamicInt: ...
        def __rfloordiv__(self, other: int, /) -> DynamicInt: ...
        def __mod__(self, other: int, /) -> DynamicInt: ...
        def __rmod__(self, other: int, /) -> DynamicInt: ...
        def __lshift__(self, other: int, /) -> DynamicInt: ...
        def __rlshift__(self, other: int, /) -> DynamicInt: ...
        def __rshift__(self, other: int, /) -> DynamicInt: ...
        def __rrshift__(self, other: int, /) -> DynamicInt: ...
        def __and__(self, other: int, /) -> DynamicInt: ...
        def __rand__(self, other: int, /) -> DynamicInt: ...
        def __or__(self, other: int, /) -> DynamicInt: ...
        def __ror__(self, other: int, /) -> DynamicInt: ...
        def __xor__(self, other: int, /) -> DynamicInt: ...
        def __rxor__(self, other: int, /) -> DynamicInt: ...
    else:
        __add__, __radd__ = _operators(operator.add, operator_rules.added)
        __sub__, __rsub__ = _operators(operator.sub, operator_rules.subtracted)
        __mul__, __rmul__ = _operators(operator.mul, operator_rules.multiplied)
        __floordiv__, __rfloordiv__ = _operators(operator.floordiv, operator_rules.divided)
        __mod__, __rmod__ = _operators(operator.mod, operator_rules.remaining)
        __truediv__, __rtruediv__ = _operators(operator.truediv, None)
        __lshift__, __rlshift__ = _operators(operator.lshift, operator_rules.shifted_left)
        __rshift__, __rrshift__ = _operators(operator.rshift, operator_rules.shifted_right)
        __and__, __rand__ = _operators(operator.and_, operator_rules.masked)
        __or__, __ror__ = _operators(operator.or_, operator_rules.forgotten)
        __xor__, __rxor__ = _operators(operator.xor, operator_rules.forgotten)
        __add__ = _shifting(__add__, int.__add__)
        __radd__ = _shifting(__radd__, int.__radd__)
        __sub__ = _shifting(__sub__, int.__sub__)

    def __divmod__(self, other: int) -> tuple[int, int]:
        if int.__divmod__(self, other) is NotImplemented:
            return cast("tuple[int, int]", _foreign(divmod, int(self), other, other))
        return self // other, self % other

    def __rdivmod__(self, other: int) -> tuple[int, int]:
        if int.__rdivmod__(self, other) is NotImplemented:
            return cast("tuple[int, int]", _foreign(divmod, other, int(self), other))
        return other // self, other % self

    def __pow__(self, exponent: int, modulus: int | None = None) -> Any:
        value = int.__pow__(self, exponent, modulus)
        if value is NotImplemented:
            return _foreign(pow, int(self), exponent, exponent)
        if not isinstance(value, int):  # a float, for a negative exponent
            return value
        if modulus is None:
            return _derived(value, operator.pow, operator_rules.raised, self, exponent)
        if type(exponent) is int and 0 <= exponent <= LARGEST_EXPONENT:
            return self**exponent % modulus
        return _new(DynamicInt, value)

    def __rpow__(self, base: int, modulus: int | None = None) -> Any:
        value = int.__rpow__(self, base, modulus)
        if value is NotImplemented:
            return _foreign(pow, base, int(self), base)
        return _new(DynamicInt, value) if isinstance(value, int) else value

    def __neg__(self) -> DynamicInt:
        return _derived(-int(self), operator_rules.opposite, operator_rules.negated, self, 0)

    def __invert__(self) -> DynamicInt:
        return _derived(~int(self), operator_rules.opposite, operator_rules.negated, self, 0)

    def __abs__(self) -> DynamicInt:
        return _derived(abs(int(self)), operator_rules.magnitude, operator_rules.made_absolute, self, 0)

    def __pos__(self) -> DynamicInt:
        return _linked(self, self.link)

    def __round__(self, digits: SupportsIndex | None = None) -> DynamicInt:
        value = int(self) if digits is None else int.__round__(self, digits)
        return _linked(value, self.link if digits is None or digits.__index__() >= 0 else None)

    __trunc__ = __floor__ = __ceil__ = conjugate = __pos__
    numerator = property(__pos__)


_OWN_STATE = frozenset({"link", "_declared"})


def standing_for(term: Term, value: int, bindings: tuple[Binding, ...]) -> DynamicInt:
    """The integer that the term has the value of, under the bindings of its names; nothing is checked again."""
    is_name = isinstance(term, Name) and len(bindings) == 1
    return _linked(value, named(bindings[0]) if is_name else opaque(term, value, bindings))


def restored(value: int, text: str, members: tuple[tuple[str, int, tuple[str, ...]], ...]) -> DynamicInt:
    """The integer that was pickled as its value, its expression and the declarations of the names in it."""
    place = calling_place(f"DynamicInt({value})")
    bindings = tuple(declare(number, name, constraints) for name, number, constraints in members)
    term = term_of(text, place)
    if value_of(term, {b.name: b.value for b in bindings}) != value:
        raise ValueError(f"damaged pickle of a DynamicInt: {text} is not {value}")
    return standing_for(term, value, bindings)


torch.serialization.add_safe_globals([DynamicInt, restored])
