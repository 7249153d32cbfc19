"""What a model of the zoo is: built with random weights, declared from outside, called at ten sizes of its domain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Specimen:
    """A model of a library; ``shapes`` are what `declare` is told, and ``domain`` the values of each name in them.

    ``arguments`` makes a call by name for some sizes. Where the model itself breaks the graph, it isn't ``whole``.
    """

    name: str
    library: str
    make: Callable[[], torch.nn.Module]
    shapes: Mapping[str, str]
    domain: Mapping[str, range]
    arguments: Callable[[Sizes], Mapping[str, Any]]
    whole: bool = True
    also: tuple[str, ...] = field(default=())
    """Constraints beyond each name's own range and multiple."""

    @property
    def constraints(self) -> tuple[str, ...]:
        return (*(text for name, values in self.domain.items() for text in _said(name, values)), *self.also)

    def sizes(self) -> list[Sizes]:
        """Ten assignments: one in the middle, on which the first graph is made, all ends of the domain, then others."""
        choose, chosen = random.Random(0), [{n: v[len(v) // 2] for n, v in self.domain.items()}]
        chosen += [{n: v[end] for n, v in self.domain.items()} for end in (0, -1)]
        chosen += [{**chosen[0], n: v[end]} for n, v in self.domain.items() for end in (0, -1)][:4]
        while len(chosen) < 10:
            chosen.append({n: choose.choice(v) for n, v in self.domain.items()})
        return chosen


def _said(name: str, values: range) -> Iterator[str]:
    if values.step > 1:
        yield f"{name} % {values.step} == {values.start % values.step}"
    yield f"{values.start} <= {name} <= {values[-1]}"


def tokens(*names: str, also: Mapping[str, Any] | None = None) -> Callable[[Sizes], Mapping[str, Any]]:
    """Calls of a language model: random tokens, a mask of ones where asked for."""

    def arguments(sizes: Sizes) -> Mapping[str, Any]:
        shape = sizes["b"], sizes["s"]
        made = {n: torch.ones(shape, dtype=torch.int64) if "mask" in n else torch.randint(3, 64, shape) for n in names}
        return {**made, **(also or {})}

    return arguments


def images(name: str, also: Mapping[str, Any] | None = None) -> Callable[[Sizes], Mapping[str, Any]]:
    """Calls of a vision model."""

    def arguments(sizes: Sizes) -> Mapping[str, Any]:
        return {name: torch.randn(sizes["b"], 3, sizes["h"], sizes["w"]), **(also or {})}

    return arguments


IMAGE = "b 3 h w"


def squares(step: int, most: int, least: int = 0) -> Mapping[str, range]:
    """The domain of images: so many of them, and sides that are multiples of a number."""
    sides = range(least or 2 * step, most + 1, step)
    return {"b": range(2, 5), "h": sides, "w": sides}
