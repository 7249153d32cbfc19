"""Tensor dimensions under names: what `name_dims` records on a tensor.

The record is an attribute of the tensor, so it lives as long as the tensor, and tensors without one pay nothing. What
becomes of it when the tensor is copied is in `carried_names`, what a pickle holds of it in `dims_record`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]  # not in __all__ everywhere

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintError, ConstraintSyntaxError, DimensionError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Term
from dynconstraints.pytorch._torch.eager import base_of_view, function_modes, marked, unseen
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, as_tuple
from dynconstraints.pytorch.declarations.moments import FIRST_NAMES
from dynconstraints.pytorch.declarations.user_location import Place, calling_line, located
from dynconstraints.pytorch.values.dims_record import NamedDims, restored
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.size_equations import declare_sizes, term_of

ATTRIBUTE = "_dynconstraints_dims"
"""Of a named tensor: its record, or what a pickle held of one."""

_NOTHING: Mapping[str, Any] = {}
attributes: Any = torch.Tensor.__dict__["__dict__"].__get__
"""What a tensor has, whatever its class makes of the question."""

_COMPUTED = Place("a tensor named where it was computed")
_T = TypeVar("_T", bound=torch.Tensor)

_MOST_REMEMBERED = 4096
_remembered: dict[Any, NamedDims] = {}
"""What one line of a program made of one shape, by both: it names batch after batch."""


def name_dims(
    tensor: _T,
    names: Mapping[int, str | DynamicInt],
    *,
    constraints: str | Constraint | Iterable[str | Constraint] = (),
) -> _T:
    """Name dimensions of a tensor, in place, and return it.

    A dimension equals its expression. A bare name takes the size; an expression whose only unknown name follows from
    the size, as ``2*s0``, binds that name too. Dimensions that have names already keep them.

    Views have the names of the dimensions that they take over, and so have copies: those that the tensor's own methods
    make (``x.to(...)``, ``x.half()``, ``x.clone()``, ``x.detach()``), parameters made of it, and what a pickle, a file
    or a worker's queue holds of it. What is computed of it (``x * 2``, ``torch.relu(x)``) has none.

    Args:
        tensor: The tensor; its names live as long as it does.
        names: The expressions by the index of the dimension, negative ones from the end: texts such as ``"batch"`` or
            ``"2*s0"``, or DynamicInts, which stand for their own expressions.
        constraints: One constraint, or a collection of them, for every call that the tensor is passed to.

    Returns:
        The tensor itself.

    Raises:
        DimensionError: A dimension isn't there, or what is given is no tensor.
        ConstraintSyntaxError: A text is no expression, or no constraint.
        ConstraintViolationError: A size breaks a constraint, or equals its expression for no integers.
        ConflictingBindingError: A name has two values.
        InconsistentConstraintsError: Nothing satisfies the constraints.

    Example:
        >>> import torch
        >>> x = name_dims(torch.zeros(8, 64), {0: "batch", 1: "2*s0"}, constraints=["s0 % 32 == 0"])
        >>> x.shape
        torch.Size([8, 64])
    """
    FIRST_NAMES.come()
    line, before = calling_line(), named_dims(tensor)
    key, record = _remembered_of(line, tensor, names, constraints)
    if record is None or (before is not None and before is not record):
        record = _named_anew(tensor, before, names, constraints, Place(f"name_dims(x, {_spelled(names)})", *line))
        if before is None and _is_plain(key):
            if len(_remembered) >= _MOST_REMEMBERED:
                _remembered.clear()
            _remembered[key] = record
    give(tensor, record)
    return tensor


def _remembered_of(line: object, tensor: Any, names: Any, constraints: Any) -> tuple[Any, NamedDims | None]:
    """A key of all that the record of the tensor depends on, and what is remembered under it; None for neither."""
    if type(constraints) is list:
        constraints = tuple(constraints)
    if type(names) is not dict or not issubclass(type(tensor), torch.Tensor):
        return None, None
    try:
        if function_modes() or type(tensor) is not torch.Tensor:
            with unseen():
                shape = tensor.shape
        else:
            shape = tensor.shape
        key = line, tuple(names.items()), tuple(map(type, names)), constraints, shape
        return key, _remembered.get(key)
    except (RuntimeError, TypeError):  # it has no one shape, or something in it is no key
        return None, None


def _is_plain(key: Any) -> bool:
    """Whether equal keys mean the same: they are texts and numbers, and nothing that was said at places of its own."""
    if key is None:
        return False
    _, names, kinds, constraints, shape = key
    texts = (constraints,) if type(constraints) is str else constraints
    return (
        type(texts) is tuple
        and all(type(text) is str for text in texts)
        and all(kind is int for kind in kinds)
        and all(type(name) is str for _, name in names)
        and all(type(size) is int for size in shape)
    )


def give(tensor: torch.Tensor, record: NamedDims | Mapping[str, Any]) -> None:
    """Have the tensor keep the record, or what a pickle holds of one; graphs made for other tensors leave it."""
    attributes(tensor)[ATTRIBUTE] = record
    marked(tensor)


def _named_anew(
    tensor: Any,
    before: NamedDims | None,
    names: Any,
    constraints: str | Constraint | Iterable[str | Constraint],
    place: Place,
) -> NamedDims:
    try:
        if not isinstance(names, Mapping):
            raise _no_dimension(f"dimensions are named by a mapping, not by {names!r}", place)
        terms = {} if before is None else dict(before.dims)
        given = [] if before is None else list(before.declaration.members)
        for dimension, name in names.items():
            term, members = _meaning(name, place)
            terms[_index(tensor, dimension, place)] = term
            given.extend(members)
        return _record(tensor, terms, given, as_tuple(constraints), place)
    except ConstraintError as error:
        raise located(error, place) from None


def attach(tensor: torch.Tensor, dims: Mapping[int, Term], declaration: Declaration) -> None:
    """Name dimensions by what is known of them already; nothing is checked again."""
    setattr(tensor, ATTRIBUTE, _implied(tensor, dims, declaration))


def named_dims(value: object) -> NamedDims | None:
    """The named dimensions of a tensor; None for one without, and for anything else.

    A tensor resized since `name_dims` is declared anew. A view keeps the names of those dimensions of its base that it
    takes over as they are.
    """
    if type(value) is torch.Tensor and not function_modes():
        return _own(value) or _kept(value)
    if not issubclass(type(value), torch.Tensor):  # `isinstance` would ask `__class__`, which a proxy answers itself
        return None
    tensor: Any = value
    with unseen():
        return _own(tensor) or _kept(tensor)


def base_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor that this one is a view of; None where it is none."""
    with unseen():
        base: torch.Tensor | None = base_of_view(tensor)
        return base


