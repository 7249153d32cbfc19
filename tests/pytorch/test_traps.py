"""Thirteen traps that programs fall into, each with what keeps ours out of it: without that they do fall in.

A scenario says whether all is right; its mutation takes the protection out, and then it is not. The third trap,
artefacts on disk, needs processes of its own: `test_disk_caches`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled
from torch.utils.checkpoint import checkpoint

from dynconstraints import ConstraintViolationError, DynamicFloat, DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.ir.nodes import Name
from dynconstraints.pytorch._torch.dynamo import hook_points
from dynconstraints.pytorch._torch.release import UpstreamDynamicInt
from dynconstraints.pytorch.declarations import scope
from dynconstraints.pytorch.floats import trace
from dynconstraints.pytorch.frame import sources
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.frame.sympy_bridge import formula_of
from dynconstraints.pytorch.guards import compiled_calls, entry_guard
from dynconstraints.pytorch.oracle import decide
from dynconstraints.pytorch.tracing import graph_breaks, inputs

X = torch.ones(3)
Scenario = Callable[[], bool]
Mutation = Callable[[pytest.MonkeyPatch], None]


def agrees(program: Callable[..., Any], calls: list[tuple[Any, ...]], graphs: int, backend: str = "eager") -> bool:
    """Whether the compiled program gives eager's results in as many graphs."""
    compiled = Compiled(program, backend=backend)
    plain = [tuple(int(a) if isinstance(a, int) else float(a) if isinstance(a, float) else a for a in c) for c in calls]
    same = [torch.equal(compiled(*call), program(*known)) for call, known in zip(calls, plain, strict=True)]
    return all(same) and compiled.graphs == graphs


def n(value: int, *constraints: str) -> DynamicInt:
    return DynamicInt(value, name="n", constraints=constraints)


# 1. While guards are printed they are asked whether they are redundant; proved from themselves they all vanish.


def guards_stay() -> bool:
    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        return x + 1 if n % 64 == 0 else x - 1

    return agrees(program, [(n(64, "n % 32 == 0"), X), (n(32, "n % 32 == 0"), X)], graphs=2)


def guards_among_the_premises(patch: pytest.MonkeyPatch) -> None:
    original = FrameFacts.premises

    def premises(self: FrameFacts) -> tuple[object, ...]:
        symbols = {p.symbol: Name(name) for name, p in self.parameters.items()}
        guards = [formula_of(g.expr, symbols) for g in self.env.guards]
        return (*original.fget(self), *(g for g in guards if g is not None))  # type: ignore[attr-defined]

    patch.setattr(FrameFacts, "premises", property(premises))


# 2. What justified a decision holds for later arguments too: a plain int, other sizes, other declarations.


def later_arguments_are_checked() -> bool:
    def program(n: int, m: int, x: torch.Tensor) -> torch.Tensor:
        return x + n * m if n * m <= 64 else x - n * m

    with dynamic_int_constraints(["n * m <= 64"]):
        declared = DynamicInt(5, name="n"), DynamicInt(6, name="m"), X
        compiled = Compiled(program)
        first = torch.equal(compiled(*declared), program(5, 6, X))
    return first and torch.equal(compiled(20, 30, X), program(20, 30, X))


def no_check_at_the_entry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entry_guard, "entry_check", lambda *_: lambda *_: True)


# 4. A subclass of float becomes a float32 tensor, whose bits a kernel reads as double.


def floats_are_exact() -> bool:
    x = torch.ones(3, dtype=torch.float64)
    values = [DynamicFloat(value, name="p") for value in (0.1, 0.3)]
    return agrees(lambda p, x: x * p + 1, [(p, x) for p in values], graphs=1)


def subclasses_go_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sources, "exact_tensor", torch._as_tensor_fullprec)


# 5. Operations that take numbers, not tensors, get one graph a value, or a stale one.


def numbers_stay_numbers() -> bool:
    calls = [(DynamicFloat(value, name="p"), X) for value in (0.25, 0.5, 0.75)]
    return agrees(lambda p, x: torch.clamp(x, max=p) + torch.full_like(x, p), calls, graphs=1, backend="aot_eager")


def numbers_are_symbols(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trace, "lowered", lambda *_: None)


