"""Python: one function without imports that returns None, or raises ValueError with the constraint and the values.

Its arithmetic is Python's own, so it agrees with `dynconstraints.ir.evaluate` at every integer, and with the rationals
that floats hold at every finite float.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from textwrap import indent

from dynconstraints.interop.emission import Emission, Left, Subject, commented, remarks
from dynconstraints.interop.layout import Layout, Slot, layout_of, linear
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.sorts import has_real
from dynconstraints.lowering.to_closure import python_names, python_test
from dynconstraints.system import ConstraintSystem

_MOST_SHOWN = 40
"""Names whose values a message tells; a constraint over more is known by its text."""

_NESTED = {
    "prod": """
def prod(numbers):
    result = 1
    for number in numbers:
        result = result * number
    return result
""",
    "gcd": """
def gcd(*numbers):
    result = 0
    for number in numbers:
        while number:
            result, number = number, result % number
    return abs(result)
""",
    "lcm": """
def lcm(*numbers):
    result = 1
    for number in numbers:
        a, b = result, number
        while b:
            a, b = b, a % b
        result = abs(result * number // a) if result and number else 0
    return result
""",
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
    """The function ``check`` of the names, or, where the shapes are known, of the arguments' shapes."""
    held = subject.system.constraints
    if not subject.shapes:
        return Emission(f"{check_source(subject.system, held)}\n", held)
    layout = layout_of("Python", subject.shapes, rest=True)
    wanted = (*held, *(relation for _, relation in layout.relations))
    bound = _bound_names(layout)
    checked = tuple(c for c in wanted if bound >= set(c.symbols))
    left = tuple(_unchecked(Left(c, ""), bound) for c in wanted if c not in checked)
    head = commented(remarks("check()", checked, left)) if left else []
    text = "\n".join([*head, check_source(subject.system, checked, layout), ""])
    return Emission(text, checked, left)


def written(
    code: Sequence[str],
    target: str,
    subject: Subject,
    held: Iterable[Constraint],
    left: Iterable[Left],
    layout: Layout | None = None,
) -> Emission:
    """The emission of Python code: what it holds in its head, and the check of what is left over at its end."""
    held, left = tuple(held), tuple(left)
    if layout is not None:
        bound = _bound_names(layout)
        left = tuple(one if bound >= set(one.constraint.symbols) else _unchecked(one, bound) for one in left)
    checked = [one.constraint for one in left if not one.reason.startswith(_UNCHECKED)]
    checker = check_source(subject.system, checked, layout) if checked else ""
    head = commented(remarks(target, held, left))
    return Emission("\n".join([*head, *code, *(["", "", checker] * bool(checker))]) + "\n", held, left, checker)


_UNCHECKED = "not checked: "


def _bound_names(layout: Layout) -> frozenset[str]:
    return frozenset((*layout.homes, *(slot.place for slot, _ in layout.relations)))


def _unchecked(one: Left, bound: Collection[str]) -> Left:
    missing = next(name for name in one.constraint.symbols if name not in bound)
    return Left(one.constraint, f"{_UNCHECKED}no argument has {missing} for a size")


def check_source(system: ConstraintSystem, constraints: Iterable[Constraint], layout: Layout | None = None) -> str:
    """The source of a function ``check`` that raises ValueError where one of the constraints does not hold.

    Its parameters are the names that the constraints mention; with a layout, the shapes of the arguments, and the
    arguments that are numbers.
    """
    constraints = tuple(constraints)
    mentioned = tuple(dict.fromkeys(n for c in constraints for n in c.symbols))
    given = () if layout is None else tuple(_parameter(slots, path) for path, slots in layout.slots.items())
    names = python_names((*given, *(n for n in mentioned if n not in given)), _TAKEN)
    reals = [name for name in mentioned if name in system.reals]
    tests = {c: python_test(c.formula, names, floats=_has_reals(c, system.reals)) for c in constraints}
    called = sorted(frozenset().union(*(test.called for test in tests.values())).difference(_BUILTIN))
    body = [_NESTED.get(name, f"from math import {name}").strip("\n") + "\n" * (name in _NESTED) for name in called]
    body += [] if layout is None else _bound(layout, mentioned, names)
    loose = mentioned if layout is None else [name for name in mentioned if name in given]
    body += [_taken_as_int(name, names[name]) for name in loose if name not in reals]
    body += [_taken_as_real(name, names[name]) for name in reals]
    for constraint, test in tests.items():
        body += [*test.lines, f"if not ({test.holds}):", f"    raise ValueError({_message(constraint, names)})"]
    lines = ["Return None where every constraint holds; raise ValueError where one does not.", ""]
    listed = "\n".join([*lines, *(f"    {_in_docstring(c.line)}" for c in constraints)])
    parameters = (names[name] for name in (mentioned if layout is None else given))
    return f"def check({', '.join(parameters)}):\n" + indent("\n".join([f'"""{listed}\n"""', *body]), "    ")


def _parameter(slots: Sequence[Slot], path: str) -> str:
    return path if slots and slots[0].index is None else f"{path}.shape"


def _bound(layout: Layout, mentioned: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The names' values, from the shapes."""
    lines = []
    for path, slots in layout.slots.items():
        if slots and slots[0].index is None:
            continue
        place, rank, text = names[f"{path}.shape"], len(slots), layout.shapes[path].text
        said = f'{path} has another number of dimensions than "{text}": '
        differs = "!=" if layout.shapes[path].rest is None else "<"
        lines.append(f"if len({place}) {differs} {rank}:\n    raise ValueError({said!r} + str(len({place})))")
        lines.append(f"{place} = [size.__index__() for size in {place}]")
    places = {slot.place: slot for slot in layout}
    for name in mentioned:
        slot = places.get(name) or layout.homes[name]
        given = names[_parameter((slot,), slot.path)]
        value = given if slot.index is None else f"{given}[{slot.index}]"
        form = linear(slot.term) if name not in places and slot.term is not None else None
        if form is not None and form != {name: 1}:
            offset = form.get("", 0)
            value = f"({value} - {offset}) // {form[name]}" if offset else f"{value} // {form[name]}"
        if value != names[name]:
            lines.append(f"{names[name]} = {value}")
    return lines


_TAKEN = ("check", "ValueError", "TypeError", "OverflowError", "hasattr", "float", "str", *_NESTED)


def _has_reals(constraint: Constraint, reals: frozenset[str]) -> bool:
    return has_real(constraint.formula) or not reals.isdisjoint(constraint.symbols)


def _taken_as_int(name: str, place: str) -> str:
    """Integers of other libraries, which may wrap around, become Python's."""
    return "\n".join(
        (
            f"if not hasattr({place}, '__index__'):",
            f"    raise TypeError({f'{name} is no integer: '!r} + str({place}))",
            f"{place} = {place}.__index__()",
        )
    )


def _taken_as_real(name: str, place: str) -> str:
    return "\n".join(
        (
            f"if not -float('inf') < {place} < float('inf'):",
            f"    raise ValueError({f'{name} is not finite: '!r} + str({place}))",
        )
    )


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
