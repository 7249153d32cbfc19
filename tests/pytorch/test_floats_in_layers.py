"""Normalizations, losses and random layers with a float that changes: one graph, and eager's numbers and refusals."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled

from dynconstraints import DynamicFloat, name_dims

made = torch.Generator().manual_seed(0)
rows, others = torch.randn(6, 5, generator=made), torch.randn(6, 5, generator=made)
image = torch.randn(2, 4, 3, 3, generator=made)
weight, bias, channels = (torch.randn(n, generator=made) for n in (5, 5, 4))
classes = torch.tensor([0, 4, -100, 2, 2, 1])
VALUES = (0.1, 1e-5, 0.30000000000000004, 0.9)

LAYERS = {
    "layer norm": lambda x, a: F.layer_norm(x, (5,), weight, bias, a),
    "layer norm over all": lambda x, a: F.layer_norm(x, x.shape, eps=a),
    "rms norm": lambda x, a: F.rms_norm(x, x.shape[-1:], weight, a),
    "group norm": lambda x, a: F.group_norm(image * x[0, 0], 2, channels, channels, a),
    "batch norm": lambda x, a: F.batch_norm(x, None, None, weight, bias, True, 0.1, a),
    "collected": lambda x, a: F.batch_norm(x, weight, bias.abs(), eps=a),
    "huber": lambda x, a: F.huber_loss(x, others, delta=a),
    "huber, positional": lambda x, a: F.huber_loss(x, others, "none", a),
    "smooth": lambda x, a: F.smooth_l1_loss(x, others, reduction="sum", beta=a),
    "pad": lambda x, a: F.pad(x * 2, (1, -2, 0, 1), value=a),
    "nan to num": lambda x, a: x.log().nan_to_num(a, posinf=a, neginf=-a) * 2,
    "smoothing": lambda x, a: F.cross_entropy(x, classes, label_smoothing=a),
    "smoothing, summed": lambda x, a: F.cross_entropy(x, classes.abs() % 5, None, None, 2, None, "sum", a),
    "smoothing, each": lambda x, a: F.cross_entropy(x, classes, reduction="none", label_smoothing=a),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_graph_serves_all_values_forward_and_backward(name: str, dtype: torch.dtype, monkeypatch):
    """Written out, they are eager's within its own tolerance."""
    space = globals()
    for constant in ("others", "image", "weight", "bias", "channels"):
        monkeypatch.setitem(space, constant, space[constant].to(dtype))
    program, results = LAYERS[name], []
    compiled = Compiled(program, backend="aot_eager")
    for value in VALUES:
        for run, a in ((compiled, DynamicFloat(value, name="a")), (program, value)):
            x = rows.to(dtype).requires_grad_()
            found = run(x, a)
            results.append((found.detach(), *torch.autograd.grad(found.square().sum(), x)))
        torch.testing.assert_close(results.pop(), results.pop())
    assert compiled.graphs == 1


@pytest.mark.parametrize("name", ["layer norm", "rms norm", "batch norm"])
def test_sizes_may_change_as_well(name: str):
    """Dimensions with names, and a float, in one graph."""
    compiled = Compiled(LAYERS[name], backend="eager")
    smoothed = Compiled(lambda x, t, a: F.cross_entropy(x, t, label_smoothing=a), backend="eager")
    for n, value in ((6, 0.1), (4, 0.2), (5, 0.3)):
        x, target = (name_dims(v[:n].clone(), {0: "n"}, constraints=["2 <= n <= 99"]) for v in (rows, classes))
        torch.testing.assert_close(compiled(x, DynamicFloat(value)), LAYERS[name](x, value))
        expected = F.cross_entropy(x, target, label_smoothing=value)
        torch.testing.assert_close(smoothed(x, target, DynamicFloat(value)), expected)
    assert compiled.graphs == smoothed.graphs == 1


