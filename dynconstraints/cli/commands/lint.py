"""`lint`: constraint strings in sources, looked over without running the sources."""

from __future__ import annotations

import os
from collections import Counter

import click

from dynconstraints.cli.answers import UNDECIDED, counted
from dynconstraints.cli.lint.look import look_over
from dynconstraints.cli.lint.walk import files_below
from dynconstraints.cli.options import command, complete_files
from dynconstraints.cli.report import InputError, Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.diagnostics.diagnostic import Diagnostic


@command("lint")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete_files)
@click.option("--syntax-only", is_flag=True, help="Leave contradictions and redundancies to a run without this.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave findings of this code out; repeatable.")
def lint(session: Session, paths: tuple[str, ...], syntax_only: bool, ignore: tuple[str, ...]) -> Report:
    """Look over constraints in Python sources and .dync files.

    Finds the constraints of DynamicInt, DynamicFloat, name_dims, bind, dynamic_int_constraints, ConstraintSystem and
    its extend in the syntax tree; no source is imported or run. Reports syntax errors, contradictions, redundancies,
    and names that look misspelt. Blocks inside one another are put together.

    Also looks at dynamic_shapes with torch's Dims, ShapesSpec, vLLM's support_torch_compile, jaxtyping's annotations
    and JAX's symbolic_shape.

    A comment `# dync: ignore[DC201]` on a line that a finding points at takes it back.

    \b
    Example:
      $ dynconstraints lint src sizes.dync
    """
    missing = [path for path in paths if not os.path.exists(path)]
    if missing:
        raise InputError(*(_missing(path) for path in missing))
    files = tuple(files_below(paths, session.config.exclude))
    left_out = {*ignore, *session.config.ignore}
    findings: list[Diagnostic] = []
    groups, done = 0, 0
    with session.working(lambda: f"looking over {done} of {len(files)} files"):
        for done, path in enumerate(files, start=1):  # noqa: B007  # the sign of life above reads it
            look = look_over(path, syntax_only, session.limit)
            findings += (finding for finding in look.findings if finding.code not in left_out)
            groups += look.groups
            if look.groups:
                session.log(f"{path}: {look.groups} lists of constraints, {look.unread} elements are no literals")
    result = {"files": len(files), "groups": groups, "counts": dict(Counter(f.code for f in findings))}
    return Report(
        _outcome(findings), tuple(findings), result, _summary(findings, len(files), groups), text_is_prose=True
    )


def _outcome(findings: list[Diagnostic]) -> Outcome:
    if all(finding.code == UNDECIDED for finding in findings):
        return Outcome.UNKNOWN if findings else Outcome.HOLDS
    return Outcome.FAILS


def _summary(findings: list[Diagnostic], files: int, groups: int) -> str:
    seen = f"{counted(groups, 'list')} of constraints in {counted(files, 'file')}"
    if not findings:
        return f"clean: {seen}"
    by_severity = Counter(finding.severity for finding in findings)
    parts = [counted(by_severity[one], one) for one in ("error", "warning", "note") if by_severity[one]]
    return f"found {', '.join(parts)} in {seen}"


def _missing(path: str) -> Diagnostic:
    return Diagnostic("DC141", f"there is no file or folder {path}", help=("check the path",))
