"""C++17: one header without dependencies that checks sizes of 64 bits, and floats, exactly.

What is computed on the way has 127 bits where the compiler has such integers, else 63; what does not fit is refused as
such, never wrapped around. The functions of the language are written from their definitions in the table of functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from typing import cast

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.interop.cpp_runtime import pieces
from dynconstraints.interop.emission import Emission, Left, Subject, commented, remarks
from dynconstraints.interop.layout import layout_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.functions import MEANINGS, PARAMETERS
from dynconstraints.ir.nodes import (
    TRUE,
    Add,
    And,
    Bool,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    Function,
    IfElse,
    Implies,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Not,
    Or,
    Pow,
    Predicate,
    RangeOf,
    Real,
    Relation,
    SetOf,
    Term,
    Test,
)
from dynconstraints.ir.sorts import has_real

_FOLDED = {Function.MIN: "least", Function.MAX: "greatest", Function.GCD: "gcd", Function.LCM: "lcm"}
"""Functions of any number of arguments, written as one of two."""

_LARGEST = (1 << 63) - 1
_IDENTIFIER = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
_MOST_SHOWN = 40
"""Names whose values a message tells; a constraint over more is known by its text."""


class _UnwritableError(Exception):
    """A function of the language that the header has no code for."""


def emit(subject: Subject) -> Emission:
    """A header with ``violation`` and ``check`` of the names, in their order in the constraints.

    Where shapes are known, what their sizes are declared to be is checked, too: such sizes are arguments after the
    names.
    """
    relations = layout_of("C++", subject.shapes, rest=True).relations if subject.shapes else ()
    wanted = (*subject.system, *(relation for _, relation in relations))
    header = _Header(subject, wanted)
    held = tuple(c for c in wanted if header.add(c))
    return Emission(header.text(), held, tuple(header.left))


class _Header:
    """A header in the making."""

    def __init__(self, subject: Subject, constraints: Sequence[Constraint]) -> None:
        self.subject = subject
        self.reals = subject.system.reals
        self.names = _spelled(dict.fromkeys(name for c in constraints for name in c.symbols))
        self.used = {"message"} | ({"Real", "shown"} if self.reals else set())
        self.functions: dict[str, str] = {}
        self.tests: dict[Constraint, str] = {}
        self.left: list[Left] = []

    def add(self, constraint: Constraint) -> bool:
        """Write the constraint; where it can't be, say why."""
        code = _Code(self)
        try:
            truth = code.formula(constraint.formula)
        except _UnwritableError as error:
            self.left.append(Left(constraint, str(error)))
            return False
        if has_real(constraint.formula):
            self.used.add("Real")
        parameters = ", ".join(f"{self._kind(name)} {self.names[name]}" for name in constraint.symbols)
        self.tests[constraint] = _function(f"Truth holds_{len(self.tests)}({parameters})", code.body, truth)
        return True

    def _kind(self, name: str) -> str:
        return "Real" if name in self.reals else "Int"

    def text(self) -> str:
        """The header."""
        space = _namespace(self.subject.name)
        guard = f"DYNCONSTRAINTS_{space.upper()}_HPP"
        extra = ["cmath", "cstdio", "cstdlib"] * bool(self.used & {"Real", "shown"})
        headers = sorted([*extra, "cstdint", "initializer_list", "stdexcept", "string", "utility"])
        tests = [f"{_comment(c)}\n{test}" for c, test in self.tests.items()]
        return "\n".join(
            [
                *commented(remarks("This header", self.tests, self.left), "//"),
                f"#ifndef {guard}\n#define {guard}\n",
                *(f"#include <{header}>" for header in headers),
                f"\nnamespace {space} {{\nnamespace detail {{\n",
                "\n\n".join([pieces(self.used), *self.functions.values(), *tests]),
                f"\n}}  // namespace detail\n\n{self._entries()}\n}}  // namespace {space}\n\n#endif\n",
            ]
        )

    def _entries(self) -> str:
        names = dict.fromkeys(name for c in self.tests for name in c.symbols)
        kinds = {name: "double" if name in self.reals else "std::int64_t" for name in names}
        parameters = ", ".join(f"{kinds[name]} {self.names[name]}" for name in names)
        lines = ["// Empty where every constraint holds; else which one does not, and the values."]
        lines += [f"// Arguments: {', '.join(names)}."] * bool(names)
        lines += [f"inline std::string violation({parameters}) {{"]
        for name in (name for name in names if name in self.reals):
            place = self.names[name]
            refusal = f"return {_string(f'{name} is not finite: ')} + detail::shown({place})"
            lines.append(f"  if (!std::isfinite({place})) {refusal};")
        for index, constraint in enumerate(self.tests):
            given = ", ".join(self.names[name] for name in constraint.symbols)
            shown = ", ".join(
                f"{{{_string(name)}, detail::shown({self.names[name]})}}" for name in constraint.symbols[:_MOST_SHOWN]
            )
            lines.append(f"  if (const char* why = detail::refusal(detail::holds_{index}({given}))) {{")
            lines.append(f"    return detail::message(why, {_string(constraint.line)}, {{{shown}}});\n  }}")
        passed = ", ".join(self.names[name] for name in names)
        lines += ["  return {};\n}\n\n#if defined(__cpp_exceptions)", f"inline void check({parameters}) {{"]
        lines += [f"  const std::string found = violation({passed});"]
        lines += ["  if (!found.empty()) throw std::invalid_argument(found);\n}\n#endif\n"]
        return "\n".join(lines)