def still(value: Any, record: NamedDims) -> bool:
    """Whether the record is that of the tensor, whose sizes are as they were."""
    return getattr(value, "__dict__", _NOTHING).get(ATTRIBUTE) is record and bool(value.shape == record.sizes)


def _own(value: torch.Tensor) -> NamedDims | None:
    """What is recorded on a tensor, as its sizes are now."""
    known = attributes(value).get(ATTRIBUTE)
    if known is None:
        return None
    record = known if isinstance(known, NamedDims) else _arrived(value, known)
    if record is not None and any(call.ended for call in record.declaration.calls):
        record = _replaced(value, _outlasting(record))
    if record is None:
        return None
    shape = value.shape
    if shape == record.sizes or all(d < len(shape) and shape[d] == record.sizes[d] for d in record.dims):
        return record
    dims = {dimension: term for dimension, term in record.dims.items() if dimension < len(shape)}
    if record.implied:
        dims = {dimension: term for dimension, term in dims.items() if shape[dimension] == record.sizes[dimension]}
        return _replaced(value, _implied(value, dims, record.declaration))
    return _replaced(value, _record(value, dims, (), record.declaration.constraints, record.place))


def _arrived(value: torch.Tensor, plain: object) -> NamedDims | None:
    """The record of a tensor that came out of a pickle, checked as it was when the tensor was named."""
    record = restored(plain)
    if record is not None:
        FIRST_NAMES.come()
        give(value, record)
    return record


def _outlasting(record: NamedDims) -> NamedDims:
    """The record without the names that calls gave which have ended."""
    members = tuple(b for b in record.declaration.members if b.during is None or not b.during.ended)
    known = {b.name for b in members}
    dims = {dimension: term for dimension, term in record.dims.items() if names_of(term) <= known}
    return replace(record, dims=dims, declaration=Declaration(members))


