"""explain: the report tells what was declared and guarded, and its claims about the domain hold when tried."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from compiled import Compiled, explain, explain_calls

from dynconstraints import (
    ConstraintSystem,
    DynamicFloat,
    DynamicInt,
    dynamic_int_constraints,
    name_dims,
)

X = torch.ones(3)


def splitting(n: int, x: torch.Tensor) -> torch.Tensor:
    return x + 1 if n % 64 == 0 else x - n


def rows(n: int, x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.view(-1, n), -1)


def test_a_graph_that_serves_the_whole_domain_is_proved_to() -> None:
    """The relation of the tensor to the int is declared, so nothing is left."""
    with dynamic_int_constraints(["n % 16 == 0", "n >= 32", "rows >= 2"]):
        report = explain(rows, DynamicInt(64, name="n"), name_dims(torch.randn(24 * 64), {0: "rows*n"}))
    assert report.covers_domain is True
    assert report.counterexample is None
    text = str(report)
    assert "n = 16*k_n" in text
    assert "declared: n % 16 == 0" in text
    assert "proved: under eager the graph serves every input that the declaration allows" in text


def test_a_split_domain_has_a_counterexample_that_recompiles() -> None:
    """The line is named, the condition is in the user's names, and the assignment does compile anew."""
    n = DynamicInt(64, name="n", constraints=["n % 32 == 0", "n <= 1024"])
    report = explain(torch.compile(splitting, backend="eager"), n, X)
    assert report.covers_domain is False
    (remaining,) = report.graphs[0].remaining
    assert remaining.condition == "n % 64 == 0"
    assert "if n % 64 == 0 else" in (remaining.line or "")
    compiled = Compiled(splitting)
    compiled(n, X)
    assert report.counterexample is not None
    compiled(DynamicInt(report.counterexample["n"], name="n", constraints=["n % 32 == 0", "n <= 1024"]), X)
    assert compiled.graphs == 2


def test_a_size_that_may_be_its_unit_is_reported() -> None:
    """The rows of the transpose are a view where h = 16, and a copy elsewhere."""
    x = name_dims(torch.randn(48), {0: "h"}, constraints=["h % 16 == 0", "h >= 16"])
    report = explain(lambda x: x.view(-1, 16).t().reshape(-1), x)
    assert report.covers_domain is False
    assert report.counterexample == {"h": 16}
    assert [r.condition for r in report.graphs[0].remaining] == ["h >= 32"]


def test_nothing_is_claimed_without_a_declaration() -> None:
    """Plain arguments, or a relation to a size that is not declared: not known."""
    assert explain(splitting, 64, X).covers_domain is None
    x = torch.randn(24 * 64)
    torch._dynamo.mark_dynamic(x, 0)
    assert explain(rows, DynamicInt(64, name="n", constraints=["n % 16 == 0", "n >= 16"]), x).covers_domain is None


def test_the_report_is_data_and_json() -> None:
    """The same content, with a version."""
    report = explain(splitting, DynamicInt(64, name="n", constraints=["n % 32 == 0"]), X)
    data = json.loads(report.to_json())
    assert data["version"] == 1
    assert data["graphs"][0]["remaining"][0]["condition"] == "n % 64 == 0"
    assert data["covers_domain"] is False


def test_the_users_own_graphs_are_left_alone() -> None:
    """Explaining compiles apart: the user's function is not compiled by it, nor anew after it."""
    compiled = Compiled(splitting)
    n = DynamicInt(64, name="n", constraints=["n % 32 == 0"])
    explain(compiled.function, n, X)
    assert compiled.graphs == 0
    compiled(n, X)
    explain(compiled.function, n, X)
    compiled(n, X)
    assert compiled.graphs == 1


CONDITIONS = (
    "n % 4 == 0",
    "n % 3 == 1",
    "n > 8",
    "n < m",
    "n*m > 30",
    "n == 6",
    "m % n == 0",
    "min(n, m) > 2",
    "n == m",
    "2*n == m",
)
SETS = (["n % 2 == 0"], ["m == 2*n"], ["n in {4, 6, 8, 12}"], ["m == n + 3", "n % 3 == 1"], ["n < m"], [])


