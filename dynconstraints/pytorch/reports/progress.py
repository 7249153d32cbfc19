"""How far a search is, on standard error, and whether its time is up."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_QUIET = 1.0, 10.0
"""Seconds before a word at a terminal, where one line is written over and over; and between lines elsewhere."""


class Progress:
    """A piece of work, with the seconds that it may take; None for as many as it needs.

    Compiling can't be interrupted: time is up when a stage begins.
    """

    def __init__(self, what: str, limit: float | None = None) -> None:
        self.what = what
        self.limit = limit
        self.started = time.monotonic()
        self.stopped_at: str | None = None
        self._is_shown = False
        self._told = 0.0

    @property
    def seconds(self) -> float:
        """What it has taken so far."""
        return time.monotonic() - self.started

    def is_over(self, before: str = "") -> bool:
        """Whether the time is up, before the stage that the text says; the first of these is kept."""
        over = self.limit is not None and self.seconds > self.limit
        if over and self.stopped_at is None:
            self.stopped_at = before
        return over

    def stage(self, text: str) -> None:
        """Say what comes next, if somebody waits: at a terminal after a second, elsewhere after ten."""
        stream = sys.stderr
        if stream is None or self.seconds < _QUIET[0]:
            return
        line = f"{self.what}: {text} … {self.seconds:.0f} s"
        if stream.isatty():
            stream.write(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}")
            self._is_shown = True
        elif self.seconds - self._told >= _QUIET[1]:
            stream.write(f"{line}\n")
            self._told = self.seconds
        stream.flush()

    def close(self) -> None:
        """Leave the terminal's line empty."""
        if self._is_shown and sys.stderr is not None:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


@contextmanager
def progress(what: str, limit: float | None = None) -> Iterator[Progress]:
    """The progress of the work in the block."""
    shown = Progress(what, limit)
    try:
        yield shown
    finally:
        shown.close()
