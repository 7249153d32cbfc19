"""The language once more, for tests: each construct as its text together with its meaning, a function of values.

Shares no code with the package. A term without a value, and a formula that it leaves without a truth value, is None;
connectives are Kleene's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

Values = Mapping[str, int]


class Node(NamedTuple):
    """A term or a formula; ``closed`` where its text needs no parentheses inside another."""

    text: str
    of: Callable[[Values], int | None]
    closed: bool = False

    @property
    def inner(self) -> str:
        """The text as a part of another."""
        return self.text if self.closed else f"({self.text})"


RELATIONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
BINARY: dict[str, Callable[[int, int], int | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": lambda a, b: a // b if b else None,
    "%": lambda a, b: a % b if b else None,
}
CALLS: dict[str, Callable[..., int | None]] = {
    "min": lambda *a: min(a),
    "max": lambda *a: max(a),
    "abs": abs,
    "gcd": math.gcd,
    "lcm": math.lcm,
    "ceildiv": lambda a, b: -(-a // b) if b else None,
    "align_up": lambda a, b: a + -a % b if b else None,
    "align_down": lambda a, b: a - a % b if b else None,
    "divides": lambda d, e: e % d == 0 if d else None,
    "is_power_of_two": lambda e: e in POWERS,
}
POWERS = frozenset(2**k for k in range(200))


def number(value: int) -> Node:
    return Node(str(value), lambda _: value, value >= 0)


def name(text: str) -> Node:
    return Node(text, operator.itemgetter(text), True)


def strict(text: str, function: Callable[..., int | None], parts: Sequence[Node], closed: bool = False) -> Node:
    """Undefined where a part is, or the function says so."""

    def of(values: Values) -> int | None:
        arguments = [part.of(values) for part in parts]
        return None if None in arguments else function(*arguments)

    return Node(text, of, closed)


def binary(sign: str, left: Node, right: Node) -> Node:
    return strict(f"{left.inner} {sign} {right.inner}", BINARY[sign], (left, right))


def negative(inner: Node) -> Node:
    return strict(f"-{inner.inner}", operator.neg, (inner,))


def power(base: Node, exponent: int) -> Node:
    return strict(f"{base.inner}**{exponent}", lambda x: x**exponent, (base,))


def call(function: str, *arguments: Node) -> Node:
    return strict(f"{function}({', '.join(a.text for a in arguments)})", CALLS[function], arguments, True)


def conditional(condition: Node, then: Node, otherwise: Node) -> Node:
    """Between terms or between formulas: only what is chosen has to be defined."""

    def of(values: Values) -> int | None:
        chosen = condition.of(values)
        return None if chosen is None else (then if chosen else otherwise).of(values)

    return Node(f"{then.inner} if {condition.inner} else {otherwise.inner}", of)


def chain(relations: Sequence[str], operands: Sequence[Node]) -> Node:
    def of(values: Values) -> bool | None:
        numbers = [operand.of(values) for operand in operands]
        links = zip(relations, pairwise(numbers), strict=True)
        return conjoined([None if None in pair else RELATIONS[relation](*pair) for relation, pair in links])

    first, *rest = operands
    return Node(first.inner + "".join(f" {r} {o.inner}" for r, o in zip(relations, rest, strict=True)), of)


def in_set(item: Node, elements: Sequence[Node], inside: bool = True) -> Node:
    def of(values: Values) -> bool | None:
        value, numbers = item.of(values), [element.of(values) for element in elements]
        found = disjoined([None if value is None or n is None else value == n for n in numbers])
        return found if found is None else found is inside

    return Node(f"{item.inner} {_IN[inside]} {{{', '.join(e.text for e in elements)}}}", of)


def in_range(item: Node, ends: Sequence[Node], step: int | None, inside: bool = True) -> Node:
    last = [] if step is None else [number(step)]
    text = f"{item.inner} {_IN[inside]} range({', '.join(e.text for e in (*ends, *last))})"
    return strict(text, lambda i, *e: (i in range(*e, *([] if step is None else [step]))) is inside, (item, *ends))


_IN = {True: "in", False: "not in"}


def negation(inner: Node) -> Node:
    return strict(f"not {inner.inner}", operator.not_, (inner,))


def conjunction(parts: Sequence[Node]) -> Node:
    return Node(" and ".join(p.inner for p in parts), lambda values: conjoined([p.of(values) for p in parts]))


def disjunction(parts: Sequence[Node]) -> Node:
    return Node(" or ".join(p.inner for p in parts), lambda values: disjoined([p.of(values) for p in parts]))


def implication(premise: Node, conclusion: Node) -> Node:
    untrue = negation(premise)
    return Node(
        f"{premise.inner} => {conclusion.inner}", lambda values: disjoined([untrue.of(values), conclusion.of(values)])
    )


def conjoined(truths: Iterable[int | None]) -> bool | None:
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def disjoined(truths: Iterable[int | None]) -> bool | None:
    seen = set(truths)
    return True if True in seen else None if None in seen else False


def some_term(rng: Random, names: Sequence[str], depth: int) -> Node:
    """A term at random: small constants, 0 among them, and every function."""

    def part() -> Node:
        return some_term(rng, names, depth - 1)

    if depth <= 0 or rng.random() < 0.15:
        return name(rng.choice(names)) if rng.random() < 0.72 else number(rng.choice(_NUMBERS))
    match rng.randrange(16):
        case 0 | 1 | 2:
            return binary(rng.choice("+-*"), part(), part())
        case 3:
            return binary("*", number(rng.choice(_NUMBERS)), part())
        case 4 | 5 | 6:
            return binary(rng.choice(("//", "%")), part(), _divisor(rng, part))
        case 7 | 8:
            return call(rng.choice(("ceildiv", "align_up", "align_down")), part(), _divisor(rng, part))
        case 9 | 10:
            return call(rng.choice(("gcd", "gcd", "lcm")), *(part() for _ in range(rng.choice((1, 2, 2, 2, 3)))))
        case 11:
            return call(rng.choice(("min", "max")), *(part() for _ in range(rng.choice((2, 2, 3)))))
        case 12:
            return call("abs", part())
        case 13:
            return power(part(), rng.randrange(4))
        case 14:
            return negative(part())
        case _:
            return conditional(some_formula(rng, names, depth - 1), part(), part())


def _divisor(rng: Random, part: Callable[[], Node]) -> Node:
    return number(rng.choice(_DIVISORS)) if rng.random() < 0.5 else part()


def some_formula(rng: Random, names: Sequence[str], depth: int) -> Node:
    """A formula at random."""

    def term() -> Node:
        return some_term(rng, names, depth)

    def part() -> Node:
        return some_formula(rng, names, depth - 1)

    match rng.randrange(18 if depth > 0 else 11):
        case 0 | 1 | 2 | 3 | 4:
            length = rng.choice((1, 1, 1, 1, 2, 3))
            relations = [rng.choice(("==", *RELATIONS)) for _ in range(length)]
            return chain(relations, [term() for _ in range(length + 1)])
        case 5 | 6:
            return in_set(term(), [term() for _ in range(rng.choice((1, 2, 2, 3)))], rng.random() < 0.7)
        case 7 | 8:
            step = rng.choice((None, None, 1, 2, 3, 4, -1, -2, -3))
            ends = [term() for _ in range(1 if step is None and rng.random() < 0.3 else 2)]
            return in_range(term(), ends, step, rng.random() < 0.6)
        case 9:
            return call("divides", _divisor(rng, term), term())
        case 10:
            return call("is_power_of_two", term())
        case 11 | 12:
            return negation(part())
        case 13 | 14:
            return (conjunction if rng.random() < 0.4 else disjunction)([part() for _ in range(rng.choice((2, 2, 3)))])
        case 15 | 16:
            return implication(part(), part())
        case _:
            return conditional(part(), part(), part())


_NUMBERS = (-3, -2, -1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 9, 12)
_DIVISORS = (-4, -3, -2, -1, 0, 1, 2, 2, 3, 4, 4, 6, 8)
