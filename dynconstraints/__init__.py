"""Say once what your dynamic sizes satisfy; learn what follows and what conflicts before anything compiles.

Importing this package loads neither torch nor sympy nor z3: every public name loads its module when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dynconstraints.signature.readable import read_by
from dynconstraints.signature.written import written_by

if TYPE_CHECKING:  # for type checkers, which see no `__getattr__` and so know each name and no other
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
    from dynconstraints.pytorch.declarations.scope import dynamic_int_constraints as dynamic_int_constraints
    from dynconstraints.pytorch.reports.explain import explain as explain
    from dynconstraints.pytorch.reports.explain import explain_calls as explain_calls
    from dynconstraints.pytorch.reports.suggestion import suggest as suggest
    from dynconstraints.pytorch.signatures.declare import declare as declare
    from dynconstraints.pytorch.signatures.declare import signature_of as signature_of
    from dynconstraints.pytorch.values.bind import bind as bind
    from dynconstraints.pytorch.values.dynamic_float import DynamicFloat as DynamicFloat
    from dynconstraints.pytorch.values.dynamic_int import DynamicInt as DynamicInt
    from dynconstraints.pytorch.values.named_dims import name_dims as name_dims
    from dynconstraints.signature.dims import Dims as Dims
    from dynconstraints.signature.signature import Signature as Signature
    from dynconstraints.solver.verdicts import Implied as Implied
    from dynconstraints.solver.verdicts import Open as Open
    from dynconstraints.solver.verdicts import Refuted as Refuted
    from dynconstraints.solver.verdicts import Sat as Sat
    from dynconstraints.solver.verdicts import Unknown as Unknown
    from dynconstraints.solver.verdicts import Unsat as Unsat
    from dynconstraints.syntax.parser import parse as parse
    from dynconstraints.system import ConstraintSystem as ConstraintSystem

__all__ = [
    "ConflictingBindingError",
    "Constraint",
    "ConstraintError",
    "ConstraintSyntaxError",
    "ConstraintSystem",
    "ConstraintViolationError",
    "Dims",
    "DynamicFloat",
    "DynamicInt",
    "Implied",
    "InconsistentConstraintsError",
    "Open",
    "Refuted",
    "Sat",
    "Signature",
    "SolverLimitError",
    "SpecializationError",
    "UnboundNameError",
    "Unknown",
    "Unsat",
    "UnsupportedTorchError",
    "bind",
    "declare",
    "dynamic_int_constraints",
    "explain",
    "explain_calls",
    "name_dims",
    "parse",
    "signature_of",
    "suggest",
]
__version__ = "0.1.0"

_VERDICTS = ("Implied", "Open", "Refuted", "Sat", "Unknown", "Unsat")
_TORCH = (
    "DynamicFloat",
    "DynamicInt",
    "bind",
    "declare",
    "dynamic_int_constraints",
    "explain",
    "explain_calls",
    "name_dims",
    "signature_of",
    "suggest",
)
_HOMES = {
    "Constraint": "dynconstraints.ir.constraint",
    "ConstraintSystem": "dynconstraints.system",
    "Dims": "dynconstraints.signature.dims",
    "Signature": "dynconstraints.signature.signature",
    "parse": "dynconstraints.syntax.parser",
    **{name: "dynconstraints.diagnostics.errors" for name in __all__ if name.endswith("Error")},
    **dict.fromkeys(_VERDICTS, "dynconstraints.solver.verdicts"),
    **dict.fromkeys(_TORCH, "dynconstraints.pytorch"),
}

written_by("dynconstraints.interop.targets")
read_by("dynconstraints.interop.reading.forms")


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from dynconstraints.diagnostics.errors import UnsupportedTorchError

        try:
            value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        except UnsupportedTorchError as error:  # not remembered: torch may be installed in the meantime
            from dynconstraints.without_torch import stand_in

            return stand_in(name, error.diagnostic)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
