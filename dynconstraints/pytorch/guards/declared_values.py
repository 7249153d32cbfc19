"""The values of one name for which a condition on it is tabulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import lcm

from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Call, FloorDiv, Formula, Int, Mod, Node
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.system import ConstraintSystem

EFFORT = 200_000
"""The solver's effort for one question about a condition in another form."""

_MOST = 2048
"""Values that are looked at; declared ranges of sizes have some tens, or no end."""


@dataclass(frozen=True)
class Values:
    """Values that are ``within`` the declaration, in their order, and ones that go on ``beyond`` its bounds, which show
    a period that a small domain hides. ``is_complete`` where the declaration allows no others."""

    within: Sequence[int]
    beyond: Sequence[int]
    is_complete: bool

    @classmethod
    def of(cls, name: str, asked: Node, known: ConstraintSystem) -> Values:
        """As many as show what a condition, or a term, on the name does."""
        low, high = known.bounds(name, EFFORT) if name in known.symbols else (None, None)
        modulus, remainder = known.congruence(name, EFFORT) if name in known.symbols else (1, 0)
        if modulus == 0 or (low is not None and low == high):
            return cls((remainder,) if modulus == 0 else (low or 0,), (), True)
        number = min(_MOST, 2 * _reach(asked) // modulus + 16)
        if low is not None:
            first = low + (remainder - low) % modulus
        elif high is not None:
            first = high - (high - remainder) % modulus - (number - 1) * modulus
        else:
            first = remainder - number // 2 * modulus
        is_complete = low is not None and high is not None and (high - first) // modulus < _MOST
        count = (high - first) // modulus + 1 if is_complete and high is not None else number
        values = range(first, first + count * modulus, modulus)
        alone = [truth(c.formula, name) for c in known if c.symbols == (name,)]
        within = [v for v in values if (high is None or v <= high) and all(holds(v) for holds in alone)]
        return cls(within, range(first, first + number * modulus, modulus), is_complete)


def truth(condition: Formula, name: str) -> Callable[[int], bool]:
    """Whether a condition on the name alone holds for a value."""
    return compile_formula(condition, (name,))


def _reach(asked: Node) -> int:
    """After how many integers it has shown what it does: its period, past the constants in it."""
    period, nested = 1, 1
    for divisor in divisors_in(asked):
        period, nested = min(lcm(period, divisor), _MOST**2), min(nested * divisor, _MOST**2)
    largest = max((abs(n.value) for n in walk(asked) if isinstance(n, Int)), default=0)
    return max(period, nested) + largest * max(1, min(nested, _MOST))


def divisors_in(asked: Node) -> list[int]:
    """The numbers that are divided by, as often as they are."""
    found = []
    for node in walk(asked):
        match node:
            case FloorDiv(_, Int(value)) | Mod(_, Int(value)) | Call(_, (_, Int(value))) if value:
                found.append(abs(value))
    return found
