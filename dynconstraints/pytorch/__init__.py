"""Declared sizes for torch.compile: the values that carry names, and their way into the trace.

Importing this wraps a handful of torch's functions (`hooks`); programs that declare nothing are not affected.
"""

from dynconstraints.pytorch import _compat as _compat  # first: it says what is wrong with the torch at hand
from dynconstraints.pytorch import hooks
from dynconstraints.pytorch.binding import bind
from dynconstraints.pytorch.dims import name_dims
from dynconstraints.pytorch.dynamic_float import DynamicFloat
from dynconstraints.pytorch.dynamic_int import DynamicInt
from dynconstraints.pytorch.report.explain import explain, explain_calls
from dynconstraints.pytorch.report.suggestion import suggest
from dynconstraints.pytorch.scope import dynamic_int_constraints

__all__ = [
    "DynamicFloat",
    "DynamicInt",
    "bind",
    "dynamic_int_constraints",
    "explain",
    "explain_calls",
    "name_dims",
    "suggest",
]

hooks.install()