def test_batch_norm_collects_what_eager_collects():
    """The running mean and variance, with a momentum that changes too."""

    def program(m, v, a, b):
        return F.batch_norm(image, m, v, training=True, momentum=b, eps=a)

    compiled, collected = Compiled(program), []
    for value in VALUES:
        for run, wrap in ((compiled, DynamicFloat), (program, float)):
            mean, variance = torch.ones(4), torch.ones(4)
            collected.append((run(mean, variance, wrap(value), wrap(value / 2)), mean, variance))
        torch.testing.assert_close(collected.pop(), collected.pop())
    assert compiled.graphs == 1


@pytest.mark.parametrize(
    "program",
    [
        lambda a: F.layer_norm(rows, (4,), eps=a),
        lambda a: F.layer_norm(rows, (5,), channels, eps=a),
        lambda a: F.group_norm(image, 2, weight, eps=a),
        lambda a: F.batch_norm(rows[:1], None, None, training=True, eps=a),
        lambda a: F.batch_norm(rows, channels, channels, eps=a),
        lambda a: F.huber_loss(rows, others, delta=-a),
        lambda a: F.smooth_l1_loss(rows, others, beta=-a),
        lambda a: F.cross_entropy(rows, classes, label_smoothing=a + 1),
        lambda a: torch.empty(3).normal_(0, -a),
        lambda a: torch.empty(3).uniform_(a, 0),
        lambda a: torch.empty(3).bernoulli_(a + 1),
        lambda a: torch.empty(3).exponential_(-a),
    ],
)
def test_what_eager_refuses_is_refused(program):
    """Sizes that do not fit, parameters out of their range."""
    with pytest.raises((RuntimeError, ValueError)):
        program(0.5)
    with pytest.raises((RuntimeError, ValueError)):
        Compiled(program)(DynamicFloat(0.5))


def draws_as_rand_does() -> bool:
    torch.manual_seed(1)
    drawn = torch.empty(100).bernoulli_(0.3)
    torch.manual_seed(1)
    return torch.equal(drawn, (torch.rand(100, dtype=torch.float64) < 0.3).float())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dropout_drops_what_eager_drops(dtype: torch.dtype):
    """For a seed, element by element, and scales to the same bits; channels likewise."""
    if not draws_as_rand_does():
        pytest.skip("this build of torch draws for dropout as it does nowhere else")
    x = torch.randn(2, 3, 8, 8, dtype=dtype)
    for program in (lambda a: F.dropout(x, a), lambda a: F.dropout2d(x, a)):
        compiled = Compiled(program, backend="aot_eager")
        for rate in (0.1, 0.5, 1.0):
            torch.manual_seed(0)
            found = compiled(DynamicFloat(rate))
            torch.manual_seed(0)
            assert torch.equal(found, program(rate))
        assert compiled.graphs == 1


def test_numbers_drawn_within_changing_bounds():
    """As in eager for a seed, within rounding; of the distribution in any case."""
    for program in (
        lambda a: torch.empty(1000).normal_(a, 2 * a),
        lambda a: torch.nn.init.uniform_(torch.empty(1000), -a, a),
        lambda a: torch.empty(1000).exponential_(a),
        lambda a: torch.empty(1000).bernoulli_(a),
        lambda a: F.gumbel_softmax(rows, a),
        lambda a: F.gumbel_softmax(rows, tau=a, hard=True, dim=0),
    ):
        compiled = Compiled(program)
        for value in VALUES:
            torch.manual_seed(0)
            found = compiled(DynamicFloat(value))
            torch.manual_seed(0)
            torch.testing.assert_close(found, program(value))
        assert compiled.graphs == 1


@pytest.mark.parametrize("hard", [False, True])
def test_samples_at_a_temperature_have_eagers_gradients(hard: bool):
    """For a seed."""
    program = lambda x, a: F.gumbel_softmax(x, a, hard)  # noqa: E731
    compiled = Compiled(program, backend="aot_eager")
    for value in VALUES:
        results = []
        for run, a in ((compiled, DynamicFloat(value)), (program, value)):
            torch.manual_seed(0)
            x = rows.clone().requires_grad_()
            found = run(x, a)
            results.append((found.detach(), *torch.autograd.grad((found * others).sum(), x)))
        torch.testing.assert_close(*results)
    assert compiled.graphs == 1
