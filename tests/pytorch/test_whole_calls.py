"""Calls of torch that stay whole in the graph and read their numbers when it runs: eager's bits, in one graph."""

from __future__ import annotations

import os
import re

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled
from torch._inductor.utils import run_and_get_code
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint

from dynconstraints import DynamicFloat, DynamicInt, name_dims

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)

made = torch.Generator().manual_seed(0)
rows, others = torch.randn(6, 5, generator=made), torch.randn(6, 5, generator=made)
image = torch.rand(2, 4, 6, 6, generator=made)
batch, wide = torch.randn(2, 6, 3, generator=made), torch.randn(2, 3, 5, generator=made)
classes = torch.tensor([0, 4, 1, 2, 2, 1])
VALUES = (0.3, 1.0, 2.0, 0.9999999999999999, 2.5)

CALLS = {
    "std": lambda x, a: x.std(-1, correction=a) + torch.std(x, correction=a),
    "var": lambda x, a: torch.var(input=x, dim=[0, 1], correction=a, keepdim=True),
    "vector norm": lambda x, a: torch.linalg.vector_norm(x, a, -1),
    "norm": lambda x, a: torch.norm(x, a) + x.norm(p=a, dim=1),
    "normalize": lambda x, a: F.normalize(x, p=a, eps=a / 9),
    "cdist": lambda x, a: torch.cdist(x, others, p=a),
    "pairwise distance": lambda x, a: F.pairwise_distance(x, others, a, a / 9),
    "dist": lambda x, a: torch.dist(x, others, a),
    "renorm": lambda x, a: torch.renorm(x, a, 0, a),
    "quantile": lambda x, a: torch.quantile(x, a / 3, dim=0) + x.quantile(a / 3, interpolation="nearest"),
    "nanquantile": lambda x, a: x.nanquantile(a / 3, dim=1, keepdim=True),
    "logit": lambda x, a: torch.logit(x.sigmoid(), eps=a / 9),
    "cosine similarity": lambda x, a: F.cosine_similarity(x, others, dim=0, eps=a),
    "cosine embedding": lambda x, a: F.cosine_embedding_loss(x, others, classes.sign() * 2 - 1, margin=a / 3),
    "hinge": lambda x, a: F.hinge_embedding_loss(x, others.sign(), margin=a),
    "ranking": lambda x, a: F.margin_ranking_loss(x, others, others.sign(), margin=a),
    "multi margin": lambda x, a: F.multi_margin_loss(x, classes, margin=a),
    "triplet": lambda x, a: F.triplet_margin_loss(x, others, others + 1, margin=a, p=a + 1),
    "poisson": lambda x, a: F.poisson_nll_loss(x.exp(), others.abs(), log_input=False, eps=a),
    "local response": lambda x, a: F.local_response_norm(image * x[0, 0], 2, alpha=a, beta=a, k=a),
    "lp pool": lambda x, a: F.lp_pool2d(image * x[0, 0], a, 2),
    "rounded down": lambda x, a: (x.detach() // a) * x + torch.floor_divide(x.detach(), a),
    "close": lambda x, a: torch.isclose(x, others, rtol=a, atol=a) * x,
    "sum of products": lambda x, a: torch.addbmm(x, batch, wide, beta=a, alpha=a + 1),
    "trapezoid": lambda x, a: torch.trapezoid(x, dx=a),
    "xlog1py": lambda x, a: torch.special.xlog1py(x.abs(), a),
    "buckets": lambda x, a: x * torch.bucketize(a, torch.arange(4.0)),
    "index add": lambda x, a: x.index_add(0, torch.tensor([1, 1]), others[:2], alpha=a),
    "index fill": lambda x, a: x.index_fill(1, torch.tensor([1, 2]), a),
    "scatter": lambda x, a: x.scatter(0, classes[None, :5], a),
    "in place": lambda x, a: (x * 1).renorm_(a, 0, a).index_fill_(1, classes[:1], a).scatter_(1, classes[:, None], a),
    "weights of classes": lambda x, a: F.cross_entropy(x, classes, others[0].abs(), label_smoothing=a / 3),
    "shares of classes": lambda x, a: F.cross_entropy(x, others.softmax(1), label_smoothing=a / 3),
    "size": lambda x, a: F.normalize(x.view(x.shape[0], -1), a) * x.norm(a),
}


def same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """The same type and bits, but for those of NaN."""
    return found.dtype == expected.dtype and torch.equal(found.nan_to_num(7.0), expected.nan_to_num(7.0))


def outcome(run, a, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    """What it gives, and the gradient."""
    x = rows.to(dtype, copy=True).requires_grad_()
    found = run(x, a)
    return [found.detach(), *torch.autograd.grad(found.sum(), x)]


@pytest.mark.parametrize("name", CALLS)
def test_one_graph_gives_eagers_bits_forward_and_backward(name: str):
    """For orders and shares that eager has kernels of their own for, and for others."""
    compiled = Compiled(CALLS[name], backend="aot_eager")
    for value in VALUES:
        found, expected = outcome(compiled, DynamicFloat(value, name="a")), outcome(CALLS[name], value)
        assert all(map(same, found, expected)), value
    assert compiled.graphs == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_too(dtype: torch.dtype):
    """Powers and normalizations of groups, which are written out in other types, round as eager does."""
    for program in (
        lambda x, a: x.abs() ** a,
        lambda x, a: a**x,
        lambda x, a: F.group_norm(x[:, :, None], 5, eps=a),
        lambda x, a: x.std(correction=a),
    ):
        compiled = Compiled(program, backend="aot_eager")
        for value in VALUES:
            found, expected = outcome(compiled, DynamicFloat(value), dtype), outcome(program, value, dtype)
            assert all(map(same, found, expected)), value
        assert compiled.graphs == 1


@pytest.mark.inductor
def test_under_inductor_between_what_it_fuses():
    """With an operand that a kernel of its makes, in another order of strides, and gradients that one takes."""

    def program(x, a):
        return (torch.linalg.vector_norm((x * a).t(), a * 2, 0) * 3 + x.std(correction=a / 4)).sin()

    compiled = Compiled(program, backend="inductor")
    for value in VALUES:
        for found, expected in zip(outcome(compiled, DynamicFloat(value)), outcome(program, value), strict=True):
            torch.testing.assert_close(found, expected)
    assert compiled.graphs == 1


@pytest.mark.inductor
def test_what_can_be_written_out_is_one_kernel_of_inductors():
    """Forward and backward each, with nothing called whole; the results are eager's within rounding."""

    def program(x, a):
        made = torch.add(F.leaky_relu(x, a).abs() ** a, others, alpha=a).clamp(max=a)
        return made.lerp(others, a) * a

    (_, gradients), codes = run_and_get_code(lambda: outcome(torch.compile(program), DynamicFloat(0.3)))
    torch.testing.assert_close(gradients, outcome(program, 0.3)[1])
    kernels = [set(re.findall(r"cpp_fused_\w+", code)) for code in codes]
    assert [len(found) for found in kernels] == [1, 1]
    assert not any("whole_call" in code for code in codes)


FUSED = {
    "layer norm": lambda x, a: F.layer_norm(x, (5,), others[0], others[1], a),
    "rms norm": lambda x, a: F.rms_norm(x, (5,), others[0], a),
    "group norm": lambda x, a: F.group_norm(x[None, :], 2, eps=a)[0],
    "batch norm": lambda x, a: F.batch_norm(x[None], None, None, training=True, eps=a)[0],
    "huber": lambda x, a: x + F.huber_loss(x, others, delta=a),
    "smooth l1": lambda x, a: x + F.smooth_l1_loss(x, others, beta=a),
    "cross entropy": lambda x, a: x + F.cross_entropy(x, classes, label_smoothing=a / 2),
    "elu": lambda x, a: F.elu(x, a),
    "celu": lambda x, a: F.celu(x, a) + torch.celu(x, a),
    "softplus": lambda x, a: F.softplus(x, a, a),
    "threshold": lambda x, a: F.threshold(x, a, a),
    "shrunk": lambda x, a: F.hardshrink(x, a) + F.softshrink(x, a),
    "padded": lambda x, a: F.pad(x, (1, 2), value=a)[:, :5],
    "no nan": lambda x, a: torch.nan_to_num(x, a),
    "product": lambda x, a: torch.addmm(x, others, others[:5], beta=a, alpha=a),
    "filled": lambda x, a: x.masked_fill(others > 0, a),
}


@pytest.mark.inductor
def test_layers_are_fused_by_inductor():
    """Each with the next one, and nothing is called whole; what is collected of a batch is eager's within rounding."""

    def program(x, a):
        for layer in FUSED.values():
            x = layer(x.sin(), a) * a
        mean, variance = torch.zeros(5), torch.ones(5)
        x = F.batch_norm(x, mean, variance, training=True, momentum=a, eps=a)
        return torch.cat([x, mean[None], variance[None]])

    found, codes = run_and_get_code(lambda: outcome(torch.compile(program), DynamicFloat(0.3)))
    torch.testing.assert_close(found, outcome(program, 0.3))
    assert not any("whole_call" in code for code in codes)


@pytest.mark.parametrize("name", FUSED)
def test_inside_of_vmap_layers_are_one_graph(name: str):
    """Written out, which may round in another way."""
    many = torch.stack([rows, others, rows * 2])
    program = lambda a: torch.vmap(lambda x: FUSED[name](x, a))(many)  # noqa: E731
    compiled = Compiled(program)
    for value in (0.3, 0.5, 0.9):
        torch.testing.assert_close(compiled(DynamicFloat(value)), program(value))
    assert compiled.graphs == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda x, y, a: torch.add(x, y, alpha=a),
        lambda x, y, a: x.sub(y, alpha=a),
        lambda x, y, a: torch.rsub(x, y, alpha=a),
        lambda x, y, a: torch.lerp(x, y, a),
        lambda x, y, a: torch.addmm(x, rows, rows[:5], beta=a) + y,
        lambda x, y, a: torch.addbmm(x, batch, wide, alpha=a) + y,
        lambda x, y, a: torch.addcmul(x, others, others, value=a) + y,
        lambda x, y, a: x.index_add(0, classes[:2], others[:2], alpha=a) + y,
        lambda x, y, a: F.pad(x, (1, -1), value=a) + y,
        lambda x, y, a: torch.trapezoid(x, dx=a)[:, None] + y,
        lambda x, y, a: x.masked_fill(others > 0, a) + y,
    ],
)
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_what_no_gradient_reads_may_be_written_over(call, backend: str):
    """After the call and before its backward, as in eager."""

    def gradients(run, a):
        leaves = [rows.clone().requires_grad_(), others.clone().requires_grad_()]
        x, y = (v * 1 for v in leaves)
        found = run(x, y, a).square()
        with torch.no_grad():
            x.zero_(), y.zero_()
        return torch.autograd.grad(found.sum(), leaves)

    compiled = Compiled(call, backend=backend)
    for value in (0.3, 2.5):
        assert all(map(torch.equal, gradients(compiled, DynamicFloat(value)), gradients(call, value)))
    assert compiled.graphs == 1


