"""Every kind of function, argument and module, and calls by chance, against an oracle."""

from __future__ import annotations

import functools
import random

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import (
    ConstraintError,
    ConstraintSystem,
    ConstraintViolationError,
    declare,
)


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def recursive(x, depth):
    return x + (0 if depth == 0 else DECLARED_RECURSIVE(x, depth - 1))


DECLARED_RECURSIVE = declare(recursive, x="n", constraints=["n % 2 == 0"])


def by_position(x, /, y=None, *, z=None):
    return x * 2 if z is None else x + z


async def awaited(x):
    return x * 2


def yielding(x):
    yield x


class Kinds:
    @classmethod
    @declare(x="n", constraints=["n % 2 == 0"])
    def of_class(cls, x):
        return x * 2

    @declare(x="n", constraints=["n % 2 == 0"])
    @staticmethod
    def of_none(x):
        return x * 2


class Undecided(torch.nn.Module):
    @torch.no_grad()
    def forward(self, x):
        return x * 2


EVEN = {"x": "n", "constraints": ["n % 2 == 0"]}
CORNERS = {
    "recursive": lambda c: lambda x: c(DECLARED_RECURSIVE)(x, 2),
    "by position": lambda c: lambda x: c(declare(by_position, **EVEN))(x, z=x),
    "async": lambda c: lambda x: declare(awaited, **EVEN)(x).close(),
    "generator": lambda c: lambda x: list(declare(yielding, **EVEN)(x)),
    "class method": lambda c: c(Kinds.of_class),
    "static method": lambda c: c(Kinds.of_none),
    "decorated forward": lambda c: c(declare(Undecided(), **EVEN)),
    "chain": lambda c: c(torch.nn.Sequential(declare(torch.nn.ReLU(), input="n", constraints=["n % 2 == 0"]))),
    "vmap": lambda c: (
        lambda x: c(lambda y: torch.vmap(declare(lambda v: v * 2, v="n", constraints=["n % 2 == 0"]))(y))(x[None])
    ),
}


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("compiled", [False, True])
def test_every_kind_of_function_is_checked(corner, compiled):
    """In eager and compiled: even sizes run, odd ones are refused."""
    function = CORNERS[corner](functools.partial(torch.compile, backend="eager") if compiled else lambda f: f)
    function(torch.ones(4))
    with pytest.raises(ConstraintViolationError, match="n % 2 == 0"):
        function(torch.ones(3))
    function(torch.ones(6))


def test_one_tensor_for_two_parameters_views_of_one_base_and_other_layouts():
    """Names are by what was passed, however it lies in memory."""
    counter = CompileCounterWithBackend("eager")
    added = torch.compile(
        declare(lambda x, y: x * 2 + y, x="b h", y="b h", constraints=["h % 4 == 0", "b >= 2", "h >= 4"]),
        backend=counter,
    )
    for b, h in [(2, 8), (3, 12), (4, 16)]:
        base = torch.ones(2 * b, h)
        added(base[:b], base[b:])
        added(torch.ones(h, b).t(), torch.ones(b, h))
    assert counter.frame_count == 2  # one a layout
    for b, h in [(2, 8), (3, 12), (4, 16)]:
        both = torch.ones(b, h)
        added(both, both)
    assert counter.frame_count == 3
    with pytest.raises(ConstraintViolationError):
        added(torch.ones(4, 7)[:2], torch.ones(4, 7)[2:])


def test_numbers_of_numpy_ragged_and_sparse_tensors_and_bools():
    """What has the size is checked; what has none, or is no number, is told."""
    times = declare(lambda x, n: x * n, x="k", n="n", constraints=["n <= 3"])
    numpy = pytest.importorskip("numpy")
    assert times(torch.ones(3), numpy.int64(3)).sum() == 9
    with pytest.raises(ConstraintViolationError):
        times(torch.ones(3), numpy.int64(4))
    with pytest.raises(ConstraintError, match="n is declared as a tensor, an int or a float, and is of type bool"):
        times(torch.ones(3), True)
    declare(lambda x: x * 2, x="b d")(torch.eye(3).to_sparse())
    ragged = torch.nested.nested_tensor([torch.ones(2, 4), torch.ones(3, 4)], layout=torch.jagged)
    torch.compile(declare(lambda x: x * 2, x="b _ d", constraints=["d % 4 == 0"]), backend="eager")(ragged)
    for target in (declare(lambda x: x * 2, x="b s d"), torch.compile(declare(lambda x: x * 2, x="b s d"))):
        with pytest.raises(ConstraintError, match="dimension 1 is ragged"):
            target(ragged)


def test_names_that_only_expressions_tell_are_checked_by_compiled_calls():
    """Of two sizes that each allow some values of the names, together none."""
    declared = declare(lambda x, y: (x * 2, y * 2), x="a*b", y="a+b", constraints=["2 <= a <= 9", "2 <= b <= 9"])
    compiled = torch.compile(declared, backend="eager", dynamic=True)
    for function in (compiled, declared):
        function(torch.ones(12), torch.ones(7))
        function(torch.ones(10), torch.ones(7))
        with pytest.raises(ConstraintViolationError):
            function(torch.ones(13), torch.ones(7))