# 6. One name at two places is one symbol, and a guard that they are equal.


def one_name_is_one_value() -> bool:
    def program(a: int, b: int, x: torch.Tensor) -> torch.Tensor:
        return x + 1 if a == b else x - 1

    compiled = Compiled(program)
    first = torch.equal(compiled(n(4), n(4), X), program(4, 4, X))
    return first and torch.equal(compiled(4, 8, X), program(4, 8, X))


def no_guard_that_places_agree(patch: pytest.MonkeyPatch) -> None:
    original = inputs.wrap_int

    def wrap_int(builder: Any, value: Any) -> Any:
        variable = original(builder, value)
        builder.tx.output.tracked_fakes.pop()
        return variable

    patch.setattr(inputs, "wrap_int", wrap_int)


# 7. A size that is its own unit meets torch's rules for 1: one more graph at most, and right ones.


def units_cost_one_graph() -> bool:
    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        rows = x.view(-1, n)
        return torch.softmax(rows[:, : n // 2] * 2 + rows[:, n // 2 :], -1)

    compiled = Compiled(program)
    with dynamic_int_constraints(["n % 16 == 0", "n >= 16", "rows >= 1"]):
        for size, rows in ((32, 4), (16, 4), (48, 1), (16, 1), (64, 3)):
            x = name_dims(torch.arange(float(size * rows)), {0: "rows*n"})
            if not torch.equal(compiled(n(size), x), program(size, x)):
                return False
    return compiled.graphs <= 2 and len(compiled.guards[0]) <= 2


def ranges_stay_as_declared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "sharpen", lambda *_: None)


# 8. After a graph break names and constraints survive.


def names_survive_breaks() -> bool:
    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        m = 2 * n
        y = x * 2
        dynamo.graph_break()
        return y + m if m % 32 == 0 else y

    compiled = Compiled(program, fullgraph=False)
    values = [n(value, "n % 16 == 0", "n >= 32") for value in (64, 32, 96)]
    same = [torch.equal(compiled(v, X), program(int(v), X)) for v in values]
    return (
        all(same) and compiled.graphs == 2 and not any("% 32" in guard for graph in compiled.guards for guard in graph)
    )


def results_go_on_without_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(graph_breaks, "naming_results", lambda compiled, *_: compiled)


# 9. Subgraphs lift the parameters that they use.


def subgraphs_get_the_parameters() -> bool:
    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        return checkpoint(lambda t: torch.sin(t.view(-1, n)) * n, x, use_reentrant=False)

    compiled = Compiled(program, backend="aot_eager")
    for value in (8, 16):
        a = torch.randn(3 * value, requires_grad=True)
        b = a.detach().clone().requires_grad_()
        compiled(n(value, "n % 8 == 0"), a).sum().backward()
        program(value, b).sum().backward()
        if a.grad is None or not torch.allclose(a.grad, b.grad):  # type: ignore[arg-type]
            return False
    return True


def parameters_belong_to_the_subgraph(patch: pytest.MonkeyPatch) -> None:
    original = inputs._parameter

    def of_current(tx: Any, *args: Any) -> Any:
        output = SimpleNamespace(root_tracer=tx.output.current_tracer, tracked_fakes=tx.output.tracked_fakes)
        return original(SimpleNamespace(output=output), *args)

    patch.setattr(inputs, "_parameter", of_current)


# 10. A block opened in one thread is closed to the others.


def blocks_stay_in_their_thread() -> bool:
    opened, done, seen = threading.Event(), threading.Event(), []

    def other() -> None:
        with dynamic_int_constraints(["n % 32 == 0"]):
            opened.set()
            done.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    opened.wait(10)
    try:
        seen = [torch.equal(Compiled(lambda n, x: x * n)(n(33), X), X * 33)]
    finally:
        done.set()
        thread.join()
    return seen == [True]


class Global:
    """A scope that all threads share."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        self.value = value


def blocks_are_global(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scope, "_current", Global(scope.Scope.EMPTY))


# 11. What `torch._check` says in the body counts beside what is declared.


def checks_in_the_body_count() -> bool:
    def program(n: int, count: torch.Tensor) -> torch.Tensor:
        u = (count * 1).item()
        torch._check(u >= 3)
        return count * u + n if n % 16 == 0 and u >= 2 else count

    calls = [(n(32, "n % 32 == 0"), torch.tensor(4)), (n(64, "n % 32 == 0"), torch.tensor(5))]
    with dynamo.config.patch(capture_scalar_outputs=True):
        return agrees(program, calls, graphs=1)


def torch_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    owner, name = hook_points().evaluate_static
    original = getattr(owner, name)

    def declared_alone(self: Any, expr: Any, *args: Any, **kwargs: Any) -> Any:
        if KEY not in self.__dict__ or kwargs.get("compute_hint") or not expr.free_symbols:
            return original(self, expr, *args, **kwargs)
        return expr if kwargs.get("unbacked_only") else decide.decide(self, self.simplify(expr))

    declared_alone.cache_clear = original.cache_clear  # type: ignore[attr-defined]
    declared_alone.cache_info = original.cache_info  # type: ignore[attr-defined]
    patch.setattr(owner, name, declared_alone)


# 12. Programs without declarations are torch's own.


def others_are_left_alone() -> bool:
    program = lambda n, x: x.view(-1, n) * n  # noqa: E731
    compiled = Compiled(program)
    x = torch.ones(24)
    return torch.equal(compiled(UpstreamDynamicInt(4), x), program(4, x)) and any("24" in g for g in compiled.guards[0])


def all_ints_are_taken_for_ours(patch: pytest.MonkeyPatch) -> None:
    owner, name = hook_points().wrap_value
    original = getattr(owner, name)

    def _wrap(self: Any, value: Any) -> Any:
        return inputs.wrap_int(self, value) if isinstance(value, UpstreamDynamicInt) else original(self, value)

    patch.setattr(owner, name, _wrap)


# 13. A block opened after a function was compiled without it is enforced on its graph.


def later_blocks_are_enforced() -> bool:
    compiled = Compiled(lambda n, x: x * n)
    compiled(n(33), X)
    with dynamic_int_constraints(["n % 32 == 0"]):
        if not torch.equal(compiled(n(64), X), X * 64):
            return False
        try:
            compiled(n(33), X)
        except ConstraintViolationError:
            return True
    return False


def blocks_are_those_of_the_compilation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entry_guard, "current_scope", lambda: scope.Scope.EMPTY)
    patch.setattr(compiled_calls, "check_entry", lambda given: None)


TRAPS: dict[str, tuple[Scenario, Mutation]] = {
    "1 proved from itself": (guards_stay, guards_among_the_premises),
    "2 unguarded decision": (later_arguments_are_checked, no_check_at_the_entry),
    "4 float subclass": (floats_are_exact, subclasses_go_in),
    "5 float as a number": (numbers_stay_numbers, numbers_are_symbols),
    "6 one name twice": (one_name_is_one_value, no_guard_that_places_agree),
    "7 unit size": (units_cost_one_graph, ranges_stay_as_declared),
    "8 graph break": (names_survive_breaks, results_go_on_without_names),
    "9 subgraph": (subgraphs_get_the_parameters, parameters_belong_to_the_subgraph),
    "10 threads": (blocks_stay_in_their_thread, blocks_are_global),
    "11 torch._check": (checks_in_the_body_count, torch_is_not_asked),
    "12 not ours": (others_are_left_alone, all_ints_are_taken_for_ours),
    "13 later block": (later_blocks_are_enforced, blocks_are_those_of_the_compilation),
}


REFUSALS = {
    "9 subgraph": "does not belong to this Graph|referenced nonexistent value",  # up to 2.12 the second
    "10 threads": r"constraint violated: n % 32 == 0",
    "11 torch._check": "Could not guard on data-dependent expression",
    "12 not ours": "object has no attribute 'declaration'",
}
"""Where an unprotected program is refused rather than wrong: by what."""


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_avoided_and_without_the_protection_it_is_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right with it; wrong, or refused for the reason that is expected, without it."""
    scenario, mutation = TRAPS[name]
    assert scenario()
    mutation(monkeypatch)
    if name in REFUSALS:
        with pytest.raises(Exception, match=REFUSALS[name]):
            scenario()
    else:
        assert not scenario()
