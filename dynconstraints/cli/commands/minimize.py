"""`minimize`: which constraints say nothing new."""

from __future__ import annotations

from dynconstraints.cli.answers import redundant
from dynconstraints.cli.inputs import collect
from dynconstraints.cli.options import command, over_constraints, require_consistent
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.system import ConstraintSystem


@command("minimize")
@over_constraints
def minimize(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...]) -> Report:
    """Leave out the constraints that say nothing new.

    What is left goes to standard output, one constraint a line, and can be kept as a .dync file. What is left out,
    and what it follows from, goes to standard error. Exit code 0: nothing is. 1: something is.

    \b
    Example:
      $ dynconstraints minimize "s0 % 32 == 0" "s0 % 16 == 0" "s0 > 0"
      s0 % 32 == 0
      s0 > 0
    """
    system = ConstraintSystem(collect(constraints, sources))
    with session.working(f"minimizing {len(system)} constraints"):
        require_consistent(system, session.limit)
        smaller = system.minimize(session.limit)
    kept = [constraint.line for constraint in smaller.system]
    dropped = [
        {"constraint": one.constraint.line, "follows_from": [cause.line for cause in one.follows_from]}
        for one in smaller.dropped
    ]
    return Report(
        Outcome.FAILS if dropped else Outcome.HOLDS,
        tuple(redundant(one.constraint, one.follows_from) for one in smaller.dropped),
        {"kept": kept, "dropped": dropped},
        "\n".join(kept),
        text_is_piped=True,
    )
