"""What each operator does to the expressions of its operands: for every operator a rule from operands to a base.

Most results are never asked for their expression, so an operator only leaves a note of what it did, a `Pending`, and
the rule is applied when somebody asks. Notes never hold more than `DEFERRED` operations: a loop of any length stays
small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from dynconstraints.ir.nodes import FloorDiv, Mod, Term
from dynconstraints.pytorch._torch.release import UpstreamDynamicInt
from dynconstraints.pytorch.values.expression import CONSTANT, Base, absolute, applied, combined, power, scaled, times

DEFERRED = 64
"""The most operations that wait to be worked out."""

LARGEST_EXPONENT = 64
"""Powers and shifts by more than this are not remembered: hardly a value within 64 bits has them."""

Rule: TypeAlias = Callable[[int, int, int], "Base | None"]
Compute: TypeAlias = Callable[[int, int], int]

Pending: TypeAlias = "tuple[Compute, Rule, int, int, int]"
"""What was computed, the rule for it, left operand, right operand, and at least how many operations are in it."""

Link: TypeAlias = "Base | Pending | None"
"""How an integer depends on names; None where it depends on none, or that is no longer known."""


def base_of(value: int) -> Base | None:
    """The base of an operand: CONSTANT for a plain int, None for a dynamic one that depends on no names."""
    if type(value) is int or not isinstance(value, UpstreamDynamicInt):
        return CONSTANT
    link: Link = getattr(value, "link", None)
    if type(link) is tuple:
        compute, rule, left, right, _ = cast("Pending", link)
        link = rule(left, right, compute(int(left), int(right)))
        value.link = link  # type: ignore[attr-defined]  # only ours have a link
    if link is not None:
        for binding in link.bindings:  # type: ignore[union-attr]
            if binding.during is not None and binding.during.ended:
                return None
    return link  # type: ignore[return-value]  # the tuple has become a base


def added(left: int, right: int, _: int) -> Base | None:
    """``left + right``."""
    a, b = base_of(left), base_of(right)
    if a is None or b is None:
        return None
    return a if b is CONSTANT else b if a is CONSTANT else combined(a, b, 1)


def subtracted(left: int, right: int, _: int) -> Base | None:
    """``left - right``."""
    a, b = base_of(left), base_of(right)
    if a is None or b is None:
        return None
    return a if b is CONSTANT else scaled(b, -1) if a is CONSTANT else combined(a, b, -1)


def multiplied(left: int, right: int, value: int) -> Base | None:
    """``left * right``."""
    a, b = base_of(left), base_of(right)
    if a is None or b is None:
        return None
    if b is CONSTANT:
        return scaled(a, int(right))
    return scaled(b, int(left)) if a is CONSTANT else applied(times, value, (a, int(left)), (b, int(right)))


def applying(build: Callable[..., Term]) -> Rule:
    """The rule of an operation that the language has and that is not linear."""

    def rule(left: int, right: int, value: int) -> Base | None:
        a, b = base_of(left), base_of(right)
        return None if a is None or b is None else applied(build, value, (a, int(left)), (b, int(right)))

    return rule


divided, remaining, _raised = applying(FloorDiv), applying(Mod), applying(power)


def raised(left: int, right: int, value: int) -> Base | None:
    """``left ** right``: a constant exponent has a place in the language."""
    return _raised(left, right, value) if base_of(right) is CONSTANT and 0 <= right <= LARGEST_EXPONENT else None


def shifted_left(left: int, right: int, value: int) -> Base | None:
    """``left << right`` is ``left * 2**right``."""
    known = base_of(right) is CONSTANT and right < LARGEST_EXPONENT
    return multiplied(left, 1 << right, value) if known else None


def shifted_right(left: int, right: int, value: int) -> Base | None:
    """``left >> right`` is ``left // 2**right``, for every sign of left."""
    known = base_of(right) is CONSTANT and right < LARGEST_EXPONENT
    return divided(left, 1 << right, value) if known else None


def masked(left: int, right: int, value: int) -> Base | None:
    """``left & 2**k - 1`` is ``left % 2**k``, for every sign of left; other masks have no place in the language."""
    if base_of(left) is CONSTANT:
        left, right = right, left
    mask = int(right)
    known = base_of(right) is CONSTANT and mask > 0 and mask & (mask + 1) == 0
    return remaining(left, mask + 1, value) if known else None


def negated(left: int, _: int, __: int) -> Base | None:
    """``-left``, and ``~left``, which is ``-left - 1``: the constant is not the rule's business."""
    base = base_of(left)
    return None if base is None else scaled(base, -1)


def made_absolute(left: int, _: int, value: int) -> Base | None:
    """``abs(left)``."""
    base = base_of(left)
    return None if base is None else applied(absolute, value, (base, int(left)))


def opposite(left: int, _: int) -> int:
    """``-left``, as a function of two operands."""
    return -left


def magnitude(left: int, _: int) -> int:
    """``abs(left)``, as a function of two operands."""
    return abs(left)


def forgotten(*_: Any) -> None:
    """Operations that have no place in the language."""
