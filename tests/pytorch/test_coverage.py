"""What reports claim, against brute force: programs over ints and over sizes of tensors, one call or several.

Domains hold what goes wrong easily: sets, disjunctions, products of names, negative numbers, 0 and 1, gaps.
"""

from __future__ import annotations

import itertools
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled, explain_calls

from dynconstraints import (
    ConstraintSystem,
    DynamicInt,
    dynamic_int_constraints,
    name_dims,
)

X = torch.ones(3)

CONDITIONS = (
    *("n % 2 == 0", "n > m", "n in (0, 1, 4, 7)", "min(n, m) > 2", "max(n, m) < 7", "n*m > 12", "n // 3 % 2 == 0"),
    *("abs(n - m) > 3", "n*n > m", "n == 1", "n == 0", "m != 1", "n - m == 2", "n % 3 == 1 or m % 3 == 1"),
    *("n > 2 and m > 2", "n // (m*m + 1) == 0", "(n if m > 0 else -n) > 1", "not n", "2 <= n <= 5", "-n < m"),
    *("n + m == 7", "n % 4 < 2", "n ** 2 == m", "n*m == 0", "divmod(n, 3)[1] == 0", "(n + m) % 2 == 0", "n >= 0"),
    "m % 5 in (1, 2)",
)
OF_INTS = (
    ("-6 <= n <= 6", "-3 <= m <= 9"),
    ("n in {0, 1, 5}", "0 <= m <= 8"),
    ("n == 3 or n % 5 == 0", "-10 <= n <= 20", "m == n + 1"),
    ("max(n, m) <= 9", "min(n, m) >= 0"),
    ("n*m <= 20", "1 <= n <= 20", "1 <= m <= 20"),
    ("gcd(n, m) == 1", "1 <= n <= 9", "1 <= m <= 9"),
    ("is_power_of_two(n)", "n <= 64", "0 <= m <= 4"),
    ("n % m == 0", "1 <= m <= 6", "0 <= n <= 18"),
    ("not (n == m)", "-2 <= n <= 4", "-2 <= m <= 4"),
    ("n in range(-6, 9, 3)", "m in range(0, 8, 2)"),
    ("n > 3 => m > 5", "0 <= n <= 8", "0 <= m <= 8"),
    ("abs(n) + abs(m) <= 4",),
    ("(n if m > 0 else 2) == 2", "-3 <= n <= 6", "-3 <= m <= 6"),
    ("n*n == m", "-4 <= n <= 4"),
    ("2*n + 3*m == 30", "-6 <= n <= 24"),
    ("n <= 2 or n >= 1000000", "0 <= n <= 1000003", "0 <= m <= 2"),
    ("n % 6 == 2", "m % 4 == 2", "n - m == 4", "-20 <= n <= 60"),
    ("0 <= n <= 1", "0 <= m <= 1"),
    ("n == 4", "m in {2, 4}"),
    ("lcm(n, m) <= 12", "1 <= n <= 12", "1 <= m <= 12"),
    ("n // m == 2", "1 <= m <= 5", "0 <= n <= 20"),
)
OF_SIZES = (
    ("0 <= n <= 8", "0 <= m <= 4"),
    ("n % 2 == 0", "0 <= n <= 12", "1 <= m <= 3"),
    ("n in {1, 2, 8}", "m in {0, 1}"),
    ("n == 2*m", "0 <= m <= 6"),
    ("m <= n", "1 <= m", "n <= 7"),
    ("n % m == 0", "1 <= m <= 4", "1 <= n <= 12"),
    ("1 <= n <= 5 or n == 9", "m == 2"),
    ("2 <= n <= 9", "n == m"),
    ("n*m <= 12", "1 <= n", "1 <= m <= 4"),
    ("n % 4 == 0", "n % 6 == 0", "0 <= n <= 48", "0 <= m <= 2"),
)
OPERATIONS = (
    *("x.view(-1)[: m]", "torch.cat([x, x])", "x.expand(2, -1)", "x.sum() + m", "x[m:]", "x.new_zeros(m + 1)"),
    *("x * torch.ones(1)", "x.unsqueeze(1) * torch.ones(3)", "x.view(-1, 1)", "x.repeat(2)", "x.flip(0).cumsum(0)"),
    *("x + torch.ones(x.shape[0])", "x[:, None] * torch.ones(m)", "x.reshape(x.shape[0], 1, 1).expand(-1, m, 2)"),
)
MOST = 60
"""Assignments of a domain that are run."""


