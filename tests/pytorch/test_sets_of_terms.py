"""A set or range whose elements are terms, in a compiled program: right results, and no size that a guard refuses."""

import pytest
import torch

from dynconstraints import dynamic_int_constraints, explain, name_dims

SIZES = ((64, 64), (64, 5), (5, 5), (128, 70))


def test_a_size_that_is_one_of_two_terms_compiles_for_either() -> None:
    """The first term is not taken for the size."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list) -> object:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(lambda x, y: x.sum() + y.sum(), backend=backend)
    for s, t in SIZES:
        with dynamic_int_constraints(["s in {align_up(t, 64), t}"]):
            x, y = name_dims(torch.ones(s), {0: "s"}), name_dims(torch.ones(t), {0: "t"})
            assert compiled(x, y).item() == s + t
    assert len(graphs) <= 2


@pytest.mark.parametrize(
    ("constraint", "sizes"),
    [
        ("n in {align_up(n, 8), 13}", (13, 16, 24)),
        ("n in {n // 4 * 4, 6}", (6, 8, 12)),
        ("n in range(n % 3, 40, 3)", (7, 9, 20)),
        ("n not in {align_up(n, 8), 13}", (7, 9, 14)),
        ("not n not in {n * n, 5, 7}", (5, 7)),
    ],
)
def test_every_size_that_the_constraint_allows_is_served(constraint: str, sizes: tuple[int, ...]) -> None:
    """By what is compiled for the first."""
    compiled = torch.compile(lambda x: x * 2, backend="eager", fullgraph=True)
    for size in sizes:
        x = name_dims(torch.ones(size), {0: "n"}, constraints=[constraint, "n >= 2"])
        assert compiled(x).shape == (size,)
    report = explain(lambda x: x * 2, name_dims(torch.ones(sizes[0]), {0: "n"}, constraints=[constraint, "n >= 2"]))
    assert report.covers_domain is True
