"""What a compiled function's graph knows of its results reaches the next one, and disagrees with nothing."""

from __future__ import annotations

import itertools
import random

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import ConstraintViolationError, declare, dynamic_int_constraints, explain, name_dims
from dynconstraints.pytorch.values.named_dims import named_dims
from dynconstraints.pytorch.values.result_dims import is_result

RULES = ["s % 8 == 0", "8 <= s <= 512", "2 <= b <= 64"]
SIZES = [(2, 64), (3, 8), (4, 512), (5, 16), (2, 8)]


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def stacked(x):
    return torch.stack([x, x * 2], -1), x.sum(1)


def pooled(h, v):
    return h.view(h.shape[0], -1, 8, 2).sum(2), v + 1


def compiled(function, **options):
    counter = CompileCounterWithBackend(options.pop("backend", "eager"))
    return torch.compile(function, backend=counter, **options), counter


def encoder(**options):
    return compiled(declare(stacked, x="b s", constraints=RULES), **options)


@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.inductor)])
def test_functions_in_a_row_are_one_graph_each(backend):
    """Nothing is said of the second and the third; undeclared the second takes two."""
    first, one = encoder(backend=backend)
    second, two = compiled(pooled, backend=backend)
    third, three = compiled(lambda p: p.view(p.shape[0], -1) * 2, backend=backend)
    for b, s in SIZES:
        x = torch.randn(b, s)
        h, v = first(x)
        p, w = second(h, v)
        expected = pooled(*stacked(x))
        torch.testing.assert_close(p, expected[0])
        torch.testing.assert_close(w, expected[1])
        torch.testing.assert_close(third(p), expected[0].view(b, -1) * 2)
    assert (one.frame_count, two.frame_count, three.frame_count) == (1, 1, 1)


def test_a_block_that_gets_its_own_results_is_one_graph():
    """As the layers of a model that are compiled one by one; its names don't grow from layer to layer."""
    first, _ = encoder()
    block, counter = compiled(lambda h: torch.relu(h) + h.view(h.shape[0], -1, 8, 2).sum())
    for b, s in SIZES:
        h, _ = first(torch.randn(b, s))
        for _ in range(3):
            h = block(h)
        report = explain(block, h, backend="eager")
    assert counter.frame_count == 1
    assert report.covers_domain is True
    names = {name for graph in report.graphs for name in str(graph).split() if "." in name and "stacked" in name}
    assert not names


def test_results_of_different_calls_disagree_about_nothing():
    """Each result has names of its own: a batch against an older one is no conflict, and equal ones one graph."""
    first, _ = encoder()
    second, counter = compiled(lambda a, b: a[:, :8].sum(1) @ b[:, :8].sum(1).t())
    held = [first(torch.randn(b, s))[0] for b, s in SIZES]
    for one, other in itertools.permutations(held, 2):  # one tensor as both is another graph, as ever
        expected = one[:, :8].sum(1) @ other[:, :8].sum(1).t()
        torch.testing.assert_close(second(one, other), expected)
    assert counter.frame_count == 1
    added, counter = compiled(lambda a, b: a + b)
    for one in held:
        added(one, one * 2)
        added(one, first(torch.randn(*one.shape[:2]))[0])
    with pytest.raises(Exception, match="must match"):
        added(held[0], held[1])


def test_a_graph_made_for_results_serves_nothing_else_wrongly():
    """What is no result, and breaks the rules, has a graph of its own, and no error."""
    first, _ = encoder()
    second, counter = compiled(lambda h: h.view(h.shape[0], -1, 4, 2).sum(2) if h.shape[1] % 8 == 0 else h * 3)
    h, _ = first(torch.randn(2, 64))
    second(h)
    for shape in ((3, 12, 2), (3, 5, 2), (70, 16, 2), (1, 8, 2), (2, 1024, 2), (2, 0, 2)):
        other = torch.randn(shape)
        expected = other.view(shape[0], -1, 4, 2).sum(2) if shape[1] % 8 == 0 and shape[1] else other * 3
        if shape[1]:
            torch.testing.assert_close(second(other), expected)
    graphs = counter.frame_count
    second(torch.randn(9, 24, 2))
    assert counter.frame_count == graphs


def changed_in_place(x):
    return x.add_(1), x * 2


def changed_slice(x):
    x[:, 0] = 1
    return x, x * 2


def changed_by_out(x):
    return torch.mul(x, 2, out=x), x * 2


def views(x):
    return x.t(), x * 2


def itself(x):
    return x, x * 2


