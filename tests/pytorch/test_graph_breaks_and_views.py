"""Names where values change hands: from graph to graph across a break, from a tensor to its views."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled

from dynconstraints import ConstraintViolationError, DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.values.named_dims import named_dims

SIZES = (64, 48, 128, 32, 96)
CONSTRAINTS = ["n % 16 == 0", "n >= 32"]


def given(n: int) -> tuple[DynamicInt, torch.Tensor]:
    tensor = torch.arange(float(4 * n), dtype=torch.float64)
    return DynamicInt(n, name="n", constraints=CONSTRAINTS), name_dims(tensor, {0: "4*n"})


def arguments_again(n: int, x: torch.Tensor) -> torch.Tensor:
    y = x.view(-1, n).sum()
    dynamo.graph_break()
    return y + x.view(-1, n)[:, : n // 2].sum()


def an_int_computed_before(n: int, x: torch.Tensor) -> torch.Tensor:
    m = 2 * n
    y = x.view(-1, n).sum()
    dynamo.graph_break()
    return y + x[:m].sum() * (1 if m % 32 == 0 else 2)


def a_size_taken_before(n: int, x: torch.Tensor) -> torch.Tensor:
    h, y = x.shape[0] + n, x * 2
    dynamo.graph_break()
    return y.view(-1, 8).sum(0) * (1 if h % 16 == 0 else 2)


def a_view_made_before(n: int, x: torch.Tensor) -> torch.Tensor:
    y = x.view(-1, n)
    dynamo.graph_break()
    return y[:, : n // 2].sum(1)


def a_tensor_computed_before(n: int, x: torch.Tensor) -> torch.Tensor:
    y = torch.cat([x, x[:n]]) * 2
    dynamo.graph_break()
    return y.view(-1, 8).sum(0)


def into_another_function(n: int, x: torch.Tensor) -> torch.Tensor:
    def inner(n: int, x: torch.Tensor) -> torch.Tensor:
        dynamo.graph_break()
        return x.view(-1, n).sum(1)

    return inner(n, x * 2) + inner(n, x)


@pytest.mark.parametrize(
    ("program", "graphs"),
    [
        (arguments_again, 2),
        (an_int_computed_before, 2),
        (a_size_taken_before, 2),
        (a_view_made_before, 2),
        (a_tensor_computed_before, 2),
        (into_another_function, 4),
    ],
)
def test_one_graph_a_frame_under_the_declared_facts(program: Callable[..., torch.Tensor], graphs: int) -> None:
    """No frame asks for divisibility: what the first graph computes reaches the next under its names."""
    compiled = Compiled(program, fullgraph=False)
    for n in SIZES:
        assert torch.equal(compiled(*given(n)), program(n, given(n)[1]))
    assert compiled.graphs == graphs
    assert not any("%" in guard for guards in compiled.guards for guard in guards)
    plain = torch.arange(416.0, dtype=torch.float64)
    assert torch.equal(compiled(104, plain), program(104, plain))


def test_gradients_flow_across_a_break() -> None:
    """The named intermediate is the graph's own output, with its history."""
    compiled = Compiled(a_tensor_computed_before, fullgraph=False, backend="aot_eager")
    for n in SIZES[:3]:
        (m, x), (_, y) = given(n), given(n)
        compiled(m, x.requires_grad_()).square().sum().backward()
        a_tensor_computed_before(n, y.requires_grad_()).square().sum().backward()
        assert torch.equal(x.grad, y.grad)
    assert compiled.graphs == 2


def test_an_argument_that_comes_back_is_left_as_the_user_made_it() -> None:
    """relu_ returns the user's plain tensor; the graph's names for it stay inside."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        y = x.relu_()
        dynamo.graph_break()
        return y + n

    n, x = DynamicInt(4, name="n"), torch.ones(4)
    assert torch.equal(Compiled(program, fullgraph=False)(n, x), torch.ones(4) + 4)
    assert named_dims(x) is None


def test_plain_values_inside_a_foreign_block_meet_no_names_of_the_compiled_frame() -> None:
    """The frame was compiled under a name n; a block that speaks of another n must not judge plain values."""
    compiled = Compiled(a_tensor_computed_before, fullgraph=False)
    compiled(*given(64))
    with dynamic_int_constraints(["n <= 40"]):
        plain = torch.arange(256.0, dtype=torch.float64)
        assert torch.equal(compiled(64, plain), a_tensor_computed_before(64, plain))
        with pytest.raises(ConstraintViolationError, match="n <= 40"):
            compiled(*given(64))


def halved_or_whole(x: torch.Tensor, n: int) -> torch.Tensor:
    y = x.view(-1, 2).sum(1) if n % 2 == 0 else x
    dynamo.graph_break()
    y = y * 2
    dynamo.graph_break()
    return y + n


def the_second_after_a_break(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x = x * 2
    dynamo.graph_break()
    return x.sum() + y.sum()


def a_size_handed_on(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    n = x.shape[0] + 1
    x = x * 2
    dynamo.graph_break()
    return y.sum() * n


def test_the_rest_of_a_function_names_what_comes_to_it_as_the_code_before_does() -> None:
    """The graph of the rest, made for a tensor of n, serves one of n // 2, too, and that is none of n."""
    compiled = Compiled(halved_or_whole, fullgraph=False)
    with dynamic_int_constraints(["1 <= n <= 9"]):
        for n in (7, 6, 5, 8):
            x = torch.arange(float(n))
            assert torch.equal(compiled(name_dims(x, {0: "n"}), DynamicInt(n, name="n")), halved_or_whole(x, n))


