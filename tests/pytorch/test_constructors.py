"""Tensors made with DynamicInts have named dimensions, and torch is for everyone else what it was."""

from __future__ import annotations

import copy
import io
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled
from hypothesis import given
from hypothesis import strategies as st
from torch.fx import symbolic_trace
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils import _device

from dynconstraints import ConflictingBindingError, ConstraintViolationError, DynamicInt, name_dims
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.printer import show
from dynconstraints.pytorch import replacing
from dynconstraints.pytorch.dims import named_dims

SIZES = range(4, 52, 4)


def n_of(value: int, name: str = "n", divisor: int = 4) -> DynamicInt:
    return DynamicInt(value, name=name, constraints=[f"{name} % {divisor} == 0", f"{name} >= {divisor}"])


def names(tensor: object) -> dict[int, str]:
    record = named_dims(tensor)
    return {} if record is None else {dimension: show(term) for dimension, term in sorted(record.dims.items())}


MADE: list[tuple[str, dict[int, str]]] = [
    ("torch.zeros(n, 2*n)", {0: "n", 1: "2*n"}),
    ("torch.ones((n, 3))", {0: "n"}),
    ("torch.empty([3, n])", {1: "n"}),
    ("torch.rand(size=(n,))", {0: "n"}),
    ("torch.randn(n, m, n - 4)", {0: "n", 1: "m", 2: "n - 4"}),
    ("torch.randn(n, 2, requires_grad=True)", {0: "n"}),
    ("torch.full((n, 2), 1.0)", {0: "n"}),
    ("torch.full(size=(2, n), fill_value=0)", {1: "n"}),
    ("torch.randint(9, (m, n))", {0: "m", 1: "n"}),
    ("torch.randint(2, 9, size=(n,))", {0: "n"}),
    ("torch.arange(n)", {0: "n"}),
    ("torch.arange(n, dtype=torch.float32)", {0: "n"}),
    ("torch.arange(m, n)", {0: "n - m"}),
    ("torch.arange(0, end=n)", {0: "n"}),
    ("torch.arange(m, n, 2)", {0: "(n + 1 - m)//2"}),
    ("torch.arange(n, m, -3)", {0: "(n + 2 - m)//3"}),
    ("torch.arange(0, n, 0.5)", {}),
    ("torch.zeros(torch.Size((2, 3)))", {}),
    ("torch.zeros(int(n))", {}),
    ("torch.zeros(DynamicInt(8))", {}),
    ("x.new_zeros(n, 4)", {0: "n"}),
    ("x.new_ones((n, m))", {0: "n", 1: "m"}),
    ("x.new_empty(size=(n,))", {0: "n"}),
    ("x.new_full((m, n), 2.0)", {0: "m", 1: "n"}),
    ("x.view(n, -1)", {0: "n", 1: "2*n"}),
    ("x.view(2*n, -1)", {0: "2*n", 1: "n"}),
    ("x.view(-1, n)", {0: "2*n", 1: "n"}),
    ("x.view(n, 2, -1)", {0: "n", 2: "n"}),
    ("x.view(2*n*n)", {0: "2*n*n"}),
    ("x.view(n*n, -1)", {0: "n*n"}),
    ("x.view(n//2, -1)", {0: "n//2"}),
    ("x.reshape((n, -1))", {0: "n", 1: "2*n"}),
    ("x.t().reshape(n, -1)", {0: "n", 1: "2*n"}),
    ("torch.zeros(3, 8).view(n, -1)", {0: "n"}),
    ("torch.zeros(n, 3).view(m, -1)", {0: "m"}),
    ("torch.zeros(2*n + 2, m).view(m, 2, -1)", {0: "m", 2: "n + 1"}),
    ("torch.zeros(m, n).expand(n, -1, -1)", {0: "n", 1: "m", 2: "n"}),
    ("torch.zeros(m, 1).expand(3, n)", {0: "m", 1: "n"}),
    ("torch.zeros(m, 1).expand(m, n)", {0: "m", 1: "n"}),
    ("x.repeat(m, 1)", {0: "m*n", 1: "2*n"}),
    ("x.repeat(m, 1, 2)", {0: "m", 1: "n", 2: "4*n"}),
    ("torch.ones(5).repeat(n)", {0: "5*n"}),
    ("x.narrow(1, 0, n)", {0: "n", 1: "n"}),
    ("x.narrow(-2, start=1, length=m)", {0: "m", 1: "2*n"}),
    ("torch.zeros_like(x)", {0: "n", 1: "2*n"}),
    ("torch.ones_like(x.t(), dtype=torch.int64)", {0: "2*n", 1: "n"}),
    ("torch.empty_like(x, memory_format=torch.contiguous_format)", {0: "n", 1: "2*n"}),
    ("torch.full_like(x, 3.0)", {0: "n", 1: "2*n"}),
    ("torch.rand_like(x[:, 1:])", {0: "n"}),
    ("torch.randn_like(torch.ones(3))", {}),
    ("torch.randint_like(x, 2, 9)", {0: "n", 1: "2*n"}),
]