def test_what_is_written_over_is_kept_for_its_gradient():
    """Of the calls that Dynamo takes apart as well."""

    def program(x, a):
        y = x * 1
        return y.addcmul_(x, x, value=a).addcdiv_(x, others + 9, value=a).add_(x, alpha=a).pow_(a + 2).clamp_(max=a)

    compiled = Compiled(program)
    for value in VALUES:
        assert all(map(same, outcome(compiled, DynamicFloat(value)), outcome(program, value))), value
    assert compiled.graphs == 1


def test_sizes_may_change_as_well():
    """Dimensions with names, also as arguments."""

    def program(x, a):
        return torch.norm(x.reshape(1, x.shape[0] * 5), a) + x.std(correction=a)

    compiled = Compiled(program, backend="aot_eager")
    for n, value in ((6, 0.5), (4, 1.5), (5, 3.0)):
        x = name_dims(rows[:n].clone(), {0: "n"}, constraints=["2 <= n <= 99"])
        assert torch.equal(compiled(x, DynamicFloat(value)), program(rows[:n], value))
    assert compiled.graphs == 1


def test_a_size_may_be_an_argument():
    """One that changes, beside the number."""
    program = lambda n, a: F.local_response_norm(image, n, alpha=a)  # noqa: E731
    compiled = Compiled(program)
    for n, value in ((2, 0.5), (3, 1.5), (4, 3.0)):
        assert torch.equal(compiled(DynamicInt(n), DynamicFloat(value)), program(n, value))


