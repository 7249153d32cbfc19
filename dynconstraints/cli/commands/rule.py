"""`rule`: what a code means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from dynconstraints.cli.nearest_name import nearest_name
from dynconstraints.cli.options import command
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session, columns
from dynconstraints.diagnostics import catalogue


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [code for code in catalogue.codes() if code.startswith(incomplete.upper())]


@command("rule")
@click.argument("code", required=False, shell_complete=_complete)
def rule(session: Session, code: str | None) -> Report:
    """Explain the code of a finding.

    With an example and its fix. Without CODE, lists all codes.

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
    return Report(Outcome.HOLDS, result=asdict(entry), text="\n".join(_lines(entry)), text_is_prose=True)


def _lines(entry: catalogue.Entry) -> Iterator[str]:
    yield f"{entry.code}: {entry.name}"
    yield from _part("", _reflowed(entry.summary))
    yield from _part("", _reflowed(entry.explanation))
    yield from _part("Refused:", entry.failing)
    yield from _part("", entry.says)
    yield from _part("Mended:", entry.mended)


def _reflowed(text: str) -> str:
    """The paragraphs as wide as the terminal, and no wider than reads well."""
    return click.wrap_text(text, min(columns(), 100), preserve_paragraphs=True)


def _part(title: str, text: str) -> Iterator[str]:
    if text:
        yield ""
    if text and title:
        yield title
    yield from (f"  {line}" if line and title else line for line in text.splitlines())


def _all() -> Report:
    summaries = {code: catalogue.entry(code).summary for code in catalogue.codes()}
    lines = (f"{code}  {summary}" for code, summary in summaries.items())
    return Report(Outcome.HOLDS, result={"codes": summaries}, text="\n".join(lines), text_is_prose=True)
