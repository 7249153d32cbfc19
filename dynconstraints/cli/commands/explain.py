"""`explain`: does what is compiled for one call serve all that is declared?"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from dynconstraints.cli.inputs import assignment_of, collect, term_in
from dynconstraints.cli.options import command, over_constraints, require_consistent
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.nodes import Term
from dynconstraints.ir.spelling import as_read
from dynconstraints.system import ConstraintSystem

if TYPE_CHECKING:
    from dynconstraints.pytorch.reports.calling import TensorOf
    from dynconstraints.pytorch.reports.report import Report as Explained

_OUTCOMES = {True: Outcome.HOLDS, False: Outcome.FAILS, None: Outcome.UNKNOWN}


@command("explain")
@click.argument("target", metavar="MODULE:FUNCTION")
@over_constraints
@click.option("--assign", multiple=True, metavar="NAME=INT", help="The value of a name in the call; repeatable.")
@click.option(
    "--tensor",
    "tensors",
    multiple=True,
    metavar="PARAMETER=SIZE,...[:DTYPE]",
    help="A tensor for a parameter, its sizes over the names; repeatable.",
)
@click.option("--backend", metavar="NAME", help="Of torch.compile; else that of the function, or Inductor.")
@click.option("--save", metavar="FILE", help="Write the report, as the name ends: .html, .json or .txt.")
def explain(
    session: Session,
    target: str,
    constraints: tuple[str, ...],
    sources: tuple[str, ...],
    assign: tuple[str, ...],
    tensors: tuple[str, ...],
    backend: str | None,
    save: str | None,
) -> Report:
    """Tell whether one compiled call serves all that is declared.

    The module is imported, from the working directory too, and the function is run. A parameter that is named like a
    value of --assign is that value. Needs torch.

    \b
    Example:
      $ dynconstraints explain program:rows "1<n<99" --assign n=9 --tensor "x=8*n"
    """
    system = ConstraintSystem(collect(constraints, sources) if constraints or sources else ())
    values = assignment_of(assign, system.reals)
    require_consistent(system, session.limit)
    violation = system.violation(values, session.limit)
    if violation is not None:
        return Report(Outcome.INVALID, (violation.diagnostic,))
    described = dict(_described(tensors))
    from dynconstraints.pytorch.declarations.scope import dynamic_int_constraints
    from dynconstraints.pytorch.reports.calling import CallError, call_of
    from dynconstraints.pytorch.reports.explain import explained

    function = _function(target)
    with session.working(f"compiling {target}"), dynamic_int_constraints(system):
        try:
            args, kwargs = call_of(function, values, described)
        except CallError as error:
            raise click.UsageError(str(error)) from None
        try:
            report = explained(function, [(args, kwargs)], backend)
        except ConstraintError:
            raise
        except Exception as error:  # whatever the user's program raises
            raise click.UsageError(f"{target} fails for this call: {_plain(error, function, args, kwargs)}") from None
    if save is not None:
        _save(report, save)
    findings = () if session.format in ("text", "json") else tuple(_findings(report))
    return Report(_OUTCOMES[report.covers_domain], findings, report.as_data(), str(report), text_is_prose=True)


def _plain(error: Exception, function: Any, args: Any, kwargs: Any) -> str:
    """What went wrong in a line, as the function itself says it where it fails without the compiler too."""
    try:
        function(*args, **kwargs)
    except Exception as own:  # whatever the user's program raises
        error = own
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _function(target: str) -> Any:
    """What is called ``MODULE:FUNCTION``. Raises UsageError."""
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise click.UsageError(f"write the function as MODULE:FUNCTION, and not {target!r}")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever the user's module raises
        raise click.UsageError(f"{target} cannot be had: {type(error).__name__}: {error}") from None
    finally:
        sys.path.remove(os.getcwd())
    if isinstance(found, type):
        raise click.UsageError(f"{target} is a class: name a function, or an object that the module makes of the class")
    if not callable(found):
        raise click.UsageError(f"{target} is no function: it is of type {type(found).__name__}")
    return found


def _described(tensors: Iterable[str]) -> Iterator[tuple[str, TensorOf]]:
    from dynconstraints.pytorch.reports.calling import TensorOf

    for text in tensors:
        name, equals, rest = text.partition("=")
        sizes, _, dtype = rest.partition(":")
        terms = [_size(part, text) for part in _parts(sizes)]
        if not equals or not name.strip().isidentifier():
            raise click.UsageError(f"write a tensor as PARAMETER=SIZE,... such as x=2,h,w:int64, and not {text!r}")
        yield as_read(name.strip()), TensorOf(tuple(terms), dtype.strip() or "float32")


def _parts(sizes: str) -> list[str]:
    """The sizes between the commas that are in no parentheses; none of an empty text, a tensor without dimensions."""
    depth, parts = 0, [""]
    for piece in re.split(r"([(),])", sizes):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts if sizes.strip() else []


def _size(part: str, text: str) -> Term:
    term = term_in(part)
    if term is None:
        raise click.UsageError(f"{part.strip() or 'an empty size'} in {text!r} is no expression over names")
    return term


def _save(report: Explained, path: str) -> None:
    try:
        report.save(path)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"the report cannot be saved: {error}") from None


def _findings(report: Explained) -> Iterator[Diagnostic]:
    """The conditions beyond the declaration, for formats that know findings alone."""
    for graph in report.graphs:
        for remaining in graph.remaining:
            code = "DC502" if remaining.specialises is None else "DC501"
            where = () if remaining.line is None else (f"it comes from {remaining.line}",)
            rule = (f"declare it ({remaining.condition}), or change the line that requires it",)
            message = f"the program serves only a part of the declaration: {remaining.condition}"
            yield Diagnostic(code, message, notes=where, help=rule, severity="warning")
