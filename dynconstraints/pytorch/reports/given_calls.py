"""The calls that `explain_calls` and `suggest` are given: each a tuple of arguments, or a mapping of them by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import torch

from dynconstraints.pytorch.declarations.user_location import calling_place, located
from dynconstraints.syntax.given import unfit

Given: TypeAlias = tuple[Any, ...] | Mapping[str, Any]
"""A call as a user writes it."""

Call: TypeAlias = tuple[tuple[Any, ...], Mapping[str, Any]]
"""The positional arguments and the named ones."""


def calls_of(calls: Iterable[Given], asker: str) -> list[Call]:
    """The calls. Raises ArgumentError where a call is no tuple, or list, of arguments and no mapping of them by name,
    and where there is none.

    A tensor is a collection of its rows, and a text of its letters: neither is taken for one of arguments.
    """
    advice = f"write {asker}(fn, [(x,), (y,)]), each call a tuple of arguments, or a dict of them by name"
    wrong: object = calls
    if isinstance(calls, Iterable) and not isinstance(calls, str | torch.Tensor | Mapping):
        listed = list(calls)
        unlike = [call for call in listed if not isinstance(call, tuple | list) and not _is_named(call)]
        if listed and not unlike:
            return [((), dict(call)) if isinstance(call, Mapping) else (tuple(call), {}) for call in listed]
        what = f"a call is the tuple of its arguments, not {type(unlike[0]).__name__}" if unlike else "there is no call"
        if unlike and isinstance(unlike[0], Mapping):
            what = f"a call that is a mapping has arguments by name, and {_first_key(unlike[0])!r} is no name"
        wrong = unlike[0] if unlike else listed
    else:
        what = f"calls are a list of tuples of arguments, not {type(calls).__name__}"
    shown = "..." if isinstance(wrong, torch.Tensor | torch.nn.Module | Mapping) else wrong
    raise located(unfit(shown, what, advice), calling_place(f"{asker}(fn, ...)"))


def _is_named(call: object) -> bool:
    return isinstance(call, Mapping) and all(isinstance(key, str) for key in call)


def _first_key(call: Mapping[Any, Any]) -> object:
    return next(key for key in call if not isinstance(key, str))
