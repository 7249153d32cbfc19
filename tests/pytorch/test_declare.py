"""`declare`: sizes said at the function reach its graphs, and are checked by each call, wherever the function is."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import pickle
from typing import Annotated, Any, NamedTuple

import pytest
import torch
from declared import RULES, SIZES, TEXTS, Net, both, halves, pairs
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import (
    ConflictingBindingError,
    ConstraintError,
    ConstraintSystem,
    ConstraintViolationError,
    Dims,
    DynamicInt,
    Signature,
    declare,
    dynamic_int_constraints,
    explain,
    name_dims,
    signature_of,
)


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class DeclaredNet(torch.nn.Module):
    @declare(**TEXTS)
    def forward(self, x, y):
        return both(x, y)


class Owner:
    def method(self, x, y):
        return both(x, y)

    @declare(**TEXTS)
    def declared(self, x, y):
        return both(x, y)

    @staticmethod
    @declare(**TEXTS)
    def static(x, y):
        return both(x, y)


def decorated(x, y):
    @functools.wraps(both)
    def passing(*args, **kwargs):
        return both(*args, **kwargs)

    return passing(x, y)


WAYS = {
    "inside": lambda c: torch.compile(declare(both, **TEXTS), **c),
    "outside": lambda c: declare(torch.compile(both, **c), **TEXTS),
    "decorator": lambda c: declare(**TEXTS)(torch.compile(both, **c)),
    "module": lambda c: torch.compile(declare(Net(), **TEXTS), **c),
    "module outside": lambda c: declare(torch.compile(Net(), **c), **TEXTS),
    "module.compile": lambda c: compiled_in_place(declare(Net(), **TEXTS), c),
    "forward": lambda c: torch.compile(DeclaredNet(), **c),
    "forward.compile": lambda c: compiled_in_place(DeclaredNet(), c),
    "bound": lambda c: torch.compile(declare(Owner().method, **TEXTS), **c),
    "bound outside": lambda c: declare(torch.compile(Owner().method, **c), **TEXTS),
    "method": lambda c: torch.compile(Owner().declared, **c),
    "static": lambda c: torch.compile(Owner.static, **c),
    "partial": lambda c: torch.compile(lambda x, y: PARTIAL(x, y), **c),
    "copied": lambda c: torch.compile(copy.deepcopy(declare(Net(), **TEXTS)), **c),
    "pickled": lambda c: torch.compile(pickle.loads(pickle.dumps(declare(Net(), **TEXTS))), **c),
    "bound forward": lambda c: torch.compile(declare(Net(), **TEXTS).forward, **c),
    "data parallel": lambda c: torch.compile(torch.nn.DataParallel(declare(Net(), **TEXTS)), **c),
    "wrapper": lambda c: torch.compile(declare(torch.nn.DataParallel(Net()), **TEXTS), **c),
    "decorated": lambda c: torch.compile(declare(decorated, **TEXTS), **c),
}


def compiled_in_place(module: torch.nn.Module, options: dict[str, Any]) -> torch.nn.Module:
    module.compile(**options)
    return module


PARTIAL = declare(functools.partial(both), **TEXTS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fullgraph", [True, False])
def test_one_graph_serves_the_domain_and_refuses_the_rest(way, fullgraph):
    """However the function is compiled, copied, or bound, and whether it is declared before or after."""
    counter = CompileCounterWithBackend("eager")
    function = WAYS[way]({"backend": counter, "fullgraph": fullgraph})
    for b, h in SIZES:
        x, y = pairs(b, h)
        for got, expected in zip(function(x, y), both(x, y), strict=True):
            torch.testing.assert_close(got, expected)
    assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        function(*pairs(2, 48))
    with pytest.raises(ConstraintViolationError, match="dimension 1 of y has size 65"):
        function(torch.randn(2, 32), torch.randn(2, 65))
    with pytest.raises(ConflictingBindingError, match="b has two values in one call: 2 and 3"):
        function(torch.randn(2, 32), torch.randn(3, 64))
    with torch.compiler.set_stance("force_eager"), pytest.raises(ConstraintViolationError):
        function(*pairs(2, 48))
    function(*pairs(7, 256))
    assert counter.frame_count == 1


def test_calls_in_eager_are_checked_unless_compiled_ones_alone_are_to_be():
    """By ``check``."""
    for target in (declare(both, **TEXTS), declare(Net(), **TEXTS), DeclaredNet(), Owner().declared, Owner.static):
        with pytest.raises(ConstraintViolationError):
            target(*pairs(2, 33))
    for target in (declare(both, **TEXTS, check="compiled"), declare(Net(), **TEXTS, check="compiled")):
        with pytest.raises(RuntimeError, match="invalid for input of size"):
            target(*pairs(2, 33))
        with pytest.raises(ConstraintViolationError):
            torch.compile(target, backend="eager")(*pairs(2, 33))


def test_nothing_of_the_tensors_is_touched():
    """No attribute, no mark, whether the call compiles, hits a graph, or runs in eager."""
    function = declare(both, **TEXTS)
    for target in (function, torch.compile(function, backend="eager")):
        for _ in range(2):
            x, y = pairs(3, 64)
            target(x, y)
            assert not x.__dict__
            assert not y.__dict__


def test_modules_of_one_class_keep_their_declarations_apart():
    """They share a code object, so that the graphs of one might serve another."""
    options = {"backend": "eager", "dynamic": True}
    first, second, plain = Net(), Net(), Net()
    plain_compiled = torch.compile(plain, **options)
    plain_compiled(*pairs(2, 64))  # before anything is declared
    declare(first, **TEXTS)
    declare(second, x="b h", constraints=["h % 64 == 0"])
    compiled = [torch.compile(module, **options) for module in (first, second)]
    for _ in range(2):
        for module in compiled:
            module(*pairs(2, 64))
        plain_compiled(*pairs(2, 64))
        plain_compiled(torch.randn(1, 96), torch.randn(4, 4))
        compiled[0](*pairs(2, 96))
        with pytest.raises(ConstraintViolationError, match="h % 64 == 0"):
            compiled[1](*pairs(2, 96))
        with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
            compiled[0](*pairs(2, 48))


def test_functions_that_share_code_keep_their_declarations_apart():
    """As closures of one factory do."""

    def make(factor: int, rule: str) -> Any:
        def scaled(x):
            return x * factor

        return torch.compile(declare(scaled, x="n", constraints=[rule]), backend="eager", dynamic=True)

    even, threes = make(2, "n % 2 == 0"), make(3, "n % 3 == 0")
    assert even(torch.ones(4)).sum() == 8
    assert threes(torch.ones(3)).sum() == 9
    with pytest.raises(ConstraintViolationError, match="n % 2 == 0"):
        even(torch.ones(3))
    with pytest.raises(ConstraintViolationError, match="n % 3 == 0"):
        threes(torch.ones(4))


def passing_all(function):
    @functools.wraps(function)
    def passing(*args, **kwargs):
        return function(*args, **kwargs)

    return passing


def passing_self(function):
    @functools.wraps(function)
    def passing(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    return passing


def passing_first(function):
    @functools.wraps(function)
    def passing(self, x, *args, **kwargs):
        return function(self, x, *args, **kwargs)

    return passing


@pytest.mark.parametrize("decorators", [(passing_all,), (passing_self,), (passing_first,), (passing_all, passing_self)])
def test_a_decorator_of_forward_passes_on_what_is_declared(decorators):
    """Whatever it takes by itself, and whatever its ``*args`` and ``**kwargs`` are called like; ints are found, too."""

    class Decorated(torch.nn.Module):
        def forward(self, x, n=4, *args, scale=None, **kwargs):
            return torch.zeros(n) + halves(x).sum() + sum(each.sum() for each in (*args, *kwargs.values()))

    for decorator in decorators:
        Decorated.forward = decorator(Decorated.forward)
    shapes = {"args.*": "b", "kwargs.more": "h", "x": "b h", "n": "n", "scale": "b"}
    ways = {
        "module": lambda m: torch.compile(m, backend=counter),
        "forward": lambda m: torch.compile(m.forward, backend=counter),
    }
    calls = [
        lambda b, h, n, m: ((torch.randn(b, h), n), {}),
        lambda b, h, n, m: ((torch.randn(b, h),), {"n": n, "more": torch.ones(m)}),
        lambda b, h, n, m: ((), {"x": torch.randn(b, h), "n": n, "more": torch.ones(m)}),
        lambda b, h, n, m: ((torch.randn(b, h), n, torch.ones(b), torch.ones(b)), {"scale": torch.ones(b)}),
    ]
    for way in ways.values():
        for call in calls:
            torch._dynamo.reset()
            counter = CompileCounterWithBackend("eager")
            module = Decorated()
            other = Decorated()
            declare(module, shapes, constraints=[*RULES, "n % 4 == 0"], check="compiled")
            compiled, plain = way(module), torch.compile(other, backend="eager")
            for b, h in SIZES[:3]:
                args, kwargs = call(b, h, 4 * b, h)
                torch.testing.assert_close(compiled(*args, **kwargs), Decorated()(*args, **kwargs))
            assert counter.frame_count == 1
            for wrong in [call(2, 48, 4, 48), call(2, 64, 5, 64)]:
                with pytest.raises(ConstraintError):
                    compiled(*wrong[0], **wrong[1])
            args, kwargs = call(2, 64, 5, 63)
            plain(*args, **kwargs)
            if "more" in kwargs:
                args, kwargs = call(2, 64, 4, 63)
                with pytest.raises(ConflictingBindingError):
                    compiled(*args, **kwargs)


@pytest.mark.parametrize(
    ("container", "step"),
    [({"full": 0}, "full"), ({7: 0}, "7"), ({"a.b": 0}, "*"), ({}, "*"), ([0], "0"), ((), "0")],
)
def test_a_container_in_the_place_of_a_tensor_is_told_with_the_path_into_it(container, step):
    """By a key that it has."""
    with pytest.raises(ConstraintError) as raised:
        declare(lambda mask: mask, mask="b ... t")(container)
    lines = str(raised.value).splitlines()
    kind = type(container).__name__
    assert lines[0] == f"error[DC408]: mask is declared as a tensor, and is of type {kind}"
    assert lines[-1] == f'  help: declare what is in it by its path: {{"mask.{step}": "b ... t"}}'


def test_what_else_a_decorator_of_forward_decorates_is_no_call_of_the_module():
    """Though it shares the code, and gets the module as its first argument."""

    class Decorated(torch.nn.Module):
        @passing_all
        def forward(self, x):
            return halves(x)

        @passing_all
        def other(self, y):
            return y * 2

    module = declare(Decorated(), x="b h", constraints=RULES)
    function = passing_all(lambda module, y: y + 1)
    for call in (functools.partial(torch.compile(function, backend="eager"), module), module.other):
        compiled = call if call is not module.other else torch.compile(call, backend="eager")
        compiled(torch.ones(2, 33))
        compiled(torch.ones(3))
    with pytest.raises(ConstraintViolationError):
        torch.compile(module, backend="eager")(torch.ones(2, 33))


# What is declared: numbers, containers, annotations, results.


@dataclasses.dataclass
class Batch:
    image: Annotated[torch.Tensor, Dims("b 3 h w")]
    mask: Annotated[torch.Tensor, Dims("b h w")] | None = None


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


CONTAINERS = {
    "dict": ({"a.image": "b h"}, lambda x: {"image": x}, lambda a: a["image"]),
    "list": ({"a.1": "b h"}, lambda x: [None, x], lambda a: a[1]),
    "from the end": ({"a.-1": "b h"}, lambda x: [None, x], lambda a: a[1]),
    "all": ({"a.*": "b h"}, lambda x: (x, x.clone()), lambda a: a[0] + a[1]),
    "nested": (
        {"a.cache.*.key": "b h"},
        lambda x: {"cache": [{"key": x}, {"key": x * 2}]},
        lambda a: a["cache"][1]["key"],
    ),
    "named tuple": ({"a.right": "b h"}, lambda x: Pair(x, x), lambda a: a.right),
    "dataclass": ({"a.mask": "b h"}, lambda x: Batch(x, x), lambda a: a.mask),
    "int keys": ({"a.7": "b h"}, lambda x: {7: x}, lambda a: a[7]),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_path_leads_into_a_container(kind):
    """By keys, indices, fields; ``*`` to each."""
    texts, make, take = CONTAINERS[kind]

    def function(a):
        return halves(take(a))

    counter = CompileCounterWithBackend("eager")
    declared = declare(function, texts, constraints=RULES)
    compiled = torch.compile(declared, backend=counter, fullgraph=True)
    for b, h in SIZES:
        x = torch.randn(b, h)
        torch.testing.assert_close(compiled(make(x)), function(make(x)))
    assert counter.frame_count == 1
    for target in (declared, compiled):
        with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
            target(make(torch.randn(2, 48)))


def test_arguments_by_position_by_name_left_out_and_none_are_the_same():
    """What is not there declares nothing."""

    @declare(x="b h", mask="b h", **{"rest.0": "b", "more.scale": "b"}, constraints=RULES)
    def function(x, mask=None, *rest, **more):
        return x * 2 if mask is None else x * mask

    compiled = torch.compile(function, backend="eager")
    x, wrong = torch.ones(2, 64), torch.ones(3)
    for target in (function, compiled):
        target(x)
        target(x=x, mask=None)
        target(x, torch.ones(2, 64), torch.ones(2), scale=torch.ones(2), other=wrong)
        for args, kwargs in [((x, torch.ones(3, 64)), {}), ((x, None, wrong), {}), ((x,), {"scale": wrong})]:
            with pytest.raises(ConflictingBindingError, match="b has two values"):
                target(*args, **kwargs)


def test_an_argument_that_the_program_never_looks_at_is_checked_as_well():
    """In compiled code, too, where it is no input of the graph."""
    compiled = torch.compile(declare(lambda x, unused: x * 2, x="n", unused="n"), backend="eager")
    compiled(torch.ones(4), torch.ones(4))
    with pytest.raises(ConflictingBindingError):
        compiled(torch.ones(4), torch.ones(5))


def test_ints_and_floats_are_dynamic_under_their_names():
    """One graph, and no constant."""

    @declare(
        x="n", steps="steps", alpha="alpha", constraints=["1 <= steps <= 8", "0 < alpha", "alpha <= 2.0", "n >= 2"]
    )
    def scaled(x, steps=1, alpha=1.0):
        return x * alpha + steps

    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(scaled, backend=counter, fullgraph=True)
    for n, steps, alpha in [(3, 1, 0.5), (4, 8, 0.25), (5, DynamicInt(3, name="k"), 2.0), (2, 2, 1e-3)]:
        torch.testing.assert_close(compiled(torch.ones(n), steps, alpha), scaled(torch.ones(n), steps, alpha))
    assert counter.frame_count == 1
    for steps, alpha in [(9, 1.0), (0, 1.0), (1, 2.5), (1, 0.0), (DynamicInt(9, name="k"), 1.0)]:
        for target in (scaled, compiled):
            with pytest.raises(ConstraintViolationError):
                target(torch.ones(3), steps, alpha)


def test_annotations_are_read_as_they_stand():
    """`Dims`, the bounds of annotated-types, jaxtyping's shapes, in containers and classes of annotated fields."""

    class MultipleOf:
        multiple_of = 32

    class Interval:
        ge, le = 32, 64

    class Float:  # what jaxtyping's classes have on them
        dtypes, dim_str = ("float32",), "b #c *rest size=5 _x w"

    @declare(constraints=["h % 4 == 0"])
    def function(
        batch: Batch,
        n: Annotated[int, MultipleOf(), Interval()],
        several: list[Annotated[torch.Tensor, Dims("b _ ...")]],
        z: Float = None,
    ) -> Annotated[torch.Tensor, Dims("b 3 h w")]:
        return batch.image * n

    signature = signature_of(function)
    assert {path: str(shape) for path, shape in signature.arguments.items()} == {
        "batch.image": "b 3 h w",
        "batch.mask": "b h w",
        "n": "n",
        "several.*": "b _ ...",
        "z": "b _ ... 5 _ w",
    }
    assert [c.text for c in signature.system] == ["h % 4 == 0", "n % 32 == 0", "n >= 32", "n <= 64"]
    assert {path: str(shape) for path, shape in signature.returns.items()} == {"": "b 3 h w"}


