"""Names that a program gives, in the trace, to values that it computes: assertions in the graph, facts after them.

Such a value, of ``x.item()``, is an unbacked symbol of torch's. What is declared of it is handed to torch as assertions
that the graph makes when it runs, and only then to the oracle: for questions about these symbols alone, since guards
are asked before the graph computes anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

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
from dynconstraints.ir.sorts import has_real
from dynconstraints.lowering.plain import plain
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import assert_in_graph, backed_values
from dynconstraints.pytorch.declarations.declaration import Binding
from dynconstraints.pytorch.declarations.user_location import Place, located
from dynconstraints.pytorch.declarations.validate_input import declared
from dynconstraints.pytorch.declarations.violation_error import violation
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.graph_nodes import gcd_in_graph
from dynconstraints.pytorch.frame.sympy_bridge import condition_to_torch, term_of
from dynconstraints.pytorch.tracing.assert_values import values_of
from dynconstraints.syntax.given import constraints_of

_FAILED = re.compile(r"(?:for expression|Expected) (.*?)(?: on node|, but got|$)", re.MULTILINE)
"""Where torch says which assertion of a graph failed."""

_SYMBOL = re.compile(r"\b[su]\d+\b")
"""How torch names symbols."""

Told: TypeAlias = Callable[[Mapping[Any, Any]], ConstraintError]
"""What makes the error for an assertion that failed, from the values of symbols as far as they are known."""


def bound_in_trace(tx: Any, facts: FrameFacts, given: Mapping[str, Any]) -> Any:
    """What `bind` is in a trace: the value's variable, its constraints asserted and known. Raises the user's errors."""
    value = given["value"].realize()
    member = said_in_trace(tx, given)
    try:
        expr = _expression(value, member.name, place_of(member))
    except ConstraintError as error:
        raise passed_through(error) from None
    number = int(expr) if isinstance(value, dynamo().ConstantVariable) else value.sym_num
    facts.computed.nodes.setdefault(member.name, (value.as_proxy(), number))
    meet(tx, facts, member, expr)
    return value


def said_in_trace(tx: Any, given: Mapping[str, Any], number: int | None = None) -> Binding:
    """What a call of `bind` says: the name, its constraints, and where. Raises the user's errors."""
    name = given["name"].as_python_constant()
    frame = tx.frame_summary()
    place = Place(f'bind("{name}", {"..." if number is None else number})', frame.filename, frame.lineno)
    try:
        constraints = given["constraints"].as_python_constant() if "constraints" in given else ()
        own = declared(name, constraints_of(constraints))
    except ConstraintError as error:
        raise passed_through(located(error, place)) from None
    return Binding(own.name, 0 if number is None else number, own.system.constraints, place)


def _expression(value: Any, name: str, place: Place) -> sympy.Expr:
    d = dynamo()
    if isinstance(value, d.SymNodeVariable) and value.python_type() is int:
        return value.sym_num.node.expr
    if isinstance(value, d.ConstantVariable) and isinstance(value.as_python_constant(), int):
        return sympy.Integer(int(value.as_python_constant()))
    kind = getattr(value.python_type(), "__name__", "?")
    fix = f'write bind("{name}", x.item()) for the number in a tensor' if kind == "Tensor" else "pass an int"
    raise NotAnIntegerError(
        Diagnostic("DC302", f"not an integer: {name} is a {kind}", (place.label(name),), help=(fix,))
    )


def meet(tx: Any, facts: FrameFacts, member: Binding, expr: sympy.Expr) -> None:
    """Take a name into the frame as the expression, and its constraints into force. Raises the user's errors."""
    computed, name, place = facts.computed, member.name, place_of(member)
    computed.constraints.update(dict.fromkeys(member.constraints))
    try:
        known = computed.expressions.get(name, facts.expressions.get(name))
        if known is not None and known != expr:
            same = comparison(Name(name), Relation.EQ, Name(name))
            _assert(facts, sympy.Eq(known, expr), same, partial(_conflict, name, place, (known, expr)))
        computed.expressions.setdefault(name, expr)
        computed.places.setdefault(name, place)
        computed.own[name] = tuple(dict.fromkeys((*computed.own.get(name, ()), *member.constraints)))
        computed.learn_symbols(facts.env)
        assert_known(tx, facts)
    except ConstraintError as error:
        raise passed_through(located(error, place)) from None


def place_of(member: Binding) -> Place:
    """Where the program gave the name."""
    return member.place or Place(f'bind("{member.name}", ...)')


def assert_known(tx: Any, facts: FrameFacts) -> None:
    """Assert the constraints on computed values whose names are by now all known. Raises the user's errors.

    Those whose names are all the call's are checked at the entry.
    """
    computed = facts.computed
    values = {**facts.expressions, **computed.expressions}

    def gcd_of(left: Term, right: Term) -> Term:
        if (left, right) not in computed.gcds:
            computed.gcds[left, right] = gcd_in_graph(tx, facts, left, right)
        name = f"<gcd {list(computed.gcds).index((left, right))}>"
        values[name] = computed.gcds[left, right]
        return Name(name)

    for constraint in dict.fromkeys((*facts.constraints, *computed.constraints)):
        place = next((computed.places[n] for n in constraint.symbols if n in computed.places), None)
        known = values.keys() >= set(constraint.symbols)
        if (
            place is None
            or not known
            or constraint in computed.asserted
            or facts.rows.keys() >= set(constraint.symbols)
        ):
            continue
        whole = not has_real(constraint.formula)
        condition = condition_to_torch(plain(constraint.formula, gcd_of), values) if whole else None
        if condition is None:
            raise _unsupported(constraint, place)
        named = {name: values[name] for name in constraint.symbols}
        _assert(facts, condition, constraint.formula, partial(_violation, constraint, computed.places, named))
        computed.asserted[constraint] = None