@pytest.mark.parametrize(("made", "expected"), MADE, ids=[made for made, _ in MADE])
def test_what_is_made_with_declared_ints_has_named_dimensions(made: str, expected: dict[int, str]) -> None:
    """Each name is one that the dimension has exactly; where none follows there is none."""
    n, m = n_of(8), DynamicInt(3, name="m")
    space = {"torch": torch, "DynamicInt": DynamicInt, "n": n, "m": m, "x": torch.randn(n, 2 * n)}
    tensor = eval(made, space)
    assert type(tensor) is torch.Tensor
    assert {d: text.replace(" // ", "//") for d, text in names(tensor).items()} == expected


def test_what_is_made_like_a_named_tensor_has_its_names() -> None:
    """As a tensor by itself: its names are gone with its sizes, and those of the other stay."""
    x = name_dims(torch.ones(8, 3), {0: "t"}, constraints=["t % 4 == 0"])
    y = torch.zeros_like(x)
    record = named_dims(y)
    assert record is not None
    assert [str(c) for c in record.declaration.constraints] == ["t % 4 == 0"]
    assert names(y.resize_(5, 3)) == {}
    assert names(x) == {0: "t"}
    compiled = Compiled(lambda a: a * 2)
    for size in (8, 12, 40):
        compiled(torch.ones_like(name_dims(torch.ones(size), {0: "t"}, constraints=["t % 4 == 0"])))
    assert compiled.graphs == 1


def test_a_name_brings_its_constraints_along() -> None:
    """The record says what the DynamicInts say."""
    record = named_dims(torch.zeros(n_of(8), 3))
    assert record is not None
    assert record.declaration.bindings == {"n": 8}
    assert [str(c) for c in record.declaration.constraints] == ["n % 4 == 0", "n >= 4"]


def test_a_name_goes_with_its_size() -> None:
    """A tensor that is resized in place has the names of the sizes that it still has."""
    x = torch.zeros(n_of(8), DynamicInt(3, name="m"))
    assert names(x) == {0: "n", 1: "m"}
    assert names(x.resize_(5, 3)) == {1: "m"}
    assert names(x.resize_(7)) == {}
    assert names(torch.zeros(n_of(8)).resize_(5)) == {}
    assert names(torch.zeros(1, n_of(8)).squeeze_(0)) == {}


def test_an_argument_that_is_filled_stays_as_the_user_made_it() -> None:
    out = torch.empty(8)
    torch.zeros(n_of(8), out=out)
    assert names(out) == {}


def test_a_name_given_to_the_tensor_replaces_the_one_that_it_was_made_with() -> None:
    x = name_dims(torch.zeros(n_of(8), 3), {0: "rows", 1: "columns"})
    assert names(x) == {0: "rows", 1: "columns"}


