"""Branches that parametrising can't fold: the declaration decides them, and no guard is left."""

from __future__ import annotations

from inspect import getattr_static

import pytest
import torch
from branches import CELLS, VALUES
from compiled import Compiled

from dynconstraints import DynamicInt, dynamic_int_constraints
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.install.installer import INSTALLER


@pytest.mark.parametrize(("constraints", "branch"), CELLS, ids=[f"{', '.join(c)} |- {q}" for c, q in CELLS])
def test_the_declaration_decides_the_branch(constraints: tuple[str, ...], branch: str) -> None:
    """The program with the branch has the guards of the one without it, and one graph over the domain."""
    with dynamic_int_constraints(constraints) as scope:
        allowed = [v for v in VALUES if scope.system.holds(v)][:4]
        program = eval(f"lambda a, b, c, x: [y := x * a + b + c, y + 1 if {branch} else y][1]")
        plain = eval("lambda a, b, c, x: [y := x * a + b + c, y + 1][1]")
        with_branch, without = Compiled(program), Compiled(plain)
        x = torch.ones(2)
        for values in allowed:
            named = {name: DynamicInt(value, name=name) for name, value in values.items()}
            assert torch.equal(with_branch(*named.values(), x), program(**values, x=x))
            if values is allowed[0]:
                without(*named.values(), x)
    assert allowed
    assert with_branch.graphs == 1
    assert sorted(with_branch.guards[0]) == sorted(without.guards[0])


def test_nothing_is_proved_from_itself_while_guards_are_printed() -> None:
    """A branch that the declaration leaves open is guarded, and the other side compiles anew."""
    program = lambda n, x: x + 1 if n % 64 == 0 else x - 1  # noqa: E731
    compiled = Compiled(program)
    x = torch.ones(2)
    for value in (64, 32, 128, 96):
        n = DynamicInt(value, name="n", constraints=["n % 32 == 0"])
        assert torch.equal(compiled(n, x), program(value, x))
    assert compiled.graphs == 2


def test_the_premises_hold_no_guard_of_the_shape_env(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the guards among the premises every guard would vanish: the protection is what keeps the answer right."""
    original = FrameFacts.premises

    def unsound(self: FrameFacts) -> tuple[object, ...]:
        from dynconstraints.ir.nodes import Name
        from dynconstraints.pytorch.frame.sympy_bridge import formula_of

        symbols = {p.symbol: Name(n) for n, p in self.parameters.items()}
        guards = [formula_of(g.expr, symbols) for g in self.env.guards]
        return (*original.fget(self), *(g for g in guards if g is not None))

    program = lambda n, x: x + 1 if n % 64 == 0 else x - 1  # noqa: E731
    x = torch.ones(2)
    monkeypatch.setattr(FrameFacts, "premises", property(unsound))
    broken = Compiled(program)
    for value in (64, 32):
        broken(DynamicInt(value, name="n", constraints=["n % 32 == 0"]), x)
    assert broken.graphs == 1


def test_programs_without_declarations_get_torchs_own_answers() -> None:
    """The same guards as without the package's wrappers."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        y = x.view(-1, 4)[:, : n % 3]
        return y.sum(0) if x.shape[0] % 8 == 0 else y

    def guards() -> list[list[str]]:
        compiled = Compiled(program, dynamic=True)
        for n, size in ((2, 16), (5, 32), (7, 12)):
            compiled(n, torch.ones(size))
        return compiled.guards

    with_hooks = guards()
    observed = ("produce_guards_verbose", "_call_user_compiler")  # the one shows the guards, the other sees no facts
    kept = [(p, getattr_static(p.owner, p.name)) for p in INSTALLER.placed if p.name not in observed]
    assert kept
    try:
        for placed, _ in kept:
            placed.undo()
        assert guards() == with_hooks
    finally:
        for placed, hook in kept:
            placed.put(hook)


def test_torchs_multiple_test_knows_the_declaration() -> None:
    """statically_known_multiple_of(s0, 16) is True under s0 % 32 == 0, as Inductor asks it."""
    seen: list[bool] = []

    def backend(gm: torch.fx.GraphModule, inputs: list[object]) -> object:
        from torch._inductor.sizevars import SizeVarAllocator

        env = torch._guards.TracingContext.get().fake_mode.shape_env
        facts = env.__dict__[KEY]
        seen.append(SizeVarAllocator(env).statically_known_multiple_of(facts.expressions["s0"], 16))
        return gm.forward

    torch._dynamo.reset()
    torch.compile(lambda n, x: x * n, backend=backend)(
        DynamicInt(64, name="s0", constraints=["s0 % 32 == 0"]), torch.ones(2)
    )
    assert seen == [True]