def test_what_is_returned_has_names_for_the_next_compiled_function():
    """By `returns`, for functions and modules, lone results and containers; a result of another size is an error."""

    class Encoder(torch.nn.Module):
        def forward(self, x):
            return {"hidden": torch.randn(*x.shape, 16), "all": [x]}

    returns = {"hidden": "b s 16", "all.0": "b s"}
    rules = ["s % 8 == 0", "2 <= b", "8 <= s"]
    encoder = declare(Encoder(), x="b s", returns=returns, constraints=rules)
    single = declare(lambda x: torch.randn(*x.shape, 16), x="b s", returns="b s 16", constraints=rules)
    for first in (encoder, torch.compile(encoder, backend="eager"), single, torch.compile(single, backend="eager")):
        torch._dynamo.reset()
        counter = CompileCounterWithBackend("eager")
        second = torch.compile(lambda h: h.view(h.shape[0], -1, 8, 16).sum(2), backend=counter, fullgraph=True)
        for b, s in [(2, 8), (3, 16), (4, 64), (5, 24)]:
            result = first(torch.randn(b, s))
            second(result["hidden"] if isinstance(result, dict) else result)
        assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError, match=r"dimension 1 of the result has size 8, and 2\*s = 16"):
        declare(lambda x: x * 1, x="b s", returns="b 2*s")(torch.randn(2, 8))