def test_copies_keep_what_they_kept_before_and_checkpoints_hold_plain_tensors() -> None:
    """A deep copy is the tensor again; a file is read where this package isn't."""
    x = torch.zeros(n_of(8), 3)
    assert names(copy.deepcopy(x)) == {0: "n"}
    buffer = io.BytesIO()
    torch.save(torch.ones(n_of(8)), buffer)
    assert names(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)) == {}
    assert b"dynconstraints.pytorch" not in buffer.getvalue()
    assert names(pickle.loads(pickle.dumps(x))) == {}


# In compiled programs


def padded(x: torch.Tensor) -> torch.Tensor:
    return x.view(-1, 4).sum(1) if x.shape[0] % 4 == 0 else x[:2].sum(1)


PROGRAMS: list[tuple[str, Callable[[DynamicInt], tuple[torch.Tensor, ...]], Callable[..., torch.Tensor]]] = [
    ("randn", lambda n: (torch.randn(n, 2 * n),), lambda x: x.view(-1, 8).sum(1)),
    ("zeros beside the int", lambda n: (torch.zeros(n, 3), n), lambda x, n: x.view(n // 4, -1).sum(0) + n),  # type: ignore[return-value, arg-type]
    ("arange", lambda n: (torch.arange(n),), lambda x: x.view(4, -1).sum(0)),
    ("full and randint", lambda n: (torch.full((n,), 2.0), torch.randint(9, (3, n))), lambda x, y: (x * y).view(-1, 4)),
    ("new_zeros", lambda n: (torch.ones(3).new_ones(n, 4), torch.rand(n)), lambda x, y: x.sum(1) + y),
    ("view", lambda n: (torch.rand(n * 6).view(n, -1),), lambda x: x.reshape(-1, 8).sum(1)),
    ("expand", lambda n: (torch.rand(3, 1).expand(3, n),), lambda x: x.reshape(3, 2, -1).sum(2)),
    ("repeat", lambda n: (torch.rand(n, 2).repeat(2, n),), lambda x: x.view(x.shape[0] // 8, -1).sum(1)),
    ("narrow", lambda n: (torch.rand(60, 3).narrow(0, 0, n),), lambda x: x.reshape(-1, 4).sum(1)),
]


@pytest.mark.parametrize(("make", "program"), [p[1:] for p in PROGRAMS], ids=[p[0] for p in PROGRAMS])
def test_one_graph_over_all_sizes(
    make: Callable[[DynamicInt], tuple[Any, ...]], program: Callable[..., torch.Tensor]
) -> None:
    """The facts of n hold for what was made with it, without a word on the tensors; one more graph for n // 4 == 1."""
    compiled = Compiled(program)
    for size in (*SIZES[1:], SIZES[0]):
        arguments = make(n_of(size))
        torch.testing.assert_close(compiled(*arguments), program(*arguments))
        assert compiled.graphs == (1 if size > SIZES[0] else compiled.graphs)
    assert compiled.graphs <= 2
    assert not any("%" in guard for guard in compiled.guards[0])


def test_gradients_of_what_was_made_with_declared_ints_equal_those_of_eager() -> None:
    def program(x: torch.Tensor) -> torch.Tensor:
        return x.view(-1, 4).square().sum()

    compiled = Compiled(program, backend="aot_eager")
    for size in SIZES[1:4]:
        x = torch.randn(n_of(size), 3, requires_grad=True)
        y = x.detach().clone().requires_grad_()
        compiled(x).backward()
        program(y).backward()
        assert torch.equal(x.grad, y.grad)
    assert compiled.graphs == 1


def test_two_values_of_a_name_in_one_call_are_an_error_that_names_both_places() -> None:
    compiled = Compiled(lambda x, n: x.sum() + n)
    x = torch.zeros(n_of(8))
    with pytest.raises(ConflictingBindingError, match="n has two values in one call: 8 and 12") as error:
        compiled(x, n_of(12))
    assert str(error.value).count("test_constructors.py:") == 2
    assert 'a tensor made with DynamicInt(8, name="n")' in str(error.value)


def test_a_declared_block_judges_what_was_made_outside_of_it() -> None:
    from dynconstraints import dynamic_int_constraints

    compiled = Compiled(lambda x: x * 2)
    x = torch.zeros(n_of(48))
    with dynamic_int_constraints(["n <= 40"]), pytest.raises(ConstraintViolationError, match="n <= 40"):
        compiled(x)


# By chance


@st.composite
def constructions(draw: st.DrawFn) -> str:
    """An expression over n, m and x, of which some are no legal calls."""
    size = st.sampled_from(["n", "m", "2*n", "n*m", "n + 1", "n//2", "m + n", "1", "3", "6"])
    sizes = ", ".join(draw(st.lists(size, min_size=1, max_size=3)))
    text = draw(
        st.sampled_from([f"torch.zeros({sizes})", f"torch.full(({sizes},), 1.0)", f"torch.arange({draw(size)})"])
    )
    for _ in range(draw(st.integers(0, 3))):
        some = [draw(st.one_of(size, st.just("-1"))) for _ in range(draw(st.integers(1, 3)))]
        name = draw(st.sampled_from(["view", "reshape", "expand", "repeat", "new_zeros", "narrow", "transpose"]))
        if name == "transpose":
            text = f"{text}.transpose(0, -1)"
        elif name == "narrow":
            text = f"{text}.narrow({draw(st.integers(-2, 1))}, 0, {some[0]})"
        else:
            text = f"{text}.{name}({', '.join(some)})"
    return text


@given(constructions(), st.integers(1, 9), st.integers(1, 9))
def test_every_name_says_what_the_size_is(text: str, n: int, m: int) -> None:
    """The oracle is the tensor that plain ints make, and each term evaluated."""
    try:
        plain = eval(text, {"torch": torch, "n": n, "m": m})
    except (RuntimeError, IndexError) as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            eval(text, {"torch": torch, "n": DynamicInt(n, name="n"), "m": DynamicInt(m, name="m")})
        return
    tensor = eval(text, {"torch": torch, "n": DynamicInt(n, name="n"), "m": DynamicInt(m, name="m")})
    assert tensor.shape == plain.shape
    record = named_dims(tensor)
    for dimension, term in () if record is None else record.dims.items():
        assert record is not None
        assert value_of(term, {"n": n, "m": m}) == tensor.shape[dimension]
        assert record.declaration.bindings.items() <= {"n": n, "m": m}.items()


# Torch is what it was


@pytest.fixture
def both() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Runs an action with torch's own constructors and with those that name, and compares what it answers."""

    def compare(action: Callable[[], Any]) -> None:
        replacing.uninstall()
        before = action()
        replacing.install()
        assert action() == before

    yield compare
    replacing.install()


def test_torch_is_replaced_only_when_a_named_int_is_made() -> None:
    """Importing the package and anonymous ints leave torch as it is; naming dimensions replaces what makes others like
    them."""
    code = """
import torch
ones, like, attributes = torch.ones, torch.ones_like, dict(vars(torch.Tensor))
from dynconstraints import DynamicInt, name_dims
DynamicInt(3), torch.ones(DynamicInt(3))
assert torch.ones is ones and torch.ones_like is like and dict(vars(torch.Tensor)) == attributes
name_dims(torch.ones(3), {0: "n"})
assert torch.ones is ones and torch.ones_like is not like and dict(vars(torch.Tensor)) == attributes
DynamicInt(3, name="n")
assert torch.ones is not ones
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_replaced_function_equals_the_original() -> None:
    """In tables made before and after, and by what it tells of itself."""
    for name in (*replacing.FUNCTIONS, *replacing.LIKES):
        function = getattr(torch, name)
        original = function.original
        assert function == original
        assert original == function
        assert {original: 1}[function] == {function: 1}[original] == 1
        assert isinstance(function, type(original))
        assert (function.__name__, function.__doc__, repr(function)) == (name, original.__doc__, repr(original))
        assert pickle.loads(pickle.dumps(function)) is function
        assert copy.deepcopy(function) is function
        assert function != torch.cat
        with pytest.raises(TypeError):
            function.__class__ = int


def test_the_class_shows_the_original_methods() -> None:
    """What torch and others compare with; a tensor has the wrapper, subclasses too."""

    class Sub(torch.Tensor):
        def view(self, *size: int) -> torch.Tensor:  # type: ignore[override]
            return super().view(*size)

    for name in replacing.METHODS:
        assert getattr(torch.Tensor, name) is getattr(torch._C.TensorBase, name)
    assert torch.ones(3).view.__name__ == "view"
    assert torch.ones(4).as_subclass(Sub).view(2, 2).shape == (2, 2)
    assert torch.nn.Parameter(torch.ones(4)).view(n_of(4)).shape == (4,)


def test_modes_see_the_functions_that_torch_has(both: Callable[..., None]) -> None:
    """``func is torch.ones``, and functions in a table."""
    table = {torch.ones: "ones", torch.arange: "arange", torch.Tensor.view: "view"}

    class Seen(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.functions: list[object] = []

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            is_one = func is torch.ones, func in (torch.zeros, torch.ones), func is torch.Tensor.view
            self.functions.append((is_one, table.get(func), func.__name__, types, args[1:]))
            return func(*args, **(kwargs or {}))

    def action() -> list[object]:
        with Seen() as seen:
            torch.ones(2, 3).view(3, 2)
            torch.arange(4)
            torch.zeros(2)
        return seen.functions

    both(action)
    with Seen():
        assert names(torch.ones(n_of(8), 2)) == {0: "n"}


def test_subclasses_with_a_torch_function_see_the_methods_that_torch_has(both: Callable[..., None]) -> None:
    """``func is torch.Tensor.view``, and a table made before; nothing is named on them."""
    table = {torch.Tensor.view: "view", torch.Tensor.repeat: "repeat", torch.Tensor.new_zeros: "new_zeros"}

    class Sub(torch.Tensor):
        seen: list[object] = []  # noqa: RUF012

        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            cls.seen.append((func is torch.Tensor.view, table.get(func)))
            return super().__torch_function__(func, types, args, kwargs)

    def action() -> object:
        Sub.seen.clear()
        x = torch.ones(4).as_subclass(Sub)
        types = [type(y) for y in (x.view(2, 2), x.repeat(2), x.new_zeros(2), x.expand(2, -1))]
        return list(Sub.seen), types

    both(action)
    assert type(torch.ones(4).as_subclass(Sub).view(n_of(4))) is Sub


def test_tensors_are_no_sequences_to_c() -> None:
    """Slices are not replaced: that would make them some."""
    n_of(8)
    assert torch.equal(torch.tensor([torch.tensor(1.0), torch.tensor(2.0)]), torch.tensor([1.0, 2.0]))
    assert "__getitem__" not in vars(torch.Tensor)


@pytest.mark.parametrize("made_after", [False, True])
def test_devices_apply_to_constructors(made_after: bool) -> None:
    """``with torch.device`` and `set_default_device`, whichever came first: the table of torch or the replacement."""
    replacing.uninstall()
    _device._device_constructors.cache_clear()
    if not made_after:
        _device._device_constructors()
    replacing.install()
    n = n_of(8)
    with torch.device("meta"):
        made = [torch.ones(n, 2), torch.full((n,), 1.0), torch.arange(n), torch.rand(3), torch.ones(3).new_zeros(n)]
    assert [x.device.type for x in made] == ["meta"] * 5
    assert [names(x) for x in made] == [{0: "n"}, {0: "n"}, {0: "n"}, {}, {0: "n"}]
    torch.set_default_device("meta")
    try:
        assert torch.zeros(3).device.type == torch.zeros(n).device.type == "meta"
    finally:
        torch.set_default_device(None)


def test_overrides_know_the_constructors(both: Callable[..., None]) -> None:
    def action() -> object:
        for cached in (torch.overrides.get_ignored_functions, torch.overrides.get_testing_overrides):
            cached.cache_clear()
        ignored, testing = torch.overrides.get_ignored_functions(), torch.overrides.get_testing_overrides()
        names = [torch.overrides.resolve_name(f) for f in (torch.Tensor.view, torch.Tensor.expand, torch.cat)]
        method = torch.overrides.is_tensor_method_or_property(torch.Tensor.view)
        return torch.ones in ignored, torch.Tensor.view in testing, len(ignored), len(testing), names, method

    both(action)


@pytest.mark.parametrize("built_before", [False, True])
def test_torchscript_knows_the_constructors(built_before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever came first: its table of builtins or the replacement."""
    replacing.uninstall()
    monkeypatch.setattr(torch.jit._builtins, "_builtin_table", None)
    if built_before:
        torch.jit._builtins._get_builtin_table()
    replacing.install()
    own = torch.zeros.original  # type: ignore[attr-defined]  # as after `from torch import zeros`

    def program(x: torch.Tensor, k: int) -> torch.Tensor:
        return torch.ones(k, 2).sum() + x.view(2, -1).new_zeros([k]).sum() + torch.arange(k).sum() + own(3).sum()

    assert torch.jit.script(program)(torch.ones(4), 3) == 9
    traced = torch.jit.trace(lambda x: x.view(2, -1) + torch.ones(2, 1), torch.ones(4))
    assert traced(torch.ones(6)).shape == (2, 3)


def program_of_many(x: torch.Tensor, k: int) -> torch.Tensor:
    view, make = x.view, torch.full
    y = torch.ones(k, 2) + view(-1, 2).new_zeros(1, 2) + make((1, 2), 1.0)
    z = torch.Tensor.view(x, -1).expand(2, -1).repeat(1, 2).narrow(0, 0, 1).reshape(-1)
    return y.sum() + z.sum() + torch.arange(k).sum() + x.new_full((k,), 2.0).sum() + getattr(torch, "zeros")(k).sum()  # noqa: B009


def test_a_compiled_program_without_declarations_has_the_same_graph_and_as_many_guards(
    both: Callable[..., None],
) -> None:
    """The targets are torch's own functions; each guard on a function is a guard on the original."""

    def action() -> object:
        compiled = Compiled(program_of_many, dynamic=True)
        compiled(torch.ones(8), 4)
        (entry,) = dynamo.eval_frame._debug_get_cache_entry_list(program_of_many.__code__)
        guards = str(entry.guard_manager)
        (graph,) = compiled.counter.graphs
        kinds = ("ID_MATCH", "TYPE_MATCH", "FUNCTION_MATCH", "LAMBDA_GUARD", "EQUALS_MATCH", "TENSOR_MATCH")
        targets = [node.target for node in graph.graph.nodes if node.op == "call_function"]
        assert not any(type(target) is replacing.Constructor for target in targets)
        return graph.code, compiled.guards, targets, [guards.count(kind) for kind in kinds]

    both(action)


def test_a_function_compiled_before_the_replacement_is_compiled_once_more_and_no_more() -> None:
    """Its guard says which object `torch.ones` is."""
    replacing.uninstall()
    compiled = Compiled(lambda x: x + torch.ones(3))
    compiled(torch.ones(3))
    replacing.install()
    for _ in range(3):
        assert torch.equal(compiled(torch.ones(3)), torch.full((3,), 2.0))
    assert compiled.graphs == 2


def test_dynamo_is_not_asked_about_constructors(both: Callable[..., None]) -> None:
    """In a frame that Dynamo leaves to Python, calls of torch and of declared ints are no graphs of their own."""

    def program(x: torch.Tensor, n: int) -> torch.Tensor:
        for _ in range(2):
            try:
                dynamo.graph_break()
                x = x.view(n, -1).reshape(-1) + torch.ones(2 * n)
            finally:
                pass
        return x

    def action() -> int:
        compiled = Compiled(program, fullgraph=False)
        compiled(torch.ones(8), 4)
        return compiled.graphs

    both(action)
    compiled = Compiled(program, fullgraph=False)
    assert torch.equal(compiled(torch.ones(8), n_of(4)), torch.full((8,), 3.0))
    assert compiled.graphs == 0


def test_compiled_subclasses_and_modes_have_the_same_results(both: Callable[..., None]) -> None:
    """Through Dynamo's own handling of `__torch_function__`."""

    class Doubled(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = super().__torch_function__(func, types, args, kwargs)
            return result * 2 if func is torch.Tensor.view else result

    class Own(torch.Tensor):
        def view(self, *size: int) -> torch.Tensor:  # type: ignore[override]
            return super().view(*size) * 3

    class Filled(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            return result + 1 if func is torch.zeros or func is torch.Tensor.new_zeros else result

    def program(x: torch.Tensor) -> torch.Tensor:
        return x.view(2, 2).sum() + torch.zeros(3).sum() + x.new_zeros(2).sum() + torch.ones(2).sum()

    def action() -> object:
        plain, own, other = (torch.arange(4.0).as_subclass(kind) for kind in (torch.Tensor, Doubled, Own))
        found: list[float] = [float(program(plain)), float(program(own))]
        found += [float(Compiled(program)(plain)), float(Compiled(program)(own))]
        found += [float(program(other)), float(Compiled(program)(other))]
        with Filled():
            found += [float(program(plain)), float(Compiled(program)(plain))]
        return found

    both(action)


def test_tracers_make_the_same_graphs(both: Callable[..., None]) -> None:
    """symbolic_trace, make_fx, export, and what runs under vmap, grad and fake tensors."""

    class Module(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.view(2, -1).repeat(1, 2) + torch.ones(2, 1) + x.new_zeros(1)

    def action() -> object:
        x = torch.arange(6.0)
        exported = torch.export.export(Module(), (x,))
        metas = [node.meta.get("torch_fn") for node in exported.graph.nodes]
        return (
            symbolic_trace(Module()).code,
            symbolic_trace(lambda k: torch.ones((k, 2)).view(-1)).code,
            make_fx(Module())(x).code,
            make_fx(Module(), tracing_mode="symbolic")(x).code,
            exported.graph_module.code,
            metas,
            torch.func.vmap(Module())(torch.ones(3, 6)).shape,
            torch.func.grad(lambda y: Module()(y).sum())(x).tolist(),
        )

    both(action)


def test_nothing_is_named_under_tracers() -> None:
    """What is made while something traces belongs to the trace."""
    n, found = n_of(8), []

    def program(x: torch.Tensor) -> torch.Tensor:
        y = torch.ones(n, 2)
        found.append((names(y), names(x.view(n, -1))))
        return y.sum() + x.sum()

    make_fx(program)(torch.ones(16))
    torch.func.grad(program)(torch.ones(16))
    torch.func.vmap(program)(torch.ones(2, 16))
    torch.jit.trace(program, torch.ones(16), check_trace=False)
    with torch._subclasses.FakeTensorMode():
        program(torch.ones(16))
    assert found == [({}, {})] * len(found)
    assert len(found) >= 5


@pytest.mark.parametrize(
    "call",
    [
        "torch.ones('a')",
        "torch.ones(n, 'a')",
        "torch.ones(-n)",
        "torch.ones(n, nothing=1)",
        "torch.zeros()",
        "torch.arange(n, step=0)",
        "torch.full(n, 1.0)",
        "torch.ones(4).view(n, -1)",
        "torch.ones(4).view(0, -1)",
        "torch.ones(4).view()",
        "torch.ones(4).view(4, dtype=3)",
        "torch.ones(4).expand(n)",
        "torch.ones(4, 4).repeat(n)",
        "torch.ones(4).narrow(0, 0, n)",
        "torch.ones(4).narrow(3, 0, n)",
        "torch.ones(4).new_zeros(n, dtype=3)",
    ],
)
def test_errors_are_torchs_own(call: str, both: Callable[..., None]) -> None:
    """The same type and text; one more line of traceback, above torch's."""

    def action() -> tuple[type, str]:
        with pytest.raises(Exception) as error:  # noqa: PT011  which one is what is compared
            eval(call, {"torch": torch, "n": n})
        return error.type, str(error.value)

    n = n_of(8)
    both(action)
