"""`rule`: what a code means."""

from __future__ import annotations

import click

from dynconstraints.cli import catalogue
from dynconstraints.cli.nearest_name import nearest_name
from dynconstraints.cli.options import command
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [code for code in catalogue.codes() if code.startswith(incomplete.upper())]


@command("rule")
@click.argument("code", required=False, shell_complete=_complete)
def rule(session: Session, code: str | None) -> Report:
    """Explain the code of a finding, with an example and its mend; without CODE, list all codes.

    \b
    Example:
      $ dynconstraints rule DC102
    """
    session.log(f"{len(catalogue.codes())} codes are known")
    if code is None:
        return _all()
    known = code.upper()
    if known not in catalogue.codes():
        near = nearest_name(known, catalogue.codes())
        raise click.UsageError(f"there is no code {code!r}" + (f"; did you mean {near}?" if near else ""))
    entry = catalogue.entry(known)
    example = [f"  {line}" for line in entry.failing.splitlines()]
    mended = [f"  {line}" for line in entry.mended.splitlines()]
    lines = [f"{known}: {entry.summary}", "", entry.explanation]
    lines += ["", "For example:", *example] if example else []
    lines += ["", "Mended:", *mended] if mended else []
    result = {"code": known, **catalogue.data(entry)}
    return Report(Outcome.HOLDS, result=result, text="\n".join(lines))


def _all() -> Report:
    summaries = {code: catalogue.entry(code).summary for code in catalogue.codes()}
    lines = (f"{code}  {summary}" for code, summary in summaries.items())
    return Report(Outcome.HOLDS, result={"codes": summaries}, text="\n".join(lines))