def _implied(tensor: Any, dims: Mapping[int, Term], declaration: Declaration) -> NamedDims:
    """A record of names that the tensor got from what it was computed of."""
    return NamedDims(dims, tuple(tensor.shape), declaration, _COMPUTED, implied=True)


def _replaced(value: Any, record: NamedDims) -> NamedDims | None:
    """The new record of the tensor; none where it names nothing."""
    if record.dims:
        setattr(value, ATTRIBUTE, record)
        return record
    delattr(value, ATTRIBUTE)
    return None


def _kept(view: torch.Tensor) -> NamedDims | None:
    """The names of a view's base that it keeps: its dimension walks the same steps over the memory, and as many."""
    base = base_of_view(view)
    if base is None:
        return None
    known = _own(base)
    if known is None or view.layout != torch.strided:
        return None
    walks = [(size, stride) for size, stride in zip(base.shape, base.stride(), strict=True)]
    mine = {walk: j for j, walk in enumerate(zip(view.shape, view.stride(), strict=True)) if walk[0] > 1}
    dims = {mine[walks[i]]: term for i, term in known.dims.items() if walks[i] in mine and walks.count(walks[i]) == 1}
    if not dims:
        return None
    used = {name for term in dims.values() for name in names_of(term)}
    members = tuple(b for b in known.declaration.members if b.name in used)
    return NamedDims(dims, tuple(view.shape), Declaration(members), known.place)


def carrying_names(tensor: torch.Tensor, other: _T) -> _T:
    """The other tensor, of the same sizes, with the names that the first one has."""
    record = named_dims(tensor)
    if record is not None:
        setattr(other, ATTRIBUTE, record)
    return other


def _record(
    tensor: Any,
    terms: Mapping[int, Term],
    given: Iterable[Binding],
    constraints: tuple[str | Constraint, ...],
    place: Place,
) -> NamedDims:
    sizes = {dimension: size_of(tensor, dimension, place) for dimension in terms}
    used = {name for term in terms.values() for name in names_of(term)}
    declaration = declare_sizes(terms, sizes, (b for b in given if b.name in used), constraints, place)
    return NamedDims(MappingProxyType(dict(terms)), tuple(tensor.shape), declaration, place)


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
    if isinstance(tensor, UninitializedTensorMixin):
        raise _no_dimension("the parameter has no sizes before it is initialised", place, f"{dimension}:", _LATER)
    if not -tensor.ndim <= dimension < tensor.ndim:
        listed = f"it has dimensions 0 to {tensor.ndim - 1}" if tensor.ndim else "it has none"
        raise _no_dimension(f"the tensor has no dimension {dimension}: {listed}", place, f"{dimension}:")
    return dimension % tensor.ndim


def size_of(tensor: Any, dimension: int, place: Place, part: str = "") -> int:
    """The size of the dimension. Raises DimensionError where there is no one size."""
    try:
        return int(tensor.shape[dimension])
    except (AttributeError, RuntimeError):  # what torch raises for sizes that are no numbers
        part = part or f"{dimension}:"
        if not tensor.is_nested:
            message = f"the size of dimension {dimension} is not known before the graph runs"
            raise _no_dimension(message, place, part, _BOUND) from None
        if tensor.layout == torch.strided:
            raise _no_dimension("a nested tensor with the strided layout has no sizes", place, part, _JAGGED) from None
        message = f"dimension {dimension} is ragged: each component of the tensor has a size of its own there"
        raise _no_dimension(message, place, part, _NOT_RAGGED) from None


_NAMED = 'write name_dims(tensor, {0: "batch"}): from the index of a dimension to its name'
_LATER = "name its dimensions after the first call of its module"
_BOUND = 'give the number itself a name: bind("n", x.item())'
_JAGGED = "make it with layout=torch.jagged, and name the dimensions that are not ragged"
_NOT_RAGGED = "name the other dimensions, or those of its values, which are one tensor: x.values()"
"""What to do instead."""


def _no_dimension(message: str, place: Place, part: str = "", fix: str = _NAMED) -> DimensionError:
    return DimensionError(Diagnostic("DC404", message, (place.label(part or place.origin),), help=(fix,)))


def _spelled(names: object) -> str:
    if not isinstance(names, Mapping):
        return repr(names)
    shown = (f"{k}: {v!r}".replace("'", '"') if isinstance(v, str) else f"{k}: {v!r}" for k, v in names.items())
    return "{" + ", ".join(shown) + "}"
