"""A guard that AOTAutograd or Inductor asks for is told with the user's line and the operation that asked."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
import torch.nn.functional as F

from dynconstraints import SpecializationError, dynamic_int_constraints, explain, name_dims
from dynconstraints.pytorch.declarations.warning import DeclarationWarning
from dynconstraints.pytorch.reports.compilation import Way

FILE = Path(__file__)


def pooled(x: torch.Tensor) -> torch.Tensor:
    y = x + 1
    return F.adaptive_avg_pool2d(y, (4, 4)) * 2


class Pooling(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = torch.nn.AdaptiveAvgPool2d((4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pool(x + 1)


CONSTRAINTS = ["h % 8 == 0", "16 <= h <= 256"]


def image(h: int) -> torch.Tensor:
    return name_dims(torch.randn(2, 3, h, 40), {2: "h"})


def line_of(program: Any, code: str) -> int:
    function = program.forward if isinstance(program, torch.nn.Module) else program
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if code in line)


CASES: list[tuple[Any, str, str, str, str]] = [
    (pooled, "inductor", "return F.adaptive_avg_pool2d(y, (4, 4)) * 2", "aten._adaptive_avg_pool2d.default", "h == 16"),
    (Pooling(), "inductor", "return self.pool(x + 1)", "aten._adaptive_avg_pool2d.default", "h == 16"),
]


@pytest.mark.parametrize(("program", "backend", "code", "operation", "condition"), CASES)
def test_the_line_and_the_operation_are_told(
    program: Callable[..., Any], backend: str, code: str, operation: str, condition: str
) -> None:
    """By the report, and by the block that asks for an error, in full."""
    with dynamic_int_constraints(CONSTRAINTS):
        report = explain(program, image(16), backend=backend)
    (remaining,) = report.graphs[0].remaining
    place = f"{line_of(program, code)} in {'forward' if isinstance(program, torch.nn.Module) else program.__name__}"
    assert remaining.condition == condition
    assert (remaining.line or "").startswith(f"{code}  # ")
    assert (remaining.line or "").endswith(f"{FILE.name}:{place}")
    assert f"asked by the backend, at {operation}" in str(report)
    number, _, function = place.split()
    specialises = remaining.specialises is not None
    way = Way.of(program, backend)
    with (
        dynamic_int_constraints(CONSTRAINTS, on_new_guard="error"),
        way.observed(program) as (compiled, _),
        pytest.raises(SpecializationError) as told,
    ):
        compiled(image(16))
    kind = "error[DC501]: the program forces h to one value" if specialises else None
    kind = kind or "error[DC502]: the program serves only a part of the declaration"
    fix = "needs it as a constant" if specialises else "requires it"
    assert str(told.value).split("\n") == [
        f"{kind}: {condition}",
        f"  --> {function}  at {FILE}:{number}",
        f"    {code}",
        f"    {'^' * len(code)}",
        f"  note: asked by the backend, at {operation}",
        f"  help: declare it ({condition}), or change the line that {fix}",
    ]


@pytest.mark.inductor
def test_the_line_is_known_where_the_graph_is_kept_on_disk() -> None:
    """What Inductor keeps has the guards and not their places: it compiles anew where they may have to be told."""
    compiled = torch.compile(pooled)
    for policy in ("allow", "warn"):
        dynamo.reset()
        with warnings.catch_warnings(record=True) as told, dynamic_int_constraints(CONSTRAINTS, on_specialize=policy):
            warnings.simplefilter("always", DeclarationWarning)
            compiled(image(24))
    (warning,) = [w for w in told if w.category is DeclarationWarning]
    assert (warning.filename, warning.lineno) == (str(FILE), line_of(pooled, "adaptive_avg_pool2d"))