# Beside the other ways to declare.


def test_blocks_and_named_tensors_count_beside_a_signature():
    """At compilation, and for graphs that are there already."""
    compiled = torch.compile(declare(halves, x="b h", constraints=RULES), backend="eager")
    with dynamic_int_constraints(["h <= 96"]):
        compiled(torch.randn(2, 96))
        with pytest.raises(ConstraintViolationError, match="h <= 96"):
            compiled(torch.randn(2, 128))
    compiled(torch.randn(2, 128))
    with dynamic_int_constraints(["h <= 96"]), pytest.raises(ConstraintViolationError, match="h <= 96"):
        compiled(torch.randn(2, 128))
    named = name_dims(torch.randn(2, 64), {0: "rows"}, constraints=["rows <= 2"])
    compiled(named)
    with pytest.raises(ConflictingBindingError):
        compiled(name_dims(torch.randn(2, 64), {0: "h"}))


def test_functions_share_a_domain(tmp_path):
    """A `ConstraintSystem`, or the path of a file, may speak of names that one function doesn't have."""
    file = tmp_path / "model.dync"
    file.write_text("h % 32 == 0\nw % 32 == 0  # of the mask\n")
    for domain in (ConstraintSystem(["h % 32 == 0", "w % 32 == 0"]), file, ConstraintSystem.from_file(file)):
        with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
            declare(lambda x: x, x="h", constraints=domain)(torch.ones(33))


