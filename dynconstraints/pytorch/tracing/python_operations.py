"""Python's operations that torch refuses on a symbolic int, in frames that declare something: each as others it takes.

The functions here are traced in the place of Python's own. They are exact wherever those are defined: no value of a
symbol is asked for. Text is what needs the value, once it is looked at (`texts`): the int then becomes a constant of
the graph, guarded as such (a declared name is *specialised*). What checks a condition that holds looks at no message.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeAlias

import sympy
import torch

from dynconstraints.pytorch._torch import dynamo, trace
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.tracing.lazy_text import constant, filled, joined, recipe_of, text_of
from dynconstraints.pytorch.values.dynamic_int import DynamicInt

Choice: TypeAlias = "tuple[Callable[..., Any], Sequence[Any]] | None"
"""What is traced instead, and what it is given: variables of the trace, and constants."""


def function_called(attribute: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """BuiltinVariable.call_function and TorchInGraphFunctionVariable.call_function; math is among torch's functions."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def call_function(self: Any, tx: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
            function: Any = getattr(self, attribute, None)
            if function in _CHECKS:
                return _holds(tx, function, args, kwargs) or original(self, tx, args, kwargs)
            if kwargs or function not in _ASKED:
                return original(self, tx, args, kwargs)
            if function in _JOINING:
                return _concatenated(args) or original(self, tx, args, kwargs)
            if _declares(tx, args):
                if function in _WRITING and (text := _text(function, args)) is not None:
                    return text
                args = [arg.realize() for arg in args]
                kind = _own_type(tx, function, args)
                if kind is not None:
                    return kind
                known = _KNOWN.get(function) if any(map(_is_int, args)) else None
                choice = None if known is None else known(args)
                if choice is not None:
                    return trace.inlined(tx, *choice)
                if _makes_text(function, args) and trace.must_not_break(tx):
                    args = [constant(tx, arg) for arg in args]
                    if all(arg.is_python_constant() for arg in args):
                        return trace.variable_of(tx, function(*(arg.as_python_constant() for arg in args)))
            return original(self, tx, args, kwargs)

        return call_function

    return wrap


