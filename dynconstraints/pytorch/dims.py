"""Tensor dimensions under names: what `name_dims` records on a tensor.

The record is an attribute of the tensor, so it lives as long as the tensor, and tensors without one pay nothing. It
stays in the process: a checkpoint of a named tensor can be read where this package isn't.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintError, ConstraintSyntaxError, DimensionError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Term
from dynconstraints.pytorch.declaration import Binding, Declaration, as_tuple
from dynconstraints.pytorch.dynamic_int import DynamicInt
from dynconstraints.pytorch.placing import Place, calling_place, located
from dynconstraints.pytorch.sizes import declare_sizes, term_of

_ATTRIBUTE = "_dynconstraints_dims"
_NOTHING: Mapping[str, Any] = {}
_T = TypeVar("_T", bound=torch.Tensor)


@dataclass(frozen=True)
class NamedDims:
    """The named dimensions of a tensor: the term that each is equal to, its size when named, and what that declares."""

    dims: Mapping[int, Term]
    sizes: Mapping[int, int]
    declaration: Declaration
    place: Place

    def __copy__(self) -> NamedDims:
        return self

    def __deepcopy__(self, memo: object) -> NamedDims:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Something that torch.load(weights_only=True) reads without this package; `named_dims` takes it for no record.
        return OrderedDict, ()


def name_dims(
    tensor: _T,
    names: Mapping[int, str | DynamicInt],
    *,
    constraints: str | Constraint | Iterable[str | Constraint] = (),
) -> _T:
    """Name dimensions of the tensor, in place, and return it: ``name_dims(x, {0: "batch", 1: "2*s0"})``.

    A dimension is given by its index, negative ones from the end, and equals the expression. A bare name takes the
    size; an expression whose only unknown name follows from the size, as ``2*s0``, binds that name too. A DynamicInt
    stands for its own expression. Dimensions that have names already keep them. ``constraints`` hold for every call
    that the tensor is passed to.

    Raises DimensionError for a dimension that isn't there, ConstraintSyntaxError for what is no expression,
    ConstraintViolationError for sizes that break a constraint or equal an expression for no integers,
    ConflictingBindingError for two values of one name, InconsistentConstraintsError for a set that nothing satisfies.
    """
    place = calling_place(f"name_dims(x, {_spelled(names)})")
    if not isinstance(names, Mapping):
        raise _no_dimension(f"dimensions are named by a mapping, not by {names!r}", place)
    try:
        before = named_dims(tensor)
        terms = {} if before is None else dict(before.dims)
        given = [] if before is None else list(before.declaration.members)
        for dimension, name in names.items():
            term, members = _meaning(name, place)
            terms[_index(tensor, dimension, place)] = term
            given.extend(members)
        record = _record(tensor, terms, given, as_tuple(constraints), place)
    except ConstraintError as error:
        raise located(error, place) from None
    setattr(tensor, _ATTRIBUTE, record)
    return tensor


def attach(tensor: torch.Tensor, dims: Mapping[int, Term], declaration: Declaration) -> None:
    """Name dimensions by what is known of them already; nothing is checked again."""
    sizes = MappingProxyType({dimension: tensor.shape[dimension] for dimension in dims})
    setattr(tensor, _ATTRIBUTE, NamedDims(dims, sizes, declaration, Place("a tensor named where it was computed")))


def named_dims(value: object) -> NamedDims | None:
    """What `name_dims` recorded on a tensor, None for anything else; a tensor resized since is declared anew.

    A view keeps the names of those dimensions of its base that it takes over as they are.
    """
    record = getattr(value, "__dict__", _NOTHING).get(_ATTRIBUTE)
    if not isinstance(record, NamedDims):
        return _kept(value) if isinstance(value, torch.Tensor) and value._base is not None else None  # noqa: SLF001
    shape = value.shape  # type: ignore[attr-defined]  # only tensors have a record
    if any(shape[dimension] != size for dimension, size in record.sizes.items()):
        record = _record(value, record.dims, (), record.declaration.constraints, record.place)
        setattr(value, _ATTRIBUTE, record)
    return record


def _kept(view: torch.Tensor) -> NamedDims | None:
    """The names of a view's base that it keeps: its dimension walks the same steps over the memory, and as many."""
    base = view._base  # noqa: SLF001  torch documents it
    known = getattr(base, "__dict__", _NOTHING).get(_ATTRIBUTE)
    if base is None or not isinstance(known, NamedDims) or view.layout != torch.strided:
        return None
    walks = [(size, stride) for size, stride in zip(base.shape, base.stride(), strict=True)]
    mine = {walk: j for j, walk in enumerate(zip(view.shape, view.stride(), strict=True)) if walk[0] > 1}
    dims = {mine[walks[i]]: term for i, term in known.dims.items() if walks[i] in mine and walks.count(walks[i]) == 1}
    if not dims:
        return None
    used = {name for term in dims.values() for name in names_of(term)}
    members = tuple(b for b in known.declaration.members if b.name in used)
    return NamedDims(dims, {j: view.shape[j] for j in dims}, Declaration(members), known.place)


