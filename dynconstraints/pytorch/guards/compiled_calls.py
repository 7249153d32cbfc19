"""Each call of a compiled function, checked when it enters: what its arguments declare, and the open blocks.

A guard sees the calls that reach its graph, and `calls` those that no graph fits. Neither sees a declaration that comes
to a graph made without it, to a frame that torch has given up for good, or to a function that a stance runs in eager.
What every call passes is torch's choice of a callback (`compilation.compiled_calls`), and from the first declaration of
the process on it is made here; until then torch is as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.pytorch._torch.compilation import compiled_calls
from dynconstraints.pytorch.frame.call_check import answer_for_good, check_entry
from dynconstraints.pytorch.frame.declared_inputs import check_compiled


def checking_entries(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`_callback_from_stance`: where a call breaks what is declared, a callback that raises the user's error.

    An error raised here itself would leave torch's settings for the call in force. As soon as the function is entered,
    torch asks its callback and, whatever comes of that, puts them back.
    """
    entry = compiled_calls().code

    @wraps(original)
    def _callback_from_stance(callback: Any) -> Any:
        caller = sys._getframe(1)  # noqa: SLF001  inspect.currentframe is the same, slower
        if caller.f_code is entry:
            given = caller.f_locals
            try:
                check_entry((*given["args"], *given["kwargs"].values()))
            except ConstraintError as error:
                compiled_calls().ask_again(given["fn"])
                return _refusing(error)
        chosen = original(callback)
        if chosen is not callback and caller.f_code is entry:  # a stance: where it runs in eager, no guard checks
            given = caller.f_locals
            try:
                check_compiled(given["fn"], given["args"], given["kwargs"])
            except ConstraintError as error:
                compiled_calls().ask_again(given["fn"])
                return _refusing(error)
        return chosen if chosen is callback or not callable(chosen) else _remembering(chosen)

    return _callback_from_stance


def _refusing(error: ConstraintError) -> Callable[..., Any]:
    """A callback that ends the call: no graph was made for it, so torch asks it about the first frame."""

    def refuse(*_: Any) -> Any:
        raise error

    return refuse


def _remembering(stance: Callable[..., Any]) -> Callable[..., Any]:
    """The callback of a stance, not asked about frames that are never compiled: torch itself would not ask."""

    @wraps(stance)  # with all that it has on it: torch finds its graphs by that
    def callback(frame: Any, cache_entry: Any, state: Any) -> Any:
        answer = answer_for_good(state)
        return stance(frame, cache_entry, state) if answer is None else answer

    return callback
