"""What the guards of a graph ask, kept beside the graph: where a saved one is loaded, the user gets his own error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from dynconstraints.pytorch._torch.compilation import REFUSED_BY_GUARDS, guards_of_saved

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
