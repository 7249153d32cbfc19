"""Programs that declare nothing, each with what can be seen of it: results, graphs, guards, warnings, calls it sees.

`python tests/foreign_programs.py` prints them as JSON; with the argument "declared" the process also imports the
package, keeps a named int and a named tensor, and has compiled what they declare. Both print the same.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pydoc
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple
from unittest import mock

import torch
import torch._dynamo as dynamo
from torch._dynamo.testing import CompileCounter, CompileCounterWithBackend
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

Program = Callable[[], object]

CALLS: dict[str, Callable[[torch.Tensor], Any]] = {
    "zeros": lambda x: torch.zeros(x.shape[0], 2) + x[:, :2],
    "ones, a tuple": lambda x: torch.ones((x.shape[0], x.shape[1])) * x,
    "full, size=": lambda x: torch.full(size=(x.shape[1],), fill_value=2.0) * x,
    "arange": lambda x: torch.arange(x.shape[0]) + torch.arange(0, 2 * x.shape[0], 2),
    "randint, size=": lambda x: x[torch.randint(0, x.shape[0], size=(4,))],
    "rand": lambda x: torch.rand(x.shape[0], 1) + x,
    "zeros_like": lambda x: torch.zeros_like(x) + torch.full_like(x, 2.0),
    "new_zeros": lambda x: x.new_zeros(x.shape[0], 3) + x.new_ones(size=(3,)),
    "view": lambda x: x.view(-1, 2) + x.view(size=(x.shape[0] * 2, 2)),
    "reshape": lambda x: x.reshape(x.shape[0] * x.shape[1]) + x.reshape((-1,)),
    "expand": lambda x: x[:1].expand(x.shape[0], -1) + x,
    "repeat": lambda x: x.repeat(2, 1) * x.repeat(2, 1),
    "narrow, length=": lambda x: x.narrow(0, x.shape[0] // 2, length=2),
    "branch on a size": lambda x: x * 2 if x.shape[0] % 2 == 0 else x.sum(1) / x.shape[0],
    "broadcast": lambda x: (x + x[:, :1]).t() * x.shape[0] - x.mean(0, keepdim=True).t(),
    "copies": lambda x: x.clone().to(torch.float64).float().detach().cpu().contiguous().to(x) + x.bool().long(),
    "copies of views": lambda x: x.t().contiguous() + x[:, 1:].clone().sum() + x.t().half().type_as(x),
    "copies, of the class": lambda x: torch.Tensor.clone(x) + torch.Tensor.to(x, torch.float64) + torch.clone(x),
    "copies, of its type": lambda x: type(x).clone(x) + type(x).to(x, torch.float64) + x.__class__.detach(x),
    "copies, mapped": lambda x: sum(map(torch.Tensor.double, (x, x))) + sum(map(torch.Tensor.detach, [x])),
    "copies, bound": lambda x: (lambda copy, to: copy() + to(x.dtype))(x.clone, getattr(x, "to")),  # noqa: B009
    "no copies": lambda x: x.to(torch.float32).contiguous().cpu().float() + x.type(torch.float32),
    "parameter": lambda x: torch.nn.Parameter(x.detach(), requires_grad=False) + torch.nn.Buffer(x),
}


class Seen(TorchFunctionMode):
    """Notes the functions of torch that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[object] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls.append((getattr(func, "__name__", "?"), [t.__name__ for t in types], len(args), list(kwargs or {})))
        return func(*args, **(kwargs or {}))


