"""`bind`: a name for a value that the program itself computes, such as ``x.item()`` or the length of ``x.nonzero()``.

In eager mode the value is at hand, and the name is that of a DynamicInt. In a trace it is a symbol without a value:
there its constraints become assertions of the graph, and facts for all that follows (`computed`).
"""

from __future__ import annotations

from collections.abc import Iterable

from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.checking import check_bindings, constraints_in_force
from dynconstraints.pytorch.declaration import as_tuple
from dynconstraints.pytorch.dynamic_int import DynamicInt
from dynconstraints.pytorch.placing import calling_place


def bind(name: str, value: int, *, constraints: str | Constraint | Iterable[str | Constraint] = ()) -> int:
    """The value under a name: ``n = bind("n", x.item(), constraints=["n % 32 == 0", "n >= 32"])``.

    From here on the constraints, and those on the name that open blocks and other declared values have, hold for the
    value: compiled code asserts them, and branches, reshapes and the like that they decide need no data-dependent
    guard. The name lives on after a graph break; a value that is an int of the call there, as ``x.item()`` is where it
    breaks the graph itself, is one that the call declares, and its constraints are guarded rather than asserted.

    Raises ConstraintViolationError where the value breaks a constraint, compiled code when it computes such a value;
    NotAnIntegerError for what is no integer; ConstraintSyntaxError, InconsistentConstraintsError and UnboundNameError
    as DynamicInt does; UnsupportedTorchError for a constraint that compiled code has no assertion for.
    """
    declared = DynamicInt(value, name=name, constraints=as_tuple(constraints))
    if declared.declaration is not None:
        place = calling_place(f'bind("{name}", {int(value)})')
        bindings = declared.declaration.bindings
        check_bindings(constraints_in_force([declared.declaration]), bindings, dict.fromkeys(bindings, place))
    return declared
