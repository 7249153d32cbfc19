"""Proofs of coverage of programs that break, or that change what they look at: none is said that does not hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled
from proof_programs import Case, case_of

from dynconstraints import dynamic_int_constraints, explain, explain_calls, name_dims, suggest
from dynconstraints.pytorch.reports.report import Report

CONSTRAINTS = ["n % 8 == 0", "16 <= n <= 64"]
BACKEND = os.environ.get("DYNCONSTRAINTS_BACKEND", "eager")


def given(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    x = name_dims(torch.arange(float(n)), {0: "n"}, constraints=CONSTRAINTS)
    return x, name_dims(torch.ones(3), {0: "k"}, constraints=["1 <= k <= 9"])


class State:
    """What a program may keep from call to call."""

    calls = 0
    last = 0
    large = False


@torch.compiler.disable
def zeros(n: int) -> torch.Tensor:
    return torch.zeros(int(n))


@torch.compiler.disable
def note(n: int) -> None:
    State.large = int(n) > 20


def is_large(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    large = x.shape[0] > 20
    print(end="")
    return y + 1 if large else y - 1


def masked(x: torch.Tensor, y: torch.Tensor) -> Any:
    z = x[x >= 0]
    return z * 2 + 1, y + 1


def masked_later(x: torch.Tensor, y: torch.Tensor) -> Any:
    y = y + 1
    print(end="")
    z = x[x >= 0]
    return z * 2 + 1, y + 1


def nonzero(x: torch.Tensor, y: torch.Tensor) -> Any:
    z = x.nonzero()
    return z * 2, y + 1


def unique(x: torch.Tensor, y: torch.Tensor) -> Any:
    z = x.unique()
    return z * 2, y + 1


def listed(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    values = x.tolist()
    return y * len(values)


def item(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    most = x.max().item()
    return y * most


def branching(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if x.sum() > 300:
        return y + 1
    return y - 1


def told(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    text = ascii(x.shape[0])
    return y * len(text)


def flagged(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    n = x.shape[0]
    print(end="")
    large = n > 30
    print(end="")
    return y + 1 if large else y - 1


def helped(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return zeros(x.shape[0]).sum() + y.sum()


def noted(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    note(x.shape[0])
    return y + 1 if State.large else y - 1


def shaped(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    shape = x.shape
    print(end="")
    return y.new_zeros(shape)


def halved(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    half = x.shape[0] * 0.5
    print(end="")
    return y * half


def looped(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    y = y + 1
    for _ in range(2):
        print(end="")
        y = y * zeros(x.shape[0]).numel()
    return y


def inner(x: torch.Tensor) -> torch.Tensor:
    x = x * 2
    print(end="")
    return x[1:] + 1


def nested(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return inner(x).sum() + y


def counted(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    State.calls += 1
    return x + State.calls


def remembered(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = y + State.last
    State.last = x.shape[0]
    return z


def unset(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    torch.set_grad_enabled(False)
    return x + 1


OPEN = {
    masked: "the rest after the graph break looks at what that line gives in eager, which nothing declares",
    masked_later: "the rest after the graph break looks at what that line gives in eager, which nothing declares",
    nonzero: "the rest after the graph break looks at the result of nonzero(...), which nothing declares",
    unique: "the rest after the graph break looks at the result of unique(...), which nothing declares",
    listed: "the rest after the graph break looks at the result of tolist(...), which nothing declares",
    item: "the rest after the graph break looks at a number out of a tensor, which nothing declares",
    branching: "data decide which way the program takes",
    told: "ascii(...) is left to eager, and may change what graphs are guarded by",
    flagged: "the rest after the graph break looks at large, a bool made of what varies, which nothing declares",
    helped: "zeros(...) is left to eager, and may change what graphs are guarded by",
    noted: "note(...) is left to eager, and may change what graphs are guarded by",
    shaped: "the rest after the graph break looks at shape, a size or number without a name, which nothing declares",
    halved: "the rest after the graph break looks at half, a float made of what varies, which nothing declares",
    nested: "inner(...) is left to eager, and may change what graphs are guarded by",
    counted: "the program changes State.calls, which it is guarded by",
    remembered: "the program changes State.last, which it is guarded by",
}


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Programs here change what stays."""
    yield
    State.calls, State.last, State.large = 0, 0, False
    torch.set_grad_enabled(True)