class _Code:
    """The body of one function in the making. Everything is computed, so what is used twice goes into a local."""

    def __init__(self, header: _Header) -> None:
        self.header = header
        self.body: list[str] = []

    def _called(self, piece: str, *arguments: str) -> str:
        self.header.used.add(piece)
        return f"{piece}({', '.join(arguments)})"

    def _listed(self, piece: str, arguments: Sequence[str]) -> str:
        return arguments[0] if len(arguments) == 1 else self._called(piece, f"{{{', '.join(arguments)}}}")

    def _kept(self, value: str) -> str:
        if value.isidentifier():
            return value
        self.body.append(f"const auto t{len(self.body)} = {value};")
        return f"t{len(self.body) - 1}"

    def term(self, term: Term) -> str:
        """The code of a term."""
        match term:
            case Int(value):
                return self._literal(value)
            case Real(value):
                return f"Real({value.hex()})"
            case Name(id):
                return self.header.names.get(id) or _PARAMETERS[id]
            case Neg(operand):
                return self._called("neg", self.term(operand))
            case Add((left, right)):
                return self._called("add", self.term(left), self.term(right))
            case Add(terms):
                return self._listed("sum", [self.term(t) for t in terms])
            case Mul((left, right)):
                return self._called("mul", self.term(left), self.term(right))
            case Mul(factors):
                return self._listed("product", [self.term(f) for f in factors])
            case FloorDiv(dividend, divisor):
                return self._called("floordiv", self.term(dividend), self.term(divisor))
            case Mod(dividend, divisor):
                return self._called("mod", self.term(dividend), self.term(divisor))
            case Pow(base, exponent):
                return self._called("power", self.term(base), f"{min(exponent, _LARGEST)}ULL")
            case Call(function, arguments):
                return self._call(function, [self.term(a) for a in arguments])
            case IfElse(condition, then, otherwise):
                return self._called("choose", self.formula(condition), self.term(then), self.term(otherwise))
            case _:
                assert_never(term)

    def _literal(self, value: int) -> str:
        if abs(value) <= _LARGEST:
            return f"Int({value}{'LL' * (abs(value) >= 1 << 31)})"
        digits = self._called("literal", f'"{abs(value)}"')
        return digits if value > 0 else self._called("neg", digits)

    def _call(self, function: Function, arguments: list[str]) -> str:
        if function in _FOLDED:
            first = self._called("abs", arguments[0]) if MEANINGS[function].is_nonnegative else arguments[0]
            return reduce(lambda a, b: self._called(_FOLDED[function], a, b), arguments[1:], first)
        if function is Function.ABS:
            return self._called("abs", *arguments)
        return self._defined(function, arguments)

    def _defined(self, function: Function | Predicate, arguments: list[str]) -> str:
        """A call of a function that is written from its definition."""
        meaning, name = MEANINGS[function], function.value
        if meaning.definition is None or meaning.domain != TRUE:
            raise _UnwritableError(f"C++ has no {name}")
        if name not in self.header.functions:
            code, kind = _Code(self.header), "Truth" if isinstance(function, Predicate) else "Int"
            if isinstance(function, Predicate):
                value = code.formula(cast("Formula", meaning.definition))
            else:
                value = code.term(cast("Term", meaning.definition))
            parameters = ", ".join(f"Int {_PARAMETERS[p.id]}" for p in PARAMETERS[: meaning.fewest])
            self.header.functions[name] = _function(f"{kind} {name}({parameters})", code.body, value)
        return f"{name}({', '.join(arguments)})"

    def formula(self, formula: Formula) -> str:
        """The code of a formula."""
        match formula:
            case Bool(value):
                return f"Truth::{'yes' if value else 'no'}"
            case Compare(operands, relations):
                return self._compare([self.term(o) for o in operands], relations)
            case Member(item, SetOf(elements)):
                found = self._kept(self.term(item))
                return self._listed(
                    "any", [self._called2("eq", found, self.term(e)) for e in elements] or ["Truth::no"]
                )
            case Member(item, RangeOf(start, stop, step)):
                terms = (*map(self.term, (item, start, stop)), self._literal(step))
                return self._called("in_range", *terms)
            case Test(Predicate.IS_POWER_OF_TWO, (argument,)):
                return self._called("is_power_of_two", self.term(argument))
            case Test(predicate, arguments):
                return self._defined(predicate, [self.term(a) for a in arguments])
            case Not(operand):
                return self._called("negation", self.formula(operand))
            case And(operands):
                return self._listed("all", [self.formula(o) for o in operands])
            case Or(operands):
                return self._listed("any", [self.formula(o) for o in operands])
            case Implies(premise, conclusion):
                denied = self._called("negation", self.formula(premise))
                return self._listed("any", [denied, self.formula(conclusion)])
            case Choice(condition, then, otherwise):
                parts = (self.formula(condition), self.formula(then), self.formula(otherwise))
                return self._called("choose", *parts)
            case _:
                raise TypeError(f"not a formula: {formula!r}")

    def _compare(self, operands: list[str], relations: Sequence[Relation]) -> str:
        operands = [operands[0], *map(self._kept, operands[1:-1]), operands[-1]]
        links = zip(relations, pairwise(operands), strict=True)
        return self._listed("all", [self._related(relation, *pair) for relation, pair in links])

    def _related(self, relation: Relation, left: str, right: str) -> str:
        match relation:
            case Relation.EQ:
                return self._called2("eq", left, right)
            case Relation.LT:
                return self._called2("lt", left, right)
            case Relation.GT:
                return self._called2("lt", right, left)
            case _:
                return self._called("negation", self._related(relation.negated, left, right))

    def _called2(self, comparison: str, left: str, right: str) -> str:
        self.header.used.add("compared")
        return f"{comparison}({left}, {right})"


_PARAMETERS = {parameter.id: letter for parameter, letter in zip(PARAMETERS, "abcd", strict=True)}


def _function(head: str, body: Sequence[str], result: str) -> str:
    lines = [*body, f"return {result};"]
    if len(lines) == 1 and len(head) + len(result) < 90:
        return f"inline {head} {{ {lines[0]} }}"
    return "\n".join([f"inline {head} {{", *(f"  {line}" for line in lines), "}"])


def _spelled(names: Iterable[str]) -> dict[str, str]:
    """The parameters' names; a final underscore keeps them from being keywords, and from all usual macros."""
    places: dict[str, str] = {}
    taken: set[str] = set()
    for index, name in enumerate(names):
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")  # a place such as x.shape[0]
        is_kept = _IDENTIFIER.fullmatch(plain) and (plain == name or "." in name or "[" in name)
        place = f"{plain}_" if is_kept else f"v{index}_"
        while place in taken:
            place += "0_"
        taken.add(place)
        places[name] = place
    return places


def _namespace(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "_".join(["sizes", *words]) if words else "dynconstraints"


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _comment(constraint: Constraint) -> str:
    return f"// {constraint.line}"
