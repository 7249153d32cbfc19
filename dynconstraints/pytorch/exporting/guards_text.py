"""The contract as guards of torch's: expressions of Python that a program checks where this package isn't.

They are asked of numbers alone: where a program is traced again they would settle its sizes by the example at hand.
"""

from __future__ import annotations

import re

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.ir.printer import show
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.lowering.to_closure import python_names, python_test
from dynconstraints.pytorch.exporting.definitions import Definitions

_FUNCTIONS = ("gcd", "lcm", "prod")
"""What ``math`` has of the functions of the language."""

_QUOTES = re.compile(r"[\"'\\\n]")
"""What torch's own code around a guard cannot hold."""


def guards_of(definitions: Definitions) -> tuple[str, ...]:
    """A guard for each constraint on integers whose names the sizes tell."""
    reals = frozenset(definitions.contract.floats)
    checked = [c for c in definitions.checked if not speaks_of_reals((c.formula,), reals)]
    # A name that is computed by a division comes after what keeps the divisor from 0.
    checked.sort(key=lambda c: len({size for name in c.symbols for size in names_of(_over_sizes(definitions, name))}))
    return tuple(_guard(definitions, c) for c in checked)


def _guard(definitions: Definitions, constraint: Constraint) -> str:
    """torch's message is the text of the guard, which begins with what the user wrote."""
    names = python_names(constraint.symbols, ("L", "math", "isinstance", "int", *_FUNCTIONS))
    test = python_test(constraint.formula, names)
    steps = [f"({target} := {value})" for target, _, value in (line.partition(" = ") for line in test.lines)]
    condition = f"([{', '.join(steps)}] and {test.holds})" if steps else f"({test.holds})"
    for function in sorted(test.called & {*_FUNCTIONS}):
        condition = f"(lambda {function}: {condition})(math.{function})"
    symbols = "".join(f"not isinstance({place}, int) or " for place in names.values())
    values = ", ".join(_access(definitions, name) for name in constraint.symbols)
    said, parameters = _QUOTES.sub(" ", constraint.line), ", ".join(names.values())
    return f"'{said}' and (lambda {parameters}: {symbols}{condition})({values})"


def _access(definitions: Definitions, name: str) -> str:
    """The value of a name, or a size, as guards of the program reach it."""
    term = _over_sizes(definitions, name)
    accesses: dict[str, Term] = {}
    for size in names_of(term):
        place = definitions.places[size]
        access = definitions.contract.inputs[place.leaf].access
        accesses[size] = Name(access if place.dimension is None else f"{access}.size()[{place.dimension}]")
    return show(substitute_term(term, accesses))


def _over_sizes(definitions: Definitions, name: str) -> Term:
    return Name(name) if name in definitions.places else definitions.over_sizes(name)
