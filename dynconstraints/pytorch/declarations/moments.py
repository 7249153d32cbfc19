"""Moments that a process comes to once, if at all; some of torch's functions are wrapped only then.

Who comes to a moment is in the packages below; who waits for it, in those above.
"""

from __future__ import annotations

from collections.abc import Callable


class Moment:
    """What waits for it is done when the process comes to it, and at once where it already has."""

    def __init__(self) -> None:
        self._has_come = False
        self._waiting: list[Callable[[], None]] = []

    def wait(self, act: Callable[[], None]) -> None:
        """Do something at that moment."""
        if self._has_come:
            act()
        else:
            self._waiting.append(act)

    def come(self) -> None:
        """The process has come to the moment; not for the first time, as a rule."""
        self._has_come = True
        while self._waiting:
            self._waiting.pop(0)()


FIRST_DECLARATION = Moment()
"""Before a value is declared."""

FIRST_FACTS = Moment()
"""Before a trace meets a declared value."""

FIRST_EXTREME = Moment()
"""Before a minimum or maximum is replaced by its only value."""

FIRST_REPORT = Moment()
"""Before a report has Inductor generate code that is not to be compiled."""
