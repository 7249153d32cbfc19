"""`check`: can the constraints be satisfied, and do given values satisfy them?"""

from __future__ import annotations

from collections.abc import Mapping

import click
from typing_extensions import assert_never

from dynconstraints.cli.answers import conflict, shown, undecided, violated, violated_together
from dynconstraints.cli.inputs import assignment_of, collect, require_known
from dynconstraints.cli.options import command, over_constraints
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Int, Name, Relation, comparison
from dynconstraints.system import ConstraintSystem


@command("check")
@over_constraints
@click.option("--assign", multiple=True, metavar="NAME=INT", help="Check these values; repeatable.")
def check(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...], assign: tuple[str, ...]) -> Report:
    """Tell whether any values satisfy the constraints, or whether given ones do.

    \b
    Example:
      $ dynconstraints check "s0 % 32 == 0" "s0 <= 1024" --assign s0=64
      satisfied by s0 = 64
    """
    values = assignment_of(assign)
    system = ConstraintSystem(collect(constraints, sources))
    with session.working(f"checking {len(system)} constraints"):
        return _assigned(session, system, values) if values else _satisfiable(session, system)


def _satisfiable(session: Session, system: ConstraintSystem) -> Report:
    from dynconstraints.solver.verdict import Sat, Unknown, Unsat

    verdict = system.check(session.limit)
    match verdict:
        case Sat(model):
            facts = facts_of(system, session.limit)
            result = {"satisfiable": True, "model": dict(model), "facts": facts.data}
            example = f", for example by {shown(model)}" if model else ""
            return Report(Outcome.HOLDS, result=result, text="\n".join([f"satisfiable{example}", *facts.lines]))
        case Unsat(core):
            return Report(Outcome.FAILS, (conflict(core),), {"satisfiable": False})
        case Unknown(reason):
            return Report(Outcome.UNKNOWN, (undecided(reason, system),), {"satisfiable": None, "reason": reason})
        case _:
            assert_never(verdict)


def _assigned(session: Session, system: ConstraintSystem, values: Mapping[str, int]) -> Report:
    require_known(values, system.symbols)
    broken = system.violations(values)
    if broken:
        near = nearest_to(system, values, session.limit)
        findings = tuple(violated(violation.constraint, violation.values, near) for violation in broken)
        result = {"satisfiable": False, "assignment": dict(values), "nearest": near and dict(near)}
        return Report(Outcome.FAILS, findings, result)
    if not system.unbound(values):
        result = {"satisfiable": True, "assignment": dict(values), "model": dict(values)}
        return Report(Outcome.HOLDS, result=result, text=f"satisfied by {shown(values)}")
    return _completed(session, system, values)


def _completed(session: Session, system: ConstraintSystem, values: Mapping[str, int]) -> Report:
    """Whether the names without a value can be given one."""
    from dynconstraints.solver.verdict import Sat, Unknown, Unsat

    given = [Constraint.of(comparison(Name(name), Relation.EQ, Int(value))) for name, value in values.items()]
    verdict = system.extend(given).check(session.limit)
    match verdict:
        case Sat(model):
            rest = {name: value for name, value in model.items() if name not in values}
            text = f"satisfied by {shown(values)}" + (f", for example with {shown(rest)}" if rest else "")
            result = {"satisfiable": True, "assignment": dict(values), "model": dict(model)}
            return Report(Outcome.HOLDS, result=result, text=text)
        case Unsat(core):
            near = nearest_to(system, values, session.limit)
            together = tuple(constraint for constraint in core if constraint not in given)
            findings = (violated_together(together, values, near),)
            result = {"satisfiable": False, "assignment": dict(values), "nearest": near and dict(near)}
            return Report(Outcome.FAILS, findings, result)
        case Unknown(reason):
            return Report(Outcome.UNKNOWN, (undecided(reason, system),), {"satisfiable": None, "reason": reason})
        case _:
            assert_never(verdict)
