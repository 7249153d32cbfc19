"""Moments that a process comes to once, if at all; some of torch's functions are wrapped only then.

Who comes to a moment is in the packages below; who waits for it, in those above.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock


class Moment:
    """What waits for it is done when the process comes to it, and at once where it already has.

    Of threads that come to it together each goes on when it is done.
    """

    def __init__(self) -> None:
        self._has_come = self._is_over = False
        self._waiting: list[Callable[[], None]] = []
        self._lock = RLock()

    def wait(self, act: Callable[[], None]) -> None:
        """Do something at that moment."""
        if self._has_come:
            act()
        else:
            self._waiting.append(act)

    def come(self) -> None:
        """The process has come to the moment; not for the first time, as a rule."""
        if self._is_over:
            return
        with self._lock:
            is_first, self._has_come = not self._has_come, True
            while self._waiting:
                self._waiting.pop(0)()
            self._is_over = self._is_over or is_first  # and not before, when what is done comes here itself


FIRST_DECLARATION = Moment()
"""Before a value is declared."""

FIRST_TRACED = Moment()
"""The same, in a process that has not loaded Dynamo either: what other traces of torch's know is of use there, too."""

FIRST_NAMES = Moment()
"""Before a tensor has names, given here or come from another process."""

FIRST_FACTS = Moment()
"""Before a trace meets a declared value."""

FIRST_EXPORT = Moment()
"""Before a program that declares something is exported, or compiled by AOTInductor."""

FIRST_PACKAGE = Moment()
"""Before AOTInductor writes the code of a program that declares something."""

FIRST_EXTREME = Moment()
"""Before a minimum or maximum is replaced by its only value."""

FIRST_REPORT = Moment()
"""Before a report has Inductor generate code that is not to be compiled."""
