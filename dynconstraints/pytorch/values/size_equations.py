"""What sizes say about names: from expressions and the sizes that they equal to the bindings of their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintSyntaxError, ConstraintViolationError, UnboundNameError
from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, substitute_term
from dynconstraints.ir.nodes import Compare, Int, Name, Relation, Term, comparison
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.check_constraints import check_consistent, check_names
from dynconstraints.pytorch.declarations.check_values import check_bindings, conflict
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, system_of
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION
from dynconstraints.pytorch.declarations.user_location import Place
from dynconstraints.solver.verdicts import Implied, Sat
from dynconstraints.syntax.parser import parse_in
from dynconstraints.system import ConstraintSystem

_SIZE = " == 0"
"""What makes a constraint of an expression, so that the parser of constraints reads it."""


def term_of(text: str, place: Place) -> Term:
    """The expression that the text says. Raises ConstraintSyntaxError."""
    source = place.source(text)
    try:
        formula = parse_in(source, text + _SIZE).formula
    except ConstraintSyntaxError as error:
        fixes = tuple(h.replace(_SIZE, "") for h in error.diagnostic.help)
        raise ConstraintSyntaxError(error.diagnostic.changed(help=fixes)) from None
    match formula:
        case Compare((term, Int(0)), (Relation.EQ,)):
            return term
    label = Constraint(formula, text, source).label("this is true or false")
    raise ConstraintSyntaxError(
        Diagnostic(
            "DC154",
            f"a size is an expression, not a constraint: {text}",
            (label,),
            help=(
                "write the expression that the dimension equals, such as 2*s0; constraints go into constraints=[...]",
            ),
        )
    )


def declare_sizes(
    terms: Mapping[int, Term],
    sizes: Mapping[int, int],
    given: Iterable[Binding],
    constraints: tuple[str | Constraint, ...],
    place: Place,
) -> Declaration:
    """The declaration that dimensions equal to terms make. Raises what is wrong with it; see `name_dims`."""
    FIRST_DECLARATION.come()
    own = system_of(constraints)
    check_names(own)
    check_consistent(own)
    bound = {binding.name: binding for binding in given}
    for dimension, term in terms.items():
        if isinstance(term, Name):
            _bind(bound, Binding(term.id, sizes[dimension], (), replace(place, part=f'{dimension}: "{term.id}"')))
    _solve(bound, terms, sizes, place)
    carried = tuple(dict.fromkeys((*own.constraints, *(c for b in bound.values() for c in b.constraints))))
    # A product of unknown names, as in "rows*n", says little by itself and costs a search: it waits for the call.
    told = {d: term for d, term in terms.items() if len(names(term) - bound.keys()) <= 1}
    equations = tuple(_equation(term, sizes[dimension]) for dimension, term in told.items())
    system = system_of((*carried, *equations))
    for name in system.symbols:
        if name not in bound and (value := _determined(system, name)) is not None:
            bound[name] = Binding(name, value, (), place)
    values = {b.name: b.value for b in bound.values()}
    places = {b.name: b.place or place for b in bound.values()}
    try:
        check_bindings(system, values, places)
    except ConstraintViolationError:
        check_bindings(system_of(carried), values, places)  # without the sizes at hand, for the nearest legal ones
        raise
    if own.constraints and not bound:
        raise _unbound(own, place)
    return Declaration(
        tuple(replace(b, constraints=tuple(dict.fromkeys((*b.constraints, *own.constraints)))) for b in bound.values())
    )


def _bind(bound: dict[str, Binding], binding: Binding) -> None:
    known = bound.setdefault(binding.name, binding)
    if known.value != binding.value:
        raise conflict(known, binding)


def _solve(bound: dict[str, Binding], terms: Mapping[int, Term], sizes: Mapping[int, int], place: Place) -> None:
    """Bind the names that follow from an affine expression of which all other names are bound."""
    waiting = [d for d, term in terms.items() if not isinstance(term, Name)]
    while True:
        for dimension in waiting:
            term = substitute_term(terms[dimension], {b.name: Int(b.value) for b in bound.values()})
            affine = affine_of(term)
            if affine is not None and len(affine.coefficients) == 1:
                ((name, coefficient),) = affine.coefficients
                value, remainder = divmod(sizes[dimension] - affine.constant, coefficient)
                if remainder:
                    raise _unequal(terms[dimension], dimension, sizes[dimension], name, place)
                bound[name] = Binding(name, value, (), place)
                break
        else:
            return
        waiting.remove(dimension)


@lru_cache(maxsize=4096)
def _determined(system: ConstraintSystem, name: str) -> int | None:
    """The only value of the name that satisfies the system; None where there are others, or it is not known."""
    verdict = system.check()
    if not isinstance(verdict, Sat):
        return None
    value = verdict.model[name]
    return value if isinstance(system.implies(_equation(Name(name), value)), Implied) else None


def _equation(term: Term, size: int) -> Constraint:
    return Constraint.of(comparison(term, Relation.EQ, Int(size)))


def _unequal(term: Term, dimension: int, size: int, name: str, place: Place) -> ConstraintViolationError:
    text = show(term)
    equation = _equation(term, size)
    return ConstraintViolationError(
        Diagnostic(
            "DC304",
            f"dimension {dimension} has size {size}, which is not of the form {text}",
            (place.label(f'"{text}"', f"no integer {name} has {equation}"),),
            help=(f"pass a tensor whose dimension {dimension} is {text} for some {name}, or name it otherwise",),
        ),
        equation,
        {},
    )


def _unbound(system: ConstraintSystem, place: Place) -> UnboundNameError:
    listed = ", ".join(system.symbols)
    return UnboundNameError(
        Diagnostic(
            "DC401",
            f"no dimension says what {listed} is",
            tuple(place.constraint(c).label() for c in system.constraints),
            help=(f'name one, as in {{0: "{system.symbols[0]}"}}, or give these to dynamic_int_constraints([...])',),
        ),
        system.symbols[0],
    )