class Dispatched(TorchDispatchMode):
    """Notes the operations that run."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls.append(str(func))
        return func(*args, **(kwargs or {}))


class Noting(torch.Tensor):
    """Notes what it is asked outside of a trace, and which of its attributes are read."""

    log: list[str] = []  # noqa: RUF012

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not torch.compiler.is_compiling():
            cls.log.append(f"{getattr(func, '__name__', '?')} {getattr(func, '__self__', '')}")
        return super().__torch_function__(func, types, args, kwargs or {})


def x_of(rows: int) -> torch.Tensor:
    return torch.arange(4.0 * rows).view(rows, 4)


def compiled(call: Callable[..., Any], **options: Any) -> object:
    """The results of the compiled function at three sizes, and its graphs."""
    counter = CompileCounterWithBackend(options.pop("backend", "eager"))
    function = torch.compile(call, backend=counter, **options)
    results = [function(x_of(rows)) for rows in (6, 8, 5, 6)]
    stacks = [[n.meta.get("stack_trace") for n in graph.graph.nodes] for graph in counter.graphs]
    return results, [graph.code for graph in counter.graphs], stacks, counter.frame_count


def exported(call: Callable[..., Any]) -> object:
    class Module(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return call(x)

    dims = {"x": {0: torch.export.Dim.AUTO}}
    program = torch.export.export(Module(), (x_of(6),), dynamic_shapes=dims, strict=False)
    return program.graph_module.code, program.range_constraints, program.module()(x_of(8))


def traced(tracer: Callable[..., Any], call: Callable[..., Any]) -> object:
    graph = tracer(call)
    torch.manual_seed(0)
    return str(getattr(graph, "code", "")), graph(x_of(8))


def in_mode(mode: Any, call: Callable[..., Any]) -> object:
    with mode:
        result = call(x_of(6))
    return result, mode.calls


def of_subclass(call: Callable[..., Any]) -> object:
    Noting.log.clear()
    x = x_of(6).as_subclass(Noting)
    Noting.log.clear()
    return type(call(x)), list(Noting.log)


def fake(call: Callable[..., Any]) -> object:
    with FakeTensorMode() as mode:
        return call(mode.from_tensor(x_of(6))).shape


WAYS: dict[str, Callable[[Callable[..., Any]], object]] = {
    "eager": lambda call: [call(x_of(6)), call(x_of(7))],
    "compile": lambda call: compiled(call, fullgraph=True),
    "compile, dynamic": lambda call: compiled(call, dynamic=True, backend="aot_eager"),
    "export": exported,
    "make_fx, symbolic": lambda call: traced(lambda f: make_fx(f, tracing_mode="symbolic")(x_of(6)), call),
    "make_fx, fake": lambda call: traced(lambda f: make_fx(f, tracing_mode="fake")(x_of(6)), call),
    "jit.trace": lambda call: traced(lambda f: torch.jit.trace(f, (x_of(6),), check_trace=False), call),
    "vmap": lambda call: torch.func.vmap(call, randomness="same")(torch.ones(2, 6, 4)),
    "functionalize": lambda call: torch.func.functionalize(call)(x_of(6)),
    "grad": lambda call: torch.func.grad(lambda x: (call(x) * x.sum()).sum())(x_of(6)),
    "function mode": lambda call: in_mode(Seen(), call),
    "dispatch mode": lambda call: in_mode(Dispatched(), call),
    "subclass": of_subclass,
    "fake tensors": fake,
    "meta device": lambda call: _on_meta(call),
}


def _on_meta(call: Callable[..., Any]) -> object:
    with torch.device("meta"):
        return call(torch.ones(6, 4)).shape


# What is handed to compiled functions, and is nobody's to open.


class Proxy:
    """Answers as a dict, and counts who asks."""

    asked = 0

    @property
    def __class__(self) -> type:
        Proxy.asked += 1
        return dict

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise TypeError(kind)

    def values(self) -> Any:
        raise RuntimeError("not to be opened")


class ProxyOfTensor(Proxy):
    @property
    def __class__(self) -> type:
        Proxy.asked += 1
        return torch.Tensor

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise TypeError(kind)

    def __getattr__(self, name: str) -> Any:
        Proxy.asked += 1
        raise AttributeError(name)


class Lazy(dict[str, Any]):
    def values(self) -> Any:
        raise RuntimeError("not to be opened")

    __iter__ = keys = items = values


class Items(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("not to be opened")

    def copy(self) -> Any:
        raise RuntimeError("not to be opened")


class Pair(tuple[Any, ...]):
    __slots__ = ()

    def __iter__(self) -> Any:
        raise RuntimeError("not to be opened")


class Meta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError("not to be asked")

    def __subclasscheck__(cls, subclass: type) -> bool:
        raise RuntimeError("not to be asked")


class OfMeta(metaclass=Meta):
    pass


class Watched:
    """Notes which of its attributes are read."""

    def __init__(self) -> None:
        object.__setattr__(self, "read", [])

    def __getattribute__(self, name: str) -> Any:
        if name != "read":
            object.__getattribute__(self, "read").append(name)
        return object.__getattribute__(self, name)


class Point(NamedTuple):
    a: Any
    b: Any


@dataclasses.dataclass
class Data:
    a: Any


VALUES: dict[str, Callable[[], Any]] = {
    "Mock(spec=dict)": lambda: mock.Mock(spec=dict),
    "Mock(spec=list)": lambda: mock.Mock(spec=list),
    "MagicMock(spec=Tensor)": lambda: mock.MagicMock(spec=torch.Tensor),
    "MagicMock": mock.MagicMock,
    "proxy of a dict": Proxy,
    "proxy of a tensor": ProxyOfTensor,
    "dict subclass": lambda: Lazy(a=1),
    "list subclass": lambda: Items([1, 2]),
    "tuple subclass": lambda: Pair((1, 2)),
    "metaclass": OfMeta,
    "watched": Watched,
    "in a list": lambda: [Proxy(), Lazy(a=Items([1]))],
    "in a dict": lambda: {"a": ProxyOfTensor(), "b": (Pair((1,)), mock.Mock(spec=dict))},
    "namedtuple": lambda: Point(1, Lazy()),
    "dataclass": lambda: Data(Proxy()),
    "OrderedDict": lambda: collections.OrderedDict(a=Proxy()),
    "UserDict": lambda: collections.UserDict(a=1),
    "cycle": lambda: _cycle(),
}


def _cycle() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


def handed(make: Callable[[], Any], used: bool) -> object:
    """A compiled function is given the value, which it leaves alone or passes to a function outside of the graph."""
    opaque = dynamo.disable(lambda value: 1)

    def ignoring(x: torch.Tensor, value: Any) -> torch.Tensor:
        return x + 1

    def using(x: torch.Tensor, value: Any) -> torch.Tensor:
        return x + opaque(value)

    Proxy.asked = 0
    value = make()
    function = torch.compile(using if used else ignoring, backend="eager")
    results = [function(x_of(2), value), function(x_of(3), value)]
    read = object.__getattribute__(value, "read") if type(value) is Watched else None
    return results, Proxy.asked, read


# Programs of their own.


def compiled_before() -> object:
    """Compiled before the package was imported, called after."""
    with torch.compiler.set_stance("fail_on_recompile"):
        return BEFORE(torch.ones(3)), BEFORE(torch.zeros(3)), BEFORE(torch.ones(5)[1:4])


def attributes_of(home: Any) -> dict[str, object]:
    """What whoever asks for it finds there, but for what is made anew for each."""
    found = {name: getattr(home, name) for name in dir(home) if name != "__dict__"}
    return {name: value for name, value in found.items() if getattr(home, name) is value and callable(value)}


def identities() -> object:
    """Whether torch's functions are those that it came with."""
    now = {name: attributes_of(home) for name, home in HOMES.items()}
    return {
        name: sorted(k for k in {*now[name], *first} if now[name].get(k) is not first.get(k))
        for name, first in FIRST.items()
    }