def _assert(facts: FrameFacts, condition: sympy.Basic, formula: Formula, told: Told) -> None:
    """Have the graph assert the condition; a fact from then on, if the language has words for it."""
    for part in _parts(condition):
        if part == sympy.true:
            continue
        if part == sympy.false or not assert_in_graph(facts.env, part):
            raise told(backed_values(facts.env))
        facts.computed.errors[part] = told
    terms = _terms(facts)
    if terms is not None:
        facts.computed.formulas.append(substitute(formula, terms))


def _parts(condition: sympy.Basic) -> Iterator[sympy.Basic]:
    """What to assert, one after the other.

    Of two terms that have to be equal torch writes the one for the other from then on, also where its graph asserts
    that they are; so that is said as two inequalities. That they are equal the oracle knows.
    """
    for part in condition.args if isinstance(condition, sympy.And) else (condition,):
        if isinstance(part, sympy.Eq) and part.rhs.free_symbols:
            yield from (sympy.Ge(part.lhs, part.rhs), sympy.Le(part.lhs, part.rhs))
        else:
            yield part


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


def telling(compiled: Callable[..., Any], graph: Any, facts: FrameFacts) -> Callable[..., Any]:
    """The compiled graph, its failed assertions told as the violations that they are."""

    def call(*args: Any) -> Any:
        try:
            return compiled(*args)
        except RuntimeError as error:
            found = _told(str(error), graph, facts, args)
            if found is None:
                raise
            raise found from None

    return call


def _told(message: str, graph: Any, facts: FrameFacts, args: tuple[Any, ...]) -> ConstraintError | None:
    """The error that torch's is about: by the values, or, where those are not to be had, by the text.

    Torch simplifies what it asserts, so the text may only say which symbols it is about.
    """
    errors = facts.computed.errors
    spoken = (*errors, *facts.expressions.values(), *facts.computed.expressions.values())
    values = values_of(graph, {symbol for expr in spoken for symbol in expr.free_symbols}, args)
    for condition, told in errors.items():
        if condition.xreplace(values) == sympy.false:
            return told(values)
    failed = next((match[1].strip() for match in _FAILED.finditer(message)), message.strip())
    about = set(_SYMBOL.findall(failed))
    likely = [told for c, told in errors.items() if about and about == {str(s) for s in c.free_symbols}]
    exact = [told for c, told in errors.items() if str(c) == failed]
    return exact[0]({}) if exact else likely[0]({}) if len(set(likely)) == 1 else None


def _numbers(expressions: Iterable[sympy.Expr], values: Mapping[Any, Any]) -> tuple[int, ...] | None:
    """What the expressions come to, if that is known of all of them."""
    found = [expr.xreplace({s: sympy.sympify(v) for s, v in values.items()}) for expr in expressions]
    return tuple(map(int, found)) if all(value.is_Integer for value in found) else None


def _violation(
    constraint: Constraint, places: Mapping[str, Place], named: Mapping[str, sympy.Expr], symbols: Mapping[Any, Any]
) -> ConstraintViolationError:
    numbers = _numbers(named.values(), symbols)
    fix = "compute a value that satisfies it, or change the constraint"
    if numbers is not None:
        return violation((constraint,), dict(zip(named, numbers, strict=True)), places, (fix,))
    place = next(places[name] for name in constraint.symbols if name in places)
    said = place.constraint(constraint).label("false for the value that was computed")
    notes = (f"the name is given by {place}",)
    return ConstraintViolationError(
        Diagnostic("DC301", f"constraint violated: {constraint}", (said,), notes, (fix,)), constraint, {}
    )


def _conflict(
    name: str, place: Place, both: tuple[sympy.Expr, sympy.Expr], symbols: Mapping[Any, Any]
) -> ConflictingBindingError:
    numbers = _numbers(both, symbols)
    which = "one that is given, and another that is computed" if numbers is None else f"{numbers[0]} and {numbers[1]}"
    return ConflictingBindingError(
        Diagnostic(
            "DC402",
            f"{name} has two values in one call: {which}",
            (place.label(f'"{name}"', "another value than before"),),
            help=(f"pass one value for {name}, or give one of the two another name",),
        ),
        name,
        numbers or (),
    )


def _unsupported(constraint: Constraint, place: Place) -> UnsupportedTorchError:
    return UnsupportedTorchError(
        Diagnostic(
            "DC702",
            f"compiled code has no assertion for this constraint: {constraint}",
            (place.constraint(constraint).label(),),
            help=("say the same with integers alone, or leave the value without a name",),
        )
    )
