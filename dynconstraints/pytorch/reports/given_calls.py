"""The calls that `explain_calls` and `suggest` are given: each the tuple of its arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from dynconstraints.pytorch.declarations.user_location import calling_place, located
from dynconstraints.syntax.given import unfit


def calls_of(calls: Iterable[tuple[Any, ...]], asker: str) -> list[tuple[Any, ...]]:
    """The calls. Raises ArgumentError where a call is no tuple, or list, of arguments, and where there is none.

    A tensor is a collection of its rows, and a text of its letters: neither is taken for one of arguments.
    """
    advice = f"write {asker}(fn, [(x,), (y,)]), each call a tuple of arguments"
    wrong: object = calls
    if isinstance(calls, Iterable) and not isinstance(calls, str | torch.Tensor):
        listed = list(calls)
        unlike = [call for call in listed if not isinstance(call, tuple | list)]
        if listed and not unlike:
            return [tuple(call) for call in listed]
        what = f"a call is the tuple of its arguments, not {type(unlike[0]).__name__}" if unlike else "there is no call"
        wrong = unlike[0] if unlike else listed
    else:
        what = f"calls are a list of tuples of arguments, not {type(calls).__name__}"
    shown = "..." if isinstance(wrong, torch.Tensor | torch.nn.Module) else wrong
    raise located(unfit(shown, what, advice), calling_place(f"{asker}(fn, ...)"))
