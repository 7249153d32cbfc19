"""Python: one function without imports that returns None, or raises ValueError with the constraint and the values.

Its arithmetic is Python's own, so it agrees with `dynconstraints.ir.evaluate` at every integer, and with the rationals
that floats hold at every finite float.
"""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent

from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.sorts import has_real
from dynconstraints.lowering.to_closure import python_names, python_test
from dynconstraints.system import ConstraintSystem

_MOST_SHOWN = 40
"""Names whose values a message tells; a constraint over more is known by its text."""

_NESTED = {
    "prod": '''
def prod(numbers):
    result = 1
    for number in numbers:
        result = result * number
    return result
''',
    "gcd": '''
def gcd(*numbers):
    result = 0
    for number in numbers:
        while number:
            result, number = number, result % number
    return abs(result)
''',
    "lcm": '''
def lcm(*numbers):
    result = 1
    for number in numbers:
        a, b = result, number
        while b:
            a, b = b, a % b
        result = abs(result * number // a) if result and number else 0
    return result
''',
    "Fraction": '''
class Fraction:
    """The rational number that an int or a float holds."""

    def __init__(self, above, below=1):
        above, under = above.as_integer_ratio()
        self.above, self.below = above, below * under

    def as_integer_ratio(self):
        return self.above, self.below

    def __add__(self, other):
        above, below = other.as_integer_ratio()
        return Fraction(self.above * below + above * self.below, self.below * below)

    def __mul__(self, other):
        above, below = other.as_integer_ratio()
        return Fraction(self.above * above, self.below * below)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return Fraction(-self.above, self.below)

    def __abs__(self):
        return Fraction(abs(self.above), self.below)

    def __pow__(self, exponent):
        return Fraction(self.above**exponent, self.below**exponent)

    def beside(self, other):
        above, below = other.as_integer_ratio()
        return self.above * below, above * self.below

    def __eq__(self, other):
        return self.beside(other)[0] == self.beside(other)[1]

    def __lt__(self, other):
        return self.beside(other)[0] < self.beside(other)[1]

    def __le__(self, other):
        return self.beside(other)[0] <= self.beside(other)[1]

    def __gt__(self, other):
        return self.beside(other)[0] > self.beside(other)[1]

    def __ge__(self, other):
        return self.beside(other)[0] >= self.beside(other)[1]
''',
}
"""What the code may call beside builtins, written out inside of the function."""

_BUILTIN = ("min", "max", "abs", "sum", "range")


def emit(subject: Subject) -> Emission:
    """The function ``check`` of the names, in their order in the constraints."""
    return Emission(f"{check_source(subject.system, subject.system)}\n", subject.system.constraints)


def check_source(system: ConstraintSystem, constraints: Iterable[Constraint]) -> str:
    """The source of a function ``check`` of the names that the constraints mention, which are some of the system's."""
    constraints = tuple(constraints)
    names = python_names(tuple(dict.fromkeys(n for c in constraints for n in c.symbols)), _TAKEN)
    reals = [name for name in names if name in system.reals]
    tests = {c: python_test(c.formula, names, floats=_has_reals(c, system.reals)) for c in constraints}
    called = sorted(frozenset().union(*(test.called for test in tests.values())).difference(_BUILTIN))
    body = [_NESTED.get(name, f"from math import {name}").strip("\n") + "\n" * (name in _NESTED) for name in called]
    body += [_taken_as_int(name, names[name]) for name in names if name not in reals]
    body += [_taken_as_real(name, names[name]) for name in reals]
    for constraint, test in tests.items():
        body += [*test.lines, f"if not ({test.holds}):", f"    raise ValueError({_message(constraint, names)})"]
    listed = "\n".join(("Return None where every constraint holds; raise ValueError where one does not.", "",
                        *(f"    {_in_docstring(c.line)}" for c in constraints)))
    lines = [f'"""{listed}\n"""', *body]
    return f"def check({', '.join(names.values())}):\n" + indent("\n".join(lines), "    ")


_TAKEN = ("check", "ValueError", "TypeError", "OverflowError", "hasattr", "float", "str", *_NESTED)


def _has_reals(constraint: Constraint, reals: frozenset[str]) -> bool:
    return has_real(constraint.formula) or not reals.isdisjoint(constraint.symbols)


def _taken_as_int(name: str, place: str) -> str:
    """Integers of other libraries, which may wrap around, become Python's."""
    return "\n".join((
        f"if not hasattr({place}, '__index__'):",
        f"    raise TypeError({f'{name} is no integer: '!r} + str({place}))",
        f"{place} = {place}.__index__()",
    ))


def _taken_as_real(name: str, place: str) -> str:
    return "\n".join((
        f"if not -float('inf') < {place} < float('inf'):",
        f"    raise ValueError({f'{name} is not finite: '!r} + str({place}))",
    ))


def _message(constraint: Constraint, names: dict[str, str]) -> str:
    text = f"constraint violated: {constraint.line}"
    shown = constraint.symbols[:_MOST_SHOWN]
    if not shown:
        return repr(text)
    parts = [repr(f"{text}, where {shown[0]} = ") + f" + str({names[shown[0]]})"]
    parts += [repr(f", {name} = ") + f" + str({names[name]})" for name in shown[1:]]
    more = len(constraint.symbols) - len(shown)
    return " + ".join([*parts, *([repr(f", and {more:,} more")] * bool(more))])


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
