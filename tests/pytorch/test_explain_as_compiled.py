"""explain judges a function as it is compiled: its backend, its options; and of Inductor all but the compilers run."""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import torch._dynamo as dynamo
import torch.nn.functional as F
from torch._dynamo.utils import counters

from dynconstraints import bind, dynamic_int_constraints, explain, explain_calls, name_dims
from dynconstraints.pytorch.reports.report import Report


def pooled(x: torch.Tensor) -> torch.Tensor:
    return F.adaptive_avg_pool2d(x.view(1, 1, 4, -1), (4, 4)).cos()


def of_width(w: int, x: torch.Tensor | None = None) -> torch.Tensor:
    return name_dims(torch.randn(4, w) if x is None else x, {1: "w"}, constraints=["64 <= w <= 128"])


def lowering(graph: Any, inputs: Any) -> Any:
    """Inductor, with nothing built and nothing kept; what it would run does not run."""
    from torch._inductor.compile_fx import compile_fx, compile_fx_inner
    from torch._inductor.graph import GraphLowering

    def lower(gm: Any, example_inputs: Any, **options: Any) -> Any:
        eager = torch.fx.GraphModule(gm, torch.fx.Graph().__class__())
        eager.graph.output(eager.graph.graph_copy(gm.graph, {}))
        eager.recompile()
        module = mock.Mock(call=None, runner=None)
        with mock.patch.object(GraphLowering, "compile_to_module", lambda self: (self.codegen(), module)[1]):
            compile_fx_inner(gm, example_inputs, **options)
        return lambda *args: eager(*args)

    with torch._inductor.config.patch(fx_graph_cache=False), torch._functorch.config.patch(enable_autograd_cache=False):
        return compile_fx(graph, inputs, inner_compile=lower)


REAL: dict[str, Any] = {"eager": "eager", "aot_eager": "aot_eager", "inductor": lowering}


def graphs_of(program: Callable[..., Any], calls: list[tuple[Any, ...]], backend: str, **options: Any) -> int:
    """How many graphs torch itself makes for the calls."""
    dynamo.reset()
    counters.clear()
    compiled = torch.compile(program, backend=REAL[backend], **options)
    for call in calls:
        compiled(*call)
    return int(counters["stats"]["unique_graphs"])


@pytest.mark.parametrize("backend", REAL)
def test_a_verdict_is_true_of_the_users_own_backend(backend: str) -> None:
    """Pooled to a fixed size: one graph until Inductor lowers it, which takes the width for a number."""
    report = explain(torch.compile(pooled, backend=backend), of_width(70))
    calls = [(of_width(w),) for w in (70, 65, 100, 64, 128, 127)]
    assert (report.covers_domain is True) == (graphs_of(pooled, calls, backend) == 1)
    if backend != "inductor":
        assert report.verdict.startswith(f"proved: under {backend} the graph serves")
    else:
        assert report.covers_domain is False
        assert report.counterexample is not None
        assert graphs_of(pooled, [(of_width(70),), (of_width(report.counterexample["w"]),)], backend) == 2
        w = report.counterexample["w"]
        assert report.verdict == f"not the whole domain: under Inductor w = {w} compiles anew"


def test_a_plain_function_is_judged_for_inductor_and_backend_says_otherwise() -> None:
    """Also of a function that is compiled for another; a text starts with what it is about."""
    reports = {
        "Inductor": explain(pooled, of_width(70)),
        "eager": explain(pooled, of_width(70), backend="eager"),
        "aot_eager": explain(torch.compile(pooled, backend="eager"), of_width(70), backend="aot_eager"),
        "lowering": explain_calls(pooled, [(of_width(70),)], backend=lowering),
    }
    for name, report in reports.items():
        assert str(report).startswith(f"pooled: 1 graph under {name}\n")
    assert [report.backend for report in reports.values()] == ["inductor", "eager", "aot_eager", "lowering"]
    assert [report.covers_domain for report in reports.values()] == [False, True, True, False]


