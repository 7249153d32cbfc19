"""The tightest range and the largest modulus of a term, over all assignments under which it is defined.

The domains give ends that are sound; candidates give values that are attained. While the two differ, questions halve
the gap. What is answered within the limit is tight, and marked so; the rest is sound, and marked not tight.
"""

from __future__ import annotations

from math import gcd
from typing import cast

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Int, Mod, Relation, Term, comparison, negated
from dynconstraints.solver.algebra.polynomial import Polynomial
from dynconstraints.solver.limits import CANDIDATES, GALLOP, RANGE_QUESTIONS, RLIMIT, Limited
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.reals.reals import Reals
from dynconstraints.solver.tableau.branch_models import candidates


class Range(Frozen):
    """The integers from ``lower`` to ``upper``, both inclusive, None for no end; empty where ``lower > upper``.

    An end is tight where it is proved to be the best: it is attained, or there is none. Of a term that is no integer
    these are real numbers, floats where floats hold them, and an end that is open is not attained.
    """

    lower: int | None
    upper: int | None
    lower_is_tight: bool = True
    upper_is_tight: bool = True
    lower_is_open: bool = False
    upper_is_open: bool = False


class Congruence(Frozen):
    """The integers ``remainder`` modulo ``modulus``; modulus 0 for the constant, (1, 0) where nothing is known.

    Tight where no larger modulus is right.
    """

    modulus: int
    remainder: int
    is_tight: bool = True


NOTHING = Range(1, 0)


def range_of(portfolio: Portfolio, term: Term, limit: int = RLIMIT) -> Range:
    """The range of the term; `NOTHING` where it is defined under no assignment that satisfies the formulas."""
    if portfolio.reduced is not None:
        return range_of(portfolio.reduced.portfolio, portfolio.reduced.definitions.term(term), limit)
    low, high = portfolio.facts.range_of(term)
    if portfolio.is_large:
        return _of_many_names(portfolio, term, low, high)
    values = attained(portfolio, term, limit)
    if values is None:
        return NOTHING
    if portfolio.listed is not None and names(term) <= set(portfolio.names):
        return Range(min(values), max(values))
    if not values:
        return Range(low, high, lower_is_tight=False, upper_is_tight=False)
    upper, upper_is_tight = _highest(portfolio, term, high, max(values), limit)
    below, lower_is_tight = _highest(portfolio, negated(term), None if low is None else -low, -min(values), limit)
    return Range(None if below is None else -below, upper, lower_is_tight, upper_is_tight)


def congruence_of(portfolio: Portfolio, term: Term, limit: int = RLIMIT) -> Congruence:
    """The congruence with the largest modulus; that of the constant 0 where the term is defined nowhere."""
    if portfolio.reduced is not None:
        return congruence_of(portfolio.reduced.portfolio, portfolio.reduced.definitions.term(term), limit)
    modulus, remainder = portfolio.facts.congruence_of(term)
    if portfolio.is_large:
        return Congruence(modulus, remainder, is_tight=False)
    values = attained(portfolio, term, limit)
    if values is None:
        return Congruence(0, 0)
    while values:
        step = gcd(*(value - values[0] for value in values))
        if step == modulus or (modulus == 0 and len(values) == 1):
            return Congruence(step, values[0] % step if step else values[0])
        differs = (
            comparison(term, Relation.NE, Int(values[0]))
            if step == 0
            else comparison(Mod(term, Int(step)), Relation.NE, Int(values[0] % step))
        )
        found = portfolio.model_with(differs, limit)
        if found is None:
            return Congruence(step, values[0] % step if step else values[0])
        if isinstance(found, Limited):
            break
        values.append(_value(term, found))
    return Congruence(modulus, remainder, is_tight=False)


def attained(portfolio: Portfolio, term: Term, limit: int) -> list[int] | None:
    """Some values of the term; none of them where a limit was hit, None where it is proved that it has none."""
    if (term, limit) not in portfolio.attained:
        portfolio.attained[term, limit] = _attained(portfolio, term, limit)
    found = portfolio.attained[term, limit]
    return None if found is None else list(found)