def test_what_a_call_writes_into_is_written_into():
    """It is left to torch, with the number as a constant."""

    def program(a):
        found = torch.zeros(())
        torch.norm(rows, a, out=found)
        return found

    compiled = Compiled(program, fullgraph=False)
    for value in (0.5, 3.0):
        assert torch.equal(compiled(DynamicFloat(value)), program(value))


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_gives_is_no_view(name: str):
    """Of what it is given: torch takes results of custom operators for new tensors."""
    for value in VALUES:
        x = rows.clone()
        assert CALLS[name](x, value).untyped_storage().data_ptr() != x.untyped_storage().data_ptr()


def test_what_eager_refuses_is_refused_with_its_words():
    """By a graph that was made for what it takes."""
    compiled = Compiled(lambda a: rows.quantile(a))
    compiled(DynamicFloat(0.5))
    with pytest.raises(RuntimeError, match=r"q must be in the range \[0, 1\]"):
        compiled(DynamicFloat(1.5))


def test_a_gradient_has_a_gradient():
    """Where the backend leaves it to eager."""

    def penalty(x, a):
        (found,) = torch.autograd.grad(program(x, a).sum(), x, create_graph=True)
        return torch.autograd.grad(found.square().sum(), x)[0]

    for program in (lambda x, a: torch.linalg.vector_norm(x, a, -1), lambda x, a: F.normalize(x, a)):
        compiled = Compiled(program)
        for value in (1.5, 3.0):
            x = rows.clone().requires_grad_()
            expected = penalty(x, value)
            eager, program = program, compiled
            assert torch.equal(penalty(x, DynamicFloat(value)), expected)
            program = eager


