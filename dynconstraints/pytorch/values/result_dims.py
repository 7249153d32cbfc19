"""What the graph of a compiled function knows of the sizes of a result, for the next compiled function that gets it.

That is no declaration: nobody said it of this tensor. It breaks nothing, no call is checked for it, and two results
never disagree, since each has names of its own where it is passed on. Where a tensor is looked at its sizes are asked
again, so whatever was done to it since, what is said of it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import names_in_order, substitute, substitute_term
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.pytorch._torch.eager import is_marked_static
from dynconstraints.pytorch.declarations.user_location import Place
from dynconstraints.pytorch.values.dims_record import NamedDims
from dynconstraints.pytorch.values.named_dims import ATTRIBUTE, attributes
from dynconstraints.pytorch.values.size_equations import declare_sizes

_ATTRIBUTE = "_dynconstraints_known"
"""Of a result: what its graph knows of it."""


@dataclass(frozen=True)
class ResultDims:
    """The terms of a result's dimensions, and what the function's declaration says of their names.

    One object for all results of a graph in the same place, whatever the sizes of the calls are.
    """

    function: str
    dims: Mapping[int, Term]
    constraints: tuple[Constraint, ...]

    @classmethod
    def of(cls, function: str, dims: Mapping[int, Term], constraints: Iterable[Constraint]) -> ResultDims:
        """With the constraints that speak of names in the terms alone, and names as short as they were said."""
        used = dict.fromkeys(name for term in dims.values() for name in names_in_order(term))
        short: dict[str, Term] = {}
        for name in used:
            own = name.rpartition(".")[2].partition("'")[0]
            every = (own, *(f"{own}_{number}" for number in range(2, len(used) + 2)))
            short[name] = next(Name(each) for each in every if Name(each) not in short.values())
        known = tuple(_renamed(c, short) for c in constraints if used.keys() >= set(c.symbols))
        return cls(function, {d: substitute_term(term, short) for d, term in dims.items()}, known)

    def record(self, sizes: tuple[int, ...], number: int) -> NamedDims | None:
        """The record of a tensor of the sizes, under names that are its own; None where it does not fit them."""
        mark = "" if number == 0 else f"'{number + 1}"
        used = {name for term in self.dims.values() for name in names_of(term)}
        own: dict[str, Term] = {name: Name(f"{self.function}.{name}{mark}") for name in used}
        terms = {d: substitute_term(term, own) for d, term in self.dims.items() if d < len(sizes)}
        constraints = tuple(_renamed(c, own) for c in self.constraints)
        place = Place(f"a result of {self.function}")
        try:
            found = declare_sizes(terms, dict(enumerate(sizes)), (), constraints, place)
        except ConstraintError:
            return None
        known = {binding.name for binding in found.members}
        dims = {d: term for d, term in terms.items() if names_of(term) <= known}
        return NamedDims(dims, sizes, found, place, implied=True) if dims else None


def _renamed(constraint: Constraint, names: Mapping[str, Term]) -> Constraint:
    return replace(constraint, formula=substitute(constraint.formula, names))


def remember(result: Any, known: ResultDims) -> None:
    """Have the result keep what its graph knows."""
    if type(result) is torch.Tensor:
        attributes(result)[_ATTRIBUTE] = known


def is_result(value: Any) -> bool:
    """Whether something is known of a tensor, as of results."""
    return type(value) is torch.Tensor and _ATTRIBUTE in attributes(value)


def known_of(tensor: Any, number: int) -> NamedDims | None:
    """What is known of a tensor that is a result, and has no names; ``number`` tells it apart from others."""
    if type(tensor) is not torch.Tensor:
        return None
    held = attributes(tensor)
    known = held.get(_ATTRIBUTE)
    if known is None or ATTRIBUTE in held or is_marked_static(held):
        return None
    return known.record(tuple(tensor.shape), number)  # type: ignore[no-any-return]
