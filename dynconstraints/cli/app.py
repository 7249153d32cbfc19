"""The group of commands, and the run of one of them from ``sys.argv`` to the exit code."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import NoReturn

import click

from dynconstraints import __version__
from dynconstraints.cli.nearest_name import nearest_name

COMMANDS = ("check", "implies", "facts", "sample", "nearest", "minimize", "project", "explain", "lint", "emit", "rule")

_LONGEST = 1_000
"""Characters of a message about the use of a command; one that lists choices has some hundreds."""


class Commands(click.Group):
    """The commands by name; each module is imported when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click passes it
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click passes it
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"dynconstraints.cli.commands.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names. Raises UsageError with the one that was perhaps meant."""
        near = None if args[0] in COMMANDS else nearest_name(args[0], COMMANDS)
        if near:
            raise click.UsageError(f"there is no command {args[0]!r}; did you mean {near!r}?", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dynconstraints")
def group() -> None:
    """Say once what your dynamic sizes satisfy; learn what follows and what conflicts.

    Constraints are given as texts, as files that end in .dync or .smt2, as - for standard input, or with --from.
    Put -- before a constraint that starts with a dash.

    \b
    Example:
      $ dynconstraints check "s0 % 32 == 0" "32 <= s0 <= 1024"

    \b
    Exit codes:
      0  it holds: satisfiable, implied, clean
      1  it does not: a conflict, a violation, refuted, open, findings
      2  the command or a constraint cannot be read
      3  not decided within the limit

    \b
    Completion, in the start-up file of your shell:
      bash  eval "$(_DYNCONSTRAINTS_COMPLETE=bash_source dynconstraints)"
      zsh   eval "$(_DYNCONSTRAINTS_COMPLETE=zsh_source dynconstraints)"
      fish  _DYNCONSTRAINTS_COMPLETE=fish_source dynconstraints | source
    """


def _fitted(error: click.UsageError) -> click.UsageError:
    """The error with a message that repeats no more of an argument than can be read, in lines that fit a terminal."""
    message = error.format_message()
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
    if sys.stderr is not None and sys.stderr.isatty():
        from dynconstraints.cli.session import columns
        from dynconstraints.diagnostics.wrapping import wrapped

        message = wrapped(message, columns(), 2, first=len("Error: "))
    return click.UsageError(message, error.ctx)


def run() -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the caller
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # texts from files may be anything
    try:
        code = group.main(prog_name="dynconstraints", standalone_mode=False)
    except click.UsageError as error:
        _fitted(error).show()
        if isinstance(error, click.NoSuchOption):
            click.echo("Put -- before a constraint that starts with a dash.", err=True)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    gc.freeze()  # what is left goes with the process; looking through it once more would take a tenth of a short run
    sys.exit(code)
