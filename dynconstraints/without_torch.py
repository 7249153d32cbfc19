"""What the names that need torch are where there is none: they can be looked at, and raise when they are called.

So ``hasattr``, ``help``, ``dir``, ``inspect`` and a star import do without torch, and so do annotations and
``isinstance``, which is False, as nobody can have made such a value.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NoReturn

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError

_CLASSES = ("DynamicFloat", "DynamicInt", "dynamic_int_constraints")


class _NeedsTorch(type):
    """The type of the classes: to make an object of one, or of a subclass, raises."""

    missing: Diagnostic

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UnsupportedTorchError(cls.missing)


@cache
def stand_in(name: str, missing: Diagnostic) -> Any:
    """The class or function of the name, which raises UnsupportedTorchError, as the diagnostic says, when called."""
    shared = {"__module__": "dynconstraints", "__doc__": f"Not usable here: {missing.message}."}
    if name in _CLASSES:
        return _NeedsTorch(name, (), {**shared, "missing": missing})

    def function(*_: Any, **__: Any) -> NoReturn:
        raise UnsupportedTorchError(missing)

    for attribute, value in {**shared, "__name__": name, "__qualname__": name}.items():
        setattr(function, attribute, value)
    return function