class Pooling(torch.nn.Module):
    """Its forward, a method of it, a static one, and one that is compiled in the class."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return pooled(x)

    def method(self, x: torch.Tensor) -> torch.Tensor:
        return pooled(x)

    @torch.compile(backend="aot_eager", fullgraph=True)
    def decorated(self, x: torch.Tensor) -> torch.Tensor:
        return pooled(x)


def compiled_in_place() -> torch.nn.Module:
    module = Pooling()
    module.compile(backend="aot_eager", fullgraph=True)
    return module


def wrapped() -> Callable[..., Any]:
    compiled = torch.compile(pooled, backend="aot_eager", fullgraph=True)

    @functools.wraps(compiled)
    def wrapper(*args: Any) -> Any:
        return compiled(*args)

    return wrapper


FORMS: dict[str, Callable[[], Callable[..., Any]]] = {
    "a function": lambda: torch.compile(pooled, backend="aot_eager", fullgraph=True),
    "a decorated function": lambda: torch.compile(backend="aot_eager", fullgraph=True)(pooled),
    "a lambda": lambda: torch.compile(lambda x: pooled(x), backend="aot_eager", fullgraph=True),
    "a module": lambda: torch.compile(Pooling(), backend="aot_eager", fullgraph=True),
    "a module compiled in place": compiled_in_place,
    "a method": lambda: torch.compile(Pooling().method, backend="aot_eager", fullgraph=True),
    "a method of a class": lambda: Pooling().decorated,
    "a wrapped one": wrapped,
    "compiled twice": lambda: torch.compile(
        torch.compile(pooled, backend="eager"), backend="aot_eager", fullgraph=True
    ),
    "a partial one's parts": lambda: torch.compile(functools.partial(pooled), backend="aot_eager", fullgraph=True),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_what_is_compiled_is_known(form: Callable[[], Callable[..., Any]]) -> None:
    """Its backend and its options are found."""
    report = explain(form(), of_width(70))
    assert (report.backend, report.fullgraph, report.covers_domain) == ("aot_eager", True, True)
    assert len(report.graphs) == 1


def test_options_and_dynamic_are_those_of_the_user() -> None:
    """An undeclared size is a symbol under dynamic=True; an option of Inductor's is in force where it lowers."""
    for dynamic, undeclared in ((True, True), (None, False)):
        report = explain(torch.compile(lambda x: x.view(-1, 4), backend="eager", dynamic=dynamic), torch.ones(16))
        assert bool(report.graphs[0].guards) == undeclared
    seen = []

    def note(graph: Any) -> None:
        seen.append(torch._inductor.config.max_autotune)

    for options in ({"post_grad_custom_post_pass": note}, {"post_grad_custom_post_pass": note, "max_autotune": True}):
        explain(torch.compile(lambda x: x.cos() @ x, options=options), torch.ones(16, 16))
    assert seen == [False, True]


MASKS = "8 <= n <= 64", "8 <= e <= 640"


