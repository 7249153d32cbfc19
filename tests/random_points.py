"""Assignments from a generator that C++ has, too, and whether exact arithmetic at one needs more than so many bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import lcm, ldexp

from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Add, Call, Formula, Function, Int, Member, Mul, Neg, Pow, RangeOf, total

GENERATOR = """
static std::uint64_t state;
static std::uint64_t next() {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return state >> 33;
}
[[maybe_unused]] static std::int64_t whole() {
  switch (next() % 8) {
    case 0: return static_cast<std::int64_t>(next() % 2001) - 1000;
    case 1: { const std::uint64_t high = next() << 33; return static_cast<std::int64_t>(high ^ (next() << 2)); }
    default: return static_cast<std::int64_t>(next() % 41) - 20;
  }
}
[[maybe_unused]] static double real() {
  const double part = static_cast<double>(static_cast<std::int64_t>(next() % 2001) - 1000);
  return std::ldexp(part, static_cast<int>(next() % 40) - 30);
}
"""


class Points:
    """The same values in Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 33

    def whole(self) -> int:
        match self.next() % 8:
            case 0:
                return self.next() % 2001 - 1000
            case 1:
                bits = (self.next() << 33) % 2**64 ^ self.next() << 2
                return bits - 2**64 if bits >= 2**63 else bits
            case _:
                return self.next() % 41 - 20

    def real(self) -> float:
        part = float(self.next() % 2001 - 1000)
        return ldexp(part, self.next() % 40 - 30)

    def assignments(self, names: Sequence[str], reals: frozenset[str], number: int) -> Iterator[dict[str, int]]:
        for _ in range(number):
            yield {name: self.real() if name in reals else self.whole() for name in names}  # type: ignore[misc]


def needs_more(formula: Formula, values: Mapping[str, int], bits: int) -> bool:
    """Whether some number on the way is 2**bits or larger, in magnitude."""
    return any(abs(number) >> bits for node in walk(formula) for number in _on_the_way(node, values))


def _on_the_way(node: object, values: Mapping[str, int]) -> Iterator[int]:
    match node:
        case Add(parts) | Mul(parts) | Call(Function.LCM, parts):
            numbers = [value_of(part, values) for part in parts]
            join = (lambda a, b: a + b) if isinstance(node, Add) else (lambda a, b: a * b)
            if isinstance(node, Call):
                join = lcm
            if None not in numbers:
                yield from accumulate(numbers, join)
        case Call(Function.ALIGN_UP | Function.ALIGN_DOWN | Function.CEILDIV) | Pow() | Int():
            found = value_of(node, values)  # type: ignore[arg-type]
            yield from () if found is None else (found,)
        case Member(item, RangeOf(start)):
            difference = value_of(total((item, Neg(start))), values)
            yield from () if difference is None else (difference,)
