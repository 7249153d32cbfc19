"""Programs that declare nothing run as without the package, in a process that imports it and declares something else.

The oracle is torch alone, in a process of its own.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch._dynamo as dynamo
from torch._dynamo.output_graph import OutputGraph
from torch.overrides import TorchFunctionMode

from dynconstraints import (
    ConstraintViolationError,
    DynamicFloat,
    DynamicInt,
    bind,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.pytorch.frame.call_check import declarations_in
from dynconstraints.pytorch.install.observe import observe
from dynconstraints.pytorch.values.named_dims import named_dims

SCRIPT = Path(__file__).parent.parent / "foreign_programs.py"


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, Any], dict[str, Any]]:
    """What there is to see of each program, without the package and beside declarations; the two run at once."""
    processes = [
        subprocess.Popen([sys.executable, str(SCRIPT), *way], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for way in ([], ["declared"])
    ]
    told: list[bytes] = [b"", b""]

    def read(i: int) -> None:
        told[i], error = processes[i].communicate()
        assert processes[i].returncode == 0, error.decode()

    threads = [threading.Thread(target=read, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    without, beside = (json.loads(text) for text in told)
    return without, beside


def test_programs_that_declare_nothing_run_as_without_the_package(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Results, graphs, guards with their lines, recompiles, warnings, and what modes, subclasses and proxies see."""
    without, beside = both
    assert len(without) >= 250
    assert without.keys() == beside.keys()
    different = {name: (without[name], beside[name]) for name in without if without[name] != beside[name]}
    assert not different