COPYING = (
    "clone",
    "detach",
    "contiguous",
    "to",
    "half",
    "float",
    "double",
    "cpu",
    "cuda",
    "pin_memory",
    "type",
    "long",
)


def methods() -> object:
    """What is told of the methods of tensors, of the class and of a tensor."""
    x, told = x_of(2), []
    for name in COPYING:
        method, bound = getattr(torch.Tensor, name), getattr(x, name)
        told.append((method, method.__doc__, method.__qualname__, type(bound), bound.__name__, bound.__self__ is x))
        told.append(
            (pickle.loads(pickle.dumps(method)) is method, pydoc.render_doc(method), failure_of_signature(method))
        )
        told.append((torch.overrides.resolve_name(method), torch.overrides.is_tensor_method_or_property(method)))
        told.append(next(a for a in inspect.classify_class_attrs(torch.Tensor) if a.name == name)[1])
    overridable = {
        str(home): sorted(map(str, found)) for home, found in torch.overrides.get_overridable_functions().items()
    }
    return told, overridable, len(torch.overrides.get_testing_overrides()), dir(torch.Tensor), dir(x), vars(x)


def failure_of_signature(method: Any) -> object:
    return failure(lambda: inspect.signature(method))


class Overriding(torch.Tensor):
    """Has methods of its own in the place of some."""

    def clone(self, *args: Any, **kwargs: Any) -> Any:
        Noting.log.append("clone of its own")
        return super().clone(*args, **kwargs)

    @property
    def half(self) -> Any:
        return lambda: super(Overriding, self).half()

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        Noting.log.append(f"{func.__name__} {func is getattr(torch.Tensor, func.__name__, None)}")
        return super().__torch_function__(func, types, args, kwargs or {})