def test_a_signature_is_data():
    """Equal after JSON and pickle; the same for a function and its compiled form."""
    declared = declare(both, **TEXTS, on_missing="error", check="compiled", returns=("_ ...", "b 2*h"))
    signature = signature_of(declared)
    assert isinstance(signature, Signature)
    assert Signature.from_json(signature.to_json()) == signature
    assert pickle.loads(pickle.dumps(signature)) == signature
    assert copy.deepcopy(signature) is signature
    assert signature_of(torch.compile(declared)) == signature
    assert signature_of(torch.compile(declare(Net(), **TEXTS))) == signature_of(declare(Net(), **TEXTS))
    assert signature_of(both) is None
    assert json.loads(signature.to_json())["arguments"] == {"x": "b h", "y": "b 2*h"}
    later = declare(declared, x="b h", constraints=["b == 2"])
    assert [c.text for c in signature_of(later).system] == [*RULES, "b == 2"]


def test_explain_proves_what_is_declared():
    """Of functions and modules, compiled or not."""
    for target in (
        declare(both, **TEXTS),
        torch.compile(declare(both, **TEXTS), backend="eager"),
        declare(Net(), **TEXTS),
    ):
        report = explain(target, *pairs(2, 64), backend="eager")
        assert (len(report.graphs), report.covers_domain) == (1, True)
    assert explain(declare(halves, x="b _"), torch.randn(2, 64), backend="eager").covers_domain is not True


