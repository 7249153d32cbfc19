"""`sample`: assignments that satisfy the constraints."""

from __future__ import annotations

import click

from dynconstraints.cli.answers import shown, undecided
from dynconstraints.cli.inputs import collect
from dynconstraints.cli.options import command, over_constraints, require_consistent
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.system import ConstraintSystem


@command("sample")
@click.argument("number", type=click.IntRange(min=1), metavar="N")
@over_constraints
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same assignments.")
def sample(session: Session, number: int, constraints: tuple[str, ...], sources: tuple[str, ...], seed: int) -> Report:
    """Give N assignments that satisfy the constraints.

    Fewer where there are no more. They reach the ends of the ranges before they are random.

    \b
    Example:
      $ dynconstraints sample 1 "s0 % 32 == 0" "64 <= s0 <= 80"
      s0 = 64
    """
    from dynconstraints.solver.verdicts import Unknown

    system = ConstraintSystem(collect(constraints, sources))
    with session.working(f"looking for {number} assignments"):
        require_consistent(system, session.limit)
        found = [dict(assignment) for assignment in system.sample(number, seed=seed, limit=session.limit)]
    verdict = system.check(session.limit)
    if not found and isinstance(verdict, Unknown):
        return Report(Outcome.UNKNOWN, (undecided(verdict.reason, system),))
    return Report(
        Outcome.HOLDS,
        result={"assignments": found, "seed": seed},
        text="\n".join(map(shown, found)),
        text_is_prose=True,
    )
