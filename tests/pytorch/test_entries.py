"""What is in force is checked by every call of a compiled function, whichever graph, stance or frame serves it."""

import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch._dynamo import config
from torch._dynamo.testing import CompileCounter
from torch._dynamo.utils import counters

from dynconstraints import (
    ConflictingBindingError,
    ConstraintError,
    ConstraintViolationError,
    DynamicFloat,
    DynamicInt,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.pytorch.declarations import moments, validate_input
from dynconstraints.pytorch.values import named_dims
from dynconstraints.pytorch.values.carried_names import received

ALIGNED = dynamic_int_constraints(["h % 32 == 0"])


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    return torch.compile(function, **{"backend": "eager", "dynamic": True, **options})


def named(size: int, name: str = "h") -> torch.Tensor:
    return name_dims(torch.ones(size), {0: name})


# Declared after the compilation.


class Module(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kept", torch.ones(64))

    def forward(self) -> torch.Tensor:
        return self.kept.sum()


def _as_global() -> torch.Tensor:
    return GLOBAL[0].sum()


GLOBAL = [torch.ones(64)]


def _passed(pass_it: Callable[[Any, Any], Any], function: Callable[..., Any]) -> Callable[[], Callable[[Any], Any]]:
    """A maker of functions that pass a value to the compiled function in some way."""

    def make() -> Callable[[Any], Any]:
        served = compiled(function)
        return lambda value: pass_it(served, value)

    return make


def _buffer() -> Any:
    module = Module()
    served = compiled(module)

    def call(value: torch.Tensor) -> Any:
        module.kept = value
        return served()

    return call


def _global() -> Any:
    served = compiled(_as_global)

    def call(value: torch.Tensor) -> Any:
        GLOBAL[0] = value
        return served()

    return call


def _closure() -> Any:
    inner = torch.ones(64)

    def call(value: torch.Tensor) -> Any:
        nonlocal inner
        inner = value
        return served()

    served = compiled(lambda: inner.sum())
    return call


WAYS: dict[str, Callable[[], Callable[[torch.Tensor], Any]]] = {
    "argument": _passed(lambda f, x: f(x), lambda x: x.sum()),
    "keyword": _passed(lambda f, x: f(x=x), lambda x: x.sum()),
    "*args": _passed(lambda f, x: f(x), lambda *xs: xs[0].sum()),
    "**kwargs": _passed(lambda f, x: f(x=x), lambda **xs: xs["x"].sum()),
    "unused argument": _passed(lambda f, x: f(torch.ones(2), x), lambda y, x: y.sum()),
    "list": _passed(lambda f, x: f([x]), lambda xs: xs[0].sum()),
    "nested": _passed(lambda f, x: f({"a": ([x],)}), lambda xs: xs["a"][0][0].sum()),
    "view": _passed(lambda f, x: f(x[None]), lambda x: x.sum()),
    "resumed frame": _passed(lambda f, x: f(x), lambda x: (print(end=""), x.sum())[1]),
    "module's buffer": _buffer,
    "global": _global,
    "closure": _closure,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_tensor_named_after_the_compilation_is_checked(way: str) -> None:
    """The graph that was made for it without names does not serve sizes that break a block."""
    call = WAYS[way]()
    for size in (64, 65, 66):
        call(torch.ones(size))
    with ALIGNED:
        call(torch.ones(67))  # of a tensor without names it says nothing
        with pytest.raises(ConstraintViolationError):
            call(named(65))
        call(named(96))
        with pytest.raises(ConstraintViolationError):
            call(named(97))
    call(named(97))


def _returned(x: torch.Tensor) -> torch.Tensor:
    return x


def _of_constants(x: torch.Tensor) -> int:
    return 1


def _broken_in_a_loop(x: torch.Tensor) -> torch.Tensor:
    for _ in range(2):
        print(end="")
    return x


def _compiled_too_often(x: torch.Tensor) -> torch.Tensor:
    return x.sum()


@pytest.mark.parametrize("function", [_returned, _of_constants, _broken_in_a_loop, _compiled_too_often])
def test_a_function_that_torch_never_asks_about_again_is_checked(function: Callable[..., Any]) -> None:
    """Given up for good before anything was declared: a call is refused all the same, also after one that is not."""
    options = {"dynamic": False} if function is _compiled_too_often else {}
    with config.patch(recompile_limit=1):
        f = compiled(function, **options)
        for size in (64, 65, 66):
            f(torch.ones(size))
        with ALIGNED:
            for size in (65, 65, 96, 97):
                with nullcontext() if size == 96 else pytest.raises(ConstraintViolationError):
                    f(named(size))


def test_a_number_named_after_the_compilation_is_checked() -> None:
    """Also where it is one of torch's own dynamic integers that the graph was made for."""
    upstream = torch.fx.experimental.sym_node.DynamicInt
    for first in (64, upstream(64), DynamicInt(64), 64.0, DynamicFloat(64.0)):
        make = DynamicFloat if isinstance(first, float) else DynamicInt
        f = compiled(lambda n: torch.ones(1) * n)
        f(first)
        text = "h < 64.5" if make is DynamicFloat else "h % 32 == 0"
        with dynamic_int_constraints([text]), pytest.raises(ConstraintViolationError):
            f(make(65, name="h"))


def test_a_second_argument_named_later_brings_its_relations() -> None:
    """A relation between two arguments, and two values of one name, as a fresh function sees them."""
    f = compiled(lambda x, y: x.sum() + y.sum())
    for size in (7, 8):
        f(named(64, "a"), torch.ones(size))
    with dynamic_int_constraints(["a == h"]):
        f(named(64, "a"), torch.ones(9))
        with pytest.raises(ConstraintViolationError, match="a == h"):
            f(named(64, "a"), named(65))
    g, n = compiled(lambda x, n: x * n), DynamicInt(64, name="n")
    g(torch.ones(64), n)
    with pytest.raises(ConflictingBindingError, match="n has two values in one call: 65 and 64"):
        g(named(65, "n"), n)


@pytest.mark.parametrize("way", ["argument", "closure"])
def test_a_name_that_no_frame_meets_is_solved_for_in_each_call(way: str) -> None:
    """``n == c*c`` holds where some c makes it true, in the first call and in the later ones."""
    held = [9]
    f = compiled((lambda n, x: x * n) if way == "argument" else (lambda _, x: x * held[0]))
    with dynamic_int_constraints(["n == c*c"]):
        for value, is_square in ((9, True), (10, False), (16, True), (17, False), (16, True)):
            held[0] = DynamicInt(value, name="n")
            given = held[0] if way == "argument" else None
            with nullcontext() if is_square else pytest.raises(ConstraintViolationError, match="no c is left"):
                assert f(given, torch.ones(1)).item() == value


# Served by something else than a graph.


@pytest.mark.parametrize(
    "stance",
    [
        "default",
        "force_eager",
        "eager_on_recompile",
        "fail_on_recompile",
        "eager_then_compile",
        "aot_eager_then_compile",
        "disabled by config",
    ],
)
@pytest.mark.parametrize("before", ["nothing", "undeclared", "declared"])
def test_a_block_holds_under_every_stance(stance: str, before: str) -> None:
    """Whoever runs the function, and whatever ran before."""
    f = compiled(lambda x: x * 2)
    if before != "nothing":
        f(named(64) if before == "declared" else torch.ones(65))
    setting = config.patch(disable=True) if stance.startswith("disabled") else torch.compiler.set_stance(stance)
    with ALIGNED, setting:
        for _ in range(3):
            with pytest.raises(ConstraintViolationError):
                f(named(17))
    with ALIGNED, torch.compiler.set_stance("force_eager"):
        assert torch.equal(f(named(32)), torch.full((32,), 2.0))


def test_a_refusal_leaves_torch_as_it_was() -> None:
    """The settings that a call of a compiled function changes for its time are put back."""
    f = compiled(lambda x: x * 2, fullgraph=True)
    f(torch.ones(64))
    state = torch._C._dynamo.eval_frame.get_eval_frame_callback

    def settings() -> tuple[Any, ...]:
        return config.assume_static_by_default, config.automatic_dynamic_shapes, state()

    before = settings()
    with ALIGNED, pytest.raises(ConstraintViolationError):
        f(named(65))
    assert settings() == before
    assert torch.equal(f(torch.ones(64)), torch.full((64,), 2.0))


def looping(x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    for i in range(3):  # in which no function of Python's is called that torch could be asked about instead
        x = x + 1
        if steps[i].item() > 1:
            x = x * 2
    return x


def through(x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    return looping(x, steps) * 2


@pytest.mark.parametrize("function", [looping, through])
@pytest.mark.parametrize("first", ["declared", "undeclared"])
def test_a_frame_that_torch_gives_up_is_looked_at_once_and_checked_always(
    function: Callable[..., Any], first: str
) -> None:
    """A graph break in a loop: no call traces the frame again, and none escapes the declaration."""
    steps = torch.arange(3)
    f = compiled(function, dynamic=None)
    f(named(64) if first == "declared" else torch.ones(65), steps)
    f(named(96), steps)
    frames = counters["frames"]["total"]
    with ALIGNED:
        for size in range(32, 32 * 21, 32):
            assert torch.equal(f(named(size), steps), function(torch.ones(size), steps))
        with torch.compiler.set_stance("fail_on_recompile"):
            f(named(64), steps)
    assert counters["frames"]["total"] == frames
    for _ in range(2):
        with ALIGNED, pytest.raises(ConstraintViolationError):
            f(named(65), steps)
        f(named(64), steps)
    assert counters["frames"]["total"] <= frames + 2  # who is refused has torch look again, once
    torch._dynamo.reset()
    f(named(64), steps)
    assert counters["frames"]["total"] > frames


# What costs those that declare nothing nothing.

UNTOUCHED = """
import torch, torch._dynamo, dynconstraints
from torch._dynamo import eval_frame

f = torch.compile(lambda x: x * 2, backend="eager")
f(torch.ones(3))
plain = eval_frame._callback_from_stance
with dynconstraints.dynamic_int_constraints(["n > 2"]):
    f(torch.ones(3))
dynconstraints.DynamicInt(3)
assert eval_frame._callback_from_stance is plain and plain.__module__ == "torch._dynamo.eval_frame"
assert not hasattr(plain, "__wrapped__")
dynconstraints.name_dims(torch.ones(3), {0: "n"})
assert eval_frame._callback_from_stance.__wrapped__ is plain
with torch.compiler.set_stance("fail_on_recompile"):
    f(torch.ones(3))
"""


def test_until_a_value_is_declared_no_call_is_looked_at() -> None:
    """The first one puts the check in, and what was compiled before is served as before."""
    done = subprocess.run([sys.executable, "-c", UNTOUCHED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "declare",
    [
        lambda: DynamicInt(3, name="first"),
        lambda: DynamicInt(3, constraints=["first > 2"]),
        lambda: DynamicFloat(3.0, name="first"),
        lambda: name_dims(torch.ones(3), {0: "first"}),
        lambda: name_dims(torch.ones(6), {0: "2*first"}),
        lambda: pickle.loads(pickle.dumps(DynamicInt(3, name="first") * 2)),
        lambda: received(torch.ones, (3,), {}),
    ],
)
def test_whatever_declares_first_has_calls_checked(declare: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to declare a value counts as the first."""
    done: list[bool] = []
    for part in ("_has_come", "_is_over"):
        monkeypatch.setattr(moments.FIRST_DECLARATION, part, False)
    validate_input.declared.cache_clear()
    named_dims._remembered.clear()
    moments.FIRST_DECLARATION.wait(lambda: done.append(True))
    assert not done
    declare()
    assert done == [True]
    moments.FIRST_DECLARATION.wait(lambda: done.append(True))
    assert done == [True, True]


def test_names_cost_one_graph_however_a_tensor_got_them() -> None:
    """Views, tensors made with declared sizes and tensors named as such are served by one graph, in any order."""
    n = DynamicInt(64, name="h")
    made: list[Callable[[], torch.Tensor]] = [
        lambda: named(64),
        lambda: torch.ones(n),
        lambda: name_dims(torch.ones(64, 2), {0: "h"}).view(64, 2)[:, 0].contiguous(),
        lambda: named(64).view(64),
    ]
    for order in (made, made[::-1]):
        torch._dynamo.reset()
        counter = CompileCounter()
        f = torch.compile(lambda x: x * 2, backend=counter)
        for make in order:
            f(make())
        assert counter.frame_count == 1


# Histories against an evaluator of its own.

BLOCKS: dict[str, Callable[..., bool]] = {
    "a % 4 == 0": lambda a: a % 4 == 0,
    "a == b": lambda a, b: a == b,
    "a + 2 <= n": lambda a, n: a + 2 <= n,
    "n == c*c": lambda n, c: n == c * c,
    "a == 2*d": lambda a, d: a == 2 * d,
    "b - a == 3*e": lambda a, b, e: b - a == 3 * e,
    "a > b": lambda a, b: a > b,
}


def expected(bindings: list[tuple[str, int]], texts: list[str]) -> str | None:
    """What a call that binds names is to raise; found by trying."""
    values: dict[str, int] = {}
    for name, value in bindings:
        if values.setdefault(name, value) != value:
            return "ConflictingBindingError"
    if not values:
        return None
    free = sorted({n for t in texts for n in BLOCKS[t].__code__.co_varnames} - values.keys())
    return None if _some(texts, values, free) else "ConstraintViolationError"


def _some(texts: list[str], values: dict[str, int], free: list[str]) -> bool:
    """Whether some values of the free names satisfy all texts."""
    if not free:
        return all(BLOCKS[t](**{n: values[n] for n in BLOCKS[t].__code__.co_varnames}) for t in texts)
    return any(
        _some(texts, {**values, free[0]: value}, free[1:])
        for value in range(-40, 41)
        if all(
            BLOCKS[t](**{n: {**values, free[0]: value}[n] for n in BLOCKS[t].__code__.co_varnames})
            for t in texts
            if set(BLOCKS[t].__code__.co_varnames) <= {*values, free[0]}
        )
    )


PROGRAMS: list[Callable[..., torch.Tensor]] = [
    lambda x, y, n: x.sum() * n + y.sum(),
    lambda x, y, n: y.sum() + x.sum() * n,
    lambda x, y, n: y.sum() - n,
    lambda x, y, n: (print(end=""), x.sum() * n - y.sum())[1],
    lambda x, y, n: x.sum() + y.sum() if n > 6 else x.sum() - y.sum(),
]


def _tensor(size: int, name: str | None) -> torch.Tensor:
    x = torch.ones(size)
    return x if name is None else name_dims(x, {0: name})


@pytest.mark.parametrize("seed", range(400 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 5))
def test_a_history_of_calls_has_no_say_in_what_a_call_may_do(seed: int) -> None:
    """With and without names, blocks and stances: each call raises what it is to raise, or gives eager's result."""
    choose = random.Random(seed)
    program = PROGRAMS[seed % len(PROGRAMS)]
    f = compiled(program, dynamic=choose.choice([True, None]))
    refused = 0
    with config.patch(recompile_limit=64, accumulated_recompile_limit=256):
        for _ in range(25):
            x, y = (choose.choice([4, 6, 8, 9]) for _ in "xy")
            n = choose.choice([4, 8, 9, 10])
            names = [choose.choice([None, None, "a", "b"]) for _ in "xy"]
            number = choose.choice([None, "n", "a"])
            texts = choose.sample(list(BLOCKS), choose.choice([0, 1, 2]))
            stance = choose.choice(["default", "default", "force_eager", "eager_on_recompile"])
            bound = [(name, v) for name, v in zip([*names, number], (x, y, n), strict=True) if name is not None]
            arguments = _tensor(x, names[0]), _tensor(y, names[1]), n if number is None else DynamicInt(n, name=number)
            try:
                with dynamic_int_constraints(texts) if texts else nullcontext(), torch.compiler.set_stance(stance):
                    result = f(*arguments)
                raised = None
            except ConstraintError as error:
                raised = type(error).__name__
            if not texts or _some(texts, {}, sorted({v for t in texts for v in BLOCKS[t].__code__.co_varnames})):
                assert raised == expected(bound, texts), (bound, texts, stance)
            if raised is None:
                assert torch.equal(result, program(torch.ones(x), torch.ones(y), n))
            refused += raised is not None
    assert refused
