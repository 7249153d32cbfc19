"""A sign of life on standard error, for commands that take a second or more at a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event

AFTER, EVERY = 1.0, 0.5
"""Seconds before the first sign, and between signs."""


@contextmanager
def working(what: Callable[[], str]) -> Iterator[None]:
    """Show what is being done, and for how long, while the block runs; nothing where nobody looks or it is fast."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from threading import Event, Thread

    done = Event()
    thread = Thread(target=_tell, args=(what, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _tell(what: Callable[[], str], done: Event) -> None:
    started = time.monotonic()
    if done.wait(AFTER):
        return
    finished = False
    while not finished:
        line = f"{what()} … {time.monotonic() - started:.0f} s"
        _rewrite(line[: shutil.get_terminal_size().columns - 1])
        finished = done.wait(EVERY)
    _rewrite("")


def _rewrite(line: str) -> None:
    sys.stderr.write(f"\r\x1b[2K{line}")
    sys.stderr.flush()