def masked(x: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
    keep = e[0] != e[1]
    e = e[:, keep]
    return x.new_zeros(x.shape[0], x.shape[1]).index_add(0, e[1], x[e[0]])


def edges(n: int, e: int) -> tuple[torch.Tensor, torch.Tensor]:
    return name_dims(torch.randn(n, 4), {0: "n"}), name_dims(torch.randint(0, n, (2, e)), {1: "e"})


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_masks_are_captured_where_breaks_are_forbidden(backend: str) -> None:
    """fullgraph=True: one graph for all sizes, as when it is run."""
    with dynamic_int_constraints(MASKS):
        sizes = ((20, 64), (33, 100), (9, 8), (64, 640))
        assert graphs_of(masked, [edges(*s) for s in sizes], backend, fullgraph=True) == 1
        report = explain(torch.compile(masked, backend=backend, fullgraph=True), *edges(20, 64))
    assert len(report.graphs) == 1
    assert report.covers_domain is not False


@pytest.fixture
def pad_dimension() -> Iterator[Any]:
    """A custom operation with a computed result, whose body is Python."""
    with torch.library._scoped_library("dynconstraints_tests", "DEF") as lib:
        lib.define("pad_dimension(Tensor x, int d, int m) -> SymInt")
        lib.impl("pad_dimension", lambda x, d, m: -x.size(d) % m, "CompositeExplicitAutograd")

        @torch.library.register_fake("dynconstraints_tests::pad_dimension", lib=lib)
        def _(x: torch.Tensor, d: int, m: int) -> Any:
            return torch.library.get_ctx().new_dynamic_size()

        yield torch.ops.dynconstraints_tests.pad_dimension


def test_the_body_of_a_custom_operation_is_no_frame(pad_dimension: Any) -> None:
    """The graph calls it, and nothing compiles it."""

    def f(x: torch.Tensor) -> torch.Tensor:
        p = bind("p", pad_dimension(x, 0, 4), constraints=["0 <= p < 4", "(n + p) % 4 == 0"])
        return F.pad(x, (0, 0, 0, p)).view(-1, 4, 16).sum(1)

    x = name_dims(torch.randn(5, 16), {0: "n"}, constraints=["2 <= n <= 128"])
    report = explain(torch.compile(f, backend="eager", fullgraph=True), x)
    assert [graph.code.split()[0] for graph in report.graphs] == ["f"]


def test_no_compiler_is_run_and_nothing_is_kept(tmp_path: Path) -> None:
    """No source and no library in the folder of Inductor's caches, with its settings at their strictest."""
    from torch._inductor import cpp_builder, cpu_vec_isa

    cpu_vec_isa.valid_vec_isa_list.cache_clear()
    refuse = mock.patch.object(cpp_builder.CppBuilder, "build", side_effect=AssertionError("a compiler is run"))
    options = {"max_autotune": True, "fx_graph_cache": True}
    with mock.patch.dict(os.environ, TORCHINDUCTOR_CACHE_DIR=str(tmp_path)), refuse as build:
        report = explain(torch.compile(lambda x: (x @ x.t()).cos(), options=options), of_width(70))
    assert not build.called
    assert report.backend == "inductor"
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    assert cpu_vec_isa.valid_vec_isa_list.cache_info().currsize == 0


def helper(x: torch.Tensor) -> torch.Tensor:
    dynamo.graph_break()
    return x * 3


@pytest.mark.inductor
def test_the_users_program_is_compiled_in_full_after_it() -> None:
    """Also a function of the user's that is a frame of its own, since it breaks the graph."""
    from torch._inductor.utils import run_and_get_code

    def calling(x: torch.Tensor) -> torch.Tensor:
        return helper(x + 1).sin()

    x = torch.randn(8)
    dynamo.reset()
    compiled = torch.compile(calling)
    report = explain(compiled, x)
    assert len(report.graphs) > 2
    result, codes = run_and_get_code(compiled, x)
    torch.testing.assert_close(result, ((x + 1) * 3).sin())
    assert sum("def call(" in code for code in codes) >= 2
    again = explain(compiled, x)
    assert len(again.graphs) == len(report.graphs)


def test_backwards_and_mutations_give_the_right_values() -> None:
    """What runs in place of Inductor's kernels is the graph itself: parameters get gradients, buffers change."""
    x = torch.randn(4, 8, requires_grad=True)
    counted = torch.zeros(1)
    results = []

    def step(x: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
        counted.add_(1)
        y = (x * counted).sin()
        dynamo.graph_break()
        y.sum().backward()
        results.append(y.detach())
        return y

    explain(torch.compile(step), x, counted)
    assert counted.item() == 1
    torch.testing.assert_close(results[0], x.detach().sin())
    torch.testing.assert_close(x.grad, x.detach().cos())


OPERATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "pad": lambda x: F.pad(x, (0, -x.shape[-1] % 8)).cos()[..., : x.shape[-1]],
    "pool": lambda x: F.adaptive_avg_pool2d(x, (4, 4)),
    "mean": lambda x: F.avg_pool2d(x, 2),
    "conv": lambda x: F.conv2d(x, torch.ones(3, 3, 3, 3), padding=1),
    "softmax": lambda x: torch.softmax(x.flatten(2), -1),
    "norm": lambda x: F.layer_norm(x, (x.shape[-1],)),
    "halves": lambda x: x[..., : x.shape[-1] // 2] + x[..., x.shape[-1] // 2 : x.shape[-1] // 2 * 2],
    "broadcast": lambda x: x + x.mean(-1, keepdim=True),
    "cat": lambda x: torch.cat([x, x], -1).view(x.shape[0], -1),
    "pages": lambda x: x.flatten(1)[:, : x.shape[2] * 8].view(-1, 8).sum(1),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2.0),
    "roll": lambda x: torch.roll(x, 1, -1).permute(0, 1, 3, 2).reshape(x.shape[0], -1),
}
DECLARED = (
    ("h % 8 == 0", "8 <= h <= 40"),
    ("2 <= h <= 12",),
    ("h in {4, 6, 16}",),
    ("1 <= h <= 9",),
    ("h % 4 == 0", "h <= 24", "4 <= h"),
)


def case_of(seed: int) -> tuple[str, Callable[[torch.Tensor], torch.Tensor], tuple[str, ...], list[int], str]:
    choose = random.Random(seed)
    first, second = choose.sample(sorted(OPERATIONS), 2)
    declared = choose.choice(DECLARED)
    domain = [h for h in range(1, 50) if all(eval(c, {"h": h}) for c in declared)]
    backend = choose.choice(["aot_eager", "inductor"])

    def program(x: torch.Tensor) -> torch.Tensor:
        return OPERATIONS[first](x).sum() + OPERATIONS[second](x * 2).sum()

    return f"{first} {second}", program, declared, domain, backend


def image(h: int) -> torch.Tensor:
    return name_dims(torch.randn(2, 3, 8, h), {3: "h"})


@pytest.mark.parametrize("seed", range(120 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 8))
def test_verdicts_hold_for_the_backend_that_they_name(seed: int) -> None:
    """Over the whole domain: a proof means one graph, a counterexample another one, and as many graphs as it says."""
    _, program, declared, domain, backend = case_of(seed)
    runs = [h for h in domain if _serves(program, h)]
    if not runs:
        pytest.skip("eager serves none of it")
    start = runs[len(runs) // 2]
    with dynamic_int_constraints(declared), dynamo.config.patch(recompile_limit=64):
        report: Report = explain(torch.compile(program, backend=backend), image(start))
        assert len(report.graphs) == graphs_of(program, [(image(start),)], backend)
        if report.covers_domain:
            assert graphs_of(program, [(image(h),) for h in (start, *runs)], backend) == 1
        elif report.counterexample is not None:
            (other,) = report.counterexample.values()
            assert other in domain
            if other in runs:
                assert graphs_of(program, [(image(start),), (image(other),)], backend) == 2


def _serves(program: Callable[..., Any], h: int) -> bool:
    try:
        program(torch.randn(2, 3, 8, h))
    except (RuntimeError, ValueError):
        return False
    return True
