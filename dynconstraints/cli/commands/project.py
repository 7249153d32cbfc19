"""`project`: what the constraints say about some of their names."""

from __future__ import annotations

import click

from dynconstraints.cli.inputs import collect, is_name, require_known
from dynconstraints.cli.options import command, over_constraints, require_consistent
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.ir.spelling import as_read
from dynconstraints.system import ConstraintSystem

_PERHAPS_MORE = (
    "# perhaps more: not every assignment that satisfies these",
    "# may go with values of the other names",
)


@command("project")
@over_constraints
def project(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...]) -> Report:
    """Give what the constraints say about some names.

    Whatever the other names are. The arguments that are single names say which, the others are the constraints.

    \b
    Example:
      $ dynconstraints project s1 "s1 == 2*s0" "1 <= s0 <= 8"
      s1 % 2 == 0
      s1 >= 2
      s1 <= 16
    """
    names = tuple(dict.fromkeys(as_read(text.strip()) for text in constraints if is_name(text)))
    if not names:
        raise click.UsageError("no names: give those that the answer may speak of, such as s0")
    system = ConstraintSystem(collect((text for text in constraints if not is_name(text)), sources))
    require_known(names, system.symbols)
    with session.working(f"projecting {len(system)} constraints"):
        require_consistent(system, session.limit)
        projected = system.project(names, session.limit)
    texts = [constraint.line for constraint in projected]
    lines = [*texts] or ["# nothing: they may have any values"]
    if not projected.exact:
        lines += [
            "# perhaps more: not every assignment that satisfies these",
            "# may go with values of the other names",
        ]
    result = {"names": list(names), "constraints": texts, "exact": projected.exact}
    return Report(Outcome.HOLDS, result=result, text="\n".join(lines))