def test_explain_names_what_was_forgotten_and_what_eager_refuses():
    """Of a declared function as of named tensors; the arguments stay as they are."""
    x, mask = torch.ones(2, 64), torch.ones(2, 64)
    masked = declare(lambda x, mask: (x * mask).sum() * x.shape[0], x="b h", constraints=RULES)
    text = str(explain(masked, x, mask, backend="eager"))
    assert "mask.size(0) is 2 here, too, and has no name: name it b" in text
    assert "mask.size(1) is 64 here, too, and has no name: name it h" in text
    thirds = declare(lambda x: x.view(-1, 48).sum(1), x="b h", constraints=["b >= 2", "h % 16 == 0", "h >= 48"])
    assert "is declared, and fails in eager, too" in explain(thirds, torch.ones(2, 48), backend="eager").verdict
    assert not x.__dict__


def test_transforms_training_and_other_traces_go_on_as_they_do():
    """vmap, grad, functional_call, make_fx, jit.trace, export in non-strict mode, and gradients."""
    declared = declare(both, **TEXTS)
    x, y = pairs(2, 64)
    assert torch.vmap(declare(lambda v: v * 2, v="h"))(x).shape == x.shape
    torch.func.grad(lambda v: declared(v, y)[0].sum())(x)
    torch.fx.experimental.proxy_tensor.make_fx(declared, tracing_mode="symbolic")(x, y)
    torch.jit.trace(declare(lambda v: v * 2, v="b h"), (x,), check_trace=False)
    linear = declare(torch.nn.Linear(4, 4), input="b 4", constraints=["b % 2 == 0", "2 <= b"])
    parameters = dict(linear.named_parameters())
    counter = CompileCounterWithBackend("eager")
    called = torch.compile(lambda p, v: torch.func.functional_call(linear, p, (v,)), backend=counter)
    for b in (2, 4, 6):
        called(parameters, torch.randn(b, 4))
    assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError):
        called(parameters, torch.randn(3, 4))
    compiled = torch.compile(linear, backend="aot_eager")
    compiled(torch.randn(2, 4)).sum().backward()
    assert linear.weight.grad is not None