class Guarded(torch.Tensor):
    """Notes which of its attributes are asked for."""

    def __getattribute__(self, name: str) -> Any:
        Noting.log.append(name)
        return super().__getattribute__(name)


def subclasses_with_methods() -> object:
    results = []
    Noting.log.clear()
    for kind in (Overriding, Guarded):
        x = x_of(2).as_subclass(kind)
        results += [x.clone(), x.half(), x.to(torch.float64), x.detach(), x.t().contiguous(), torch.Tensor.clone(x)]
        results += [torch.nn.Parameter(x)]
    return [type(r) for r in results], list(Noting.log)


def symbolically_traced() -> object:
    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> Any:
            return x.clone().double() + x.to(torch.float64).half() + self.weight.detach().clone()

    graph = torch.fx.symbolic_trace(Module())
    calls = [
        (n.op, n.target if isinstance(n.target, str) else n.target is torch.Tensor.clone) for n in graph.graph.nodes
    ]
    return graph.code, calls, graph(x_of(2))


class Own(torch.nn.Parameter):
    def __new__(cls, data: Any, requires_grad: bool = True) -> Any:
        return super().__new__(cls, data, requires_grad)


def parameters() -> object:
    x = x_of(2)
    made = [torch.nn.Parameter(x), torch.nn.Parameter(data=x, requires_grad=False), torch.nn.Parameter(), Own(x)]
    made.append(copy.deepcopy(made[0]))
    made.append(torch.nn.Parameter(torch.nn.Parameter(x)))
    refused = [failure(lambda: torch.nn.Parameter(3)), failure(lambda: torch.nn.Parameter(x.long()))]
    lazy = torch.nn.LazyLinear(2)
    lazy(x)
    told = inspect.signature(torch.nn.Parameter), torch.nn.Parameter.__new__.__doc__, torch.nn.Parameter.__doc__
    return made, [type(p) for p in made], [r[:2] for r in refused], lazy.weight.shape, told  # type: ignore[index]


def compiled_parameters() -> object:
    counter = CompileCounter()

    @torch.compile(backend=counter)
    def program(x: torch.Tensor, kind: Any) -> Any:
        return x + kind(x.clone()).sum()

    return [program(x_of(n), kind) for kind in (torch.nn.Parameter, Own) for n in (2, 3)], counter.frame_count


def carried_modules() -> object:
    """Modules that are moved, copied, saved and sent."""
    model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2))
    twin = copy.deepcopy(model).double().to(torch.float32).half()
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    loaded = torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
    x = x_of(2)
    sent = ForkingPickler.loads(ForkingPickler.dumps([x, torch.nn.Parameter(x), x[:, 1:]]))
    there = [pickle.loads(pickle.dumps(v)) for v in (x, x[:, 1:], torch.nn.Parameter(x))]
    names = [vars(v) for v in (*sent, *there, *twin.state_dict().values(), *loaded.values())]
    reduced = [v.__reduce_ex__(2)[0] for v in (x, x.clone(), x.t().contiguous(), torch.nn.Parameter(x))]
    return sent, there, names, reduced, [v.dtype for v in twin.state_dict().values()]


