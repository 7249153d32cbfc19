"""What a call declares by the signature of its function: the values at the paths, checked, as one declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from typing import Any

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintError, DimensionError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.pytorch._torch.eager import is_ragged
from dynconstraints.pytorch.declarations.check_values import check_bindings, constraints_in_force
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.declarations.user_location import Place, located
from dynconstraints.pytorch.signatures.paths import Reached, reach
from dynconstraints.pytorch.values.named_dims import size_of
from dynconstraints.pytorch.values.size_equations import RETURNS, Position, declare_sizes
from dynconstraints.signature.shape import Shape
from dynconstraints.signature.signature import Signature


@dataclass(frozen=True)
class Item:
    """A value of a call at a declared path, and the terms of its sizes by dimension; of a number, by None."""

    reached: Reached
    shape: Shape
    terms: Mapping[int | None, Term]

    @property
    def sizes(self) -> Iterator[int]:
        """The declared sizes, or the number."""
        value = self.reached.value
        return (value if dimension is None else value.shape[dimension] for dimension in self.terms)


def items_of(signature: Signature, arguments: Mapping[str, Reached]) -> list[Item]:
    """The values at the paths of the arguments. Raises DimensionError where one is of another form than is declared."""
    return list(_items(signature, arguments))


def results_of(signature: Signature, result: Any) -> list[Item]:
    """The same of what the function returned."""
    items = []
    for path, shape in signature.returns.items():
        root = Reached(RETURNS, "", result)
        for reached in reach(f"{RETURNS}.{path}", root) if path else (root,):
            item = item_of(signature, reached, shape)
            if item is not None:
                items.append(item)
    return items


def _items(signature: Signature, arguments: Mapping[str, Reached]) -> Iterator[Item]:
    for path, shape in signature.arguments.items():
        start = arguments.get(path.partition(".")[0])
        if start is None:
            continue
        for reached in reach(path, start) if "." in path else (start,):
            item = item_of(signature, reached, shape)
            if item is not None:
                yield item


def item_of(signature: Signature, reached: Reached, shape: Shape) -> Item | None:
    """The value as one of the shape; None for None. Raises DimensionError where it is of another form."""
    value = reached.value
    if value is None:
        return None
    kind = type(value)
    if issubclass(kind, torch.Tensor):
        dims = shape.dims(value.dim())
        if dims is None:
            raise _another_rank(signature, reached, shape)
        if value.is_nested:
            for dimension in dims:
                _check_not_ragged(signature, reached, shape, dimension)
        return Item(reached, shape, dims)  # type: ignore[arg-type]  # no number is among them
    if issubclass(kind, int | float | Integral) and kind is not bool:
        if shape.number is None or (issubclass(kind, float) and not isinstance(shape.number, Name)):
            raise _no_tensor(signature, reached, shape)
        return Item(reached, shape, {None: shape.number})
    if isinstance(value, torch.SymInt | torch.SymFloat):
        return None
    raise _no_tensor(signature, reached, shape)


def _check_not_ragged(signature: Signature, reached: Reached, shape: Shape, dimension: int) -> None:
    """Raises DimensionError where a dimension of a nested tensor has no one size."""
    if reached.value.layout == torch.strided or is_ragged(reached.value.shape[dimension]):
        position = Position(reached.path, dimension, shape.text)
        size_of(reached.value, dimension, place_of(signature), position.part())


def is_traced(items: Iterable[Item]) -> bool:
    """Whether the sizes are symbols of some trace, so that there is nothing to check."""
    return any(isinstance(size, torch.SymInt | torch.SymFloat) for item in items for size in item.sizes)


def declared_by(signature: Signature, items: Iterable[Item]) -> Declaration:
    """What the values declare together. Raises the ConstraintError of sizes that disagree, or break a rule."""
    place = place_of(signature)
    terms: dict[Any, Term] = {}
    sizes: dict[Any, int] = {}
    floats: list[Binding] = []
    constraints = placed_constraints(signature)
    for item in items:
        for dimension, term in item.terms.items():
            position = Position(item.reached.path, dimension, item.shape.text)
            if dimension is None:
                value = item.reached.value
                if isinstance(value, float) and isinstance(term, Name):
                    where = Place(place.origin, place.file, place.line, position.part())
                    floats.append(Binding(term.id, float(value), constraints, where))  # type: ignore[arg-type]
                    continue
                terms[position], sizes[position] = term, int(value)
            else:
                terms[position] = term
                sizes[position] = size_of(item.reached.value, dimension, place, position.part())
    try:
        found = declare_sizes(terms, sizes, floats, constraints, place)
    except ConstraintError as error:
        raise located(error, place) from None
    return found


def placed_constraints(signature: Signature) -> tuple[Constraint, ...]:
    """The constraints, said where the function was declared; one tuple for all calls."""
    return _said_of(signature, signature.file, signature.line)[1]


def place_of(signature: Signature) -> Place:
    """Where the function was declared, and what was written there."""
    return _said_of(signature, signature.file, signature.line)[0]


@lru_cache(maxsize=1024)
def _said_of(signature: Signature, file: str | None, line: int) -> tuple[Place, tuple[Constraint, ...]]:
    """Signatures that say the same at other places are equal, so what tells them apart is given as well."""
    texts = [f'{path}="{shape}"' for path, shape in signature.arguments.items()]
    texts += [f'{RETURNS}{path and "."}{path}="{shape}"' for path, shape in signature.returns.items()]
    place = Place(f"declare({', '.join([signature.name or '...', *texts])})", file, line)
    return place, tuple(place.constraint(c) for c in signature.system.constraints)


def known_call(signature: Signature, items: list[Item]) -> Declaration:
    """The same, for calls that come again and again: worked out once for the same sizes."""
    key = (id(signature), *[each for item in items for each in (item.reached.path, *item.sizes)])
    known = _calls.get(key)
    if known is None:
        if len(_calls) >= _MOST_CALLS:
            _calls.clear()
        known = _calls[key] = signature, declared_by(signature, items)
    return known[1]


def check(signature: Signature, items: list[Item]) -> None:
    """Raises the ConstraintError of values that break what is declared, or the open blocks."""
    call, scope = known_call(signature, items), current_scope().constraints
    if scope and (id(call), id(scope)) not in _accepted:
        check_bindings(constraints_in_force([call]), call.bindings, call.places)
        if len(_accepted) >= _MOST_CALLS:
            _accepted.clear()
        _accepted[id(call), id(scope)] = call, scope


_MOST_CALLS = 4096
_calls: dict[tuple[Any, ...], tuple[Signature, Declaration]] = {}
"""What calls declare, told by their sizes; each with the object whose identity is in its key."""

_accepted: dict[tuple[int, int], object] = {}
"""The calls that break nothing that the open blocks say; each with the objects whose identities are its key."""


def _another_rank(signature: Signature, reached: Reached, shape: Shape) -> DimensionError:
    rank, place = reached.value.dim(), place_of(signature)
    wanted = len(shape.sizes)
    number = f"at least {wanted}" if shape.rest is not None else str(wanted)
    dimensions = "dimension" if wanted == 1 else "dimensions"
    sizes = " ".join(map(str, reached.value.shape)) or "none"
    return DimensionError(
        Diagnostic(
            "DC408",
            f"{reached.path} has {rank} dimensions, and {number} {'is' if wanted == 1 else 'are'} declared",
            (place.label(f'"{shape}"', f"the {dimensions} of {reached.path} are {sizes}"),),
            help=('pass a tensor of this rank, or write ... for any number of sizes, as in "... h w"',),
        )
    )


def _no_tensor(signature: Signature, reached: Reached, shape: Shape) -> DimensionError:
    kind, place = type(reached.value).__name__, place_of(signature)
    wanted = "a tensor, an int or a float" if shape.number is not None else "a tensor"
    fix = (
        f'declare what is in it by its path: {{"{reached.path}.{_first_step(reached.value)}": "{shape}"}}'
        if isinstance(reached.value, list | tuple | dict)
        else "pass what is declared, or leave the parameter out of declare(...)"
    )
    return DimensionError(
        Diagnostic(
            "DC408",
            f"{reached.path} is declared as {wanted}, and is of type {kind}",
            (place.label(f'"{shape}"'),),
            help=(fix,),
        )
    )


def _first_step(container: Any) -> str:
    """The step of a path to the first of what is in a container: by its key, where that can be written."""
    first = next(iter(container), None) if isinstance(container, dict) else 0
    return str(first) if type(first) is int or (isinstance(first, str) and first.isidentifier()) else "*"
