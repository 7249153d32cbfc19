"""Say once what your dynamic sizes satisfy; learn what follows and what conflicts before anything compiles.

Importing this package loads neither torch nor sympy nor z3: every public name loads its module when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynconstraints.diagnostics.errors import ConflictingBindingError as ConflictingBindingError
    from dynconstraints.diagnostics.errors import ConstraintError as ConstraintError
    from dynconstraints.diagnostics.errors import ConstraintSyntaxError as ConstraintSyntaxError
    from dynconstraints.diagnostics.errors import ConstraintViolationError as ConstraintViolationError
    from dynconstraints.diagnostics.errors import InconsistentConstraintsError as InconsistentConstraintsError
    from dynconstraints.diagnostics.errors import SolverLimitError as SolverLimitError
    from dynconstraints.diagnostics.errors import SpecializationError as SpecializationError
    from dynconstraints.diagnostics.errors import UnboundNameError as UnboundNameError
    from dynconstraints.diagnostics.errors import UnsupportedTorchError as UnsupportedTorchError
    from dynconstraints.ir.constraint import Constraint as Constraint
    from dynconstraints.solver.verdict import Implied as Implied
    from dynconstraints.solver.verdict import Open as Open
    from dynconstraints.solver.verdict import Refuted as Refuted
    from dynconstraints.solver.verdict import Sat as Sat
    from dynconstraints.solver.verdict import Unknown as Unknown
    from dynconstraints.solver.verdict import Unsat as Unsat
    from dynconstraints.syntax.parser import parse as parse
    from dynconstraints.system import ConstraintSystem as ConstraintSystem

_ERRORS = (
    "ConflictingBindingError",
    "ConstraintError",
    "ConstraintSyntaxError",
    "ConstraintViolationError",
    "InconsistentConstraintsError",
    "SolverLimitError",
    "SpecializationError",
    "UnboundNameError",
    "UnsupportedTorchError",
)
_VERDICTS = ("Implied", "Open", "Refuted", "Sat", "Unknown", "Unsat")
_TORCH = (
    "DynamicFloat",
    "DynamicInt",
    "bind",
    "dynamic_int_constraints",
    "explain",
    "explain_calls",
    "name_dims",
    "suggest",
)

_HOMES = {
    "Constraint": "dynconstraints.ir.constraint",
    "ConstraintSystem": "dynconstraints.system",
    "parse": "dynconstraints.syntax.parser",
    **dict.fromkeys(_ERRORS, "dynconstraints.diagnostics.errors"),
    **dict.fromkeys(_VERDICTS, "dynconstraints.solver.verdict"),
    **dict.fromkeys(_TORCH, "dynconstraints.pytorch"),
}

__all__ = sorted({*_HOMES} - {*_TORCH})  # a star import works without torch
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
