"""What the guards of a graph ask, kept beside the graph: where a saved one is loaded, the user gets his own error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import torch

from dynconstraints.pytorch._torch.compilation import REFUSED_BY_GUARDS, guards_of_saved
from dynconstraints.pytorch._torch.eager import marked_as, marks_of

_ATTRIBUTE = "_dynconstraints_guards"


class Checked(Protocol):
    """A guard that can tell what is wrong with a call."""

    def check(self, variables: Any) -> None:
        """Raises the ConstraintError of a call, given the variables of its frame."""


def remember(builder: Any, guard: Checked) -> None:
    """Keep the guard with those that the builder makes."""
    manager = getattr(builder, "guard_manager", None)
    if manager is not None:
        manager.__dict__.setdefault(_ATTRIBUTE, []).append(guard)


def remembered(manager: Any) -> list[Checked]:
    """The guards that are kept with others."""
    found: list[Checked] = getattr(manager, "__dict__", {}).get(_ATTRIBUTE, [])
    return found


def with_marks(original: Callable[..., Any]) -> Callable[..., Any]:
    """GuardsStatePickler.reducer_override: a named tensor has its marks in the file, by which graphs know it.

    Guards are made anew where the file is loaded, of what is in it; without the marks they would refuse named tensors.
    """

    @wraps(original)
    def reducer_override(self: Any, obj: Any) -> Any:
        reduced = original(self, obj)
        marks = marks_of(obj) if issubclass(type(obj), torch.Tensor) and isinstance(reduced, tuple) else {}
        return (_restored, (marks, *reduced)) if marks else reduced

    return reducer_override


def _restored(marks: dict[str, Any], make: Callable[..., Any], args: tuple[Any, ...], *_: Any) -> Any:
    made = make(*args)
    return marked_as(made, marks) if isinstance(made, torch.Tensor) else made


def telling_refusals(original: Callable[..., Any]) -> Callable[..., Any]:
    """AOTCompiledFunction.__call__: a call that breaks what was declared gets the user's error, not torch's."""

    @wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  the method that it stands for
        try:
            return original(self, *args, **kwargs)
        except RuntimeError as error:
            if not str(error).startswith(REFUSED_BY_GUARDS):
                raise
            refused = error
        manager, variables = guards_of_saved(self, args, kwargs)
        for guard in remembered(manager):
            guard.check(variables)
        raise refused

    return __call__
