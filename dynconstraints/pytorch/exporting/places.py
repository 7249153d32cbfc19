"""A declared place among the flat inputs of a program."""

from __future__ import annotations

from dataclasses import dataclass

from dynconstraints.ir.nodes import Term


@dataclass(frozen=True)
class Place:
    """A size or number among the flat inputs, and the term that it is: of which input, and which of its dimensions."""

    leaf: int
    dimension: int | None
    term: Term
