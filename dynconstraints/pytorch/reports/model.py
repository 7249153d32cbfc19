"""The report as data: graphs, the conditions on them, and what the solver says of those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynconstraints.ir.nodes import Formula, Term
from dynconstraints.system import ConstraintSystem


@dataclass(frozen=True)
class ResidualGuard:
    """A condition on declared names that a graph is guarded by and the declaration does not settle by itself.

    ``fails_at`` is an assignment that satisfies the declaration and fails the condition, and so compiles anew; None
    where the solver found none and could not rule one out. ``specialises`` is the name that is left one value, and
    ``operation`` what asks for it, where it is one that does not support dynamic floats. ``true`` and ``false`` are
    formulas that make the condition so; each the opposite of the other but for conditions on floats, which round, and
    None where the language has no words for it. ``asked_at`` is the operation in the graph at which the backend asked,
    and ``torch_line`` the line that torch blames, where that is in another package.

    ``otherwise`` is where the condition fails; ``is_smaller``: it leaves less than half of what is declared.
    ``fails_in_eager`` is what the program raises without the compiler at ``fails_at``, too; None where it raises
    nothing there, or that isn't known. ``forgotten`` are sizes without a name that go along with ``specialises``.
    """

    condition: str
    line: str | None
    specialises: str | None
    operation: str | None
    fails_at: Mapping[str, int] | None
    true: Formula | None = field(repr=False)
    false: Formula | None = field(repr=False)
    asked_at: str | None = None
    torch_line: str | None = None
    otherwise: str | None = None
    is_smaller: bool = False
    fails_in_eager: str | None = None
    forgotten: tuple[Forgotten, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The condition as plain data."""
        return {
            "condition": self.condition,
            "otherwise": self.otherwise,
            "line": self.line,
            "torch_line": self.torch_line,
            "specialises": self.specialises,
            "operation": self.operation,
            "asked_at": self.asked_at,
            "fails_at": None if self.fails_at is None else dict(self.fails_at),
            "fails_in_eager": self.fails_in_eager,
            "forgotten": [forgotten.as_data() for forgotten in self.forgotten],
        }


@dataclass(frozen=True)
class Forgotten:
    """A size that nothing names, and that changes with a name: ``where`` it is, its value, and what to call it."""

    where: str
    value: int
    expression: str

    @property
    def text(self) -> str:
        """What a user is told of it."""
        computed = "" if self.expression.isidentifier() else f" = {self.expression}"
        return f"{self.where} is {self.value}{computed} here, too, and has no name: name it {self.expression}"

    def as_data(self) -> dict[str, Any]:
        """The size as plain data."""
        return {"where": self.where, "value": self.value, "expression": self.expression}


@dataclass(frozen=True)
class Doubt:
    """Why it is not known whether the graphs serve all that is declared, and the user's line, where there is one."""

    text: str
    line: str | None

    def as_data(self) -> dict[str, Any]:
        """The doubt as plain data."""
        return {"text": self.text, "line": self.line}


@dataclass(frozen=True)
class Graph:
    """One compiled frame.

    ``code`` is the user's function that it is for, ``frame`` a number that graphs of one function share, ``values``
    what the names were when it was compiled. ``places`` gives each declared value's source with the name that it is
    held as; ``lattice`` each name over parameters (``s0 = 32*k_s0``) with the parameters' ranges; ``remaining`` the
    conditions beyond the declaration, without those that follow from others; ``undeclared`` the guards that relate
    declared names to sizes that nothing declares, and what the graph looks at that comes over a graph break and may be
    something else in another call. ``system`` is all that is in force; of the integers that the frame has met, ``free``
    ones vary, and ``definitions`` tell the others in terms of them. ``resumed`` graphs are of the rest of a function
    after a graph break; ``is_reached`` where a call that fails its guards is known to be compiled anew, and not
    perhaps to go another way before. ``broke`` is what ended the graph before its function, and the line.
    """

    code: str
    frame: int
    values: Mapping[str, int]
    places: tuple[tuple[str, str], ...]
    declared: tuple[tuple[str, str | None], ...]
    lattice: tuple[str, ...]
    guards: tuple[str, ...]
    remaining: tuple[ResidualGuard, ...]
    undeclared: tuple[str, ...]
    oracle: tuple[int, float]
    system: ConstraintSystem = field(repr=False)
    free: tuple[str, ...]
    definitions: Mapping[str, Term] = field(repr=False)
    resumed: bool = False
    is_reached: bool = True
    broke: Doubt | None = None

    @property
    def covers_domain(self) -> bool | None:
        """Whether this graph serves all that is declared, other things equal; None where that is not known."""
        if any(r.fails_at is not None for r in self.remaining):
            return False
        return None if self.remaining or self.undeclared or not self.places else True

    def as_data(self) -> dict[str, Any]:
        """The graph as plain data."""
        return {
            "code": self.code,
            "frame": self.frame,
            "values": dict(self.values),
            "places": dict(self.places),
            "declared": [{"constraint": text, "at": at} for text, at in self.declared],
            "lattice": list(self.lattice),
            "guards": list(self.guards),
            "remaining": [r.as_data() for r in self.remaining],
            "undeclared": list(self.undeclared),
            "graph_break": None if self.broke is None else self.broke.as_data(),
            "covers_domain": self.covers_domain,
            "oracle": {"questions": self.oracle[0], "seconds": self.oracle[1]},
        }
