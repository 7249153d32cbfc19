"""What the sizes of a new tensor are, by the call that makes it: ``torch.zeros(n, 2*n)``, ``x.view(n, -1)``.

A rule takes what a call was given and answers with the sizes that follow, one a dimension: DynamicInts where a
dimension has a name, plain ints elsewhere. It is applied after torch has made the tensor, so what it is given is legal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import gcd, prod
from typing import Any, TypeAlias

from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Int, Mul, Term, product
from dynconstraints.pytorch.arithmetic import CONSTANT, expression
from dynconstraints.pytorch.dims import named_dims, sizes_of
from dynconstraints.pytorch.dynamic_int import DynamicInt, standing_for
from dynconstraints.pytorch.rules import base_of

Sizes: TypeAlias = "Sequence[int] | None"
Arguments: TypeAlias = "tuple[Any, ...]"
Rule: TypeAlias = "Callable[[Arguments, Mapping[str, Any]], Sizes]"


def _listed(given: Arguments) -> Sequence[int]:
    """``(2, 3)`` for both ``f(2, 3)`` and ``f((2, 3))``."""
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def _filled(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``torch.zeros(*size)`` and its like."""
    if not args:
        return kwargs.get("size")
    return args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args


def _full(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``torch.full(size, fill_value)``."""
    return args[0] if args else kwargs.get("size")


def _randint(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``torch.randint(high, size)`` and ``torch.randint(low, high, size)``."""
    return kwargs["size"] if "size" in kwargs else next((a for a in args if isinstance(a, tuple | list)), None)


def _arange(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``torch.arange(end)`` and ``torch.arange(start, end, step)``, of integers."""
    if len(args) == 1 and "end" not in kwargs:
        return args if isinstance(args[0], int) else None
    given = {"start": 0, "step": 1, **dict(zip(("start", "end", "step"), args, strict=False)), **kwargs}
    start, end, step = (given.get(name) for name in ("start", "end", "step"))
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(step, int)):
        return None
    length = end - start
    return (length if step == 1 else (length + step - 1) // step if step > 0 else (-length - step - 1) // -step,)


def _asked(args: Arguments, kwargs: Mapping[str, Any], *keywords: str) -> Sizes:
    """The sizes that a method of a tensor was given, listed or by a keyword."""
    return _listed(args[1:]) if len(args) > 1 else next((kwargs[name] for name in keywords if name in kwargs), None)


def _new(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``x.new_zeros(*size)`` and its like."""
    return _filled(args[1:], kwargs)


def _new_full(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``x.new_full(size, fill_value)``."""
    return _full(args[1:], kwargs)


def _viewed(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``x.view(*size)``, ``x.reshape(*shape)``: a size of -1 is the rest, named where it follows exactly."""
    sizes = _asked(args, kwargs, "size", "shape")
    if sizes is None or -1 not in sizes or named_dims(args[0]) is None:  # else as many elements as a number says
        return sizes
    known = sizes_of(args[0])
    i = list(sizes).index(-1)
    return (*sizes[:i], _quotient(known, (*sizes[:i], *sizes[i + 1 :])), *sizes[i + 1 :])


def _expanded(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``x.expand(*size)``: -1, and a size that the dimension has already, keep the dimension."""
    sizes = _asked(args, kwargs, "size")
    if sizes is None or named_dims(args[0]) is None:
        return sizes
    known = sizes_of(args[0])
    added = len(sizes) - len(known)
    kept = (
        given if type(given) is DynamicInt or given not in (-1, own) else own
        for given, own in zip(sizes[added:], known, strict=True)
    )
    return (*sizes[:added], *kept)


def _repeated(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``x.repeat(*repeats)``: each dimension so many times as long."""
    repeats = _asked(args, kwargs, "repeats")
    if repeats is None:
        return None
    x = args[0]
    known = x.shape if named_dims(x) is None else sizes_of(x)
    added = len(repeats) - len(known)
    return (*repeats[:added], *(times * own for times, own in zip(repeats[added:], known, strict=True)))


def _narrowed(args: Arguments, kwargs: Mapping[str, Any]) -> Sizes:
    """``x.narrow(dim, start, length)``."""
    given = {**dict(zip(("x", "dim", "start", "length"), args, strict=False)), **kwargs}
    if not isinstance(given["dim"], int):  # the name of a dimension of a named tensor
        return None
    sizes = list(sizes_of(args[0]))
    sizes[given["dim"]] = given["length"]
    return sizes


def _quotient(dividends: Sequence[int], divisors: Sequence[int]) -> int:
    """The product of the dividends over that of the divisors, as an expression where all divisors cancel.

    None of the divisors is 0: torch takes no -1 beside one.
    """
    value = prod(map(int, dividends)) // prod(map(int, divisors))
    (above, factors), (below, cancelled) = _factors(dividends), _factors(divisors)
    if cancelled - factors or above % below or not factors - cancelled:
        return value
    left = tuple((factors - cancelled).elements())
    term = product(left if above == below else (Int(above // below), *left))
    used = names_of(term)
    members = (m for d in dividends if isinstance(d, DynamicInt) and d.declaration for m in d.declaration.members)
    return standing_for(term, value, tuple(dict.fromkeys(m for m in members if m.name in used)))


def _factors(sizes: Sequence[int]) -> tuple[int, Counter[Term]]:
    """The product of the sizes, as a number and terms that no number divides."""
    number, terms = 1, Counter[Term]()
    for size in sizes:
        base = base_of(size) or CONSTANT
        constant = int(size) - base.value
        common = gcd(constant, *(c for _, c in base.terms)) or 1
        primitive = expression(tuple((atom, c // common) for atom, c in base.terms), constant // common)
        number *= common
        for factor in _flat(primitive):
            if isinstance(factor, Int):
                number *= factor.value
            else:
                terms[factor] += 1
    return number, terms


def _flat(term: Term) -> Iterator[Term]:
    if not isinstance(term, Mul):
        yield term
        return
    for factor in term.factors:
        yield from _flat(factor)


FUNCTIONS: Mapping[str, Rule] = {
    **dict.fromkeys(("zeros", "ones", "empty", "rand", "randn"), _filled),
    "full": _full,
    "arange": _arange,
    "randint": _randint,
}
"""Functions of ``torch``."""

LIKES = ("empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like")
"""Functions of ``torch`` whose result has the sizes of their first argument."""

METHODS: Mapping[str, Rule] = {
    **dict.fromkeys(("new_zeros", "new_ones", "new_empty"), _new),
    "new_full": _new_full,
    "view": _viewed,
    "reshape": _viewed,
    "expand": _expanded,
    "repeat": _repeated,
    "narrow": _narrowed,
}
"""Methods of ``torch.Tensor``."""