def test_inside_of_transforms_a_number_is_a_constant():
    """No rule for batches is needed: each value is compiled for, and right."""
    program = lambda a: torch.vmap(lambda x: torch.linalg.vector_norm(x, a))(rows)  # noqa: E731
    compiled = Compiled(program)
    for value in (0.5, 3.0):
        assert torch.equal(compiled(DynamicFloat(value)), program(value))
    assert compiled.graphs == 2


def test_autocast_is_left_to_torch():
    """It may cast what a call is given."""

    def program(a):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return torch.norm(rows @ others.t(), a)

    compiled = Compiled(program)
    for value in (0.5, 3.0):
        found = compiled(DynamicFloat(value))
        assert found.dtype == program(value).dtype
        assert torch.equal(found, program(value))


def test_activations_can_be_recomputed():
    """Inside of a checkpoint, a graph of its own in the graph."""

    def program(x, a):
        return checkpoint(lambda z: torch.linalg.vector_norm(z.sin(), a), x, use_reentrant=False)

    compiled = Compiled(program, backend="aot_eager")
    for value in VALUES:
        assert all(map(same, outcome(compiled, DynamicFloat(value)), outcome(program, value)))
    assert compiled.graphs == 1


def test_the_operations_keep_the_rules_of_custom_operators():
    """By torch's own checks: schema, fake results, registration of gradients, and under AOTAutograd with sizes."""
    Compiled(lambda a: rows.norm(a))(DynamicFloat(0.5))  # registers them
    whole = torch.ops.dynconstraints.whole_call
    x, number = rows.clone().requires_grad_(), torch.tensor(1.5, dtype=torch.float64)
    for call, tensors, sizes in (
        ("torch.cdist(t[0], t[1], n[0])", [x, others], []),
        ("t[0].view(s[0], 5).norm(n[0], 1)", [x], [6]),
    ):
        torch.library.opcheck(whole.default, (call, tensors, [number], sizes))
    arguments = rows.new_ones(6), [True], "t[0].norm(n[0], 1)", [rows], [number], []
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")  # it refuses to have a gradient
    torch.library.opcheck(torch.ops.dynconstraints.whole_call_backward.default, arguments, test_utils=checks)


q, k, v = (torch.randn(2, 4, 16, 8, generator=made) for _ in range(3))
mask = torch.randn(16, 16, generator=made)
SCALES = (0.1, 1.5, 2.25, 0.0, -0.7, 1e-300)

