"""The errors for values that break constraints and for sets that nothing satisfies, in the user's own text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintViolationError, InconsistentConstraintsError, SolverLimitError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import conjuncts, substitute_term, walk
from dynconstraints.ir.functions import all_requirements
from dynconstraints.ir.nodes import Compare, Formula, Int, Name, Real, Relation, Term
from dynconstraints.ir.printer import show
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.solver.limits import EXPLAINED_CONDITIONS, RLIMIT, SHOWN_PARTS
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.nearest import either_side, nearest
from dynconstraints.solver.reals.intervals import Interval
from dynconstraints.solver.reals.literals import Number, literal, shown
from dynconstraints.solver.reals.reals import Reals, of_floats


def violation(
    portfolio: Portfolio | Reals, broken: Sequence[Constraint], values: Mapping[str, int], limit: int = RLIMIT
) -> ConstraintViolationError:
    """DC301: the values break these constraints, one or more; what the parts come to, and the nearest legal values."""
    labels = tuple(constraint.label(known(constraint, values)) for constraint in broken)
    message = "; ".join(constraint.line for constraint in broken)
    help_ = (text,) if (text := advice(portfolio, broken, values, limit)) else ()
    return ConstraintViolationError(
        Diagnostic("DC301", f"constraint violated: {message}", labels, help=help_), broken[0], values
    )


def inconsistency(core: Sequence[Constraint]) -> InconsistentConstraintsError:
    """DC201: nothing satisfies these constraints, of which none can be left out."""
    if len(core) == 1:
        message, help_ = "no values satisfy this constraint", "fix it, or remove it"
    else:
        message = f"no values satisfy these {len(core)} constraints together"
        help_ = "leave out or change one of them: without any one of them the others can be satisfied"
    zero = zero_divisors(core)
    labels = tuple(
        constraint.label("this divisor can only be 0", zero[constraint].span)
        if constraint in zero
        else constraint.label()
        for constraint in core
    )
    notes = ("what is divided by 0 has no value, and no comparison with it holds",) if zero else ()
    return InconsistentConstraintsError(Diagnostic("DC201", message, labels, notes, (help_,)), tuple(core))


def known(constraint: Constraint, values: Mapping[str, int]) -> str:
    """What is known at a broken constraint: ``s0 = 65, and 65 % 32 = 1``."""
    bound = [f"{name} = {values[name]}" for name in constraint.symbols]
    parts = list(dict.fromkeys(_parts(constraint.formula, values)))[:SHOWN_PARTS]
    return ", ".join(bound) + (f", and {', '.join(parts)}" if parts else "")


def advice(
    portfolio: Portfolio | Reals, broken: Sequence[Constraint], values: Mapping[str, int], limit: int = RLIMIT
) -> str | None:
    """The nearest legal values in words; None where they are not found, or there are none."""
    names = tuple(dict.fromkeys(name for constraint in broken for name in constraint.symbols))
    if isinstance(portfolio, Reals):
        return _real(portfolio, names, values, limit)
    try:
        if len(names) == 1 and (text := _single(portfolio, names[0], values, limit)):
            return text
        near = nearest(portfolio, values, limit)
    except SolverLimitError:
        return None
    if near is None:
        return None
    changed = ", ".join(f"{name} = {near[name]}" for name in values if near[name] != values[name])
    return f"the nearest values that satisfy every constraint: {changed}"


def _single(portfolio: Portfolio, name: str, values: Mapping[str, int], limit: int) -> str | None:
    ends = [end for end in either_side(portfolio, values, name, limit) if end is not None]
    if not ends:
        return None
    if len(ends) == 1:
        return f"the nearest value that satisfies every constraint on {name} is {ends[0]}"
    return f"the nearest values that satisfy every constraint on {name} are {ends[0]} and {ends[1]}"


def _real(portfolio: Reals, names: Sequence[str], values: Mapping[str, Number], limit: int) -> str | None:
    """Of one name its interval; of several, which may each be in theirs, a change after which all is satisfied."""
    if len(names) == 1:
        interval = portfolio.interval(Name(names[0]), limit)
        return f"{names[0]} has to be in {interval}" if interval not in {None, Interval()} else None
    near = portfolio.nearest({name: values[name] for name in names}, limit)
    floats = of_floats(near, portfolio.formulas) if isinstance(near, dict) else None
    if floats is None:
        return None
    changed = ", ".join(f"{name} = {shown(floats[name])}" for name in names if floats[name] != values[name])
    return f"this, for example, satisfies every constraint: {changed}"


def _parts(formula: Formula, values: Mapping[str, int]) -> Iterator[str]:
    """The sides that are neither literals nor names, worked out one step."""
    sides = [side for node in walk(formula) if isinstance(node, Compare) for side in node.operands]
    for side in sides:
        if not isinstance(side, Int | Real | Name):
            yield f"{_with_values(side, values)} {_result(side, values)}"


def _with_values(term: Term, values: Mapping[str, int]) -> str:
    return show(substitute_term(term, {name: literal(value) for name, value in values.items()}))


def _result(term: Term, values: Mapping[str, int]) -> str:
    value = value_of(term, values)
    return "is undefined" if value is None else f"= {shown(value)}"


def zero_divisors(core: Sequence[Constraint]) -> Mapping[Constraint, Term]:
    """For constraints of a contradictory set: a divisor that is 0 wherever all else in the set holds.

    Only the domains are asked, so one may be missed.
    """
    conditions = [(constraint, part) for constraint in core for part in conjuncts(constraint.formula)]
    if len(conditions) > EXPLAINED_CONDITIONS or speaks_of_reals([part for _, part in conditions], frozenset()):
        return {}
    found: dict[Constraint, Term] = {}
    for constraint, part in conditions:
        others = Portfolio([other for _, other in conditions if other is not part]) if _divisors(part) else None
        if others is None or others.facts.is_empty:
            continue
        for divisor in _divisors(part):
            if others.facts.range_of(divisor) == (0, 0):
                found.setdefault(constraint, divisor)
    return found


def _divisors(formula: Formula) -> list[Term]:
    return [
        need.operands[0]
        for need in all_requirements(formula)
        if isinstance(need, Compare) and need.relations == (Relation.NE,)
    ]
