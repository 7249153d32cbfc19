"""`bind`: a name for a value that the program itself computes, such as ``x.item()`` or the length of ``x.nonzero()``.

In eager mode the value is at hand, and the name is that of a DynamicInt. In a trace it is a symbol without a value:
there its constraints become assertions of the graph, and facts for all that follows (`computed`).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.declarations.check_values import check_bindings, constraints_in_force
from dynconstraints.pytorch.declarations.declaration import as_tuple
from dynconstraints.pytorch.declarations.user_location import calling_place
from dynconstraints.pytorch.values.dynamic_int import DynamicInt


def bind(name: str, value: int, *, constraints: str | Constraint | Iterable[str | Constraint] = ()) -> int:
    """A name for a value that the program itself computes, such as ``x.item()``.

    From here on the constraints, and those on the name that open blocks and other declared values have, hold for the
    value: compiled code asserts them, and branches, reshapes and the like that they decide need no data-dependent
    guard. The name lives on after a graph break; a value that is an int of the call there, as ``x.item()`` is where it
    breaks the graph itself, is one that the call declares, and its constraints are guarded rather than asserted.

    Args:
        name: An identifier.
        value: An int, in a compiled function also a symbolic one.
        constraints: One constraint on the name, and perhaps others, or a collection of them.

    Returns:
        The value; outside of compiled functions as a `DynamicInt`.

    Raises:
        ConstraintViolationError: The value breaks a constraint; compiled code raises it when it computes such a value.
        NotAnIntegerError: The value is no integer.
        ConstraintSyntaxError: A text is not a constraint, or the name is no name.
        InconsistentConstraintsError: No value satisfies the constraints.
        UnboundNameError: The constraints never mention the name.
        UnsupportedTorchError: Compiled code has no assertion for the constraint.

    Example:
        >>> import torch
        >>> n = bind("n", torch.tensor(64).item(), constraints=["n % 32 == 0", "n >= 32"])
        >>> n // 2
        DynamicInt(32, expression="n // 2")
    """
    given: object = value
    if isinstance(given, torch.SymInt):
        raise _untraced(name)
    declared = DynamicInt(value, name=name, constraints=as_tuple(constraints))
    if declared.declaration is not None:
        place = calling_place(f'bind("{name}", {int(value)})')
        bindings = declared.declaration.bindings
        check_bindings(constraints_in_force([declared.declaration]), bindings, dict.fromkeys(bindings, place))
    return declared


def _untraced(name: str) -> UnsupportedTorchError:
    place = calling_place(f'bind("{name}", ...)')
    return UnsupportedTorchError(
        Diagnostic(
            "DC703",
            f"{name} is a symbol of a trace that bind knows nothing of",
            (place.label(name),),
            help=("torch.export.export(..., strict=True) traces bind, as torch.compile does",),
        )
    )
