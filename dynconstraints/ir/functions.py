"""What each function and predicate of the language is: the one table that every reading of a constraint goes by.

An entry says how many arguments there are, the value, and one of three things for the readings that don't compute with
numbers:

- a *definition*, an equal term or formula in the rest of the language: ``align_up(a, m)`` is ``-(-a // m) * m``;
- a *law*, a formula that its value, and no other integer, satisfies; solvers get a fresh name that obeys it;
- neither: a primitive, which each reading has its own code for (``min``, ``max``, ``abs``, ``gcd``, ``lcm``,
  ``is_power_of_two``).

To add a function: its spelling in `dynconstraints.ir.nodes.Function` or ``Predicate``, and its entry here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import cast, get_args, overload

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.fold import substitute, substitute_term, walk
from dynconstraints.ir.nodes import (
    TRUE,
    Bool,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Function,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Node,
    Predicate,
    Relation,
    Term,
    Test,
    comparison,
)

PARAMETERS = tuple(Name(f"#{index}") for index in range(4))
"""The arguments in definitions, laws and domains; no name of the language has a ``#``."""

VALUE = Name("#value")
"""The function's value in a law."""


class Meaning(Frozen):
    """What a function or predicate is.

    ``fewest`` and ``most`` count the arguments, None for no end. ``value`` takes their values and gives the function's,
    None where it is undefined. ``definition``, ``law`` and ``domain`` speak of `PARAMETERS`; a function is undefined
    where its domain is not true, and where its definition is undefined. ``python`` is the builtin, or the function of
    ``math``, that agrees with it on its domain. ``is_monotone``: it never falls where its only argument grows.
    ``of_reals``: its arguments may be reals, and so may its value.
    """

    fewest: int
    most: int | None
    value: Callable[..., int | None]
    definition: Term | Formula | None = None
    law: Formula | None = None
    domain: Formula = TRUE
    python: str | None = None
    is_monotone: bool = False
    is_nonnegative: bool = False
    of_reals: bool = False


def _ceildiv(dividend: int, divisor: int) -> int | None:
    return -(-dividend // divisor) if divisor else None


def _align_up(value: int, unit: int) -> int | None:
    return -(-value // unit) * unit if unit else None


def _align_down(value: int, unit: int) -> int | None:
    return value // unit * unit if unit else None


def _divides(divisor: int, value: int) -> bool | None:
    return value % divisor == 0 if divisor else None


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value.bit_count() == 1


def _least(*values: int) -> int:
    return min(values)


def _greatest(*values: int) -> int:
    return max(values)


_A, _B = PARAMETERS[:2]
_CEILDIV = Neg(FloorDiv(Neg(_A), _B))

MEANINGS: dict[Function | Predicate, Meaning] = {
    Function.MIN: Meaning(1, None, _least, python="min", of_reals=True),
    Function.MAX: Meaning(1, None, _greatest, python="max", of_reals=True),
    Function.ABS: Meaning(1, 1, abs, python="abs", is_nonnegative=True, of_reals=True),
    Function.CEILDIV: Meaning(2, 2, _ceildiv, _CEILDIV),
    Function.ALIGN_UP: Meaning(2, 2, _align_up, Mul((_CEILDIV, _B))),
    Function.ALIGN_DOWN: Meaning(2, 2, _align_down, Mul((FloorDiv(_A, _B), _B))),
    Function.GCD: Meaning(1, None, math.gcd, python="gcd", is_nonnegative=True),
    Function.LCM: Meaning(1, None, math.lcm, python="lcm", is_nonnegative=True),
    Predicate.DIVIDES: Meaning(2, 2, _divides, comparison(Mod(_B, _A), Relation.EQ, Int(0))),
    Predicate.IS_POWER_OF_TWO: Meaning(1, 1, _is_power_of_two),
}


_TERMS = get_args(Term)


@overload
def applied(part: Formula, arguments: tuple[Term, ...], value: Term = ...) -> Formula: ...
@overload
def applied(part: Term, arguments: tuple[Term, ...], value: Term = ...) -> Term: ...
def applied(part: Node, arguments: tuple[Term, ...], value: Term = VALUE) -> Node:
    """A definition, law or domain, of these arguments."""
    terms: dict[str, Term] = {p.id: term for p, term in zip(PARAMETERS, arguments, strict=False)}
    terms[VALUE.id] = value
    if isinstance(part, _TERMS):
        return substitute_term(cast("Term", part), terms)
    return substitute(cast("Formula", part), terms)


def expanded_term(call: Call) -> Term | None:
    """The call in the rest of the language, where its function has a definition; None elsewhere."""
    definition = MEANINGS[call.function].definition
    return None if definition is None else applied(cast("Term", definition), call.arguments)


def expanded_test(test: Test) -> Formula | None:
    """The test in the rest of the language, where its predicate has a definition; None elsewhere."""
    definition = MEANINGS[test.predicate].definition
    return None if definition is None else applied(cast("Formula", definition), test.arguments)


def requirements(node: Node) -> tuple[Formula, ...]:
    """What has to be true of the operands for the node to be defined, where each of them is.

    Empty for what is defined everywhere, a literal divisor other than 0 among it. Conditionals and connectives, which
    can be defined where an operand is not, require nothing themselves.
    """
    match node:
        case FloorDiv(_, divisor) | Mod(_, divisor):
            is_settled = isinstance(divisor, Int) and divisor.value != 0
            return () if is_settled else (comparison(divisor, Relation.NE, Int(0)),)
        case Call(function, arguments):
            return _required(function, arguments)
        case Test(predicate, arguments):
            return _required(predicate, arguments)
        case _:
            return ()


def _required(name: Function | Predicate, arguments: tuple[Term, ...]) -> tuple[Formula, ...]:
    needs = [applied(need, arguments) for need in _needs(name)]
    return tuple(need for need in needs if not isinstance(need, Bool) and not _is_nonzero_literal(need))


@cache
def _needs(name: Function | Predicate) -> tuple[Formula, ...]:
    """The requirements of a function, of its parameters."""
    meaning = MEANINGS[name]
    own = () if meaning.domain == TRUE else (meaning.domain,)
    inner = () if meaning.definition is None else walk(meaning.definition)
    return (*own, *(need for node in inner for need in requirements(node)))


def _is_nonzero_literal(need: Formula) -> bool:
    return isinstance(need, Compare) and isinstance(need.operands[0], Int) and need.operands[0].value != 0


@lru_cache(maxsize=8192)
def all_requirements(node: Node) -> tuple[Formula, ...]:
    """The requirements of all that is in the node; where one of them is not true, the node may be undefined."""
    return tuple(dict.fromkeys(need for inner in walk(node) for need in requirements(inner)))
