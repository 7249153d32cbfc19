"""Names last: copies of a named tensor have them, here and in other processes, and are checked as it is itself."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
import torch
from compiled import Compiled
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from dynconstraints import ConstraintViolationError, DynamicInt, bind, dynamic_int_constraints, name_dims
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.moments import Moment
from dynconstraints.pytorch.values.carried_names import COPYING
from dynconstraints.pytorch.values.named_dims import ATTRIBUTE, named_dims

CPU = torch.device("cpu")


def saved(x: Any, **options: Any) -> Any:
    buffer = io.BytesIO()
    torch.save(x, buffer)
    buffer.seek(0)
    return torch.load(buffer, **options)


METHODS = (
    *("clone", "detach", "contiguous", "cpu", "half", "bfloat16", "float", "double", "cfloat", "cdouble", "chalf"),
    *("bool", "byte", "char", "short", "int", "long"),
)
"""Those that the CPU has, and that want no argument."""

COPIES: dict[str, Callable[[Any], Any]] = {
    **{f".{name}()": (lambda x, name=name: getattr(x, name)()) for name in METHODS},
    ".to(dtype)": lambda x: x.to(torch.float64),
    ".to(copy=True)": lambda x: x.to(x, copy=True),
    ".to(device)": lambda x: x.to(device=CPU, dtype=torch.float64),
    ".type()": lambda x: x.type(torch.DoubleTensor),
    ".type_as()": lambda x: x.type_as(torch.ones(1, dtype=torch.float64)),
    "in another format": lambda x: x.clone(memory_format=torch.contiguous_format),
    "of another kind": lambda x: x.detach().double().contiguous().clone().half(),
    "by name": lambda x: getattr(x, "clone")(),  # noqa: B009
    "a parameter": lambda x: torch.nn.Parameter(x, requires_grad=x.is_floating_point()),
    "a buffer": torch.nn.Buffer,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "torch.save": saved,
    "torch.save, weights_only=False": lambda x: saved(x, weights_only=False),
    "a queue": lambda x: ForkingPickler.loads(ForkingPickler.dumps(x)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "saved and moved": lambda x: saved(x).to(torch.float64),
    "a queue and a queue": lambda x: COPIES["a queue"](COPIES["a queue"](x)),
}


def texts(value: Any) -> dict[int, str]:
    """The names of a tensor as they are written."""
    record = named_dims(value)
    return {} if record is None else {d: show(term) for d, term in sorted(record.dims.items())}


def rows(n: int) -> torch.Tensor:
    return name_dims(torch.randn(n, 6), {0: "n"}, constraints=["n % 8 == 0"])


def body(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.view(-1, 8, 6).float(), 1).sum(1)


@pytest.mark.parametrize("made", COPIES.values(), ids=COPIES)
def test_a_copy_is_compiled_as_its_tensor(made: Callable[[Any], Any]) -> None:
    """One graph for all sizes, the facts in it, and what a block says of the name is checked."""
    compiled = Compiled(body)
    for n in (16, 24, 40, 64, 32):
        x = made(rows(n))
        assert texts(x) == {0: "n"}
        torch.testing.assert_close(compiled(x), body(x))
    assert compiled.graphs == 1
    assert not any("%" in guard for guard in compiled.guards[0])
    with dynamic_int_constraints(["n <= 40"]), pytest.raises(ConstraintViolationError, match="n <= 40"):
        compiled(made(rows(48)))


def test_methods_that_this_machine_may_lack_are_there() -> None:
    """Found by the same descriptor as the others."""
    assert set(COPYING) == {*METHODS, "to", "type", "type_as", "cuda", "xpu", "pin_memory"}


def test_each_method_returns_the_sizes_that_it_was_given() -> None:
    """Which is what its names rest on; also of tensors without elements, with one, and with steps of their own."""
    for x in (
        torch.ones(2, 3),
        torch.ones(0, 3),
        torch.ones(()),
        torch.ones(4, 6)[::2, 1:].t(),
        torch.ones(1).expand(5),
    ):
        for name in COPYING:
            arguments = {"to": (torch.float64,), "type": (torch.float64,), "type_as": (x.long(),)}.get(name, ())
            if name not in ("cuda", "xpu", "pin_memory"):
                assert getattr(x, name)(*arguments).shape == x.shape


VIEWS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], Callable[[list[str | None]], list[str | None]]]] = {
    "t": (lambda x: x.transpose(0, 1), lambda names: [names[1], names[0], *names[2:]]),
    "cut": (lambda x: x[1:], lambda names: [None, *names[1:]]),
    "one more": (lambda x: x.unsqueeze(1), lambda names: [names[0], None, *names[1:]]),
}
STEPS = st.lists(st.sampled_from([*COPIES, *VIEWS]), max_size=6)
EXPRESSIONS = ("n", "2*m", "k + 1", "3*n", None)


@settings(max_examples=60)
@given(STEPS, st.lists(st.sampled_from(EXPRESSIONS), min_size=2, max_size=4, unique=True))
def test_names_follow_through_any_chain(steps: list[str], dims: list[str | None]) -> None:
    """Against names that are moved by hand; sizes differ from each other, so that a view is of one dimension each."""
    unit = {"n": 6, "m": 5, "k": 12}
    sizes = [{"n": 6, "2*m": 10, "k + 1": 13, "3*n": 18}.get(text or "", 21 + i) for i, text in enumerate(dims)]
    named = {d: text for d, text in enumerate(dims) if text is not None}
    x: Any = name_dims(torch.zeros(sizes), named, constraints=["n + m + k >= 0"] if named else [])
    expected: list[str | None] = list(dims)
    for step in steps:
        if step in COPIES:
            x = COPIES[step](x)
            continue
        look, moved = VIEWS[step]
        x = look(x.detach())
        expected = moved(expected)
    assert texts(x) == {d: text for d, text in enumerate(expected) if text is not None}
    record = named_dims(x)
    if record is not None:
        assert all(unit[name] == value for name, value in record.declaration.bindings.items())


# What becomes of names when sizes change.


def test_names_of_a_copy_go_with_its_sizes() -> None:
    """The user named the tensor; what he resizes afterwards is another thing."""
    x = name_dims(torch.ones(8, 4), {0: "n", 1: "m"}, constraints=["n % 8 == 0"])
    y = x.clone()
    y.resize_(6, 4)
    assert texts(y) == {1: "m"}
    assert texts(x) == {0: "n", 1: "m"}


def test_a_copy_of_a_resized_tensor_is_declared_as_that_is_by_then() -> None:
    """And where that breaks what is declared, the copy is made all the same, and refused where it is passed."""
    compiled = Compiled(lambda x: x * 2)
    x = name_dims(torch.ones(8), {0: "n"}, constraints=["n % 4 == 0"])
    y = x.resize_(12).clone()
    assert named_dims(y).declaration.bindings == {"n": 12}  # type: ignore[union-attr]
    z = x.resize_(6).to(torch.float64)
    with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
        compiled(z)
    part = x[:3].clone()
    assert part.shape == (3,)


def test_what_is_computed_of_a_tensor_has_no_names() -> None:
    x = rows(8)
    assert [texts(y) for y in (x * 2, torch.relu(x), x.data, torch.clone(x), torch.Tensor.clone(x))] == [{}] * 5


def test_two_copies_of_one_name_must_agree() -> None:
    """As the tensors themselves must."""
    compiled = Compiled(lambda x, y: x.sum() + y.sum())
    with pytest.raises(Exception, match="n has two values in one call: 8 and 16"):
        compiled(rows(8).clone(), rows(16).to(torch.float64))


def test_a_method_of_a_named_tensor_is_one_in_the_trace() -> None:
    """Looked up inside the compiled function, and before."""
    compiled = Compiled(lambda x: body(x.clone().to(torch.float64)))
    for n in (16, 24):
        assert compiled(rows(n)).shape == (n // 8, 6)
    assert compiled.graphs == 1
    x = rows(16)
    assert (x.clone.__name__, x.clone.__doc__, x.clone.__self__ is x) == ("clone", torch.Tensor.clone.__doc__, True)


def test_a_name_that_ends_with_a_call_is_not_pickled() -> None:
    """Torch names what crosses a graph break until the call ends; what the user named stays."""
    kept: list[bytes] = []

    def program(x: torch.Tensor) -> torch.Tensor:
        k = bind("k", x.shape[0] * 2)
        y = torch.zeros(k) + x.sum()
        torch._dynamo.graph_break()
        kept.append(pickle.dumps((x, y)))
        return y + 1

    Compiled(program, fullgraph=False)(rows(16))
    there = [pickle.loads(data) for data in kept][-1]
    assert [texts(value) for value in there] == [{0: "n"}, {}]


# Other processes.


class Sizes:
    def __iter__(self) -> Iterator[list[int]]:
        return iter([list(range(k)) for k in (2, 3, 5, 8, 4)])

    def __len__(self) -> int:
        return 5


def collate(items: list[int]) -> Any:
    """A batch with what is made of it in the worker: copies, views, a parameter; of one size 8 at a time."""
    x = rows(8 * len(items))
    return x, {"copy": x.clone(), "view": [x.t(), x[:, 1:]], "parameter": torch.nn.Parameter(x)}


def moved(x: torch.Tensor) -> torch.Tensor:
    return x.to(torch.float64).clone()


def served(workers: int, context: str | None, move: Callable[[Any], Any]) -> int:
    """The graphs that all batches need, in whichever form they come."""
    compiled = Compiled(body)
    batches = DataLoader(
        range(8),  # type: ignore[arg-type]
        batch_sampler=Sizes(),
        collate_fn=collate,
        num_workers=workers,
        multiprocessing_context=context,
    )
    for x, other in batches:
        assert [texts(v) for v in (x, other["copy"], *other["view"])] == [{0: "n"}, {0: "n"}, {1: "n"}, {0: "n"}]
        assert texts(other["parameter"]) == {0: "n"}
        assert type(other["parameter"]) is torch.nn.Parameter
        compiled(move(x))
        compiled(move(other["copy"]))
    return compiled.graphs


MOVES = {"as it is": lambda x: x, "to and clone": moved, "detach": lambda x: x.detach()}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_of_workers_keep_their_names(workers: int, move: Callable[[Any], Any]) -> None:
    assert served(workers, "fork" if workers else None, move) == 1


def test_batches_of_spawned_workers_keep_their_names() -> None:
    """They import the package anew, and Dynamo not at all."""
    assert served(2, "spawn", moved) == 1


def test_a_violation_is_told_by_the_line_of_the_worker() -> None:
    x = ForkingPickler.loads(ForkingPickler.dumps(rows(48)))
    with dynamic_int_constraints(["n <= 40"]), pytest.raises(ConstraintViolationError) as caught:
        Compiled(body)(x)
    assert 'n = 48 is from name_dims(x, {0: "n"})' in str(caught.value)
    assert f"{Path(__file__).name}:" in str(caught.value)


SAVE = """
import sys
import torch
from dynconstraints import name_dims
x = name_dims(torch.arange(48.0).view(16, 3), {0: "2*n", 1: "m"}, constraints=["n % 8 == 0", "m <= n"])
torch.save({"x": x, "copy": x.clone(), "parameter": torch.nn.Parameter(x)}, sys.argv[1])
assert "torch._dynamo" not in sys.modules
"""
WITHOUT = """
import sys
sys.modules["dynconstraints"] = None
import torch
for weights_only in (True, False):
    read = torch.load(sys.argv[1], weights_only=weights_only)
    assert read["x"].tolist() == torch.arange(48.0).view(16, 3).tolist()
    assert type(read["parameter"]) is torch.nn.Parameter
    assert torch.equal(read["x"].clone().to(torch.float64), torch.arange(48.0).view(16, 3).double())
    torch.compile(lambda x: x + 1, backend="eager")(read["x"])
