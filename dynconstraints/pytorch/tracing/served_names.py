"""Which names of the traced call hold in another call that its graph serves.

A graph serves every call that its guards let in, also one that declares otherwise: with other names for the same
sizes, or, in the rest of a function after a break, with what another graph before it made. What the call itself
declares decides what results may be called.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType, FrameType

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.pytorch._torch.trace import is_resumed
from dynconstraints.pytorch.declarations.check_values import differ
from dynconstraints.pytorch.frame.call_check import arguments, call_of


@dataclass(frozen=True)
class Traced:
    """The function that was traced, and the names that the arguments of that call declared."""

    code: CodeType
    names: frozenset[str]

    def holding(self, values: Mapping[str, int]) -> frozenset[str]:
        """Those of the names, of these values in the call under way, that mean in it what they meant in the trace.

        Arguments without names are what the guards hold to the declaration. The rest of a function has none of its own:
        there a name that does not come with them is gone.
        """
        try:
            declared = self._declared()
        except ConstraintError:  # the graph may use none of what differs
            return frozenset()
        is_alike = declared.keys() <= self.names
        gone = self.names if is_resumed(self.code) else frozenset()
        return frozenset(
            name
            for name, value in values.items()
            if (not differ(declared[name], value) if name in declared else is_alike and name not in gone)
        )

    def _declared(self) -> Mapping[str, int]:
        """What the arguments of the call under way declare."""
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  inspect.currentframe is the same, slower
        while frame is not None and not self._is_compiled_from(frame.f_code):
            frame = frame.f_back
        call = None if frame is None else call_of(arguments(frame.f_code, frame.f_locals))
        return {} if call is None else call.bindings

    def _is_compiled_from(self, code: CodeType) -> bool:
        return _place(code) == _place(self.code)


def _place(code: CodeType) -> tuple[str, int, str]:
    return code.co_name, code.co_firstlineno, code.co_filename