def warning_of_user() -> object:
    def program(x: torch.Tensor) -> torch.Tensor:
        warnings.warn("mine", stacklevel=2)
        return torch.compile(lambda y: y + 1, backend="eager")(x)

    return program(x_of(2))


def warning_in_graph() -> object:
    @torch.compile(backend="eager")
    def program(x: torch.Tensor) -> torch.Tensor:
        warnings.warn("in a compiled function", stacklevel=1)
        return x.T.sum() + torch.range(0, 3).sum()  # torch warns of both

    return program(torch.ones(2, 2, 2))


def warnings_of_torch() -> object:
    x = torch.ones(2, 2, 2)
    return x.T, torch.range(0, 3), torch.zeros(3).resize_(2), torch.tensor(torch.ones(1)), torch.meshgrid(x[0, 0])


def backend_that_warns() -> object:
    def backend(graph: Any, inputs: Any) -> Any:
        warnings.warn("by the backend", stacklevel=2)
        return graph

    return torch.compile(lambda x: x + 1, backend=backend)(x_of(2))


def broken_graph() -> object:
    counter = CompileCounter()

    @torch.compile(backend=counter)
    def program(x: torch.Tensor) -> torch.Tensor:
        x = x * x.shape[0]
        print("", end="")
        return x + torch.zeros(x.shape[0], 1)

    return [program(x_of(n)) for n in (3, 4, 5)], counter.frame_count


def refused() -> object:
    @torch.compile(backend="eager", fullgraph=True)
    def program(x: torch.Tensor) -> torch.Tensor:
        dynamo.graph_break()
        return x

    return program(x_of(2))


def data_dependent() -> object:
    @torch.compile(backend="eager", fullgraph=True)
    def program(x: torch.Tensor) -> torch.Tensor:
        n = x.sum().to(torch.int64).item()
        return x * 2 if n > 3 else x

    with dynamo.config.patch(capture_scalar_outputs=True):
        return program(x_of(2))


