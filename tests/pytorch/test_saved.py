"""What is compiled ahead of time carries its declaration: another process loads it, and refuses by the user's names."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dynconstraints import (
    ConstraintError,
    ConstraintViolationError,
    DynamicFloat,
    DynamicInt,
    declare,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.pytorch.guards.entry_data import EntryData

RULES = ["n % 8 == 0", "n <= 64"]


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def summed(x):
    return x.view(-1, 8, 6).sum(1)


def rows(x, n):
    return x.view(-1, n) * n


def scaled(x, a):
    return x * a


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(6))

    def forward(self, x):
        return summed(x) * self.weight


def named(size: int) -> torch.Tensor:
    return name_dims(torch.randn(size, 6), {0: "n"}, constraints=RULES)


PROGRAMS = {
    "dimension": (summed, lambda s: (named(s),)),
    "declared": (
        declare(summed, x="n 6", constraints=[*RULES, "n in {8, 16, 24, 48}"]),
        lambda s: (torch.randn(s, 6),),
    ),
    "int": (rows, lambda s: (torch.randn(48), DynamicInt(s, name="n", constraints=RULES))),
    "declared int": (declare(rows, n="n", x="3*n", constraints=[*RULES, "n >= 2"]), lambda s: (torch.randn(s * 3), s)),
    "float": (scaled, lambda s: (torch.ones(16), DynamicFloat(s / 16, name="a", constraints=["0 < a", "a <= 3.0"]))),
    "block": (summed, lambda s: (name_dims(torch.randn(s, 6), {0: "n"}),)),
    "module": (declare(Net(), x="n 6", constraints=RULES).forward, lambda s: (torch.randn(s, 6),)),
}
"""What is saved, and the arguments of a call of some size."""

PLAIN = {
    "int": lambda s: (torch.randn(48), s),
    "declared int": lambda s: (torch.randn(s * 3), s),
    "float": lambda s: (torch.ones(16), s / 16),
}
"""The same of a caller who declares nothing, where it isn't one tensor of so many rows."""

LOADING = """
import sys, torch
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.bin")):
    name = path.stem
    function = torch.compiler.load_compiled_function(path.open("rb"))
    for size in (8, 16, 48, 12, 72):
        if name == "int":
            args = torch.randn(48), size
        elif name == "declared int":
            args = torch.randn(size * 3), size
        elif name == "float":
            args = torch.ones(16), size / 16
        else:
            args = torch.randn(size, 6),
        if name == "module":
            args = None, *args
        try:
            function(*args)
            print(name, size, "ran")
        except Exception as error:
            print(name, size, type(error).__name__, str(error).splitlines()[0])
"""


def saved(name: str, directory: Path) -> None:
    function, arguments = PROGRAMS[name]
    with dynamic_int_constraints(RULES if name == "block" else [], on_missing="allow"):
        ahead = torch.compile(function, fullgraph=True).aot_compile((arguments(16), {}))
    ahead.save_compiled_function(str(directory / f"{name}.bin"))


def test_another_process_loads_what_was_saved_and_refuses_by_name(tmp_path):
    """Declared dimensions, ints, floats, blocks and signatures; nothing is imported there but torch."""
    names = [name for name in PROGRAMS if name != "module"]
    for name in names:
        torch._dynamo.reset()
        saved(name, tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", LOADING, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    lines = ran.stdout.splitlines()
    violated = "ConstraintViolationError error[DC301]: constraint violated:"
    wanted = []
    for name in sorted(names, key=lambda name: f"{name}.bin"):
        more = ", and 1 more" if name == "declared" else ""
        refused = [f"{name} 12 {violated} n % 8 == 0{more}", f"{name} 72 {violated} n <= 64{more}"]
        if name == "float":
            wanted += [*(f"float {s} ran" for s in (8, 16, 48, 12)), f"float 72 {violated} a <= 3.0"]
        else:
            wanted += [*(f"{name} {s} ran" for s in (8, 16, 48)), *refused]
    assert lines == wanted


@pytest.mark.parametrize("name", ["dimension", "declared", "declared int", "float", "module"])
def test_what_was_compiled_ahead_serves_the_domain(name):
    """One artefact, as eager computes; a call outside is refused in the user's words, another declaration, too."""
    function, arguments = PROGRAMS[name]
    ahead = torch.compile(function, fullgraph=True).aot_compile((arguments(16), {}))
    bound = (function.__self__,) if hasattr(function, "__self__") else ()
    for size in (
        (16, 24, 48) if name == "module" else (8, 16, 24, 48)
    ):  # with a gradient a batch of one is another graph
        given = arguments(size)
        torch.testing.assert_close(ahead(*bound, *given), function(*given))
    plain = PLAIN.get(name, lambda s: (torch.randn(s, 6),))
    torch.testing.assert_close(ahead(*bound, *plain(48)).shape, function(*plain(48)).shape)
    with pytest.raises(ConstraintViolationError):
        ahead(*bound, *plain(72))


def test_an_example_that_breaks_the_declaration_is_refused():
    """Before anything is traced, in the user's words."""
    with pytest.raises(ConstraintViolationError, match="n % 8 == 0"):
        torch.compile(PROGRAMS["declared"][0], fullgraph=True).aot_compile(((torch.randn(12, 6),), {}))


@pytest.mark.parametrize("name", ["dimension", "declared", "int", "block"])
def test_caching_precompile_takes_declarations(name):
    """The guards that it keeps are data; calls go on as without it."""
    function, arguments = PROGRAMS[name]
    with torch._dynamo.config.patch(caching_precompile=True):
        compiled = torch.compile(function, fullgraph=True)
        with dynamic_int_constraints(RULES if name == "block" else [], on_missing="allow"):
            for size in (16, 48):
                compiled(*arguments(size))
            with pytest.raises(ConstraintError):
                compiled(*arguments(12))


def test_the_data_of_a_guard_survive_a_pickle(monkeypatch):
    """With their places, formulas and constraints; without a ShapeEnv, a graph or a tensor."""
    kept = []
    original = EntryData.of.__func__
    monkeypatch.setattr(EntryData, "of", classmethod(lambda cls, facts: kept.append(original(cls, facts)) or kept[-1]))
    torch.compile(PROGRAMS["declared"][0], backend="eager")(torch.randn(16, 6))
    data = kept[-1]
    assert pickle.loads(pickle.dumps(data)) == data
    text = pickle.dumps(data)
    assert all(kind not in text for kind in (b"ShapeEnv", b"SymInt", b"sympy", b"Tensor"))


class Halved(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = 2

    def forward(self, x):
        return x.view(self.parts, -1, 6).sum(0)


def test_a_module_with_guarded_attributes_is_saved_with_its_signature(tmp_path):
    """Torch leaves out of a file what a module has for other attributes, and the signature is one."""
    module = declare(Halved(), x="n 6", constraints=RULES)
    ahead = torch.compile(module.forward, fullgraph=True).aot_compile(((torch.randn(16, 6),), {}))
    path = tmp_path / "module.bin"
    ahead.save_compiled_function(str(path))
    function = torch.compiler.load_compiled_function(path.open("rb"))
    x = torch.randn(48, 6)
    torch.testing.assert_close(function(module, x), Halved()(x))
    with pytest.raises(ConstraintViolationError, match="n % 8 == 0"):
        function(module, torch.randn(12, 6))
