"""What a set of constraints says about some of its names alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dynconstraints.diagnostics.errors import SolverLimitError
from dynconstraints.ir.fold import names, substitute
from dynconstraints.ir.nodes import (
    FALSE,
    Formula,
    Int,
    Member,
    Mod,
    Name,
    Relation,
    SetOf,
    comparison,
    conjunction,
    disjunction,
)
from dynconstraints.solver.algebra.definitions import definitions
from dynconstraints.solver.limits import (
    MOST_SIFTED,
    PROJECTED_ALTERNATIVES,
    PROJECTED_ASSIGNMENTS,
    PROJECTED_TRIES,
    RLIMIT,
)
from dynconstraints.solver.partition import components
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.bounds import NOTHING, congruence_of, range_of
from dynconstraints.solver.queries.count import assignments
from dynconstraints.solver.queries.fourier_motzkin import fourier_motzkin
from dynconstraints.solver.queries.plain_form import plain_form
from dynconstraints.solver.queries.quotient import without_quotient
from dynconstraints.solver.reals.reals import Reals
from dynconstraints.solver.verdicts import Implied


@dataclass(frozen=True, slots=True)
class Projection:
    """Formulas over the names alone that hold wherever all formulas do.

    ``exact`` says that every assignment to the names that satisfies them can be completed; otherwise some may not be.
    """

    formulas: tuple[Formula, ...]
    exact: bool


def project(portfolio: Portfolio, kept: Sequence[str], limit: int = RLIMIT) -> Projection:
    """The projection on the names: part by part, each by the first of these that is exact, else what all of them say.

    No name to eliminate; what defines the names replaced; linear elimination; the names as quotients; the list of all
    values, where they are few.
    """
    formulas: list[Formula] = []
    exact = True
    for part in components(portfolio.formulas, {f: sorted(names(f)) for f in portfolio.formulas}):
        some = _project(portfolio if part == portfolio.formulas else Portfolio(part), kept, limit)
        formulas.extend(some.formulas)
        exact &= some.exact
    return Projection(tuple(dict.fromkeys(formulas)), exact)


def _project(portfolio: Portfolio, kept: Sequence[str], limit: int) -> Projection:
    wanted = [name for name in kept if name in portfolio.names]
    if len(wanted) == len(portfolio.names):
        return Projection(portfolio.formulas, exact=True)
    if not wanted:
        found = portfolio.model(limit)
        return Projection((FALSE,), exact=True) if found is None else Projection((), exact=isinstance(found, dict))
    defined = definitions(portfolio.formulas, kept=wanted)
    if defined.images:
        some = _project(Portfolio(defined.rest), kept, limit)
        return some if len(some.formulas) > MOST_SIFTED else replace(some, formulas=_irredundant(some.formulas, limit))
    return _eliminated(portfolio, wanted, limit)


def _eliminated(portfolio: Portfolio, wanted: Sequence[str], limit: int) -> Projection:
    """The projection of formulas that define no name that is to go: group by group of those that share one."""
    linear = fourier_motzkin(portfolio, wanted)
    if linear is not None and linear[1]:
        return Projection(_irredundant(linear[0], limit), exact=True)
    others = {formula: sorted(names(formula) - set(wanted)) for formula in portfolio.formulas}
    aside = tuple(formula for formula in portfolio.formulas if not others[formula])
    formulas, exact = list[Formula](aside), True
    for group in components([formula for formula in portfolio.formulas if others[formula]], others):
        some = _without(group, frozenset(name for f in group for name in others[f]), aside, limit)
        exact &= some is not None
        formulas.extend(some or ())
    if exact:
        return Projection(_irredundant(tuple(formulas), limit), exact=True)
    listed = _listed(portfolio, wanted, limit)
    if listed is not None:
        return Projection(listed, exact=True)
    formulas.extend(linear[0] if linear else ())
    formulas.extend(fact for name in wanted for fact in _facts(portfolio, name, limit))
    return Projection(_irredundant(tuple(formulas), limit), exact=False)


def _without(
    group: tuple[Formula, ...], eliminated: frozenset[str], aside: tuple[Formula, ...], limit: int
) -> tuple[Formula, ...] | None:
    """What the group says, exactly, without those names; None where no method here has it."""
    kept = frozenset(name for formula in (*group, *aside) for name in names(formula)) - eliminated
    if len(eliminated) == 1:
        divided = without_quotient(group, next(iter(eliminated)), kept, aside, limit)
        if divided is not None:
            return divided
    form = plain_form(group, kept)
    if form is None:
        return None
    portfolio = Portfolio(form.formulas)
    linear = fourier_motzkin(portfolio, [name for name in portfolio.names if name in kept or name in form.parameters])
    if linear is None or not linear[1]:
        return None
    return (*form.defined, *(substitute(formula, form.parameters) for formula in linear[0]))


def _listed(portfolio: Portfolio, wanted: Sequence[str], limit: int) -> tuple[Formula, ...] | None:
    """All values of the names, where the assignments are few enough to list."""
    seen: dict[tuple[int, ...], None] = {}
    order = [*wanted, *(name for name in portfolio.names if name not in wanted)]
    try:
        for index, model in enumerate(assignments(portfolio, order, limit, PROJECTED_TRIES)):
            seen[tuple(model[name] for name in wanted)] = None
            if len(seen) > PROJECTED_ALTERNATIVES or index > PROJECTED_ASSIGNMENTS:
                return None
    except SolverLimitError:
        return None
    if not seen:
        return (FALSE,)
    if len(wanted) == 1:
        values = [value for (value,) in seen]
        return (_run(wanted[0], values),)
    return (disjunction(tuple(_equal(wanted, values) for values in seen)),)


def _run(name: str, values: Sequence[int]) -> Formula:
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return conjunction(
            (comparison(Int(values[0]), Relation.LE, Name(name)), comparison(Name(name), Relation.LE, Int(values[-1])))
        )
    return Member(Name(name), SetOf(tuple(map(Int, values))))


def _equal(wanted: Sequence[str], values: Sequence[int]) -> Formula:
    return conjunction(
        tuple(comparison(Name(name), Relation.EQ, Int(value)) for name, value in zip(wanted, values, strict=True))
    )


def _facts(portfolio: Portfolio, name: str, limit: int) -> Iterator[Formula]:
    ends = range_of(portfolio, Name(name), limit)
    if ends == NOTHING:
        yield FALSE
        return
    if ends.lower is not None:
        yield comparison(Name(name), Relation.GE, Int(ends.lower))
    if ends.upper is not None:
        yield comparison(Name(name), Relation.LE, Int(ends.upper))
    found = congruence_of(portfolio, Name(name), limit)
    if found.modulus > 1:
        yield comparison(Mod(Name(name), Int(found.modulus)), Relation.EQ, Int(found.remainder))


def _irredundant(formulas: tuple[Formula, ...], limit: int) -> tuple[Formula, ...]:
    kept = list(dict.fromkeys(formulas))
    for formula in reversed(list(kept)):
        rest = [f for f in kept if f != formula]
        if isinstance(Portfolio(rest).implies(formula, limit), Implied):
            kept = rest
    return tuple(kept)


def project_reals(system: Reals, kept: Sequence[str], limit: int = RLIMIT) -> Projection:
    """As `project`, of a set that speaks of floats: what it says of those names alone, and the interval of each."""
    formulas = [formula for formula in system.formulas if names(formula) <= set(kept)]
    exact = set(system.names) <= set(kept)
    for name in () if exact else kept:
        interval = system.interval(Name(name), limit)
        formulas.extend([FALSE] if interval is None else interval.formulas(name))
    known = [f for i, f in enumerate(formulas) if f not in formulas[:i]]
    return Projection(tuple(known), exact)