ATTENTION = {
    "plain": lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, scale=a),
    "causal": lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=a),
    "masked": lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, mask > 0, scale=a),
    "biased": lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, mask.to(q.dtype), scale=a),
    "learnt bias": lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, q[0, 0] @ k[0, 0].t(), scale=a),
    "groups": lambda q, k, v, a: F.scaled_dot_product_attention(q, k[:, :2], v[:, :2], scale=a, enable_gqa=True),
    "three dimensions": lambda q, k, v, a: F.scaled_dot_product_attention(q[0], k[0], v[0], scale=a),
    "heads last": lambda q, k, v, a: F.scaled_dot_product_attention(
        *(z.transpose(1, 2).contiguous().transpose(1, 2) for z in (q, k, v)), scale=a
    ),
    "dropout": lambda q, k, v, a: F.scaled_dot_product_attention(q, k, v, dropout_p=0.3, scale=a),
}


def attended(run, a, dtype: torch.dtype) -> list[torch.Tensor]:
    torch.manual_seed(0)
    leaves = [z.to(dtype, copy=True).requires_grad_() for z in (q, k, v)]
    found = run(*leaves, a)
    return [found.detach(), *torch.autograd.grad(found.square().sum(), leaves)]


@pytest.mark.parametrize("name", ATTENTION)
@pytest.mark.parametrize("dtype", DTYPES if NIGHTLY else (torch.float32, torch.bfloat16))
def test_attention_is_eagers_to_the_bit(name: str, dtype: torch.dtype):
    """By whichever kernel eager has for it, forward and backward."""
    compiled = Compiled(ATTENTION[name], backend="aot_eager")
    for scale in SCALES:
        found, expected = (
            attended(f, a, dtype) for f, a in ((compiled, DynamicFloat(scale)), (ATTENTION[name], scale))
        )
        assert all(map(same, found, expected)), scale
    assert compiled.graphs == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_without_a_fused_kernel(dtype: torch.dtype):
    """Where the program asks for that one."""

    def program(q, k, v, a):
        with sdpa_kernel(SDPBackend.MATH):
            return F.scaled_dot_product_attention(q, k, v, scale=a)

    compiled = Compiled(program, backend="aot_eager")
    for scale in SCALES:
        results = (attended(f, a, dtype) for f, a in ((compiled, DynamicFloat(scale)), (program, scale)))
        assert all(map(same, *results)), scale
    assert compiled.graphs == 1


def test_sizes_of_attention_may_change_as_well():
    """Dimensions with names, and a mask of them."""

    def program(q, k, v, bias, a):
        return F.scaled_dot_product_attention(q, k, v, bias, scale=a) + F.scaled_dot_product_attention(q, k, v, scale=a)

    compiled = Compiled(program, backend="aot_eager")
    for n, scale in ((16, 0.5), (4, 1.5), (5, 3.0)):
        tensors = [z[:, :, :n].clone() for z in (q, k, v)]
        named = [name_dims(z.clone(), {2: "n"}, constraints=["2 <= n <= 99"]) for z in tensors]
        bias = name_dims(mask[:n, :n].clone(), {0: "n", 1: "n"}, constraints=["2 <= n <= 99"])
        found = compiled(*named, bias, DynamicFloat(scale))
        assert torch.equal(found, program(*tensors, mask[:n, :n], scale))
    assert compiled.graphs == 1


def test_attention_inside_of_transforms():
    """Scaled beforehand, in one graph."""
    program = lambda a: torch.vmap(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=a))(q, k, v)  # noqa: E731
    compiled = Compiled(program)
    for scale in (0.1, 0.9):
        torch.testing.assert_close(compiled(DynamicFloat(scale)), program(scale))
    assert compiled.graphs == 1


def test_attention_under_autocast():
    """In the type that autocast computes in."""

    def program(q, k, v, a):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return F.scaled_dot_product_attention(q, k, v, mask, scale=a)

    compiled = Compiled(program, backend="aot_eager")
    for scale in (0.1, 1.5):
        results = (attended(f, a, torch.float32) for f, a in ((compiled, DynamicFloat(scale)), (program, scale)))
        assert all(map(same, *results)), scale
    assert compiled.graphs == 1