def _attained(portfolio: Portfolio, term: Term, limit: int) -> list[int] | None:
    values: list[int] = []
    if portfolio.listed is not None and names(term) <= set(portfolio.names):
        values = [value for model in portfolio.listed if (value := value_of(term, model)) is not None]
        return values or None
    if not portfolio.is_large and not portfolio.tableau.closed:
        for model in candidates(portfolio.tableau.case, portfolio.names_with(term), CANDIDATES):
            if portfolio.holds(model) and (value := value_of(term, model)) is not None:
                values.append(value)
    if values:
        return values
    found = portfolio.model_with(comparison(term, Relation.EQ, term), limit)
    return None if found is None else [] if isinstance(found, Limited) else [_value(term, found)]


def _of_many_names(portfolio: Portfolio, term: Term, low: int | None, high: int | None) -> Range:
    """What the domains say, an end being tight that a model at hand attains, or that is proved to be none."""
    symbols = portfolio.names_with(term)
    known = portfolio.samples if symbols is portfolio.names else ()
    values = {value_of(term, model) for model in known}
    curves = portfolio.curves(symbols)
    below = low in values if low is not None else curves.grow(negated(term))
    above = high in values if high is not None else curves.grow(term)
    return Range(low, high, below, above)


def _highest(portfolio: Portfolio, term: Term, bound: int | None, seen: int, limit: int) -> tuple[int | None, bool]:
    """The most that the term can be, from a sound bound and an attained value; and whether it is tight."""
    if bound is None:
        if unbounded_above(portfolio, term) or portfolio.curves(portfolio.names_with(term)).grow(term):
            return None, True
        seen, bound = _gallop(portfolio, term, seen, limit)
        if bound is None:
            return None, False
    target = bound
    for _ in range(RANGE_QUESTIONS):
        if seen >= bound:
            return bound, True
        found = portfolio.model_with(comparison(term, Relation.GE, Int(target)), limit)
        if isinstance(found, Limited):
            break
        if found is None:
            bound = target - 1
        else:
            seen = max(seen, _value(term, found))
        target = (seen + bound + 1) // 2
    return bound, False


def _gallop(portfolio: Portfolio, term: Term, seen: int, limit: int) -> tuple[int, int | None]:
    """The highest value that was seen, and a bound, if one is met by asking for more and more."""
    for ahead in GALLOP:
        target = seen + ahead
        found = portfolio.model_with(comparison(term, Relation.GE, Int(target)), limit)
        if found is None:
            return seen, target - 1
        if isinstance(found, Limited):
            break
        seen = max(seen, _value(term, found))
    return seen, None


def unbounded_above(portfolio: Portfolio, term: Term) -> bool:
    """Whether it is proved that the term, which has a value under some model, has no highest one.

    Where the formulas are solved completely, every choice of slacks is a model. A polynomial over slacks that grows
    in one of them, whatever the others, has no highest value then.
    """
    solved = portfolio.solved_image(term)
    return solved is not None and any(_grows(solved[0], name, solved[1]) for name in sorted(solved[0].unknowns))


def _grows(image: Polynomial, name: str, slacks: frozenset[str]) -> bool:
    """Whether the polynomial grows without end as the unknown does while the others are 0."""
    alone = {len(m): c for m, c in image.terms.items() if m and set(m) == {name}}
    if not alone:
        return False
    leading = alone[max(alone)]
    return leading > 0 or (name not in slacks and max(alone) % 2 == 1)


def _value(term: Term, model: dict[str, int]) -> int:
    value = value_of(term, model)
    if value is None:
        raise AssertionError(f"undefined under a model that was confirmed: {term!r}")
    return value


def range_of_real(system: Reals, term: Term, limit: int = RLIMIT) -> Range:
    """As `range_of`, of a set that speaks of floats."""
    found = system.interval(term, limit)
    if found is None:
        return NOTHING
    stated = system.is_stated(term)  # else an end that is open may be improved, and where there is none, one may be
    below = stated or (found.lower is not None and not found.lower_is_open)
    above = stated or (found.upper is not None and not found.upper_is_open)
    lower, upper = cast("tuple[int | None, int | None]", (found.lower, found.upper))  # integers elsewhere
    return Range(lower, upper, below, above, found.lower_is_open, found.upper_is_open)