def test_what_is_compared_tells_programs_apart(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Results and not errors alone, guards with lines of the programs, warnings."""
    without, _ = both
    texts = {name: json.dumps(seen) for name, seen in without.items()}
    assert sum("Tensor torch." in text for text in texts.values()) > 150
    assert sum("TREE_GUARD_MANAGER" in text and "foreign_programs.py:" in text for text in texts.values()) > 50
    assert sum(bool(told) for _, told, _ in without.values()) > 5
    assert not any("dynconstraints" in text for text in texts.values())


# What is declared is found all the same.


class Record(NamedTuple):
    a: Any
    b: Any


@dataclass
class Data:
    a: Any


class Output(OrderedDict[str, Any]):
    """As transformers' ModelOutput: its own way to iterate, and attributes beside items."""

    def __iter__(self) -> Any:
        raise RuntimeError("not to be iterated")

    def values(self) -> Any:
        raise RuntimeError("not to be opened")


class Items(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("not to be iterated")


def n_of(value: int) -> DynamicInt:
    return DynamicInt(value, name="n", constraints=["n >= 2"])


CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "list": lambda n: [1, n],
    "tuple": lambda n: (n, 2),
    "dict": lambda n: {"a": n},
    "namedtuple": lambda n: Record(1, n),
    "OrderedDict": lambda n: OrderedDict(a=n),
    "defaultdict": lambda n: defaultdict(int, a=n),
    "dict subclass": lambda n: Output(a=n),
    "list subclass": lambda n: Items([n]),
    "nested": lambda n: [{"a": (n,)}],
    "dict of a subclass of list": lambda n: {"a": Items([1, n])},
}


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_declared_values_are_found_in_containers_and_their_subclasses(make: Callable[[Any], Any]) -> None:
    """Also where the subclass has other methods in the place of list's and dict's."""
    n = n_of(8)
    named = name_dims(torch.ones(8), {0: n})
    assert [d.bindings for d in declarations_in(make(n))] == [{"n": 8}]
    assert [d.bindings for d in declarations_in(make(named))] == [{"n": 8}]


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_a_block_judges_what_is_in_a_container(make: Callable[[Any], Any]) -> None:
    """Though the program never looks at it."""
    function = torch.compile(lambda x, value: x + 1, backend="eager")
    dynamo.reset()
    with dynamic_int_constraints(["n <= 10"]):
        function(torch.ones(2), make(n_of(8)))
        with pytest.raises(ConstraintViolationError, match="n <= 10"):
            function(torch.ones(2), make(n_of(12)))


@pytest.mark.parametrize("make", [UserDict, Data], ids=["UserDict", "dataclass"])
def test_declared_values_in_objects_are_found_in_the_trace(make: Callable[..., Any]) -> None:
    def program(x: torch.Tensor, value: Any) -> torch.Tensor:
        return x.view(value["a"] if isinstance(value, UserDict) else value.a, -1)

    dynamo.reset()
    function = torch.compile(program, backend="eager", fullgraph=True)
    with dynamic_int_constraints(["n <= 10"]):
        assert function(torch.ones(24), make(a=n_of(8))).shape == (8, 3)
        with pytest.raises(ConstraintViolationError, match="n <= 10"):
            function(torch.ones(24), make(a=n_of(12)))


def test_a_container_may_change_while_it_is_looked_through() -> None:
    """By another thread, or by whoever takes the declarations one by one."""
    items: dict[str, Any] = {str(i): n_of(8) for i in range(4)}
    found = []
    for declaration in declarations_in(items):
        items[f"more {len(found)}"] = 1
        found.append(declaration)
    assert len(found) == 4


# Where torch looks for its callers.


def test_names_of_tensors_are_asked_unseen() -> None:
    """A base is an attribute that modes and subclasses see; a subclass's own way to give attributes is not asked."""

    class Seen(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            raise AssertionError(func)

    class Strict(torch.Tensor):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        @property
        def _base(self) -> Any:
            raise AssertionError

    x = name_dims(torch.ones(8, 4), {0: "n"})
    view, other = x[:, 1:], torch.ones(3)
    strict = torch.ones(3).as_subclass(Strict)
    with Seen():
        records = [named_dims(value) for value in (x, view, other, strict)]
    assert [None if r is None else list(r.dims) for r in records] == [[0], [0], None, None]


def test_functions_disabled_for_one_frame_stay_out_of_the_graph() -> None:
    """Dynamo looks at who called it, past its own frames."""
    inner = dynamo.disable(lambda x: torch.sin(x), recursive=False)
    counter = dynamo.testing.CompileCounter()
    torch.compile(lambda x: inner(x * 2) * 3, backend=counter)(torch.ones(2))
    assert counter.op_count == 2


def test_lines_that_torch_tells_are_not_ours() -> None:
    """Of guards on undeclared sizes beside declared ones, too, where frames of ours lie in between."""

    def program(x: torch.Tensor, n: int) -> torch.Tensor:
        return x * ~n if x.shape[0] % 2 == 0 and x.shape[0] + n > 3 and abs(x.shape[0] - ~n) > 2 else x

    dynamo.reset()
    with observe() as frames:
        torch.compile(program, backend="eager", dynamic=True)(torch.ones(6), n_of(8))
    assert frames[0].facts is not None
    places = [(guard.sloc.framework_loc, guard.sloc.maybe_user_loc) for guard in frames[0].facts.env.guards]
    assert places
    for framework, user in places:
        assert "dynconstraints/pytorch/" not in str(framework).replace(str(Path(__file__).parent), "")
        assert "test_foreign_programs.py:" in user


def test_who_asks_for_dynamo_without_importing_it_changes_nothing() -> None:
    """Libraries look whether there is such a module; the hooks wait for the import."""
    code = """
import importlib.util
import sys
import torch
from dynconstraints.pytorch.install.after_import import AfterImport
from dynconstraints.pytorch.install.installer import INSTALLER
assert importlib.util.find_spec("torch._dynamo") is not None
assert not INSTALLER.placed
import torch._dynamo
assert INSTALLER.placed
assert "torch._dynamo" not in [finder.name for finder in sys.meta_path if isinstance(finder, AfterImport)]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_compiled_frame_keeps_nothing_of_its_trace() -> None:
    """Also of attempts that were given up; torch's caches keep the ShapeEnv, on which the facts hang."""

    def program(x: torch.Tensor, n: int, rate: float) -> torch.Tensor:
        k = bind("k", x.shape[1] * 2, constraints=["k >= 2"])
        y = x.view(n, -1).sum(1) + n * k * rate
        dynamo.graph_break()
        return y * n

    dynamo.reset()
    gc.collect()
    before = set(map(id, _traces()))
    torch.compile(program, backend="eager")(
        name_dims(torch.ones(8, 3), {0: "n"}), n_of(8), DynamicFloat(0.5, name="lr")
    )
    dynamo.reset()
    gc.collect()
    assert not [type(trace) for trace in _traces() if id(trace) not in before]


def _traces() -> list[object]:
    return [o for o in gc.get_objects() if issubclass(type(o), OutputGraph | torch.fx.Tracer)]
