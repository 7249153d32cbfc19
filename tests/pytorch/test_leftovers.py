"""Values that a call leaves behind, for the next call to find: declared ones that it stored, and its results."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from dynconstraints import ConflictingBindingError, DynamicFloat, DynamicInt, name_dims
from dynconstraints.pytorch.values.named_dims import named_dims


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


VALUES: dict[str, Callable[[int], Any]] = {
    "float": lambda i: DynamicFloat(0.1 / 2**i, name="v", constraints=["0.0 < v <= 0.1"]),
    "int": lambda i: DynamicInt(64 + 32 * i, name="v", constraints=["v % 32 == 0"]),
    "expression": lambda i: DynamicInt(64 + 32 * i, name="v") * 2 + 1,
    "tensor": lambda i: name_dims(torch.ones(8 * i + 8), {0: "v"}, constraints=["v % 8 == 0"]),
}
"""One value a call, each another one under the same name."""


def used(value: Any, x: torch.Tensor) -> torch.Tensor:
    return x * value.sum() if isinstance(value, torch.Tensor) else x * value


STORED = 0
"""What `a_global` writes."""


def a_global() -> Callable[..., Any]:
    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        global STORED
        STORED = value
        return used(value, x)

    return step


def a_dict() -> Callable[..., Any]:
    kept = {"a": 0, "b": 1}

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        for key, old in kept.items():
            if old is not None:
                kept[key] = value
        return used(kept["b"], x)

    return step


def a_list() -> Callable[..., Any]:
    kept = [0, 1]

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        kept.reverse()
        kept[0] = kept[-1] = value
        return used(kept[0], x)

    return step


def a_list_filled_anew() -> Callable[..., Any]:
    kept = [0]

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        kept.clear()
        kept.append(value)
        return used(kept[0], x)

    return step


def an_attribute() -> Callable[..., Any]:
    kept = SimpleNamespace(value=0)

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        kept.value = value
        return used(kept.value, x)

    return step


def a_module() -> Callable[..., Any]:
    module = torch.nn.Module()
    module.value = 0  # type: ignore[assignment]

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        module.value = value
        return used(module.value, x)

    return step


def a_variable() -> Callable[..., Any]:
    kept: Any = 0

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept = value
        return used(kept, x)

    return step


def an_argument() -> Callable[..., Any]:
    state: dict[str, Any] = {"a": 0, "b": [0, (1,)]}

    def inner(state: dict[str, Any], value: Any, x: torch.Tensor) -> torch.Tensor:
        state["a"] = value
        state["b"][0] = value
        state["b"][1] = (value,)
        return used(state["a"], x)

    inner.state = state  # type: ignore[attr-defined]
    return inner


STORES = [a_global, a_dict, a_list, a_list_filled_anew, an_attribute, a_module, a_variable, an_argument]


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("store", STORES, ids=lambda store: store.__name__)
def test_a_value_that_the_frame_writes_over_is_no_second_one(store: Callable[..., Any], kind: str) -> None:
    """As in eager, step by step, and in a bounded number of graphs."""
    step, make, counter = store(), VALUES[kind], CompileCounter()
    compiled = torch.compile(step, backend=counter)
    state = (step.state,) if hasattr(step, "state") else ()  # type: ignore[attr-defined]
    for i in range(5):
        x = torch.ones(2)
        assert torch.equal(compiled(*state, make(i), x), used(make(i), x))
        assert counter.frame_count <= 2


@pytest.mark.parametrize(
    ("kind", "way"),
    [*((kind, "computed with") for kind in VALUES), *((kind, "decided by") for kind in VALUES if kind != "tensor")],
)
def test_a_value_that_the_frame_uses_is_one(kind: str, way: str) -> None:
    """Of the call before and of this one: the name has two values, and the message shows both."""
    kept: dict[str, Any] = {}

    def step(value: Any, x: torch.Tensor) -> torch.Tensor:
        old = kept.get("v", value)
        kept["v"] = value
        if way == "decided by":
            return x + 1 if old > 0.01 else x
        return used(old, x)

    compiled, make = torch.compile(step, backend="eager"), VALUES[kind]
    assert torch.equal(compiled(make(0), torch.ones(2)), step(make(0), torch.ones(2)))
    kept["v"] = make(0)
    with pytest.raises(ConflictingBindingError, match="v has two values in one call"):
        compiled(make(1), torch.ones(2))


def test_a_training_step_sets_the_learning_rate_of_its_optimizer() -> None:
    """As torch's schedulers do; Dynamo looks at all that is in the groups."""
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)

    @torch.compile(backend="eager")
    def step(lr: float, gradient: torch.Tensor) -> None:
        for group in optimizer.param_groups:
            group["lr"] = lr
        weight.grad = gradient
        optimizer.step()

    expected = 1.0
    for lr in (0.1, 0.05, 0.025, 0.0125):
        step(DynamicFloat(lr, name="lr", constraints=["0.0 < lr <= 0.1"]), torch.ones(1))
        expected -= lr
        assert weight.item() == pytest.approx(expected)