def program_of(seed: int) -> tuple[object, list[str]]:
    choose = random.Random(seed)
    first, second = choose.sample(CONDITIONS, 2)
    code = f"lambda n, m, x: (x + n if {first} else x - m) if {second} else x * n"
    return eval(code), [*choose.choice(SETS), "2 <= n <= 14", "2 <= m <= 28"]


def test_an_equality_between_names_is_a_split() -> None:
    """Torch guards it by replacing a symbol; the report tells it all the same."""
    report = explain(lambda n, m, x: x + n if n == m else x, DynamicInt(6, name="n"), DynamicInt(6, name="m"), X)
    assert report.covers_domain is False
    assert [r.condition for r in report.graphs[0].remaining] in (["n == m"], ["m == n"])


SEEDS = range(200 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 12)


@pytest.mark.parametrize("seed", SEEDS)
def test_coverage_agrees_with_brute_force(seed: int) -> None:
    """Over the whole enumerable domain: a proof means no recompile, a counterexample means one."""
    program, constraints = program_of(seed)
    domain = list(ConstraintSystem(constraints).enumerate(limit=1000))

    def named(values: dict[str, int]) -> tuple[DynamicInt, DynamicInt]:
        return DynamicInt(values["n"], name="n"), DynamicInt(values["m"], name="m")

    with dynamic_int_constraints(constraints):
        start = domain[len(domain) // 2]
        report = explain(program, *named(start), X)  # type: ignore[arg-type]
        compiled = Compiled(program)  # type: ignore[arg-type]
        compiled(*named(start), X)
        if report.covers_domain is False:
            assert report.counterexample is not None
            compiled(*named({**start, **report.counterexample}), X)
            assert compiled.graphs == 2
        elif report.covers_domain:
            for values in domain:
                assert torch.equal(compiled(*named(values), X), program(**values, x=X))  # type: ignore[operator]
            assert compiled.graphs == 1


def declared_n() -> DynamicInt:
    return DynamicInt(64, name="n", constraints=["n % 32 == 0", "0 <= n <= 1024"])


UNTOLD = {
    "a half": lambda n, x: x + 1 if n * 0.5 > 10.25 else x,
    "a root": lambda n, x: x + 1 if n**0.5 > 5.25 else x,
    "rounded": lambda n, x: x + 1 if int(n * 0.7) % 2 else x,
}


@pytest.mark.parametrize("program", UNTOLD.values(), ids=UNTOLD)
def test_a_guard_that_the_language_has_no_words_for_is_no_proof(program: object) -> None:
    """It is told as torch has it, over the names, and trying finds where it fails."""
    report = explain(program, declared_n(), X)  # type: ignore[arg-type]
    assert report.covers_domain is False
    assert report.counterexample is not None
    compiled = Compiled(program)  # type: ignore[arg-type]
    compiled(declared_n(), X)
    compiled(DynamicInt(report.counterexample["n"], name="n", constraints=["n % 32 == 0", "0 <= n <= 1024"]), X)
    assert compiled.graphs == 2
    assert "k_n" not in report.graphs[0].remaining[0].condition


def test_floats_are_a_part_of_the_domain() -> None:
    """One that the program needs constant, one that it branches on, one beside an int that has no name."""
    p = DynamicFloat(2.0, name="p", constraints=["0.0 < p <= 5.0"])
    branching = explain(lambda n, p, x: x + 1 if p > 1.5 else x * n, declared_n(), p, X)
    assert branching.covers_domain is False
    assert [r.condition for r in branching.graphs[0].remaining] == ["p > 1.5"]
    constant = explain(lambda n, p, x: x * n + len(range(int(p))), declared_n(), p, X)
    assert constant.covers_domain is False
    assert constant.graphs[0].remaining[0].specialises == "p"
    n = DynamicInt(64, name="n", constraints=["n % 32 == 0", "n >= 64"])
    beside = explain(lambda n, p, x: x + 1 if n * p > 5.5 else x, n, DynamicFloat(2.0), X)
    assert beside.covers_domain is None
    assert "float(n)" in beside.graphs[0].undeclared[0]


def test_several_calls_tell_who_serves_what() -> None:
    """Two graphs that share the domain are proved to; two of three parts leave a counterexample."""
    call = lambda n: (DynamicInt(n, name="n", constraints=["n % 32 == 0", "n >= 64"]), X)  # noqa: E731
    both = explain_calls(splitting, [call(64), call(96), call(128)])
    assert len(both.graphs) == 2
    assert [[r.condition for r in g.remaining] for g in both.graphs] == [["n % 64 == 0"], ["n % 64 != 0"]]
    assert both.covers_domain is True
    assert "graph 2: n % 64 != 0\n  together: all that is declared" in str(both)

    def three(n: int, x: torch.Tensor) -> torch.Tensor:
        return x + 1 if n % 64 == 0 else x if n % 96 == 0 else x - 1

    some = explain_calls(three, [call(64), call(96)])
    assert some.covers_domain is False
    assert some.counterexample is not None
    rest = some.counterexample["n"]
    assert rest % 64
    assert rest % 96
    assert len(explain_calls(three, [call(64), call(96), call(rest)]).graphs) == 3


def test_each_function_of_a_call_is_covered_for_itself() -> None:
    """After a graph break the rest is a function of its own, and its graphs don't stand in for those before it."""

    def broken(n: int, x: torch.Tensor) -> torch.Tensor:
        y = x + n
        torch._dynamo.graph_break()
        return y + 1 if n % 64 == 0 else y

    report = explain(broken, declared_n(), X)
    assert [s.covers_domain for s in report.splits] == [True, False]
    assert report.splits[1].code.startswith("broken from test_report.py:")


def test_conditions_that_follow_from_others_are_left_out() -> None:
    """n % 192 == 0 says both."""

    def nested(n: int, x: torch.Tensor) -> torch.Tensor:
        return x + 1 if n % 64 == 0 and n % 192 == 0 and n > 100 and n > 50 else x

    report = explain(nested, DynamicInt(384, name="n", constraints=["n % 32 == 0", "n >= 0"]), X)
    assert {r.condition for r in report.graphs[0].remaining} <= {"n % 192 == 0", "n >= 192", "n >= 128"}
    assert len(report.graphs[0].remaining) == 2


def test_the_text_fits_80_columns_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The places and lines of the user's are folded or cut there; in a file or a pipe lines of code are whole."""
    whole = f"{__file__}:{UNTOLD['rounded'].__code__.co_firstlineno} in <lambda>: "
    assert whole + '"rounded": lambda n, x: x + 1 if int(n * 0.7) % 2 else x,' in str(
        explain(UNTOLD["rounded"], declared_n(), X)
    )
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with dynamic_int_constraints(["n % 16 == 0", "n >= 32", "rows >= 2"]):
        report = explain(rows, DynamicInt(64, name="n"), name_dims(torch.randn(24 * 64), {0: "rows*n"}))
    texts = [str(report), str(explain(splitting, declared_n(), X)), str(explain(UNTOLD["rounded"], declared_n(), X))]
    assert max(len(line) for text in texts for line in text.splitlines()) <= 80
    assert "n is the number n" in texts[0]
    assert "rows*n is x.size(0)" in texts[0]


def test_the_file_of_a_line_is_named_in_full(tmp_path: Path) -> None:
    """Also of one that has nothing but the root in common with torch, whose own short form loses a character there."""
    file = tmp_path / "model.py"
    file.write_text("def program(n, x):\n    return x + 1 if n % 64 == 0 else x\n", encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), namespace)
    report = explain(namespace["program"], DynamicInt(64, name="n", constraints=["n % 32 == 0"]), X)
    place, _, rest = report.graphs[0].remaining[0].line.rpartition("  # ")[2].rpartition(":")
    assert rest == "2 in program"
    assert place == str(file) or str(file).endswith(f"/{place}")


def test_without_declarations_each_guard_is_told_once() -> None:
    """Two graphs of sizes that nobody named: no word of who serves what."""
    text = str(explain_calls(lambda x: x.view(4, -1), [(torch.ones(8),), (torch.ones(12),)]))
    assert "who serves what" not in text
    assert "also on" not in text
    assert text.splitlines()[-1] == "nothing is declared: suggest(function, calls) proposes what to declare"
    assert explain(lambda x: x + 1, X).verdict == text.splitlines()[-1]
