"""Linear elimination: the projection of a set of linear constraints on some of its names.

Equalities and congruences go through the lattice, whose normal form for an order of the names projects by leaving rows
out. Inequalities are then eliminated a parameter at a time by Fourier and Motzkin's method, which is exact over the
integers where of each pair of a lower and an upper bound one has the coefficient 1, or the two are far enough apart
(the dark shadow of W. Pugh, *The Omega test*, Supercomputing 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from dynconstraints.facts.domains.linear_equalities import Lattice, Row
from dynconstraints.facts.domains.linear_forms import Affine, linear_facts
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import (
    FALSE,
    Add,
    And,
    Compare,
    Formula,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Relation,
    comparison,
    total,
)
from dynconstraints.solver.algebra.linear_terms import term_of
from dynconstraints.solver.algebra.polynomial import Monomial, Polynomial
from dynconstraints.solver.algebra.positivity import tightened
from dynconstraints.solver.limits import ELIMINATED_INEQUALITIES
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.tableau.lower_terms import difference
from dynconstraints.solver.tableau.nnf import normal


def fourier_motzkin(portfolio: Portfolio, kept: Sequence[str]) -> tuple[tuple[Formula, ...], bool] | None:
    """Formulas over the kept names that hold wherever those of the portfolio do, and whether they are exact."""
    lattice = portfolio.facts.lattice
    if lattice is None:
        return (FALSE,), True
    order = [*kept, *(name for name in portfolio.names if name not in kept)]
    rows = lattice.parametrise(order)
    images = {row.name: _polynomial(row.affine) for row in rows}
    inequalities, complete = _inequalities(portfolio)
    pending = [tightened(p.substituted(images)) for p in inequalities]
    for name in reversed(order[len(kept) :]):
        eliminated = _eliminate(name, pending)
        if eliminated is None:
            return None
        pending, exact = eliminated
        complete &= exact
    if any(p.is_constant and p.value < 0 for p in pending):
        return (FALSE,), True
    back, denominators = _parameters(rows, kept)
    formulas = [
        formula for row in rows[: len(kept)] if (formula := _row(row.name, row.affine, row.divisor, back, denominators))
    ]
    formulas.extend(_formula(p, back, denominators) for p in pending if not p.is_constant)
    return tuple(formulas), complete


def equations(lattice: Lattice, names: Sequence[str]) -> tuple[Formula, ...]:
    """The equations of the names that are determined by those before them, which are not constants."""
    rows = lattice.parametrise(names)
    back, denominators = _parameters(rows, names)
    return tuple(
        formula
        for row in rows
        if not row.divisor and row.coefficients
        if (formula := _row(row.name, row.affine, 0, back, denominators)) is not None
    )


def _polynomial(affine: Affine) -> Polynomial:
    return Polynomial({(): affine.constant, **{(name,): c for name, c in affine.coefficients}})


def _inequalities(portfolio: Portfolio) -> tuple[list[Polynomial], bool]:
    """The linear inequalities among the conjuncts, and whether they and the lattice say all that the formulas say."""
    found: list[Polynomial] = []
    complete = True
    for formula in portfolio.formulas:
        whole = normal(formula)
        for part in whole.operands if isinstance(whole, And) else (whole,):
            inequality = _inequality(part)
            if inequality is not None:
                found.append(inequality)
            else:
                complete &= _is_linear_fact(part)
    return found, complete


def _inequality(formula: Formula) -> Polynomial | None:
    match formula:
        case Compare((left, right), (relation,)) if relation not in (Relation.EQ, Relation.NE):
            pass
        case _:
            return None
    ahead = difference(right, left)
    if ahead is None or not ahead.is_linear:
        return None
    match relation:
        case Relation.LT:
            return ahead - 1
        case Relation.LE:
            return ahead
        case Relation.GT:
            return -ahead - 1
        case _:
            return -ahead


def _is_linear_fact(formula: Formula) -> bool:
    """Whether the lattice has all of it: an equation or a congruence between affine forms, and nothing else."""
    match formula:
        case Compare((left, right), (Relation.EQ,)):
            pass
        case _:
            return False
    facts = linear_facts(formula)
    plain = Int | Name | Neg | Add | Mul
    if all(isinstance(n, plain) for side in (left, right) for n in walk(side)):
        return bool(facts.equalities)
    match left, right:
        case Mod(dividend, Int(m)), Int(r):
            moduli = {modulus for _, modulus in facts.congruences}  # products of names may leave a divisor of m
            return m > r >= 0 and all(isinstance(n, plain) for n in walk(dividend)) and (m == 1 or moduli == {m})
        case _:
            return False


def _eliminate(name: str, inequalities: list[Polynomial]) -> tuple[list[Polynomial], bool] | None:
    lower = [p for p in inequalities if p.terms.get((name,), 0) > 0]
    upper = [p for p in inequalities if p.terms.get((name,), 0) < 0]
    rest = [p for p in inequalities if (name,) not in p.terms]
    if len(lower) * len(upper) + len(rest) > ELIMINATED_INEQUALITIES:
        return None
    exact = True
    for low in lower:
        for high in upper:
            a, b = low.terms[name,], -high.terms[name,]
            shadow = low.scaled(b) + high.scaled(a)
            exact &= _least(shadow) >= (a - 1) * (b - 1)  # the dark shadow: an integer is between the two bounds
            rest.append(tightened(shadow))
    return list(dict.fromkeys(p for p in rest if not (p.is_constant and p.value >= 0))), exact


def _least(p: Polynomial) -> int:
    """The least value that is not negative, of those that the polynomial may have by its coefficients."""
    step = gcd(*(c for m, c in p.terms.items() if m))
    return p.value % step if step else p.value


def _parameters(rows: Sequence[Row], kept: Sequence[str]) -> tuple[dict[str, Polynomial], dict[str, int]]:
    """For each parameter of the kept names, ``denominator * parameter`` as a polynomial over the names."""
    back: dict[str, Polynomial] = {}
    denominators: dict[str, int] = {}
    for row in rows[: len(kept)]:
        if not row.divisor:
            continue
        scale = 1
        for name, _ in row.coefficients:
            scale = scale * denominators[name]
        image = (Polynomial.unknown(row.name) - row.constant).scaled(scale)
        for name, c in row.coefficients:
            image = image - back[name].scaled(c * scale // denominators[name])
        back[row.name], denominators[row.name] = image, scale * row.divisor
    return back, denominators


def _formula(inequality: Polynomial, back: dict[str, Polynomial], denominators: dict[str, int]) -> Formula:
    """``inequality >= 0`` over the names."""
    over_names = tightened(_over_names(inequality, back, denominators)[0])
    left = term_of(Polynomial({m: c for m, c in over_names.terms.items() if m and c > 0}))
    right = term_of(Polynomial({m: -c for m, c in over_names.terms.items() if m and c < 0}))
    c = over_names.value
    if left == Int(0):
        return comparison(right, Relation.LE, Int(c))
    if right == Int(0):
        return comparison(left, Relation.GE, Int(-c))
    return comparison(total((left, Int(c))) if c else left, Relation.GE, right)


def _row(
    name: str, affine: Affine, divisor: int, back: dict[str, Polynomial], denominators: dict[str, int]
) -> Formula | None:
    """What the row says about its name: an equation where it is determined, else a congruence, or nothing."""
    coefficients: dict[Monomial, int] = {(n,): c for n, c in affine.coefficients if n != name or not divisor}
    others = Polynomial({(): affine.constant, **coefficients})
    image, scale = _over_names(others, back, denominators)
    if not divisor:
        common = gcd(scale, *image.terms.values())
        left, right = (
            Polynomial({(name,): scale // common}),
            Polynomial({m: c // common for m, c in image.terms.items()}),
        )
        return comparison(term_of(left), Relation.EQ, term_of(right))
    if divisor == 1:
        return None
    apart = Polynomial({(name,): scale}) - image
    modulus = divisor * scale
    if scale == 1:
        image = Polynomial({m: c % divisor for m, c in image.terms.items()})
        if image.is_constant:
            return comparison(Mod(Name(name), Int(divisor)), Relation.EQ, Int(image.value))
        apart = Polynomial({(name,): 1}) - image
    return comparison(Mod(term_of(apart), Int(modulus)), Relation.EQ, Int(0))


def _over_names(p: Polynomial, back: dict[str, Polynomial], denominators: dict[str, int]) -> tuple[Polynomial, int]:
    """``scale * p`` over the names, and the scale, which is positive."""
    scale = 1
    for name in sorted(p.unknowns):
        scale *= denominators[name]
    image = Polynomial.constant(p.value * scale)
    for monomial, c in p.terms.items():
        if monomial:
            image = image + back[monomial[0]].scaled(c * scale // denominators[monomial[0]])
    return image, scale
