"""Names that a program gives, in the trace, to values that it computes: assertions in the graph, facts after them.

Such a value, of ``x.item()``, is an unbacked symbol of torch's. What is declared of it is handed to torch as assertions
that the graph makes when it runs, and only then to the oracle: for questions about these symbols alone, since guards
are asked before the graph computes anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import sympy

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import (
    ConflictingBindingError,
    ConstraintError,
    ConstraintViolationError,
    NotAnIntegerError,
    UnsupportedTorchError,
)
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import substitute
from dynconstraints.ir.nodes import Formula, Name, Relation, Term, comparison
from dynconstraints.pytorch._compat import assert_in_graph, dynamo
from dynconstraints.pytorch.declaration import as_tuple
from dynconstraints.pytorch.declaring import declared
from dynconstraints.pytorch.frame import FrameFacts
from dynconstraints.pytorch.passing import passed_through
from dynconstraints.pytorch.placing import Place, located
from dynconstraints.pytorch.symbolic import condition_to_torch, term_of

_FAILED = re.compile(r"(?:for expression|Expected) (.*?)(?: on node|, but got|$)", re.MULTILINE)
"""Where torch says which assertion of a graph failed."""


def bound_in_trace(tx: Any, facts: FrameFacts, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """What `bind` is in a trace: the value's variable, its constraints asserted and known. Raises the user's errors."""
    given = {**dict(zip(("name", "value"), args, strict=False)), **kwargs}
    value = given["value"].realize()
    name = given["name"].as_python_constant()
    frame = tx.frame_summary()
    place = Place(f'bind("{name}", ...)', frame.filename, frame.lineno)
    try:
        constraints = given["constraints"].as_python_constant() if "constraints" in given else ()
        own = declared(name, as_tuple(constraints)).system.constraints
        _meet(facts, name, _expression(value, name, place), own, place)
    except ConstraintError as error:
        raise passed_through(located(error, place)) from None
    return value


def _expression(value: Any, name: str, place: Place) -> sympy.Expr:
    d = dynamo()
    if isinstance(value, d.SymNodeVariable) and value.python_type() is int:
        return value.sym_num.node.expr
    if isinstance(value, d.ConstantVariable) and isinstance(value.as_python_constant(), int):
        return sympy.Integer(int(value.as_python_constant()))
    kind = getattr(value.python_type(), "__name__", "?")
    mend = f'write bind("{name}", x.item()) for the number in a tensor' if kind == "Tensor" else "pass an int"
    raise NotAnIntegerError(
        Diagnostic("DC302", f"not an integer: {name} is a {kind}", (place.label(name),), help=(mend,))
    )


def _meet(facts: FrameFacts, name: str, expr: sympy.Expr, own: tuple[Constraint, ...], place: Place) -> None:
    computed = facts.computed
    computed.constraints.update(dict.fromkeys(own))
    known = computed.expressions.get(name, facts.expressions.get(name))
    if known is not None and known != expr:
        _assert(facts, sympy.Eq(known, expr), comparison(Name(name), Relation.EQ, Name(name)), _conflict(name, place))
    computed.expressions.setdefault(name, expr)
    computed.places.setdefault(name, place)
    computed.learn_symbols(facts.env)
    assert_known(facts)


def assert_known(facts: FrameFacts) -> None:
    """Assert the constraints on computed values whose names are by now all known. Raises the user's errors."""
    computed = facts.computed
    values = {**facts.expressions, **computed.expressions}
    for constraint in dict.fromkeys((*facts.constraints, *computed.constraints)):
        place = next((computed.places[n] for n in constraint.symbols if n in computed.places), None)
        if place and constraint not in computed.asserted and values.keys() >= set(constraint.symbols):
            condition = condition_to_torch(constraint.formula, values)
            if condition is None:
                raise _unsupported(constraint, place)
            _assert(facts, condition, constraint.formula, _violation(constraint, place))
            computed.asserted[constraint] = None


def _assert(facts: FrameFacts, condition: sympy.Basic, formula: Formula, error: ConstraintError) -> None:
    """Have the graph assert the condition; a fact from then on, if the language has words for it."""
    for part in condition.args if isinstance(condition, sympy.And) else (condition,):
        if part == sympy.true:
            continue
        if part == sympy.false or not assert_in_graph(facts.env, part):
            raise error
        facts.computed.errors[str(part)] = error
    terms = _terms(facts)
    if terms is not None:
        facts.computed.formulas.append(substitute(formula, terms))


def _terms(facts: FrameFacts) -> dict[str, Term] | None:
    """Each known name over the parameters and the computed symbols."""
    symbols: dict[sympy.Symbol, Term] = {p.symbol: Name(n) for n, p in facts.parameters.items()}
    symbols |= facts.computed.symbols
    found: dict[str, Term] = {}
    for name, expr in (*facts.expressions.items(), *facts.computed.expressions.items()):
        term = term_of(expr, symbols)
        if term is None:
            return None
        found[name] = term
    return found


def telling(compiled: Callable[..., Any], errors: dict[str, ConstraintError]) -> Callable[..., Any]:
    """The compiled graph, its failed assertions told as the violations that they are."""

    def call(*args: Any) -> Any:
        try:
            return compiled(*args)
        except RuntimeError as error:
            found = next((errors[text] for text in _failed(str(error)) if text in errors), None)
            if found is None:
                raise
            raise found from None

    return call


def _failed(message: str) -> Iterator[str]:
    yield from (match[1].strip() for match in _FAILED.finditer(message))
    yield message.strip()


def _violation(constraint: Constraint, place: Place) -> ConstraintViolationError:
    said = place.constraint(constraint)
    return ConstraintViolationError(
        Diagnostic(
            "DC301",
            f"constraint violated: {constraint}",
            (said.label("false for the value that was computed"),),
            notes=(f"the name is given by {place}",),
            help=("compute a value that satisfies it, or change the constraint",),
        ),
        constraint,
        {},
    )


def _conflict(name: str, place: Place) -> ConflictingBindingError:
    return ConflictingBindingError(
        Diagnostic(
            "DC402",
            f"{name} has two values in one call: one that is given, and another that is computed",
            (place.label(f'"{name}"', "another value than before"),),
            help=(f"pass one value for {name}, or give one of the two another name",),
        ),
        name,
        (),
    )


def _unsupported(constraint: Constraint, place: Place) -> UnsupportedTorchError:
    return UnsupportedTorchError(
        Diagnostic(
            "DC702",
            f"compiled code has no assertion for this constraint: {constraint}",
            (place.constraint(constraint).label(),),
            help=("say the same by comparisons and remainders, or leave the value without a name",),
        )
    )
