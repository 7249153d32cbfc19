"""Values of names that may be reals, confirmed by the evaluator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from dynconstraints.ir.evaluate import truth_of
from dynconstraints.ir.nodes import Formula
from dynconstraints.solver.reals.literals import Number

RealModel: TypeAlias = "dict[str, Number]"


def confirmed(model: RealModel, true: Iterable[Formula], not_true: Iterable[Formula]) -> bool:
    """Whether the evaluator finds all of ``true`` to hold and none of ``not_true``."""
    values = cast("Mapping[str, int]", model)  # the evaluator is exact on rationals, too
    return all(truth_of(f, values) is True for f in true) and all(truth_of(f, values) is not True for f in not_true)
