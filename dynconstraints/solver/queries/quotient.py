"""Elimination of a name that an equation makes a quotient: ``t == b*c`` says that b is ``t // c``, and c divides t."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dynconstraints.ir.fold import conjuncts, names, substitute
from dynconstraints.ir.nodes import (
    TRUE,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    Int,
    Mod,
    Mul,
    Name,
    Relation,
    Term,
    comparison,
    conjunction,
    product,
)
from dynconstraints.solver.algebra.linear_terms import term_of
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.search.levels import solved_for
from dynconstraints.solver.verdicts import Implied


def without_quotient(
    formulas: Sequence[Formula], name: str, kept: Collection[str], aside: Sequence[Formula], limit: int = RLIMIT
) -> tuple[Formula, ...] | None:
    """What the formulas say of the kept names, exactly; None where no equation makes the name a quotient of these.

    The name is the only one that is not kept; ``aside`` holds, too, and has none but kept names.
    """
    parts = [part for formula in formulas for part in conjuncts(formula)]
    for place, part in enumerate(parts):
        found = _as_product(part, name, kept) or _as_polynomial(part, name, kept)
        if found is None:
            continue
        dividend, divisor = found
        others = [*parts[:place], *parts[place + 1 :]]
        image: dict[str, Term] = {name: FloorDiv(dividend, divisor)}
        divided = (
            comparison(Mod(dividend, divisor), Relation.EQ, Int(0)),
            *(substitute(other, image) for other in others),
        )
        if _is_never_zero(divisor, aside, limit):
            return divided
        if not any(names(other) - {name} for other in others) and isinstance(Portfolio(others).model(limit), dict):
            zero = comparison(divisor, Relation.EQ, Int(0))
            return (Choice(zero, comparison(dividend, Relation.EQ, Int(0)), conjunction(divided) if divided else TRUE),)
    return None


def _as_product(part: Formula, name: str, kept: Collection[str]) -> tuple[Term, Term] | None:
    """Dividend and divisor of an equation one side of which is a product with the name as a factor."""
    match part:
        case Compare((left, right), (Relation.EQ,)):
            for whole, other in ((left, right), (right, left)):
                factors = whole.factors if isinstance(whole, Mul) else ()
                rest = tuple(factor for factor in factors if factor != Name(name))
                if len(rest) == len(factors) - 1 and names(product(rest)) | names(other) <= set(kept):
                    return other, product(rest)
    return None


def _as_polynomial(part: Formula, name: str, kept: Collection[str]) -> tuple[Term, Term] | None:
    """Dividend and divisor of an equation between polynomials."""
    solved = solved_for(part, name)
    if solved is None or not solved[0] or not (solved[0].unknowns | solved[1].unknowns) <= set(kept):
        return None
    sign = 1 if max(solved[0].terms.items())[1] > 0 else -1
    return term_of(solved[1].scaled(-sign)), term_of(solved[0].scaled(sign))


def _is_never_zero(divisor: Term, aside: Sequence[Formula], limit: int) -> bool:
    if isinstance(divisor, Int):
        return divisor.value != 0
    return isinstance(Portfolio(aside).implies(comparison(divisor, Relation.NE, Int(0)), limit), Implied)
