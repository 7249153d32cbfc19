"""Dims: the sizes of a tensor as an annotation, which needs no torch to be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dims:
    """The sizes of a tensor, as an annotation: ``x: Annotated[Tensor, Dims("b 3 h w")]``.

    Args:
        text: The shape, as `declare` takes it.

    Example:
        >>> Dims("b 3 h w")
        Dims(text='b 3 h w')
    """

    text: str
