"""What sizes say about names: from expressions and the sizes that they equal to the bindings of their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintSyntaxError, ConstraintViolationError, UnboundNameError
from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names, names_in_order, substitute_term
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

RETURNS = "returns"
"""The first step of the path of a result."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a size is in a call that a signature is about; of a number ``dimension`` is None."""

    path: str
    dimension: int | None
    shape: str

    def part(self) -> str:
        """The part of the declaration that is about it."""
        return f'{self.path}="{self.shape}"'

    @property
    def verb(self) -> str:
        """What a caller, or the function, does with it."""
        return "return" if self.path.partition(".")[0] == RETURNS else "pass"

    def __str__(self) -> str:
        first, *rest = self.path.split(".")
        path = ".".join(["the result", *rest]) if first == RETURNS else self.path
        return path if self.dimension is None else f"dimension {self.dimension} of {path}"


Dimension: TypeAlias = "int | Position"
"""Which size is meant: of the tensor at hand by its index, of a call by its position."""


def _spoken(dimension: Dimension) -> str:
    return f"dimension {dimension}" if isinstance(dimension, int) else str(dimension)


def _part(dimension: Dimension, name: str) -> str:
    return f'{dimension}: "{name}"' if isinstance(dimension, int) else dimension.part()


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


_last: dict[str, Place] = {}
"""Where each name was last given to a tensor's size, as far as that is remembered."""


def last_named(name: str) -> Place | None:
    """Where the name was last given to a size of a tensor by `name_dims`; None where it was not."""
    return _last.get(name)


def declare_sizes(
    terms: Mapping[Any, Term],
    sizes: Mapping[Any, int],
    given: Iterable[Binding],
    constraints: tuple[str | Constraint, ...],
    place: Place,
) -> Declaration:
    """The declaration that dimensions equal to terms make. Raises what is wrong with it; see `name_dims`."""
    given = tuple(given)
    FIRST_DECLARATION.come()
    reals = frozenset(binding.name for binding in given if isinstance(binding.value, float))
    own = system_of(constraints, reals)
    check_names(own)
    check_consistent(own)
    bound = {binding.name: binding for binding in given}
    for dimension, term in terms.items():
        if isinstance(term, Name):
            _bind(bound, Binding(term.id, sizes[dimension], (), replace(place, part=_part(dimension, term.id))))
        if isinstance(dimension, int):
            _last.update(dict.fromkeys(names(term), place))
    _solve(bound, terms, sizes, place)
    carried = tuple(dict.fromkeys((*own.constraints, *(c for b in bound.values() for c in b.constraints))))
    # A product of unknown names, as in "rows*n", says little by itself and costs a search: it waits for the call. The
    # sizes of a signature are those of a call.
    is_call = any(isinstance(dimension, Position) for dimension in terms)
    told = {d: term for d, term in terms.items() if is_call or len(names(term) - bound.keys()) <= 1}
    equations = tuple(_equation(term, sizes[dimension]) for dimension, term in told.items())
    system = system_of((*carried, *equations), reals)
    for name in system.symbols:
        if name not in bound and (value := _determined(system, name)) is not None:
            bound[name] = Binding(name, value, (), place)
    values = {b.name: b.value for b in bound.values()}
    places = {b.name: b.place or place for b in bound.values()}
    for dimension, term in terms.items():
        if isinstance(dimension, Position) and names(term) <= values.keys():
            _check_equal(term, dimension, sizes[dimension], values, place)
    try:
        check_bindings(system, values, places)
    except ConstraintViolationError:
        check_bindings(
            system_of(carried, reals), values, places
        )  # without the sizes at hand, for the nearest legal ones
        raise
    if own.constraints and not bound and not is_call:
        raise _unbound(own, place)
    return Declaration(tuple(replace(b, constraints=_together(b, own)) for b in bound.values()))


def _together(binding: Binding, own: ConstraintSystem) -> tuple[Constraint, ...]:
    if not binding.constraints:
        return own.constraints  # the same tuple each time: who compares it with itself looks no further
    return tuple(dict.fromkeys((*binding.constraints, *own.constraints)))


def _check_equal(term: Term, at: Position, size: int, values: Mapping[str, int], place: Place) -> None:
    """Raises ConstraintViolationError where a size is not what its term comes to."""
    value = value_of(term, values)
    if value == size:
        return
    text, equation = show(term), _equation(term, size)
    used = {name: values[name] for name in names_in_order(term)}
    known = f"{text} is declared" if not used else f"{text} = {'no integer' if value is None else value}"
    given = ", ".join(f"{name} = {number}" for name, number in used.items())
    raise ConstraintViolationError(
        Diagnostic(
            "DC304",
            f"{at} {'is' if at.dimension is None else 'has size'} {size}, and {known}",
            (place.label(at.part(), (given and f"{given}, so {text} = {value}") or f"{text} was declared"),),
            help=(
                f"{at.verb} {'a number' if at.dimension is None else 'a tensor'} that agrees, or declare it otherwise",
            ),
        ),
        equation,
        used,
    )


def _bind(bound: dict[str, Binding], binding: Binding) -> None:
    known = bound.setdefault(binding.name, binding)
    if known.value != binding.value:
        raise conflict(known, binding)


def _solve(bound: dict[str, Binding], terms: Mapping[Any, Term], sizes: Mapping[Any, int], place: Place) -> None:
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
                at = place if isinstance(dimension, int) else replace(place, part=dimension.part())
                bound[name] = Binding(name, value, (), at)
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


def _unequal(term: Term, dimension: Dimension, size: int, name: str, place: Place) -> ConstraintViolationError:
    text, equation, where = show(term), _equation(term, size), _spoken(dimension)
    if isinstance(dimension, int):
        part, fix = f'"{text}"', f"pass a tensor whose {where} is {text} for some {name}, or name it otherwise"
    elif dimension.dimension is None:
        part, fix = dimension.part(), f"pass a number that is {text} for some {name}, or declare it otherwise"
    else:
        fix = f"pass a tensor whose dimension {dimension.dimension} is {text} for some {name}, or declare it otherwise"
        part = dimension.part()
    has = "is" if isinstance(dimension, Position) and dimension.dimension is None else "has size"
    return ConstraintViolationError(
        Diagnostic(
            "DC304",
            f"{where} {has} {size}, which is not of the form {text}",
            (place.label(part, f"no integer {name} has {equation}"),),
            help=(fix,),
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
