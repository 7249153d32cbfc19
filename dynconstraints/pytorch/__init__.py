"""Declared sizes for torch.compile: the values that carry names, and their way into the trace.

Importing this wraps a handful of torch's functions (`install.hooks`); programs that declare nothing are not affected.
"""

from dynconstraints.pytorch import _torch as _torch  # first: it says what is wrong with the torch at hand
from dynconstraints.pytorch.declarations.scope import dynamic_int_constraints
from dynconstraints.pytorch.install.installer import INSTALLER
from dynconstraints.pytorch.reports.explain import explain, explain_calls
from dynconstraints.pytorch.reports.suggestion import suggest
from dynconstraints.pytorch.signatures.declare import declare, signature_of
from dynconstraints.pytorch.values.bind import bind
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import name_dims

__all__ = [
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
]

INSTALLER.install()
