"""`check`: can the constraints be satisfied, and do given values satisfy them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from dynconstraints.cli.answers import example, shown, undecided, violated_together
from dynconstraints.cli.facts_text import known_of
from dynconstraints.cli.inputs import assignment_of, collect, require_known
from dynconstraints.cli.options import command, over_constraints
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import InconsistentConstraintsError, SolverLimitError
from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Relation, comparison
from dynconstraints.ir.printer import show
from dynconstraints.solver.reals.literals import literal
from dynconstraints.system import ConstraintSystem


@command("check")
@over_constraints
@click.option("--assign", multiple=True, metavar="NAME=VALUE", help="Check these values; repeatable.")
def check(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...], assign: tuple[str, ...]) -> Report:
    """Tell whether any values satisfy the constraints.

    Without --assign, shows an example and what follows for each name, or a minimal conflict. With it, checks those
    values: names left without a value may have any.

    \b
    Example:
      $ dynconstraints check "s0 % 32 == 0" "s0 <= 1024" --assign s0=64
      satisfied by s0 = 64
    """
    system = ConstraintSystem(collect(constraints, sources))
    values = assignment_of(assign, system.reals)
    with session.working(f"checking {len(system)} constraints"):
        return _assigned(session, system, values) if values else _satisfiable(session, system)


def _satisfiable(session: Session, system: ConstraintSystem) -> Report:
    from dynconstraints.solver.verdicts import Sat, Unknown, Unsat

    verdict = system.check(session.limit)
    match verdict:
        case Sat(model):
            return _with_facts(system, model, session.limit)
        case Unsat():
            return Report(Outcome.FAILS, (system.inconsistency(session.limit).diagnostic,), {"satisfiable": False})
        case Unknown(reason):
            return Report(Outcome.UNKNOWN, (undecided(reason, system),), {"satisfiable": None, "reason": reason})
        case _:
            assert_never(verdict)


_MOST_NAMES = 16
"""Facts of more names would take longer than the answer itself; `facts` gives them where they are asked for."""


def _with_facts(system: ConstraintSystem, model: Mapping[str, int], limit: int | None) -> Report:
    such_as = f", for example by {example(model)}" if model else ""
    if len(system.symbols) > _MOST_NAMES:
        result = {"satisfiable": True, "model": dict(model)}
        return Report(Outcome.HOLDS, result=result, text=f"satisfiable{such_as}", text_is_prose=True)
    facts = system.facts(limit)
    known, equalities = known_of(facts, system.reals), list(map(show, facts.equalities))
    lines = [f"  {line}" for line in (*(line for one in known for line in one.lines()), *equalities)]
    data = {"facts": [one.data() for one in known], "equalities": equalities}
    return Report(
        Outcome.HOLDS,
        result={"satisfiable": True, "model": dict(model), **data},
        text="\n".join([f"satisfiable{such_as}", *lines]),
        text_is_prose=True,
    )


def _assigned(session: Session, system: ConstraintSystem, values: Mapping[str, int]) -> Report:
    require_known(values, system.symbols)
    violation = system.violation(values, session.limit)
    if violation is not None:
        return _broken(session, system, values, lambda _near: violation.diagnostic)
    if not system.unbound(values):
        result = {"satisfiable": True, "assignment": dict(values), "model": dict(values)}
        return Report(Outcome.HOLDS, result=result, text=f"satisfied by {shown(values)}", text_is_prose=True)
    return _completed(session, system, values)


def _completed(session: Session, system: ConstraintSystem, values: Mapping[str, int]) -> Report:
    """Whether the names without a value can be given one."""
    from dynconstraints.solver.verdicts import Sat, Unknown, Unsat

    given = [Constraint.of(comparison(Name(name), Relation.EQ, literal(value))) for name, value in values.items()]
    verdict = system.extend(given).check(session.limit)
    match verdict:
        case Sat(model):
            rest = {name: value for name, value in model.items() if name not in values}
            text = f"satisfied by {shown(values)}" + (f", for example with {example(rest)}" if rest else "")
            result = {"satisfiable": True, "assignment": dict(values), "model": dict(model)}
            return Report(Outcome.HOLDS, result=result, text=text, text_is_prose=True)
        case Unsat(core):
            together = tuple(constraint for constraint in core if constraint not in given)
            return _broken(session, system, values, lambda near: violated_together(together, values, near))
        case Unknown(reason):
            return Report(Outcome.UNKNOWN, (undecided(reason, system),), {"satisfiable": None, "reason": reason})
        case _:
            assert_never(verdict)


def _broken(
    session: Session,
    system: ConstraintSystem,
    values: Mapping[str, int],
    finding: Callable[[Mapping[str, int] | None], Diagnostic],
) -> Report:
    try:
        near: dict[str, int] | None = system.nearest(values, session.limit)
    except (InconsistentConstraintsError, SolverLimitError):
        near = None
    result = {"satisfiable": False, "assignment": dict(values), "nearest": near}
    return Report(Outcome.FAILS, (finding(near),), result)