def _holds(tx: Any, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The None that a check returns whose condition on sizes holds, so that nobody needs its message; a condition that
    the declaration does not settle is guarded, as torch does. None elsewhere."""
    place = _CHECKS[function]
    condition = args[place] if len(args) > place else kwargs.get(_CONDITIONS[function])
    if condition is None or not _declares(tx, [condition]):
        return None
    found = condition.realize()
    if found.is_python_constant():
        holds = found.as_python_constant() is True
    else:
        holds = trace.is_backed_condition(found) and found.evaluate_expr(tx.output)
    return dynamo.dynamo().ConstantVariable.create(None) if holds else None


def _concatenated(args: Sequence[Any]) -> Any:
    """The sum of texts of which one is not looked at yet; None elsewhere."""
    return joined(args) if any(recipe_of(arg) is not None for arg in args) else None


def _text(function: Any, args: Sequence[Any]) -> Any:
    """The text that the function makes of an int, not looked at yet; None where it makes none, or another."""
    first, *rest = args
    if function is operator.mod:
        template = _literal(first)
        if template is None or not rest:
            return None
        return filled(template, rest[0] if recipe_of(rest[0]) is not None else rest[0].realize(), _is_int)
    specification = _literal(rest[0]) if rest else ""
    if specification is None or len(rest) > 1 or not _is_int(first.realize()) or "{" in specification:
        return None
    return text_of("{:" + specification + "}", [first])


def _literal(variable: Any) -> str | None:
    """The text that the variable is, where it is a constant."""
    if recipe_of(variable) is not None or not variable.is_python_constant():
        return None
    found = variable.as_python_constant()
    return found if isinstance(found, str) else None


def own_attribute(original: Callable[..., Any]) -> Callable[..., Any]:
    """SymNodeVariable.var_getattr: an int is its own real part and numerator."""

    @wraps(original)
    def var_getattr(self: Any, tx: Any, name: str) -> Any:
        if name in _ATTRIBUTES and KEY in tx.output.shape_env.__dict__ and _is_int(self):
            known = _ATTRIBUTES[name]
            return self if known is None else dynamo.dynamo().ConstantVariable.create(known)
        return original(self, tx, name)

    return var_getattr


def f_string_part(original: Callable[..., Any]) -> Callable[..., Any]:
    """InstructionTranslatorBase._format_value: a part of an f-string, on the stack."""

    @wraps(original)
    def _format_value(self: Any, specification: Any, flags: int) -> Any:
        value = self.pop()
        if _declares(self, [value]):
            specification = constant(self, specification)
            template = _literal(specification)
            if template is not None and (recipe_of(value) is not None or _is_plain_int(self, value, flags & 3)):
                return self.push(text_of("{" + ("", "!s", "!r", "!a")[flags & 3] + ":" + template + "}", [value]))
        self.push(value)
        return original(self, specification, flags)

    return _format_value


def f_string(original: Callable[..., Any]) -> Callable[..., Any]:
    """InstructionTranslatorBase.BUILD_STRING: an f-string of its parts, on the stack."""

    @wraps(original)
    def BUILD_STRING(self: Any, inst: Any) -> Any:  # noqa: N802  the method that it stands for
        parts = self.popn(inst.arg)
        text = _concatenated(parts)
        if text is not None:
            return self.push(text)
        for part in parts:
            self.push(part)
        return original(self, inst)

    return BUILD_STRING


def str_format(original: Any) -> Any:
    """StringFormatVariable.create, a class method: what ``str.format`` is given."""
    create = original.__func__

    @wraps(create)
    def created(cls: Any, text: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        tx = trace.current_trace()
        if tx is None or trace.is_ending(tx) or not _declares(tx, [*args, *kwargs.values()]):
            return create(cls, text, list(args), dict(kwargs))
        return text_of(text, args, kwargs)

    return classmethod(created)


def _own_type(tx: Any, function: Any, args: Sequence[Any]) -> Any:
    """``type(n)``, and ``isinstance(n, DynamicInt)``, of an int that came in as a DynamicInt; the frame then serves no
    other. None elsewhere."""
    facts = tx.output.shape_env.__dict__.get(KEY)
    place = None if facts is None or not args else next((p for p, v in facts.variables.items() if v is args[0]), None)
    if place is None or function not in (type, isinstance):
        return None
    if function is type and len(args) == 1:
        facts.typed.add(place)
        return trace.variable_of(tx, DynamicInt)
    if len(args) == 2 and args[1].is_python_constant() and args[1].as_python_constant() is DynamicInt:
        facts.typed.add(place)
        return trace.variable_of(tx, True)
    return None


def _declares(tx: Any, variables: Iterable[Any]) -> bool:
    """Whether the frame declares something: so far, or with a variable that the trace has not looked at yet."""
    if KEY in tx.output.shape_env.__dict__:
        return True
    tuples = dynamo.dynamo().TupleVariable
    for variable in variables:
        for part in variable.items if type(variable) is tuples else (variable,):
            if issubclass(type(trace.unseen_value(part)), DynamicInt):
                return True
    return False


def _is_plain_int(tx: Any, variable: Any, converted: int) -> bool:
    """Whether the variable is an int, whose text is an int's; that of a DynamicInt is another where it is converted."""
    found = variable.realize()
    return _is_int(found) and not (converted and _is_dynamic_int(tx, found))


def _is_dynamic_int(tx: Any, variable: Any) -> bool:
    """Whether the variable is a DynamicInt in eager."""
    return any(variable is known for known in tx.output.shape_env.__dict__[KEY].variables.values())


def _is_int(variable: Any) -> bool:
    """Whether the variable stands for a symbolic int."""
    return isinstance(variable, dynamo.dynamo().SymNodeVariable) and variable.python_type() is int


def _makes_text(function: Any, args: Sequence[Any]) -> bool:
    """Whether the function makes text of an int as it makes it of a plain one; ``%`` does, of a text."""
    if function in (str, format):
        return True
    first = args[0] if function is operator.mod and args else None
    return first is not None and first.is_python_constant() and isinstance(first.as_python_constant(), str)


def _value(variable: Any) -> int | None:
    """The int that the variable is, where it is a constant."""
    found = variable.as_python_constant() if variable.is_python_constant() else None
    return found if isinstance(found, int) else None


def _is_integer(variable: Any) -> bool:
    return _is_int(variable) or _value(variable) is not None


def inverted(n: int) -> int:
    """``~n``."""
    return -n - 1


def with_rest(dividend: int, divisor: int) -> tuple[int, int]:
    """``divmod(dividend, divisor)``."""
    return dividend // divisor, dividend % divisor


def power(base: int, exponent: int, modulus: int) -> int:
    """``pow(base, exponent, modulus)`` for a constant exponent that is not negative; nothing exceeds the square of the
    modulus."""
    result, square = 1 % modulus, base % modulus
    while exponent:
        if exponent & 1:
            result = result * square % modulus
        square = square * square % modulus
        exponent >>= 1
    return result


def rounded(n: int, unit: int) -> int:
    """``round(n, -k)`` for an even unit, ``10**k``: to a multiple of it, of two that are equally near the even one."""
    lower = n // unit
    return (lower + min(1, max(0, 2 * (n % unit) - unit + lower % 2))) * unit


def greatest_common_divisor(n: int, divisors: tuple[tuple[int, int], ...]) -> int:
    """``math.gcd(n, c)`` by the divisors of c and their totients: it is the sum of the totients of those that divide n
    (Gauss)."""
    return sum([totient * (1 - min(1, n % divisor)) for divisor, totient in divisors])


def least_common_multiple(n: int, c: int, divisors: tuple[tuple[int, int], ...]) -> int:
    """``math.lcm(n, c)`` for a positive c."""
    return abs(n) // greatest_common_divisor(n, divisors) * c


def root(n: int) -> int:
    """``math.isqrt(n)``: below 2**52 no root is rounded up to an integer, beyond the int becomes a constant."""
    if n < 0:
        raise ValueError("isqrt() argument must be nonnegative")
    return int(math.sqrt(n)) if n < 2**52 else math.isqrt(operator.index(n))


_LARGEST_MODULUS = 2**31
"""Squares of residues stay within 64 bits."""

_MOST_DIVISORS = 32


def _power(args: list[Any]) -> Choice:
    if len(args) != 3:
        return None
    exponent, modulus = _value(args[1]), _value(args[2])
    fits = exponent is not None and exponent >= 0 and modulus is not None and 0 < abs(modulus) <= _LARGEST_MODULUS
    return (power, args) if fits else None


def _rounded(args: list[Any]) -> Choice:
    digits = _value(args[1]) if len(args) == 2 else None
    if digits is None or not -18 <= digits < 0:
        return None
    return rounded, [args[0], 10**-digits]


def _with_constant(args: list[Any]) -> tuple[Any, int] | None:
    """A symbolic int, and a positive constant."""
    if len(args) != 2:
        return None
    n, other = args if _is_int(args[0]) else args[::-1]
    c = _value(other)
    return None if not c else (n, abs(c))


def _divisors(c: int) -> tuple[tuple[int, int], ...] | None:
    """The divisors of c, each with its totient; None where they are too many for a graph."""
    if sympy.divisor_count(c) > _MOST_DIVISORS:
        return None
    return tuple((d, int(sympy.totient(d))) for d in sympy.divisors(c))


def _gcd(args: list[Any]) -> Choice:
    pair = _with_constant(args)
    divisors = None if pair is None else _divisors(pair[1])
    return None if pair is None or divisors is None else (greatest_common_divisor, [pair[0], divisors])


def _lcm(args: list[Any]) -> Choice:
    pair = _with_constant(args)
    divisors = None if pair is None else _divisors(pair[1])
    return None if pair is None or divisors is None else (least_common_multiple, [*pair, divisors])


_KNOWN: Mapping[Any, Callable[[list[Any]], Choice]] = {
    operator.invert: lambda args: (inverted, args),
    operator.inv: lambda args: (inverted, args),
    divmod: lambda args: (with_rest, args) if len(args) == 2 and all(map(_is_integer, args)) else None,
    pow: _power,
    round: _rounded,
    math.gcd: _gcd,
    math.lcm: _lcm,
    math.isqrt: lambda args: (root, args) if len(args) == 1 else None,
}
"""By function, what is traced instead for arguments of which one is a symbolic int."""

_WRITING = frozenset({str, format, operator.mod})

_JOINING = frozenset({operator.add, operator.iadd})

_ASKED = frozenset({*_KNOWN, *_WRITING, *_JOINING, type, isinstance})

_CHECKS: Mapping[Any, int] = {
    torch._assert: 0,  # noqa: SLF001  a name that programs use
    torch._check: 0,  # noqa: SLF001
    torch._check_with: 1,  # noqa: SLF001
    torch._check_index: 0,  # noqa: SLF001
    torch._check_value: 0,  # noqa: SLF001
    torch._check_type: 0,  # noqa: SLF001
    torch._check_not_implemented: 0,  # noqa: SLF001
}
"""What raises where a condition does not hold, with the place of the condition among its arguments."""

_CONDITIONS = {function: "condition" if function is torch._assert else "cond" for function in _CHECKS}  # noqa: SLF001

_ATTRIBUTES: Mapping[str, int | None] = {"real": None, "numerator": None, "imag": 0, "denominator": 1}
