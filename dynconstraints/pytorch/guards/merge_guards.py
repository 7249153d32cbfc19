"""Guards that speak of one value, as one chained comparison: ``8 <= x.size(1) == x.stride(0) == 8*k <= 512``.

torch prints one guard a source (a size, the stride that equals it) and one a symbol (its range), each computing the
same parameter again. Joined, they say the same, are fewer, and compute it once.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Joined:
    """A guard that stands for those at the places given, counted from 0."""

    text: str
    at: tuple[int, ...]


@dataclass
class _Chain:
    """``low <= first == … == total <= high``: what is equal to ``total``, and between which values.

    ``spelled`` are the texts of what is equal, the total's last; ``at`` the places of the guards that are in it.
    """

    total: ast.expr
    spelled: list[str]
    at: list[int]
    low: str | None = None
    high: str | None = None

    @property
    def text(self) -> str:
        below = "" if self.low is None else f"{self.low} <= "
        above = "" if self.high is None else f" <= {self.high}"
        return below + " == ".join(dict.fromkeys(self.spelled)) + above


@dataclass(frozen=True)
class _Range:
    """``low <= value`` and ``value <= high``, or one of them, and the place of the guard that says so."""

    value: ast.expr
    low: int | None
    high: int | None
    at: int = 0


def join(guards: list[str], told: list[str]) -> None:
    """Join the guards in place, and those that torch shows, which have comments and the same order.

    Of the comments torch's request to report a source that has no symbol is left out.
    """
    if len(guards) != len(told):
        return
    found = joined(guards)
    comments = [text.partition("  # ")[2] for text in told]
    guards[:] = [guard.text for guard in found]
    told[:] = ["  # ".join([guard.text, *_comment(comments[i] for i in guard.at)]) for guard in found]


def joined(guards: Sequence[str]) -> list[Joined]:
    """The guards, Python expressions, in fewer ones that are all true for the same values, in the order of the first.

    Equations ``a == t`` and ``b == t`` are ``a == b == t``; and with ``t = c*k`` for ``c > 0`` the range ``1 <= k`` is
    ``c <= a``.
    """
    trees = [ast.parse(text, mode="eval").body for text in guards]
    chains: dict[str, _Chain] = {}
    for i, tree in enumerate(trees):
        match tree:
            case ast.Compare(value, [ast.Eq()], [total]):
                chain = chains.setdefault(ast.dump(total), _Chain(total, [_segment(guards[i], total)], []))
                chain.spelled.insert(-1, _segment(guards[i], value))
                chain.at.append(i)
    ranges = [found for i, tree in enumerate(trees) if (found := _range(tree, i)) is not None]
    left = [found for found in ranges if not _bound(chains.values(), found, frozenset())]
    # What is positive by itself serves as a factor; two that were so by each other might both be 0.
    positive = {ast.dump(r.value) for r in ranges if r not in left and r.low is not None and r.low > 0}
    for found in left:
        _bound(chains.values(), found, positive)
    longer = [Joined(chain.text, tuple(sorted(chain.at))) for chain in chains.values() if len(chain.at) > 1]
    rest = set(range(len(guards))).difference(*(guard.at for guard in longer))
    return sorted([*longer, *(Joined(guards[i], (i,)) for i in rest)], key=lambda guard: guard.at)


def _bound(chains: Iterable[_Chain], found: _Range, positive: Collection[str]) -> bool:
    """Put the range into a chain whose total is its value times what is positive; whether there is one."""
    for chain in chains:
        cofactors = _cofactors(chain.total, found.value, positive)
        if cofactors is None or not chain.low is chain.high is None:
            continue
        times, factors = cofactors
        others = [f"({ast.unparse(factor)})" for factor in factors]
        chain.low, chain.high = (
            None if number is None else "*".join([str(times * number), *others]) for number in (found.low, found.high)
        )
        chain.at.append(found.at)
        return True
    return False


def _cofactors(total: ast.expr, value: ast.expr, positive: Collection[str]) -> tuple[int, list[ast.expr]] | None:
    """What the value is multiplied by in the total: a number and expressions, all positive; None elsewhere."""
    times, factors, wanted = 1, _factors(total), ast.dump(value)
    at = next((i for i, factor in enumerate(factors) if ast.dump(factor) == wanted), None)
    if at is None:
        return None
    others = []
    for factor in (*factors[:at], *factors[at + 1 :]):
        number = _number(factor)
        if number is not None:
            times *= number
        elif ast.dump(factor) in positive:
            others.append(factor)
        else:
            return None
    return (times, others) if times > 0 else None


def _segment(text: str, tree: ast.expr) -> str:
    """The expression as it is written in the text, where it is on one line."""
    return ast.get_source_segment(text, tree) or ast.unparse(tree)


def _factors(tree: ast.expr) -> list[ast.expr]:
    match tree:
        case ast.BinOp(left, ast.Mult(), right):
            return [*_factors(left), *_factors(right)]
    return [tree]


def _range(tree: ast.expr, at: int) -> _Range | None:
    """What ``1 <= k``, ``k <= 9`` or both, with ``and`` between them, say."""
    match tree:
        case ast.Compare(left, [ast.LtE()], [right]):
            low, high = _number(left), _number(right)
            if high is None and low is not None:
                return _Range(right, low, None, at)
            if low is None and high is not None:
                return _Range(left, None, high, at)
        case ast.BoolOp(ast.And(), [first, second]):
            one, other = _range(first, at), _range(second, at)
            if one is None or other is None or one.high is not None or other.low is not None:
                return None
            if ast.dump(one.value) == ast.dump(other.value):
                return _Range(one.value, one.low, other.high, at)
    return None


def _number(tree: ast.expr) -> int | None:
    match tree:
        case ast.Constant(int(value)):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int(value))):
            return -value
    return None


def _comment(parts: Iterable[str]) -> list[str]:
    """The comments as one, in a list; an empty list where nothing is left."""
    kept = dict.fromkeys(part for part in parts if part and "please file a bug" not in part)
    return ["; ".join(kept)] if kept else []
