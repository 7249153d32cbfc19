"""`emit`: the constraints in another language."""

from __future__ import annotations

import click

from dynconstraints.cli.inputs import collect
from dynconstraints.cli.options import command, over_constraints
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.cli.translations import TRANSLATIONS
from dynconstraints.system import ConstraintSystem


@command("emit")
@over_constraints
@click.option("--to", "language", type=click.Choice(tuple(TRANSLATIONS)), required=True, help="The language.")
def emit(session: Session, constraints: tuple[str, ...], sources: tuple[str, ...], language: str) -> Report:
    """Write the constraints in another language.

    \b
      smtlib  a script for any SMT solver, which ends in (check-sat)
      sympy   a Python source that builds them of sympy's nodes
      python  a Python function from values to bool
      json    the syntax trees

    \b
    Example:
      $ dynconstraints emit --to python "s0 % 32 == 0"
      def holds(s0, /):
          return s0 % 32 == 0
    """
    system = ConstraintSystem(collect(constraints, sources))
    with session.working(f"writing {len(system)} constraints"):
        text = TRANSLATIONS[language](system)
    return Report(Outcome.HOLDS, result={"to": language, "text": text}, text=text)