torch.save(read, sys.argv[1])
"""


def test_a_file_is_read_where_the_package_is_not_and_keeps_the_names(tmp_path: Path) -> None:
    """Written by a process without Dynamo, read and written again by one without the package, and read here."""
    file = str(tmp_path / "batch.pt")
    for program in (SAVE, WITHOUT):
        done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    read = torch.load(file, weights_only=True)
    assert [texts(value) for value in read.values()] == [{0: "2*n", 1: "m"}] * 3
    record = named_dims(read["x"])
    assert record is not None
    assert record.declaration.bindings == {"m": 3, "n": 8}
    assert [c.text for c in record.declaration.constraints] == ["n % 8 == 0", "m <= n"]
    assert str(record.place) == 'name_dims(x, {0: "2*n", 1: "m"})  at <string>:5'


def test_names_of_declared_ints_travel_with_the_constraints_of_those() -> None:
    n = DynamicInt(8, name="n", constraints=["n % 4 == 0"])
    x = saved(name_dims(torch.ones(8, 16), {0: n, 1: 2 * n}))
    assert texts(x) == {0: "n", 1: "2*n"}
    assert [c.text for c in named_dims(x).declaration.constraints] == ["n % 4 == 0"]  # type: ignore[union-attr]


# Files that are damaged.


def with_names(**changed: Any) -> torch.Tensor:
    """A tensor as it comes out of a file with these changes."""
    x = saved(name_dims(torch.ones(16, 3), {0: "n"}, constraints=["n % 8 == 0"]))
    vars(x)[ATTRIBUTE].update(changed)
    return x


def test_a_file_of_the_first_release_says_nothing() -> None:
    x = torch.ones(3)
    vars(x)[ATTRIBUTE] = OrderedDict()
    assert named_dims(x) is None
    assert named_dims(x.clone()) is None


def test_names_of_a_file_are_checked() -> None:
    """Constraints that the sizes break, or that are none; by the line of the program that named the tensor."""
    place = 'name_dims(x, {0: "n"})'
    with pytest.raises(ConstraintViolationError) as caught:
        named_dims(with_names(names=(("n", 16, ("n % 32 == 0",), (place, "train.py", 3, '0: "n"')),)))
    assert str(caught.value).splitlines() == [
        "error[DC301]: constraint violated: n % 32 == 0",
        f"  --> {place}  at train.py:3",
        "    n % 32 == 0",
        "    ^^^^^^^^^^^    n = 16, and 16 % 32 = 16",
        "  help: the nearest values that satisfy every constraint on n are 0 and 32",
    ]
    with pytest.raises(Exception, match="n has two values in one call: 12 and 16"):
        named_dims(with_names(names=(("n", 12, (), None),)))
    with pytest.raises(Exception, match="DC1"):
        named_dims(with_names(dims=((0, "n %% 2"),)))


DAMAGED: dict[str, dict[str, Any]] = {
    "no dims": {"dims": 3},
    "no texts": {"dims": ((0, 5),)},
    "lists": {"dims": [[0, "n"]]},
    "another dimension": {"dims": ((7, "n"),)},
    "no places": {"place": 3},
    "no names": {"names": ((),)},
}


@pytest.mark.parametrize("changed", DAMAGED.values(), ids=DAMAGED)
def test_damaged_names_are_refused(changed: dict[str, Any]) -> None:
    x = with_names(**changed)
    with pytest.raises(ValueError, match=r"^damaged pickle of a tensor's names: {'form': 1, "):
        named_dims(x)


def test_names_of_a_later_form_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^the names of this tensor were pickled by a later dynconstraints, or are dam"
    ):
        named_dims(with_names(form=2))


# Costs.


def test_naming_batch_after_batch_is_a_look_up() -> None:
    """Calls in Python, counted: time on a busy machine tells little."""
    calls: list[str] = []

    def name(x: torch.Tensor) -> None:
        name_dims(x, {0: "n", 1: "m"}, constraints=["n % 8 == 0", "m >= 2"])

    sizes = [8 * k for k in range(1, 11)]
    for n in sizes:
        name(torch.empty(n, 6))
    batches = [torch.empty(n, 6) for n in sizes]
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, arg: calls.append(event) if event == "call" else None)
    try:
        for x in batches:
            name(x)
    finally:
        sys.setprofile(before)
    assert len(calls) <= 11 * len(batches)
    assert [named_dims(x).declaration.bindings["n"] for x in batches] == sizes  # type: ignore[union-attr]


def test_threads_that_come_to_a_moment_together_wait_for_each_other() -> None:
    """The second one goes on when what waits is done, and not before."""
    moment, entered, go_on, order = Moment(), threading.Event(), threading.Event(), []

    def act() -> None:
        moment.come()  # by what is done there, too
        entered.set()
        go_on.wait(10)
        order.append("done")

    def second() -> None:
        moment.come()
        order.append("second")

    moment.wait(act)
    first = threading.Thread(target=moment.come)
    first.start()
    entered.wait(10)
    other = threading.Thread(target=second)
    other.start()
    other.join(0.1)
    go_on.set()
    first.join()
    other.join()
    assert order == ["done", "second"]