@dataclass(frozen=True)
class Case:
    """A program, its declaration, the calls that are explained, and assignments to try."""

    program: Callable[..., torch.Tensor]
    constraints: tuple[str, ...]
    calls: tuple[dict[str, int], ...]
    domain: tuple[dict[str, int], ...]
    of_sizes: bool

    def plain(self, values: dict[str, int]) -> tuple[Any, ...]:
        """The arguments without names."""
        n, m = values["n"], values["m"]
        return (torch.arange(float(n)), m) if self.of_sizes else (n, m, X)

    def named(self, values: dict[str, int]) -> tuple[Any, ...]:
        """The arguments under their names."""
        n, m = values["n"], values["m"]
        m = DynamicInt(m, name="m")
        return (name_dims(torch.arange(float(n)), {0: "n"}), m) if self.of_sizes else (DynamicInt(n, name="n"), m, X)

    def expected(self, values: dict[str, int]) -> torch.Tensor | None:
        """What eager computes; None where it raises."""
        try:
            return self.program(*self.plain(values))
        except (RuntimeError, IndexError, ZeroDivisionError):
            return None


def case_of(seed: int) -> Case | None:
    """None for a program that raises on all of its domain."""
    choose = random.Random(seed)
    conditions = choose.sample(CONDITIONS, choose.choice([1, 2, 2, 3]))
    of_sizes = choose.random() < 0.45
    constraints = choose.choice(OF_SIZES if of_sizes else OF_INTS)
    then, other, last = choose.choices(OPERATIONS, k=3) if of_sizes else ("x + n", "x - m", "x * n")
    if of_sizes and choose.random() < 0.6:
        conditions = [re.sub(r"\bn\b", "x.shape[0]", condition) for condition in conditions]
    body = f"({then}) if {conditions[0]} else ({other})"
    for condition in conditions[1:]:
        body = f"({body}) if {condition} else ({last})"
    program = eval(f"lambda x, m: (lambda n: {body})(x.shape[0])" if of_sizes else f"lambda n, m, x: {body}")
    holds = ConstraintSystem(constraints).compile()
    values = itertools.product((*range(-20, 65), *range(1_000_000, 1_000_004)), range(-25, 66))
    domain = [{"n": n, "m": m} for n, m in values if holds({"n": n, "m": m})]
    domain = choose.sample(domain, min(len(domain), MOST))
    case = Case(program, constraints, (), tuple(domain), of_sizes)
    fine = [values for values in domain if case.expected(values) is not None]
    if not fine:
        return None
    calls = choose.sample(fine, min(len(fine), choose.choice([1, 1, 2, 3])))
    return Case(program, constraints, tuple(calls), tuple(domain), of_sizes)


@pytest.fixture(autouse=True)
def many_graphs() -> Iterator[None]:
    """Each call may have one."""
    with dynamo.config.patch(recompile_limit=64, accumulated_recompile_limit=512):
        yield


@pytest.mark.parametrize("seed", range(300 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 20))
def test_what_a_report_claims_is_so(seed: int) -> None:
    """A proof: no call of the domain needs another graph. A counterexample: a call that does."""
    case = case_of(seed)
    if case is None:
        return
    with dynamic_int_constraints(case.constraints) as scope:
        report = explain_calls(case.program, [case.named(values) for values in case.calls])
        compiled = Compiled(case.program)
        for values in case.calls:
            compiled(*case.named(values))
        graphs = compiled.graphs
        assert graphs == len(report.graphs)
        if report.covers_domain is False:
            assert report.counterexample is not None
            values = {**case.calls[-1], **report.counterexample}
            assert scope.system.holds(values)
            if case.expected(values) is not None:  # what eager refuses is compiled by nobody
                compiled(*case.named(values))
                assert compiled.graphs == graphs + 1
        for values in case.domain if report.covers_domain else ():
            expected = case.expected(values)
            if expected is not None:
                assert torch.equal(compiled(*case.named(values)), expected)
                assert compiled.graphs == graphs