# Results.


def broken(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    print(end="")
    return y


def broken_twice(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    print(end="")
    z = torch.zeros_like(y)
    y = y + z
    print(end="")
    return y[: y.shape[0]]


def made_in_the_break(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    torch._dynamo.graph_break()
    return outside(y)


@torch._dynamo.disable
def outside(y: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(y) + torch.ones_like(y)[:]


def raising(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    KEPT.append(y)
    print(end="")
    raise ValueError(x.shape)


KEPT: list[torch.Tensor] = []


@pytest.mark.parametrize("function", [broken, broken_twice, made_in_the_break, raising])
def test_results_of_a_broken_function_are_as_undeclared_as_those_of_another(function: Callable[..., Any]) -> None:
    """What it named for its own rest has no name for whoever calls it, and conflicts with nothing later."""
    compiled, results = torch.compile(function, backend="eager"), []
    for n in (8, 16, 24):
        with suppress(ValueError):
            KEPT[:] = [compiled(name_dims(torch.ones(n), {0: "n"}))]
        results.append(KEPT[-1])
    assert [named_dims(result) for result in results] == [None] * 3
    total = torch.compile(lambda *given: sum(x.sum() for x in given), backend="eager")
    assert total(*results).item() == sum(x.sum().item() for x in results)
    assert total(*results, name_dims(torch.ones(5), {0: "n"})).item() == sum(x.sum().item() for x in results) + 5


def test_ints_of_a_broken_function_are_undeclared_as_well() -> None:
    """What it returns of them, and what it computed of them in the break."""

    def ints(n: int, x: torch.Tensor) -> tuple[Any, ...]:
        m = n * 2
        y = x + m
        print(end="")
        return m, m + 1, torch.zeros(m), y

    compiled = torch.compile(ints, backend="eager")
    results = [compiled(DynamicInt(n, name="n"), torch.ones(4)) for n in (8, 16)]
    for (m, more, zeros, y), n in zip(results, (8, 16), strict=True):
        assert (m, more, zeros.shape[0], y[0].item()) == (2 * n, 2 * n + 1, 2 * n, 2 * n + 1)
        assert getattr(m, "declaration", None) is getattr(more, "declaration", None) is None
    total = torch.compile(lambda a, b, x: x * a + b, backend="eager")
    assert total(results[0][0], results[1][1], torch.ones(1)).item() == 16 + 33


def test_a_users_own_names_outlast_the_call() -> None:
    """Of an argument that is handed back, and of a tensor that the user named in the break himself."""

    @torch._dynamo.disable
    def naming(y: torch.Tensor) -> torch.Tensor:
        return name_dims(y, {1: "m"})

    def function(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = x * 2
        return x, naming(y)

    compiled = torch.compile(function, backend="eager")
    for n in (8, 16):
        x, y = compiled(name_dims(torch.ones(n, 3), {0: "n"}))
        (of_x, of_y) = named_dims(x), named_dims(y)
        assert of_x is not None
        assert of_x.declaration.bindings == {"n": n}
        assert of_y is not None
        assert of_y.declaration.bindings == {"m": 3}


def test_a_call_within_a_call_ends_by_itself() -> None:
    """A compiled function that another one calls in its break returns what has no names, and takes none from it."""
    inner = torch.compile(broken, backend="eager")

    def function(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        y = x + 1
        seen.append(calling(y))
        torch._dynamo.graph_break()
        return (y, *seen)

    @torch._dynamo.disable
    def calling(y: torch.Tensor) -> torch.Tensor:
        results = [inner(y), inner(name_dims(torch.ones(5), {0: "k"}))]
        assert [named_dims(result) for result in results] == [None, None]
        named = named_dims(y)
        assert named is not None
        assert named.declaration.names == ("n",)
        return results[0]

    compiled = torch.compile(function, backend="eager")
    for n in (8, 16):
        seen: list[torch.Tensor] = []
        assert [named_dims(result) for result in compiled(name_dims(torch.ones(n), {0: "n"}))] == [None, None]
