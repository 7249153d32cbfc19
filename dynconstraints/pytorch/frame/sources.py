"""Where a parameter's value comes from: a computation on the value that brought it.

Dynamo's sources have to be importable, since guards are pickled with them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Add, FloorDiv, Int, Mul, Name, Neg, Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.frame.sympy_bridge import slot

_d = dynamo()


@_d.dataclass_with_cached_hash(frozen=True)
class ComputedSource(_d.ChainedSource):  # type: ignore[misc, name-defined]  # torch's classes come untyped
    """The value of a term of sums, products and floor divisions over the values of sources.

    In the term `slot` 0 is ``base``, and 1, 2, … are the ``others``, in order.
    """

    others: tuple[Any, ...]
    term: Term

    @property
    def _name_template(self) -> str:
        texts: dict[str, Term] = {slot(0).id: Name("{0}")}
        for i, source in enumerate(self.others, 1):
            texts[slot(i).id] = Name(source_name(source).replace("{", "{{").replace("}", "}}"))
        return f"({show(substitute_term(self.term, texts))})"

    def reconstruct(self, codegen: Any) -> None:
        """Emit the computation, as calls of `operator` functions: opcodes differ from one Python to the next."""
        _emit(codegen, self.term, (self.base, *self.others))


def _emit(codegen: Any, term: Term, sources: tuple[Any, ...]) -> None:
    match term:
        case Int(value):
            codegen.append_output(codegen.create_load_const(value))
        case Name(id):
            codegen(sources[int(id[1:-1])])
        case Neg(operand):
            _call(codegen, operator.neg, [operand], sources)
        case Add(terms):
            _chain(codegen, operator.add, terms, sources)
        case Mul(factors):
            _chain(codegen, operator.mul, factors, sources)
        case FloorDiv(dividend, divisor):
            _call(codegen, operator.floordiv, [dividend, divisor], sources)
        case _:
            raise NotImplementedError(f"no computation of a parameter needs {type(term).__name__}")


def _chain(codegen: Any, operation: Callable[..., Any], operands: tuple[Term, ...], sources: tuple[Any, ...]) -> None:
    *rest, last = operands
    if rest:
        _call(codegen, operation, [_node_of(operation)(tuple(rest)), last], sources)
    else:
        _emit(codegen, last, sources)


def _node_of(operation: Callable[..., Any]) -> Any:
    """The node of a chain of the operation."""
    return Add if operation is operator.add else Mul


def _call(codegen: Any, operation: Callable[..., Any], operands: list[Term], sources: tuple[Any, ...]) -> None:
    codegen.add_push_null(lambda: codegen.load_import_from("operator", operation.__name__))
    for operand in operands:
        _emit(codegen, operand, sources)
    codegen.extend_output(_d.create_call_function(len(operands), False))


@_d.dataclass_with_cached_hash(frozen=True)
class ExactFloatSource(_d.ChainedSource):  # type: ignore[misc, name-defined]
    """A float as the exact type, which torch reads in full precision; a subclass of it would be rounded to float32."""

    @property
    def _name_template(self) -> str:
        return "float({0})"

    def reconstruct(self, codegen: Any) -> None:
        """Emit the conversion."""
        codegen.add_push_null(lambda: codegen.load_import_from("builtins", "float"))
        codegen(self.base)
        codegen.extend_output(_d.create_call_function(1, False))


@_d.dataclass_with_cached_hash(frozen=True)
class ItemSource(_d.ChainedSource):  # type: ignore[misc, name-defined]
    """The number in a tensor of the call. Torch has a source of that name, which it can't emit."""

    @property
    def _name_template(self) -> str:
        return "{0}.item()"

    def reconstruct(self, codegen: Any) -> None:
        """Emit the call."""
        codegen.add_push_null(lambda: codegen.load_import_from(__name__, number_in.__name__))
        codegen(self.base)
        codegen.extend_output(_d.create_call_function(1, False))


def number_in(tensor: Any) -> int:
    """What `ItemSource` emits a call of."""
    return int(tensor.item())


@_d.dataclass_with_cached_hash(frozen=True)
class ExactTensorSource(_d.ChainedSource):  # type: ignore[misc, name-defined]
    """A float as the tensor that the graph takes; torch's own way to it takes twice as long."""

    @property
    def _name_template(self) -> str:
        return "___as_tensor(float({0}))"

    def reconstruct(self, codegen: Any) -> None:
        """Emit the conversion."""
        codegen.add_push_null(lambda: codegen.load_import_from(__name__, "exact_tensor"))
        codegen(self.base)
        codegen.extend_output(_d.create_call_function(1, False))


_scalar_tensor, _double, _cpu = torch.scalar_tensor, torch.float64, torch.device("cpu")


def exact_tensor(value: float) -> torch.Tensor:
    """The float as a tensor without dimensions, in full precision."""
    return _scalar_tensor(value, dtype=_double, device=_cpu)
