"""What the commands have in common: their options, their constraints, and the way from errors to a report."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from dynconstraints.cli.config import COLORS, MOST, Config, ConfigError, nearest
from dynconstraints.cli.formats import FORMATS
from dynconstraints.cli.report import InputError, Outcome, Report
from dynconstraints.cli.session import Session, common_folder, verbosity_of

if TYPE_CHECKING:
    from dynconstraints.system import ConstraintSystem

Body = Callable[..., Report]


def command(name: str) -> Callable[[Body], click.Command]:
    """Make a click command of a function from a session and its parameters to a report.

    The function's docstring is its help. It adds ``--format``, ``--limit`` and their like, and turns what the library
    raises about the user's input into findings.
    """

    def decorate(body: Body) -> click.Command:
        @wraps(body)
        def run(**parameters: Any) -> None:
            session = _session(name, parameters)
            for path in (*parameters.get("constraints", ()), *parameters.get("sources", ())):
                if path == "-" or path.endswith((".dync", ".smt2", ".py")):
                    session.log(f"reading {'standard input' if path == '-' else path}")
            raise click.exceptions.Exit(session.deliver(answer(body, session, parameters)))

        decorated: Any = run
        for option in reversed(_OPTIONS):
            decorated = option(decorated)
        return click.command(name, context_settings={"help_option_names": ["-h", "--help"]})(decorated)

    return decorate


_OPTIONS = (
    click.option("--format", type=click.Choice(FORMATS), help="How to write the findings.  [default: text]"),
    click.option("--color", type=click.Choice(COLORS), help="Colour the text format.  [default: auto]"),
    click.option("--limit", type=click.IntRange(1, MOST), metavar="N", help="Resource units for one solver query."),
    click.option("--isolated", is_flag=True, help="Ignore every pyproject.toml."),
    click.option("--exit-zero", is_flag=True, default=None, help="Exit with 0 where it would be 1."),
    click.option("-q", "--quiet", is_flag=True, help="Write findings only."),
    click.option("-v", "--verbose", is_flag=True, help="Tell on standard error what is read and used."),
)


def complete_files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Leave it to the shell: it knows the files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def over_constraints(function: Any) -> Any:
    """Let the command take constraints: texts, files that end in .dync or .smt2, ``-``, and ``--from``."""
    function = click.option(
        "--from",
        "sources",
        multiple=True,
        metavar="FILE",
        shell_complete=complete_files,
        help="Take the constraints from a Python source, which is not run, or a .dync or .smt2 file; repeatable.",
    )(function)
    metavar = "[CONSTRAINT|FILE.dync|-]..."
    return click.argument("constraints", nargs=-1, metavar=metavar, shell_complete=complete_files)(function)


def _session(name: str, parameters: dict[str, Any]) -> Session:
    def given(key: str) -> Any:
        return parameters.pop(key)

    isolated, verbosity = given("isolated"), verbosity_of(given("quiet"), given("verbose"))
    config = Config()
    if not isolated:
        try:
            config = nearest(common_folder(parameters.get("paths", ())))
        except ConfigError as error:
            raise click.UsageError(str(error)) from None
    chosen = {key: given(key) for key in ("format", "color", "limit", "exit_zero")}
    settings = {key: getattr(config, key) if value is None else value for key, value in chosen.items()}
    session = Session(command=name, verbosity=verbosity, config=config, **settings)
    session.log(f"settings from {config.path}" if config.path else "settings are the defaults")
    return session


def require_consistent(system: ConstraintSystem, limit: int | None) -> None:
    """Raises InconsistentConstraintsError where no values satisfy the constraints; of such a set everything follows."""
    from dynconstraints.solver.verdicts import Unsat

    if isinstance(system.check(limit), Unsat):
        raise system.inconsistency(limit)


def answer(body: Body, session: Session, parameters: dict[str, Any]) -> Report:
    """The report of the command; what the library raises about the input is one too."""
    from dynconstraints.diagnostics.errors import (
        ConstraintError,
        InconsistentConstraintsError,
        SolverLimitError,
    )

    try:
        return body(session, **parameters)
    except InputError as refusal:
        return Report(Outcome.INVALID, refusal.findings)
    except InconsistentConstraintsError as error:
        return Report(Outcome.FAILS, (error.diagnostic,))
    except SolverLimitError as error:
        return Report(Outcome.UNKNOWN, (error.diagnostic,))
    except ConstraintError as error:
        return Report(Outcome.INVALID, (error.diagnostic,))
