"""`facts`: what follows from the constraints for their names, or for expressions."""

from __future__ import annotations

from dynconstraints.cli.facts_text import Known, known_of
from dynconstraints.cli.inputs import collect, require_known, term_in
from dynconstraints.cli.options import command, over_constraints, require_consistent
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.ir.fold import names_in_order
from dynconstraints.ir.nodes import Term
from dynconstraints.ir.printer import show
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.system import ConstraintSystem


@command("facts")
@over_constraints
def facts(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...]) -> Report:
    """Tell the ranges and remainders of names or expressions.

    The expressions are the arguments that compare nothing, such as s0 or s1 + 3; the constraints are the others.

    \b
    Example:
      $ dynconstraints facts "s0 % 32 == 0" "40 < s0 < 1000" "s0 + 3"
      67 <= s0 + 3 <= 995
      (s0 + 3) % 32 == 3
    """
    read = {text: term_in(text) for text in constraints}
    terms = tuple(term for term in read.values() if term is not None)
    system = ConstraintSystem(collect((text for text, term in read.items() if term is None), sources))
    require_known((name for term in terms for name in names_in_order(term)), system.symbols)
    with session.working("looking for facts"):
        require_consistent(system, session.limit)
        return _of_terms(session, system, terms) if terms else _of_names(session, system)


def _of_names(session: Session, system: ConstraintSystem) -> Report:
    found = system.facts(session.limit)
    equalities = tuple(map(show, found.equalities))
    return _report(known_of(found, system.reals), equalities)


def _of_terms(session: Session, system: ConstraintSystem, terms: tuple[Term, ...]) -> Report:
    return _report(tuple(_known(system, term, session.limit) for term in terms), ())


def _known(system: ConstraintSystem, term: Term, limit: int | None) -> Known:
    from dynconstraints.solver.limits import RLIMIT
    from dynconstraints.solver.portfolio import Portfolio
    from dynconstraints.solver.queries.bounds import Congruence, congruence_of, range_of

    if speaks_of_reals((*(c.formula for c in system), term), system.reals):
        return Known(term, system.range(term, limit), Congruence(1, 0, is_tight=False), is_real=True)
    portfolio = Portfolio([constraint.formula for constraint in system])
    return Known(term, range_of(portfolio, term, limit or RLIMIT), congruence_of(portfolio, term, limit or RLIMIT))


def _report(known: tuple[Known, ...], equalities: tuple[str, ...]) -> Report:
    lines = [line for one in known for line in one.lines()]
    result = {"facts": [one.data() for one in known], "equalities": list(equalities)}
    return Report(Outcome.HOLDS, result=result, text="\n".join([*lines, *equalities]))