@pytest.mark.parametrize(("program", "reason"), OPEN.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_computed_before_a_break_is_no_part_of_a_proof(program: Callable[..., Any], reason: str) -> None:
    """Another size compiles anew; the report says that it does not know, why, and the line."""
    report = explain(program, *given(32))
    State.calls, State.last, State.large = 0, 0, False
    assert report.covers_domain is None
    assert report.counterexample is None
    told, line = report.doubts[0].text, report.doubts[0].line
    assert told == reason
    assert line is not None
    assert f"{__name__.rpartition('.')[2]}.py:" in line
    assert reason in " ".join(report.verdict.split())
    compiled = Compiled(program, fullgraph=False)
    compiled(*given(32))
    graphs = compiled.graphs
    for n in (16, 24, 64):
        compiled(*given(n))
    compiles_anew = program is not nested  # whose result knows its size, which no proof is told
    assert (compiled.graphs > graphs) is compiles_anew


def test_what_stays_changed_is_no_part_of_a_proof() -> None:
    """The next call finds torch's settings changed, and has no line that did it."""
    report = explain(unset, *given(32))
    assert report.verdict == (
        "not known whether under Inductor this covers the declared domain: "
        "the program leaves torch's settings changed, such as whether it records gradients"
    )


def test_a_program_that_is_left_to_eager_is_told() -> None:
    """Of a loop with a break torch compiles what the loop calls, if that."""
    report = explain(looped, *given(32))
    assert report.covers_domain is None


class Linear(torch.nn.Module):
    """State that stays as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))
        self.scale = 2

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        z = x * self.scale
        print(z)
        return z.sum() + y.sum() * self.scale * self.weight


def handed_on(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z, n, constant = x * 2, x.shape[0], "abc"
    print(n, constant)
    return z + n + len(constant) + y.sum()


def in_containers(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    kept = {"a": x * 2, "b": [x.shape[0], (y, None)]}
    dynamo.graph_break()
    return kept["a"] + kept["b"][0] + kept["b"][1][0].sum()


def transposed(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = (x[:, None] * torch.ones(3)).t()
    dynamo.graph_break()
    return z.sum(0) + y.sum()


def closed_over(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = y.sum()

    def added(q: torch.Tensor) -> torch.Tensor:
        return q + z

    dynamo.graph_break()
    return added(x)


def without_gradients(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        z = x * 2
        print(end="")
        w = z + 1
    return w + y.sum()


def unread(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = x * 2
    z.sum().item()
    State.last = 5
    return z + y.sum()


def thrice(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = x * 2
    print(end="")
    w = z + 1
    print(end="")
    v = torch.cat([w, x])
    print(end="")
    return v * 2


def printed_last(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = x * 2
    print(z)
    return z


PROVED = (
    *(Linear(), handed_on, in_containers, transposed, closed_over, without_gradients, unread, thrice, printed_last),
)


@pytest.mark.parametrize("program", PROVED, ids=lambda p: getattr(p, "__name__", "module"))
def test_what_crosses_a_break_under_names_or_unchanged_leaves_a_proof(program: Callable[..., Any]) -> None:
    """And the proof holds."""
    report = explain(program, *given(32))
    assert report.doubts == ()
    assert report.covers_domain is True
    compiled = Compiled(program, fullgraph=False)
    compiled(*given(32))
    frames, graphs = len(compiled.guards), compiled.graphs
    for n in (16, 24, 64):
        compiled(*given(n))
    assert (len(compiled.guards), compiled.graphs) == (frames, graphs)


def test_a_counterexample_is_one_of_the_whole_program() -> None:
    """Where it depends on data, or on an earlier graph, whether a call gets to a guard, no call is said to fail it."""

    def of_data(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if x.sum() > 300:
            return y + 1 if x.shape[0] > 30 else y
        return y - 1

    both = explain_calls(of_data, [given(32), given(16)])
    assert both.covers_domain is None
    assert both.counterexample is None

    def of_sizes(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if x.shape[0] > 30:
            y = y + 1
            print(end="")
            return y * 2 if x.shape[0] > 20 else y
        y = y - 1
        print(end="")
        return y * 3

    both = explain_calls(of_sizes, [given(32), given(16)])
    assert both.covers_domain is not False
    compiled = Compiled(of_sizes, fullgraph=False)
    for n in (32, 16, 24, 40, 64):
        compiled(*given(n))
    assert compiled.graphs == 4


def test_no_more_is_compiled_at_the_limit() -> None:
    """A function that was compiled as often as torch allows is not compiled anew for a counterexample."""

    def program(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return y + 1 if x.shape[0] > 40 else y * 2 if x.shape[0] > 24 else y * 3

    assert explain_calls(program, [given(64), given(32)]).covers_domain is False
    with dynamo.config.patch(recompile_limit=2):
        report = explain_calls(program, [given(64), given(32)])
    assert report.covers_domain is None
    assert report.counterexample is None


def test_a_guard_on_the_base_of_a_view_is_no_part_of_the_declaration() -> None:
    """The base of a declared view has sizes of its own, which torch may take for dynamic and guard."""

    def program(x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.shape[1] % 2 == 0 else x - 1

    def view(n: int, m: int) -> torch.Tensor:
        whole = torch.arange(float(n * m)).view(n, m)
        return name_dims(whole, {0: "n", 1: "m"}, constraints=["1 <= n <= 9", "1 <= m <= 4"])

    report = explain_calls(program, [(view(6, 2),), (view(6, 1),)])
    compiled = Compiled(program)
    for sizes in ((6, 2), (6, 1)):
        compiled(view(*sizes))
    graphs = compiled.graphs
    for sizes in ((6, 4), (2, 1), (1, 1)):
        compiled(view(*sizes))
    assert report.covers_domain is not True or compiled.graphs == graphs


def test_suggest_says_no_more_than_explain() -> None:
    """The same judgement; what it prints does not claim a proof."""
    calls = [(torch.arange(float(n)), torch.ones(3)) for n in (32, 24)]
    for program in (is_large, listed):
        found = suggest(program, calls)
        assert found.report.covers_domain is not True
        assert "proved" not in str(found)
    assert "proved" in str(suggest(handed_on, calls))


def test_doubts_are_data() -> None:
    """In the report as JSON, each with its line."""
    (doubt,) = explain(item, *given(32)).as_data()["doubts"]
    assert doubt["text"] == OPEN[item]
    assert "x.max().item()" in doubt["line"]


def explained(case: Case) -> Report:
    program = torch.compile(case.program(), backend=BACKEND)
    return explain_calls(program, [case.arguments(values) for values in case.calls])


@pytest.mark.parametrize("seed", range(1000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 36))
def test_what_a_report_on_any_program_claims_is_so(seed: int) -> None:
    """A proof: no call of the domain compiles anything. A counterexample: a call that does."""
    case = case_of(seed)
    if case is None:
        pytest.skip("it raises whatever it is called with")
    with (
        dynamo.config.patch(recompile_limit=64, accumulated_recompile_limit=512),
        dynamic_int_constraints(case.constraints) as scope,
    ):
        report = explained(case)
        torch.set_grad_enabled(True)
        compiled = Compiled(case.program(), fullgraph=False, backend=BACKEND)
        for values in case.calls:
            compiled(*case.arguments(values))
        frames, graphs = len(compiled.guards), compiled.graphs
        if report.covers_domain is False:
            assert report.counterexample is not None
            values = {**case.calls[-1], **report.counterexample}
            assert scope.system.holds(values)
            if not case.raises(values):
                compiled(*case.arguments(values))
                assert compiled.graphs > graphs
        for values in case.domain if report.covers_domain else ():
            compiled(*case.arguments(values))
            assert (len(compiled.guards), compiled.graphs) == (frames, graphs)
