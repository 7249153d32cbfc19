"""`minimize`: which constraints say nothing new."""

from __future__ import annotations

from dynconstraints.cli.inputs import collect
from dynconstraints.cli.options import command, over_constraints
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.system import ConstraintSystem


@command("minimize")
@over_constraints
def minimize(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...]) -> Report:
    """Leave out the constraints that follow from the others, and say from which.

    \b
    Example:
      $ dynconstraints minimize "s0 % 32 == 0" "s0 % 16 == 0"
      s0 % 32 == 0
      left out: s0 % 16 == 0, which follows from s0 % 32 == 0
    """
    system = ConstraintSystem(collect(constraints, sources))
    with session.working(f"minimizing {len(system)} constraints"):
        smaller = system.minimize(session.limit)
    return Report(Outcome.HOLDS)
