"""What stands around torch.export: it takes no declaration, and the user hears of it.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch._torch.eager import mapped
from dynconstraints.pytorch.declarations.declaration import Declaration
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.declarations.suspension import is_suspended, suspended
from dynconstraints.pytorch.declarations.user_location import calling_line
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.frame.call_check import check_call
from dynconstraints.pytorch.signatures.calls import is_traced, items_of, known_call
from dynconstraints.pytorch.signatures.parameters import parameters_of_module
from dynconstraints.pytorch.signatures.registry import signature_of_module
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt


def export_without_names(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.export's _export: the example is checked, what is dropped is said, and the trace goes on as undeclared."""

    @wraps(original)
    def _export(mod: Any, args: Any, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        if is_suspended():
            return original(mod, args, kwargs, *rest, **options)
        call = check_call([*_listed(args), *(kwargs or {}).values()], _signed(mod, _listed(args), kwargs or {}))
        if call is None:
            return original(mod, args, kwargs, *rest, **options)
        _tell(call)
        with suspended():
            return original(mod, mapped(_plain, args), mapped(_plain, kwargs), *rest, **options)

    return _export


def _listed(args: Any) -> tuple[Any, ...]:
    return tuple(args) if isinstance(args, tuple | list) else ()


def _signed(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Declaration | None:
    """What the signature of the module declares of the example."""
    signature = signature_of_module(module) if isinstance(module, torch.nn.Module) else None
    if signature is None:
        return None
    items = items_of(signature, parameters_of_module(module).of_call(args, kwargs))
    return None if is_traced(items) else known_call(signature, items)


def _plain(value: Any) -> Any:
    """A declared number as the number that it is."""
    kind = type(value)
    return int(value) if issubclass(kind, DynamicInt) else float(value) if issubclass(kind, DynamicFloat) else value


def _tell(call: Declaration) -> None:
    dropped: tuple[Constraint, ...] = tuple(dict.fromkeys((*call.constraints, *current_scope().constraints)))
    place = next(iter(call.places.values()), None)
    names = ", ".join(dict.fromkeys(call.names))
    fix = "say the ranges that torch.export knows in dynamic_shapes, and check sizes before the program is called"
    said = Diagnostic(
        "DC703",
        f"torch.export takes no declaration: what it makes knows nothing of {names}",
        tuple((c if place is None else place.constraint(c)).label() for c in dropped[:3]),
        help=(fix, "torch.compile(f, fullgraph=True).aot_compile(...) saves a program with its declaration"),
        severity="warning",
    )
    warn(str(UnsupportedTorchError(said)), *calling_line(beyond=("dynconstraints.", "torch.")))
