"""`implies`: do the constraints settle a question?"""

from __future__ import annotations

import click

from dynconstraints.cli.answers import left_open, refuted, undecided
from dynconstraints.cli.inputs import collect, one_argument
from dynconstraints.cli.options import command, over_constraints, require_consistent
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.constraint import Constraint
from dynconstraints.system import ConstraintSystem


@command("implies")
@click.argument("query")
@over_constraints
def implies(session: Session, query: str, constraints: tuple[str, ...], sources: tuple[str, ...]) -> Report:
    """Tell whether QUERY follows from the constraints.

    Exit code 0: implied. 1: refuted; or open, with an assignment for which it holds and one for which it fails.

    \b
    Example:
      $ dynconstraints implies "s0 % 16 == 0" "s0 % 32 == 0"
      implied: s0 % 16 == 0
    """
    asked = one_argument(query, "the query")
    system = ConstraintSystem(collect(constraints, sources))
    with session.working("asking the solver"):
        return _answer(session, system, asked)


def _answer(session: Session, system: ConstraintSystem, asked: Constraint) -> Report:
    from dynconstraints.solver.verdicts import Implied, Open, Refuted, Unknown

    verdict = system.implies(asked, session.limit)
    if not isinstance(verdict, Open):
        require_consistent(system, session.limit)
    match verdict:
        case Implied():
            return Report(
                Outcome.HOLDS, result={"verdict": "implied"}, text=f"implied: {asked.line}", text_is_prose=True
            )
        case Refuted():
            return Report(Outcome.FAILS, (refuted(asked),), {"verdict": "refuted"})
        case Open(holds_at, fails_at):
            result = {"verdict": "open", "holds_at": dict(holds_at), "fails_at": dict(fails_at)}
            return Report(Outcome.FAILS, (left_open(asked, holds_at, fails_at),), result)
        case Unknown(reason):
            return Report(Outcome.UNKNOWN, (undecided(reason),), {"verdict": "unknown", "reason": reason})
        case _:
            assert_never(verdict)
