"""torch's own `dynamic_spec`: the ShapesSpec that the decorator leaves on a function is read as annotations are."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import ConstraintViolationError, declare, explain, signature_of
from dynconstraints.diagnostics.errors import ArgumentError

spec = pytest.importorskip("torch.fx.experimental.dynamic_spec", reason="torch 2.12 and before")


def dynamic_spec(said):
    """As torch 2.15 does it, where this release doesn't."""
    given = getattr(spec, "dynamic_spec", None)
    if given is not None:
        return given(said)

    def decorate(function):
        function._dynamic_spec = said
        return function

    return decorate


B, H, N = spec.ShapeVar("b", min=2, max=64), spec.ShapeVar("h"), spec.IntVar("n", min=1)
OTHER, NAMELESS = spec.ShapeVar("b"), spec.ShapeVar()
RULES = [H % 32 == 0, H >= 32, B + H <= 5000]


@dynamic_spec(
    spec.ShapesSpec(
        {
            "x": spec.TensorSpec([B, H]),
            "y": spec.TensorSpec([B, 2 * H]),
        },
        assumptions=RULES,
    )
)
def both(x, y):
    return x.view(-1, 32).sum(1) * x.shape[1], y * 2


def test_a_spec_is_a_declaration_and_makes_one_graph():
    """Also for names of torch's own: they are backed here, so the facts reach the graph; what it assumes is checked."""
    declared = declare(both)
    signature = signature_of(declared)
    assert {path: str(shape) for path, shape in signature.arguments.items()} == {"x": "b h", "y": "b 2*h"}
    texts = {constraint.text for constraint in signature.system.constraints}
    assert texts == {"b >= 2", "b <= 64", "h % 32 == 0", "h >= 32", "b + h <= 5000"}
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(declared, backend=counter, fullgraph=True)
    for b, h in ((2, 64), (3, 96), (4, 32)):
        x, y = torch.randn(b, h), torch.randn(b, 2 * h)
        torch.testing.assert_close(compiled(x, y), both(x, y))
    assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        compiled(torch.randn(2, 33), torch.randn(2, 66))
    assert explain(compiled, torch.randn(2, 64), torch.randn(2, 128)).covers_domain is True


def test_texts_stand_over_a_spec_and_constraints_beside_it():
    """By the path; the constraints of both hold."""
    signature = signature_of(declare(both, x="b 2*k", constraints=["k <= 512"]))
    assert str(signature.arguments["x"]) == "b 2*k"
    assert str(signature.arguments["y"]) == "b 2*h"
    assert {"k <= 512", "h % 32 == 0"} <= {constraint.text for constraint in signature.system.constraints}


def test_every_form_of_a_spec_is_read():
    """Containers by path, numbers, expressions, what has no name, and two variables of one name."""

    @dynamic_spec(
        spec.ShapesSpec(
            {
                "x": spec.TensorSpec([B, 3, None, 2 * H + 1]),
                "n": N,
                "pair": spec.SeqSpec([spec.TensorSpec([B, NAMELESS]), None]),
                "table": spec.DictSpec({"k": spec.TensorSpec([H // 4, None])}),
                "*args": [spec.TensorSpec([OTHER]), 4],
                "**kwargs": {"z": spec.TensorSpec([torch.sym_max(H, N)])},
            },
            assumptions=[H != 3],
        )
    )
    def of_all(x, n, pair, table, *others, **more):
        return x

    signature = signature_of(declare(of_all))
    assert {path: str(shape) for path, shape in signature.arguments.items()} == {
        "x": "b 3 _ (1+2*h)",
        "n": "n",
        "pair.0": "b pair_0_1",
        "table.k": "(h//4) _",
        "others.0": "b_2",
        "more.z": "max(h,n)",
    }
    assert [c.text for c in signature.system.constraints] == ["b >= 2", "b <= 64", "n >= 1", "h != 3"]


class Odd:
    is_Symbol, args = False, ()

    def __str__(self):
        return "Odd(h)"


def test_what_has_no_word_in_the_language_is_an_error_that_shows_it():
    """Nothing that is declared is dropped in silence."""
    tensor = type("TensorSpec", (list,), {})([SimpleNamespace(node=SimpleNamespace(expr=Odd()))])

    def function(x):
        return x

    params = SimpleNamespace(_named_args={"x": tensor}, _varargs=None, _varkw=None)
    function._dynamic_spec = SimpleNamespace(_params=params)
    with pytest.raises(ArgumentError) as raised:
        declare(function)
    first, where, *rest = str(raised.value).splitlines()
    assert first == "error[DC406]: torch's dynamic_spec says something that constraints have no words for: Odd(h)"
    assert where.startswith("  --> declare(function)  at ")
    assert rest == [
        "    Odd(h)",
        "    ^^^^^^",
        "  help: leave it out of the spec, and declare the rest of what it means by constraints",
    ]


def test_a_function_without_one_has_nothing_to_read():
    """As ever."""
    with pytest.raises(ArgumentError, match="nothing is declared of"):
        declare(lambda x: x)