@pytest.mark.parametrize("is_first", [False, True])
def test_modules_of_a_class_of_torch_keep_their_declarations_apart(is_first):
    """All that torch wraps in a frame of its own share one code object; also where one was compiled before."""
    declared, plain = torch.nn.ReLU(), torch.nn.ReLU()
    compiled, other = (torch.compile(m, backend="eager", dynamic=True) for m in (declared, plain))
    if is_first:
        compiled(torch.ones(3))
    declare(declared, input="n", constraints=["n % 2 == 0"])
    for size in (3, 5):
        other(torch.ones(size))
        compiled(torch.ones(size + 1))
        with pytest.raises(ConstraintViolationError, match="n % 2 == 0"):
            compiled(torch.ones(size))


def test_calls_are_checked_where_torch_does_not_compile_them_anew():
    """Under a stance, and beyond the recompile limit."""
    compiled = torch.compile(declare(lambda x, k: x * k, **EVEN), backend="eager")
    compiled(torch.ones(4), 1)
    with torch.compiler.set_stance("eager_on_recompile"), pytest.raises(ConstraintViolationError):
        compiled(torch.ones(3), 1)
    with torch._dynamo.config.patch(recompile_limit=1):
        for k in ("0", "1", "2"):
            compiled(torch.ones(4), float(k) + 0.5)
        with pytest.raises(ConstraintViolationError):
            compiled(torch.ones(3), 9.5)


# Against an oracle: Python's own arithmetic on the sizes.

_PROGRAMS = (
    lambda x, y, n: x * 2 + n,
    lambda x, y, n: (x.sum(0), y.sum(-1) * n),
    lambda x, y, n: x if y.shape[0] > 3 else y,
    lambda x, y, n: torch.cat((x.flatten(), y.flatten()))[: x.shape[0]] + n,
)
_SHAPES = [("b h", "b h"), ("b h", "h b"), ("b 2*h", "h"), ("b h+1", "b h"), ("... h", "b h"), ("b _", "b+h 3")]
_RULES = ["h % 2 == 0", "b <= h", "n <= b", "n % 2 == h % 2", "h in {2, 3, 4, 6}", "b*h <= 20", "h == 2*n"]


def _sizes(shape: str, values: dict[str, int], rng: random.Random) -> list[int]:
    made = []
    for word in shape.split():
        if word == "...":
            made += [rng.randint(1, 3) for _ in range(rng.randint(0, 2))]
        else:
            made.append(rng.randint(1, 4) if word == "_" else eval(word, {}, values))
    if rng.random() < 0.2:
        made[rng.randrange(len(made))] += 1
    return made


def _fits(shapes: tuple[str, str], tensors: tuple[torch.Tensor, ...], n: int, rules: list[str]) -> bool:
    """Whether some values of the names make all of it true: tried one by one."""
    for b in range(12):
        for h in range(14):
            values = {"b": b, "h": h, "n": n}
            if all(_is(shape, t, values) for shape, t in zip(shapes, tensors, strict=True)) and all(
                eval(rule, {}, values) for rule in rules
            ):
                return True
    return False


def _is(shape: str, tensor: torch.Tensor, values: dict[str, int]) -> bool:
    words, sizes = shape.split(), list(tensor.shape)
    if words[0] == "...":
        words, sizes = words[1:], sizes[len(sizes) - len(words) + 1 :]
    return len(words) == len(sizes) and all(
        word == "_" or eval(word, {}, values) == size for word, size in zip(words, sizes, strict=True)
    )


def _outcome(function, *args):
    """The result, or the error: of a program that the sizes don't suit its class."""
    try:
        return function(*args)
    except ConstraintError as error:
        return error
    except (RuntimeError, IndexError) as error:
        return type(error)


@pytest.mark.parametrize("seed", range(24))
def test_calls_are_refused_just_where_no_values_of_the_names_allow_them(seed):
    """In eager, in compiled code with fresh tensors each step, and with the results of eager."""
    rng = random.Random(seed)
    program, shapes = rng.choice(_PROGRAMS), rng.choice(_SHAPES)
    rules = rng.sample(_RULES, rng.randint(0, 2))
    declared = declare(program, x=shapes[0], y=shapes[1], n="n", constraints=ConstraintSystem(rules))
    compiled = torch.compile(declared, backend="eager", dynamic=rng.choice([None, True]))
    with torch._dynamo.config.patch(recompile_limit=64):
        for _ in range(12):
            values = {"b": rng.randint(1, 5), "h": rng.randint(1, 6)}
            tensors = tuple(torch.randn(_sizes(shape, values, rng)) for shape in shapes)
            n = rng.randint(1, 5)
            allowed = _fits(shapes, tensors, n, rules)
            outcomes = [_outcome(function, *tensors, n) for function in (program, declared, compiled)]
            refused = [isinstance(outcome, ConstraintError) for outcome in outcomes]
            told = (shapes, rules, [tuple(t.shape) for t in tensors], n, outcomes)
            assert refused == [False, not allowed, not allowed], told
            if allowed:
                torch.testing.assert_close(outcomes[2], outcomes[0], msg=str(told))
