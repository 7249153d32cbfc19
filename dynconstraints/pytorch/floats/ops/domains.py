"""Where Python's arithmetic on floats raises, or leaves the floats: a graph goes on with infinities and NaN there.

Each condition becomes a guard, which the declaration may settle: under ``lr > 0`` nothing has to be asked before
``1/lr``. Where one fails, the number becomes a constant, and Python does what it does.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch._torch.eager import symbolic_functions

_LARGEST = sys.float_info.max
_LARGEST_OF_COSH = 710.0
_SLACK = 1 - 2**-40
"""Keeps computed limits on the safe side; what lies between is compiled as a constant."""


def defined(target: Any, operands: tuple[Any, ...]) -> bool:
    """Whether Python gives a number for these numbers; and guards that it does so for later ones."""
    return _hold(_AMONG_NUMBERS[target](*operands)) if target in _AMONG_NUMBERS else True


def taken(target: Any, given: Mapping[str, Any]) -> bool:
    """Whether eager takes the numbers among the operation's arguments; and guards that it does so with later ones."""
    return _hold(_ON_TENSORS[target](given)) if target in _ON_TENSORS else True


def _hold(conditions: Iterator[Any]) -> bool:
    try:
        return all(map(bool, conditions))
    except OverflowError:
        return False


def fits(number: Any, dtypes: Iterable[torch.dtype]) -> bool:
    """Whether each of the types holds a number, which eager refuses it beyond; and guards that they do."""
    limit = min((torch.finfo(d).max for d in dtypes if d.is_floating_point or d.is_complex), default=math.inf)
    return limit == _LARGEST or limit == math.inf or bool(abs(number) <= limit)


def _rate(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given["p"] >= 0
    yield given["p"] <= 1


def _limits(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given.get("min_val", -1.0) <= given.get("max_val", 1.0)


def _smoothing(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given["label_smoothing"] >= 0
    yield given["label_smoothing"] <= 1


def _turning_point(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given.get("delta", 1.0) > 0
    yield given.get("beta", 1.0) > 0


def _distance(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given.get("lambd", 0.5) >= 0


def _deviation(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given.get("std", 1.0) >= 0


def _positive_rate(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given.get("lambd", 1.0) > 0


def _ends(given: Mapping[str, Any]) -> Iterator[Any]:
    yield given.get("low", 0.0) <= given.get("high", 1.0)


def _quotient(_dividend: Any, divisor: Any) -> Iterator[Any]:
    yield divisor != 0


def _root(x: Any) -> Iterator[Any]:
    yield x >= 0


def _logarithm(x: Any) -> Iterator[Any]:
    yield x > 0


def _arc(x: Any) -> Iterator[Any]:
    yield x >= -1
    yield x <= 1


def _hyperbolic(x: Any) -> Iterator[Any]:
    yield x >= -_LARGEST_OF_COSH
    yield x <= _LARGEST_OF_COSH


def _power(base: Any, exponent: Any) -> Iterator[Any]:
    if isinstance(exponent, int | float):
        yield from _fixed_exponent(base, float(exponent))
    elif isinstance(base, int | float) and base > 0:
        limit = math.log(_LARGEST) / abs(math.log(base)) * _SLACK if base != 1 else math.inf
        if base > 1:
            yield exponent <= limit
        elif base < 1:
            yield exponent >= -limit
    else:
        yield base > 0
        yield base**exponent <= _LARGEST  # raises where it overflows, which is no guard that holds


def _fixed_exponent(base: Any, exponent: float) -> Iterator[Any]:
    yield math.isfinite(exponent)
    yield base > 0 if exponent < 0 else base >= 0  # torch has no symbols for powers of negative numbers
    if abs(exponent) <= 1 and exponent != -1:
        return
    limit = _LARGEST ** (1 / exponent)  # a power this large is reached at a large base, or at a small one
    size = abs(base)
    yield size <= limit * _SLACK if exponent > 1 else size >= limit / _SLACK


_named = symbolic_functions(("sqrt", "acos", "asin", "log2", "cosh", "sinh"))

_AMONG_NUMBERS: dict[Any, Callable[..., Iterator[Any]]] = {
    operator.truediv: _quotient,
    operator.pow: _power,
    math.sqrt: _root,
    **{
        _named[name]: conditions
        for name, conditions in (
            ("sqrt", _root),
            ("acos", _arc),
            ("asin", _arc),
            ("log2", _logarithm),
            ("cosh", _hyperbolic),
            ("sinh", _hyperbolic),
        )
        if name in _named
    },
}
"""What has to hold of the numbers, by operation."""

_ON_TENSORS: dict[Any, Callable[[Mapping[str, Any]], Iterator[Any]]] = {
    **dict.fromkeys((functional.dropout, torch.dropout), _rate),
    **dict.fromkeys((functional.dropout1d, functional.dropout2d, functional.dropout3d), _rate),
    functional.hardtanh: _limits,
    functional.cross_entropy: _smoothing,
    functional.huber_loss: _turning_point,
    functional.smooth_l1_loss: _turning_point,
    functional.softshrink: _distance,
    "bernoulli_": _rate,
    "exponential_": _positive_rate,
    "normal_": _deviation,
    "uniform_": _ends,
}
"""The same of operations on tensors, by the names of their lowerings' parameters."""
