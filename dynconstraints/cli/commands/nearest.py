"""`nearest`: the legal values closest to given ones."""

from __future__ import annotations

import click

from dynconstraints.cli.answers import shown
from dynconstraints.cli.inputs import assignment_of, collect, is_assignment, require_known
from dynconstraints.cli.options import command, over_constraints
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.system import ConstraintSystem


@command("nearest")
@over_constraints
def nearest(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...]) -> Report:
    """Give the legal values closest to given ones.

    The given values are arguments of the form NAME=INT, the constraints are the others.

    \b
    Example:
      $ dynconstraints nearest s0=65 "s0 % 32 == 0"
      s0 = 64
    """
    given = [text for text in constraints if is_assignment(text)]
    if not given:
        raise click.UsageError("no values: give some in the form NAME=INT, such as s0=65")
    system = ConstraintSystem(collect((text for text in constraints if not is_assignment(text)), sources))
    values = assignment_of(given, system.reals)
    require_known(values, system.symbols)
    with session.working("looking for the nearest values"):
        near = system.nearest(values, session.limit)
    return Report(Outcome.HOLDS, result={"given": values, "nearest": dict(near)}, text=shown(near), text_is_prose=True)