@pytest.mark.parametrize("function", [changed_in_place, changed_slice, changed_by_out, itself])
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_what_the_user_passed_in_stays_as_it_was(function, backend):
    """Whether it comes back as it is or changed; what is computed of it is a result."""
    first, _ = compiled(declare(function, x="b s", constraints=RULES), backend=backend)
    x = torch.randn(2, 64)
    same, new = first(x)
    assert named_dims(x) is None
    assert not is_result(x)
    assert not is_result(same) or same is not x
    assert is_result(new)


def test_a_view_of_an_input_and_a_parameter_are_what_they_are():
    """The view is a tensor of its own; the parameter is the module's."""
    first, _ = compiled(declare(views, x="b s", constraints=RULES))
    x = torch.randn(2, 64)
    turned, _ = first(x)
    assert is_result(turned)
    assert not is_result(x)

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(3))
            self.register_buffer("kept", torch.ones(3))

        def forward(self, x):
            return x * 2, self.weight, self.kept

    model = declare(Model(), x="b s", constraints=RULES)
    torch.compile(model, backend="eager")(x)
    assert not is_result(model.weight)
    assert not is_result(model.kept)


def test_a_result_that_was_resized_is_looked_at_anew():
    """What was known of it holds no more; nothing is said then."""
    first, _ = encoder()
    second, _ = compiled(lambda v: v * 2)
    _, v = first(torch.randn(3, 8))
    v.resize_(70).fill_(1.5)  # what is new is not initialised, and may be NaN
    torch.testing.assert_close(second(v), v * 2)
    h, _ = first(torch.randn(3, 8))
    h.resize_(3).fill_(0.5)
    torch.testing.assert_close(second(h), h * 2)


def test_a_declaration_of_the_next_function_stands_alone():
    """Names said at it, or on the tensor, are the user's; there nothing is added, and errors are theirs."""
    first, _ = encoder()
    h, v = first(torch.randn(2, 64))
    second, _ = compiled(declare(lambda v: v * 2, v="n", constraints=["n % 2 == 0"]))
    second(v)
    with pytest.raises(ConstraintViolationError, match="n % 2 == 0"):
        second(first(torch.randn(3, 64))[1])
    name_dims(h, {1: "t"}, constraints=["t <= 600"])
    report = explain(torch.compile(lambda h: h * 2, backend="eager"), h)
    assert "stacked." not in str(report)


def test_what_the_user_made_static_is_static():
    """By ``dynamic=False``, and by `mark_static`."""
    first, _ = encoder()
    static, counter = compiled(lambda v: v * 2, dynamic=False)
    marked, marks = compiled(lambda v: v * 3)
    for b, s in SIZES[:3]:
        _, v = first(torch.randn(b, s))
        static(v)
        torch._dynamo.mark_static(v, 0)
        marked(v)
    assert counter.frame_count == 3
    assert marks.frame_count == 3


def test_a_block_that_tells_guards_hears_of_none_on_results():
    """No declaration of the user's would be the cure."""
    first, _ = encoder()
    second, _ = compiled(lambda a, b: a + b)
    with dynamic_int_constraints(["q % 2 == 0"], on_new_guard="error", on_missing="allow"):
        second(first(torch.randn(2, 64))[1], first(torch.randn(2, 8))[1])


def test_a_program_without_names_gives_results_without_anything():
    """Not even an attribute."""
    first, _ = compiled(stacked)
    for b, s in SIZES[:3]:
        assert not any(is_result(each) for each in first(torch.randn(b, s)))


OPERATIONS = (
    lambda h: h * 2,
    lambda h: torch.cat([h, h], 1),
    lambda h: h[:, ::2].contiguous(),
    lambda h: h.transpose(0, 1).contiguous(),
    lambda h: h.reshape(-1, h.shape[-1]),
    lambda h: torch.nn.functional.pad(h, (0, 3)),
    lambda h: h.unsqueeze(0) + 1,
    lambda h: h.flatten().view(-1, 2),
    lambda h: h.sum(0, keepdim=True),
)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_results_go_through_values_are_eagers(seed):
    """Chains of compiled functions on results of any shape, against the same in eager."""
    choose = random.Random(seed)
    parts = [choose.choice(OPERATIONS) for _ in range(3)]
    first = torch.compile(declare(parts[0], h="b s", constraints=RULES), backend="eager")
    others = [torch.compile(part, backend="eager") for part in parts[1:]]
    for _ in range(4):
        b, s = choose.randint(2, 9), 8 * choose.randint(1, 5)
        expected = found = torch.randn(b, s)
        for eager, each in zip(parts, (first, *others), strict=True):
            expected, found = eager(expected), each(found)
        torch.testing.assert_close(found, expected)