@pytest.mark.parametrize("program", [the_second_after_a_break, a_size_handed_on])
@pytest.mark.parametrize("others", [("m", "n"), ("w", "n"), ("w", None), (None, "n"), ("n", "n"), (None, None)])
def test_a_graph_that_serves_other_names_gives_none_of_its_own(
    program: Callable[..., torch.Tensor], others: tuple[str | None, ...]
) -> None:
    """Names are what the call declares, not what the one did that the graph was made for."""
    compiled = Compiled(program, fullgraph=False)

    def given(*names: str | None) -> list[torch.Tensor]:
        sizes = (7, 7) if names[0] == names[1] else (6, 5)
        tensors = [torch.arange(float(size)) for size in sizes]
        return [x if n is None else name_dims(x, {0: n}) for n, x in zip(names, tensors, strict=True)]

    with dynamic_int_constraints(["n >= 3", "m >= 3", "w >= 3"]):
        for names in (("n", "m"), others, ("n", "m")):
            assert torch.equal(compiled(*given(*names)), program(*given(*names)))


def terms(tensor: torch.Tensor) -> dict[int, str]:
    record = named_dims(tensor)
    return {} if record is None else {i: t.id for i, t in record.dims.items()}


@pytest.mark.parametrize(
    ("view", "kept"),
    [
        (lambda x: x, {0: "b", 1: "h", 2: "w"}),
        (lambda x: x.permute(0, 3, 1, 2), {0: "b", 2: "h", 3: "w"}),
        (lambda x: x.transpose(1, 2), {0: "b", 1: "w", 2: "h"}),
        (lambda x: x[:, :, 3:], {0: "b", 1: "h"}),
        (lambda x: x[0], {0: "h", 1: "w"}),
        (lambda x: x.flatten(1, 2), {0: "b"}),
        (lambda x: x.view(2, 14, -1), {0: "b", 1: "h"}),
        (lambda x: x.view(2, 2, 7, 3, 7, 8), {0: "b"}),
        (lambda x: x.unsqueeze(0)[..., :4], {1: "b", 2: "h", 3: "w"}),
        (lambda x: x.flatten(), {}),
        (lambda x: x.unfold(1, 7, 7), {0: "b", 2: "w"}),
        (lambda x: x.as_strided((14, 21), (0, 0)), {}),
        (lambda x: x * 1, {}),
        (lambda x: x.clone().view(2, 14, 21, 8), {0: "b", 1: "h", 2: "w"}),
    ],
)
def test_a_view_keeps_the_names_of_the_dimensions_that_it_takes_over(
    view: Callable[[torch.Tensor], torch.Tensor], kept: dict[int, str]
) -> None:
    """The same steps over the same memory, as many of them; everything else is a new size."""
    x = name_dims(torch.randn(2, 14, 21, 8), {0: "b", 1: "h", 2: "w"})
    assert terms(view(x)) == kept


def test_a_view_made_in_eager_is_compiled_under_the_names_that_it_keeps() -> None:
    """Alone, beside its base, and again as a tensor of its own."""

    def program(y: torch.Tensor, x: torch.Tensor | None = None) -> torch.Tensor:
        windows = y.reshape(y.shape[0], -1, 7).sum(2)
        return windows if x is None else windows + x.view(x.shape[0], x.shape[1] // 7, -1).sum()

    def images(h: int, w: int) -> tuple[torch.Tensor, torch.Tensor]:
        whole = name_dims(torch.randn(2, h, w, 8), {1: "h", 2: "w"}, constraints=["h % 7 == 0", "w % 7 == 0"])
        return whole.permute(0, 3, 1, 2)[:, 1:], whole

    for beside in (False, True):
        compiled = Compiled(program)
        for h, w in ((14, 21), (21, 28), (28, 35)):
            part, whole = images(h, w)
            arguments = (part, whole) if beside else (part,)
            torch.testing.assert_close(compiled(*arguments), program(*arguments))
        assert compiled.graphs == 1
        assert not any("%" in guard for guard in compiled.guards[0])
        part, whole = images(14, 21)
        own = (part.clone().contiguous(), whole.clone()) if beside else (torch.empty_like(part).copy_(part),)
        torch.testing.assert_close(compiled(*own), program(*own))
