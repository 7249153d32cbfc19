"""What one traced frame knows of its declared floats: inputs of the graph, and which of them had to be constants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Constant:
    """A float that the frame is compiled for one value of: its name, the operation that asked, and the user's line."""

    name: str
    operation: str
    line: str | None


@dataclass
class FloatFacts:
    """The floats of one attempt to trace a frame, by name; an anonymous one is called by its source.

    ``inputs`` has the graph's tensor for each symbol, ``variables`` Dynamo's variable for each name; ``constants`` are
    what earlier attempts found out.
    """

    constants: dict[str, Constant] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    inputs: dict[Any, Any] = field(default_factory=dict)
    symbols: dict[Any, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, symbol: Any, tensor: Any, variable: Any) -> None:
        """Record an input of the graph."""
        self.inputs[symbol] = tensor
        self.symbols[symbol] = name
        self.variables[name] = variable

    def names_in(self, symbols: Iterable[Any]) -> tuple[str, ...]:
        """The floats among the symbols, in the order in which the trace met them."""
        found = set(symbols)
        return tuple(name for symbol, name in self.symbols.items() if symbol in found)