def carrying_names(tensor: torch.Tensor, other: _T) -> _T:
    """The other tensor, of the same sizes, with the names that the first one has."""
    record = named_dims(tensor)
    if record is not None:
        setattr(other, _ATTRIBUTE, record)
    return other


def _record(
    tensor: Any,
    terms: Mapping[int, Term],
    given: Iterable[Binding],
    constraints: tuple[str | Constraint, ...],
    place: Place,
) -> NamedDims:
    sizes = {dimension: int(tensor.shape[dimension]) for dimension in terms}
    used = {name for term in terms.values() for name in names_of(term)}
    declaration = declare_sizes(terms, sizes, (b for b in given if b.name in used), constraints, place)
    return NamedDims(MappingProxyType(dict(terms)), MappingProxyType(sizes), declaration, place)


def _meaning(name: object, place: Place) -> tuple[Term, tuple[Binding, ...]]:
    if isinstance(name, str):
        return term_of(name, place), ()
    if isinstance(name, DynamicInt) and name.declaration is not None and name.expression is not None:
        return name.expression, name.declaration.members
    raise ConstraintSyntaxError(
        Diagnostic(
            "DC154",
            f"not the name of a dimension: {name!r}",
            (place.label(repr(name)),),
            help=('a dimension is named by a string such as "batch" or "2*s0", or by a DynamicInt that has a name',),
        )
    )


def _index(tensor: object, dimension: object, place: Place) -> int:
    """The dimension counted from 0. Raises DimensionError where there is none."""
    if not isinstance(tensor, torch.Tensor):
        raise _no_dimension(f"only tensors have dimensions to name, and this is of type {type(tensor).__name__}", place)
    if not isinstance(dimension, int) or isinstance(dimension, bool):
        raise _no_dimension(f"a dimension is given by its index, not by {dimension!r}", place)
    if not -tensor.ndim <= dimension < tensor.ndim:
        listed = f"it has dimensions 0 to {tensor.ndim - 1}" if tensor.ndim else "it has none"
        raise _no_dimension(f"the tensor has no dimension {dimension}: {listed}", place, f"{dimension}:")
    return dimension % tensor.ndim


def _no_dimension(message: str, place: Place, part: str = "") -> DimensionError:
    mend = 'write name_dims(tensor, {0: "batch"}): from the index of a dimension to its name'
    return DimensionError(Diagnostic("DC404", message, (place.label(part or place.origin),), help=(mend,)))


def _spelled(names: object) -> str:
    if not isinstance(names, Mapping):
        return repr(names)
    shown = (f"{k}: {v!r}".replace("'", '"') if isinstance(v, str) else f"{k}: {v!r}" for k, v in names.items())
    return "{" + ", ".join(shown) + "}"
