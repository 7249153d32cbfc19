"""One run of a command: its settings, its log, and the delivery of its report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

import click

from dynconstraints.cli.config import Config
from dynconstraints.cli.formats import Format, machine_readable
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.frozen import Frozen


class Session(Frozen):
    """What the options of the command line and the configuration of the project come to.

    ``limit`` counts z3's resource units, None is the solver's own limit; ``verbosity`` is -1 for ``-q``, 1 for ``-v``.
    """

    command: str
    format: Format
    color: str
    limit: int | None
    exit_zero: bool
    verbosity: int
    config: Config

    def log(self, message: str) -> None:
        """Tell it on standard error, under ``-v`` only."""
        if self.verbosity > 0:
            click.echo(f"dynconstraints: {message}", err=True)

    def working(self, what: str | Callable[[], str]) -> AbstractContextManager[None]:
        """Show at a terminal what is being done while the block runs, where that takes over a second."""
        from dynconstraints.cli.progress import working

        return working(what if callable(what) else lambda: what) if self.verbosity >= 0 else nullcontext()

    def exit_code(self, outcome: Outcome) -> int:
        """The exit code; ``--exit-zero`` forgives findings, but neither bad input nor an unknown answer."""
        return 0 if self.exit_zero and outcome is Outcome.FAILS else int(outcome)

    def deliver(self, report: Report) -> int:
        """Write the report in the format asked for, to standard output, and say with which code to exit."""
        code = self.exit_code(report.outcome)
        if self.format == "text":
            self._deliver_text(report)
        else:
            text = machine_readable(report, self.command, code, self.format)
            write(text.encode("utf-8", "backslashreplace"))
        return code

    def _deliver_text(self, report: Report) -> None:
        # An answer that could not be given must not end up in the file or the pipe that waits for it.
        to_error = report.text_is_piped or report.outcome in (Outcome.INVALID, Outcome.UNKNOWN)
        if report.findings:
            write(self._rendered(report.findings, to_error), err=to_error)
        if report.text and self.verbosity >= 0:
            if report.findings and (not to_error or _is_terminal(err=False)):  # a terminal shows both
                write("\n", err=to_error)
            text = _fitted(report.text) if report.text_is_prose and _is_terminal(err=False) else report.text
            write(text + "\n")

    def _rendered(self, findings: tuple[Diagnostic, ...], to_error: bool) -> str:
        from dynconstraints.diagnostics.render import render

        color, width, wraps = self._colored(to_error), columns(), _is_terminal(to_error)
        return "\n\n".join(render(f, color=color, columns=width, wraps=wraps) for f in findings) + "\n"

    def _colored(self, err: bool) -> bool:
        if self.color != "auto":
            return self.color == "always"
        return not os.environ.get("NO_COLOR") and _is_terminal(err) and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """How wide the terminal is; 120 where there is none."""
    from shutil import get_terminal_size  # here and not above: it takes longer to load than many a run to answer

    return get_terminal_size((120, 0)).columns


def _fitted(text: str) -> str:
    """The text with long lines broken between words, their later parts two columns farther in."""
    from dynconstraints.diagnostics.wrapping import wrapped

    width = columns()
    lines = ((line, len(line) - len(line.lstrip(" "))) for line in text.split("\n"))
    return "\n".join(" " * indent + wrapped(line[indent:], width, indent + 2, indent) for line, indent in lines)


def _is_terminal(err: bool) -> bool:
    """Whether standard output, or error, goes to one; a stream that the caller has closed does not."""
    stream: TextIO | None = sys.stderr if err else sys.stdout
    return stream is not None and stream.isatty()


def write(output: str | bytes, err: bool = False) -> None:
    """Write and flush. A reader that has closed its end, as ``| head`` does, has what it wants: that is no error."""
    try:
        click.echo(output, nl=False, err=err, color=True)
    except BrokenPipeError:
        silence(sys.stderr if err else sys.stdout)
    except OSError as error:
        silence(sys.stderr if err else sys.stdout)
        raise click.UsageError(f"the output cannot be written: {error.strerror or error}") from None


def silence(stream: object) -> None:
    """Point the stream at nothing, so that the interpreter's last flush does not fail on a closed pipe."""
    fileno = getattr(stream, "fileno", None)
    if fileno is not None:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, fileno())
        os.close(nothing)


def verbosity_of(quiet: bool, verbose: bool) -> int:
    """-1, 0 or 1. Raises UsageError where both are asked for."""
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other")
    return int(verbose) - int(quiet)


def common_folder(paths: tuple[str, ...]) -> str:
    """The folder from which the configuration is looked for: the innermost that holds all the paths."""
    if not paths:
        return os.getcwd()
    common = os.path.commonpath([os.path.abspath(path) for path in paths])
    return common if os.path.isdir(common) else os.path.dirname(common)