def checked() -> object:
    @torch.compile(backend="eager", fullgraph=True, dynamic=True)
    def program(x: torch.Tensor) -> torch.Tensor:
        torch._check(x.shape[0] % 2 == 0)
        return x.view(x.shape[0] // 2, -1)

    return program(x_of(4)), program(x_of(5))


def disabled(recursive: bool) -> object:
    counter = CompileCounter()
    inner = dynamo.disable(lambda x: torch.sin(x) + torch.ones(2, 1), recursive=recursive)

    def program(x: torch.Tensor) -> torch.Tensor:
        return inner(x * 2) * 3

    return torch.compile(program, backend=counter)(x_of(2)), counter.frame_count, counter.op_count


def recompiles() -> object:
    counter = CompileCounter()
    function = torch.compile(lambda x, n, s: x * n + s, backend=counter)
    for rows, n, s in ((2, 1, 0.5), (3, 2, 0.5), (4, 3, 0.25), (1, 1, 0.5), (4, True, 0.5)):
        function(x_of(rows), n, s)
    return counter.frame_count


def upstream_int() -> object:
    from torch.fx.experimental.sym_node import DynamicInt

    n = DynamicInt(6)
    counter = CompileCounter()
    function = torch.compile(lambda x, n: x.view(n, -1) * n, backend=counter)
    return [function(x_of(6), n), function(x_of(8), DynamicInt(8)), torch.zeros(n, 2).shape, n + 1], counter.frame_count


def compiled_subclass() -> object:
    x = x_of(3).as_subclass(Noting)
    view = x[1:]
    Noting.log.clear()
    results = torch.compile(lambda t, v: t + 1, backend="eager")(x, view)
    return type(results), list(Noting.log)


def compiled_in_modes() -> object:
    function = torch.compile(lambda t: t + torch.ones(1), backend="eager")
    with Seen() as seen:
        results = function(x_of(3)), function(x_of(3)[1:])
    return results, seen.calls


def stack_above() -> object:
    """Where Dynamo was called from, as it tells a graph break."""
    try:
        return refused()
    except Exception as error:
        return str(error), [frame.name for frame in traceback.extract_tb(error.__traceback__)][:2]


def scripted() -> object:
    def program(x: torch.Tensor, k: int) -> torch.Tensor:
        return torch.ones(k, 2).sum() + x.view(2, -1).new_zeros([k]).sum() + torch.arange(k).sum()

    function = torch.jit.script(program)
    return function(torch.ones(4), 3), function.code


def explained() -> object:
    found = dynamo.explain(lambda x: torch.zeros(x.shape[0]) + x[:, 0])(x_of(3))
    return found.graph_count, found.op_count, [str(g) for g in found.out_guards]


def strict_export() -> object:
    class Module(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.view(x.shape[0] // 2, -1) + torch.ones(1, 8)

    program = torch.export.export(Module(), (x_of(6),), dynamic_shapes={"x": {0: torch.export.Dim("d")}}, strict=True)
    return program.graph_module.code


def trained() -> object:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    step = torch.compile(model, backend="aot_eager")
    losses = []
    for rows in (2, 3, 4, 1):
        loss = step(x_of(rows)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def errors() -> object:
    calls = (
        *(lambda: torch.zeros(-1), lambda: torch.ones("a"), lambda: torch.full(3, 1.0), lambda: torch.zeros_like(1)),
        *(lambda: torch.ones(4).view(3, -1), lambda: torch.ones(4).view(size=3)),
        *(lambda: torch.ones(2).expand(3), lambda: torch.ones(4).narrow(0, 3, 4)),
    )
    return [failure(call) for call in calls]


def failure(call: Callable[[], Any]) -> object:
    try:
        return call()
    except Exception as error:  # which one is what is looked at
        lines = traceback.extract_tb(error.__traceback__)
        return type(error), str(error), [(line.filename, line.lineno) for line in lines]


def symbolic_numbers() -> object:
    """What symbolic ints and floats answer, with the lines that their guards come from."""
    from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv

    def program(x: torch.Tensor) -> object:
        n, m = x.shape
        asked = n % 2 == 0, n * m > 12, n // 3 == m, n == 6, max(n, m) == n, (n / 2) > 1.5, abs(n - m) + 1 == 3
        return [bool(a) for a in asked]

    with FakeTensorMode(shape_env=ShapeEnv()) as mode:
        context = torch.fx.experimental.symbolic_shapes.StatelessSymbolicContext([DimDynamic.DYNAMIC] * 2)
        x = mode.from_tensor(x_of(6), symbolic_context=context)
        found = program(x)
    assert mode.shape_env is not None
    return found, [(str(g.expr), str(g.sloc)) for g in mode.shape_env.guards]


OWN: dict[str, Program] = {
    **{f"handed: {name}": (lambda make=make: handed(make, used=False)) for name, make in VALUES.items()},
    **{f"passed on: {name}": (lambda make=make: handed(make, used=True)) for name, make in VALUES.items()},
    "disabled": lambda: disabled(recursive=True),
    "disabled, not recursively": lambda: disabled(recursive=False),
    **{
        function.__name__: function
        for function in (
            *(identities, warning_of_user, warning_in_graph, warnings_of_torch, backend_that_warns),
            *(broken_graph, refused, data_dependent, checked, recompiles, upstream_int, compiled_subclass),
            *(methods, subclasses_with_methods, symbolically_traced, parameters, compiled_parameters, carried_modules),
            *(compiled_in_modes, stack_above, scripted, explained, strict_export, trained, errors, symbolic_numbers),
        )
    },
}


# Running them, and telling what was seen.


class Kept(logging.Handler):
    """Keeps what torch logs: guards with their lines, recompiles, graph breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if text := record.getMessage():  # without one it is an event for tools, of which some come once a process
            self.texts.append(text)


@contextmanager
def logged() -> Iterator[list[str]]:
    kept, loggers = Kept(), [x for x in map(logging.getLogger, logging.root.manager.loggerDict) if not x.propagate]
    loggers = [*loggers, logging.getLogger("torch")]
    for logger in loggers:
        logger.addHandler(kept)
    try:
        yield kept.texts
    finally:
        for logger in loggers:
            logger.removeHandler(kept)


def plain(value: object) -> object:
    """The value as text, tensors with their numbers."""
    if isinstance(value, torch.Tensor):
        numbers = value.tolist() if type(value) is torch.Tensor and value.device.type == "cpu" else "…"
        return f"{type(value).__name__} {value.dtype} {tuple(value.shape)} {numbers}"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)


_PER_PROCESS = re.compile(
    r"0x[0-9a-f]+|\d{7,}|\d+\.\d+ (ms|s|us)\b|((?<=<eval_with_key>\.)|(?<=_dict___)|(?<=_c))\d+\b"
)
"""Addresses, times, and the numbers that torch gives to what it makes."""


def seen(program: Program) -> object:
    """What there is to see of a program, without what differs from process to process."""
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as warned, logged() as texts:
        warnings.simplefilter("always")
        try:
            result = plain(program())
        except Exception as error:
            result = [type(error).__name__, str(error)]
    told = [(w.category.__name__, str(w.message), w.filename, w.lineno) for w in warned]
    text = json.dumps([result, told, texts])
    text = re.sub(
        r"0x[0-9a-f]+|\d{7,}|\d+\.\d+ (ms|s|us)\b|(?<=<eval_with_key>\.)\d+|(?<=_dict___)\d+|(?<=_c)\d+\b", "#", text
    )
    return json.loads(text)


def everything() -> dict[str, object]:
    """Each program by its name; the first one before Dynamo forgets what it had compiled."""
    programs: dict[str, Program] = {"compiled before": compiled_before}
    for call, function in CALLS.items():
        programs.update({f"{call}: {way}": (lambda f=function, run=run: run(f)) for way, run in WAYS.items()})
    programs.update(OWN)
    found = {}
    for name, program in programs.items():
        found[name] = seen(program)
        dynamo.reset()
    return found


HOMES = {"torch": torch, "Tensor": torch.Tensor, "functional": torch.nn.functional, "nn": torch.nn, "_C": torch._C}
FIRST = {name: attributes_of(home) for name, home in HOMES.items()}


def _before(x: torch.Tensor) -> torch.Tensor:
    return x + torch.zeros(3) + x.view(3) + x.clone().to(torch.float64).detach() + torch.Tensor.contiguous(x)


BEFORE = torch.compile(_before, backend="eager", fullgraph=True)


def declare() -> list[object]:
    """Declared values, which stay alive, compiled in several ways."""
    from dynconstraints import DynamicFloat, DynamicInt, bind, dynamic_int_constraints, name_dims

    n = DynamicInt(8, name="n", constraints=["n % 4 == 0"])
    x = name_dims(torch.ones(8, 4), {0: n, 1: "m"})
    copied = [x.clone(), x.to(torch.float64), x.t().contiguous(), torch.nn.Parameter(x), copy.deepcopy(x)]
    rate = DynamicFloat(0.5, name="lr")

    def program(x: torch.Tensor, n: int, rate: float) -> torch.Tensor:
        k = bind("k", x.shape[1] * 2, constraints=["k >= 2"])
        return (x.view(n // 4, -1) + x.reshape(n // 4, -1)[:1]).sum(1) * rate * k + torch.ones(n // 4)

    with dynamic_int_constraints(["m >= 2"]):
        torch.compile(program, backend="aot_eager")(x, n, rate)
    return [n, x, rate, *copied]


def main() -> None:
    BEFORE(torch.ones(3))
    alive = declare() if "declared" in sys.argv[1:] else []
    torch._logging.set_logs(guards=True, recompiles=True, graph_breaks=True)
    for name in ("torch", *logging.root.manager.loggerDict):  # what is logged is kept, and printed nowhere
        logging.getLogger(name).handlers.clear()
    json.dump(everything(), sys.stdout)
    del alive


if __name__ == "__main__":
    main()
