"""torch.export of what is declared: dynamic as declared, one graph for all of it, refused by name outside of it."""

from __future__ import annotations

import copy
import io
import warnings
from pathlib import Path

import pytest
import torch
from torch.export import export

from dynconstraints import (
    ConstraintViolationError,
    DynamicFloat,
    DynamicInt,
    SpecializationError,
    UnboundNameError,
    UnsupportedTorchError,
    bind,
    declare,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.pytorch.declarations.warning import DeclarationWarning
from dynconstraints.pytorch.exporting.contract import carried


class Windows(torch.nn.Module):
    def forward(self, x):
        b, h, w, c = x.shape
        return x.view(b, h // 7, 7, w // 7, 7, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 49, c)


class Rows(torch.nn.Module):
    def forward(self, x, n=4):
        return x.view(-1, n) * n


class Total(torch.nn.Module):
    def forward(self, x, *more, scale=None):
        total = x["image"].sum(0) + x["pyramid"][1].sum(0) if isinstance(x, dict) else x.sum(0)
        for y in more:
            total = total + y.sum(0)
        return total if scale is None else total * scale


class Branch(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.shape[0] > 5 else x * 3


STRICT = pytest.mark.parametrize("strict", [False, True], ids=["non_strict", "strict"])
HERE = Path(__file__)


def named(size, name="n", constraints=(), more=(4,)):
    return name_dims(torch.randn(size, *more), {0: name}, constraints=constraints)


def line_of(text: str) -> int:
    return next(i for i, line in enumerate(HERE.read_text().splitlines(), 1) if text in line and "line_of" not in line)


def told(action):
    """What it returns, and the warnings that the user gets."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = action()
    return result, [str(w.message) for w in caught if w.category is DeclarationWarning]


def unhooked(module):
    """A module of a program as processes without this package have it."""
    module = copy.copy(module)
    module._forward_pre_hooks = type(module._forward_pre_hooks)()
    module._forward_pre_hooks_with_kwargs = type(module._forward_pre_hooks_with_kwargs)()
    return module


def reloaded(program):
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    return torch.export.load(file)


def windows(strict=False):
    with dynamic_int_constraints(["h % 7 == 0", "w % 7 == 0", "7 <= h <= 448", "7 <= w <= 448"]):
        return export(Windows(), (name_dims(torch.randn(2, 56, 63, 4), {1: "h", 2: "w"}),), strict=strict)


@STRICT
def test_one_graph_serves_all_that_is_declared(strict):
    """No guard is left, the least sizes are served, and divisions are folded into the shapes."""
    program = windows(strict)
    (node,) = program.graph.find_nodes(op="placeholder")
    k, j = (size.node.expr / 7 for size in node.meta["val"].shape[1:3])
    assert k.is_Symbol
    assert j.is_Symbol
    assert {(int(r.lower), int(r.upper)) for r in program.range_constraints.values()} == {(1, 64)}
    module = program.module()
    for h, w in ((7, 7), (7, 448), (448, 7), (21, 14)):
        x = torch.randn(2, h, w, 4)
        torch.testing.assert_close(module(x), Windows()(x))
    for h, w in ((30, 14), (455, 7), (0, 7), (7, 1)):
        with pytest.raises(ConstraintViolationError, match="constraint violated: "):
            module(torch.randn(2, h, w, 4))


MAKERS = {
    "module": lambda p: p.module(),
    "loaded": lambda p: reloaded(p).module(),
    "decomposed": lambda p: p.run_decompositions().module(),
    "loaded and decomposed": lambda p: reloaded(p).run_decompositions().module(),
    "decomposed, then loaded": lambda p: reloaded(p.run_decompositions()).module(),
    "unflattened": torch.export.unflatten,
    "loaded and unflattened": lambda p: torch.export.unflatten(reloaded(p)),
    "without guards": lambda p: p.module(check_guards=False),
    "copied": lambda p: copy.deepcopy(p.module()),
    "exported again": lambda p: export(p.module(), p.example_inputs[0]).module(),
    "loaded and exported again, strict": lambda p: export(
        reloaded(p).module(), (torch.randn(48), 16), strict=True
    ).module(),
}


@STRICT
@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_made_of_a_program_enforces_its_contract(kind, strict):
    """In the words of the declaration; a set is none of torch's constraints, nor is a product of names."""
    n = DynamicInt(32, name="n", constraints=["n in {16, 32, 80}", "rows >= 1"])
    program = export(Rows(), (name_dims(torch.randn(128), {0: "rows*n"}), n), strict=strict)
    module = MAKERS[kind](program)
    x = torch.randn(48)
    torch.testing.assert_close(module(x, 16), Rows()(x, 16))
    for size, number in ((48, 24), (0, 16), (50, 16)):
        with pytest.raises(ConstraintViolationError, match=r"n in \{16, 32, 80\}|rows >= 1|rows\*n"):
            module(torch.randn(size), number)


@STRICT
def test_the_text_of_a_refusal(strict):
    """It is the text of a compiled call's."""
    module = reloaded(export(Rows(), (named(16, constraints=["n % 4 == 0"], more=()),), strict=strict)).module()
    with pytest.raises(ConstraintViolationError) as error:
        module(torch.randn(10))
    line = line_of("return name_dims(torch.randn(size")
    assert str(error.value).replace(str(HERE), "here") == (
        "error[DC301]: constraint violated: n % 4 == 0\n"
        f'  --> name_dims(x, {{0: "n"}})  at here:{line}\n'
        "    n % 4 == 0\n"
        "    ^^^^^^^^^^    n = 10, and 10 % 4 = 2\n"
        "  help: the nearest values that satisfy every constraint on n are 8 and 12"
    )


def guards_run(program, *args):
    """What torch itself raises of the program's guards, as it does where this package isn't."""
    return unhooked(program.module())(*args)


@STRICT
@pytest.mark.parametrize(
    ("constraint", "good", "bad", "test"),
    [
        ("n % 4 == 0", 8, 10, "n % 4 == 0"),
        ("n in {16, 48}", 48, 32, "n in (16, 48)"),
        ("n % 32 == 0 or n == 48", 48, 80, "(n % 32 == 0 or n == 48)"),
        ("gcd(n, 30) == 6", 18, 30, "(lambda gcd: gcd(n, 30) == 6)(math.gcd)"),
    ],
)
def test_the_guards_say_it_where_this_package_is_not(constraint, good, bad, test, strict):
    """An assertion that begins with the constraint."""
    program = reloaded(export(Total(), (named(48 if good == 48 else good, constraints=[constraint]),), strict=strict))
    guards_run(program, torch.randn(good, 4))
    with pytest.raises(AssertionError) as error:
        guards_run(program, torch.randn(bad, 4))
    assert (
        str(error.value)
        == f"Guard failed: '{constraint}' and (lambda n: not isinstance(n, int) or {test})(x.size()[0])"
    )


@STRICT
def test_undefined_terms_in_guards(strict):
    """A division by zero is not defined, and no error of Python's."""
    constraint = "a % b == 0 or b == 0"
    args = (named(8, "a"), named(4, "b", [constraint]))
    program = export(Total(), args, strict=strict)
    guards_run(program, torch.randn(9, 4), torch.randn(3, 4))
    for sizes in ((9, 2), (8, 0)):
        call = [torch.randn(size, 4) for size in sizes]
        if sizes[1] == 0:
            guards_run(program, *call)
            program.module()(*call)
            continue
        with pytest.raises(AssertionError, match="Guard failed: 'a % b == 0 or b == 0'"):
            guards_run(program, *call)
        with pytest.raises(ConstraintViolationError):
            program.module()(*call)


@STRICT
@pytest.mark.parametrize("sizes", [(0, 0), (1, 2), (12, 24)])
def test_related_dimensions_are_expressions_of_one_symbol(sizes, strict):
    """0 and 1 included, without suggestions of Dims."""
    args = (named(8, "a"), named(16, "b", ["b == 2*a"]))
    program = export(Total(), args, strict=strict)
    a, b = (node.meta["val"].shape[0].node.expr for node in program.graph.find_nodes(op="placeholder"))
    assert b == 2 * a
    call = [torch.randn(size, 4) for size in sizes]
    torch.testing.assert_close(program.module()(*call), Total()(*call))
    with pytest.raises(ConstraintViolationError, match=r"b == 2\*a"):
        program.module()(torch.randn(3, 4), torch.randn(5, 4))


@STRICT
def test_paths_and_keywords(strict):
    """Containers, arguments without a parameter of their own, and keyword arguments in any order."""
    module = declare(Total(), {"x.image": "h 4", "x.pyramid.1": "2*h 4"}, constraints=["h % 3 == 0"])
    x = {"image": torch.randn(6, 4), "pyramid": [torch.randn(2, 4), torch.randn(12, 4)]}
    program = export(module, (x, named(5, "k", ["k < 9"])), {"scale": torch.randn(4)}, strict=strict).module()
    call = {"image": torch.randn(9, 4), "pyramid": [torch.randn(2, 4), torch.randn(18, 4)]}
    scale = torch.randn(4)
    torch.testing.assert_close(program(call, torch.randn(0, 4), scale=scale), Total()(call, scale=scale))
    with pytest.raises(ConstraintViolationError, match=r"x.pyramid.1 has size 19, and 2\*h = 18"):
        program({**call, "pyramid": [torch.randn(2, 4), torch.randn(19, 4)]}, torch.randn(2, 4), scale=scale)
    with pytest.raises(ConstraintViolationError, match="k < 9"):
        program(call, torch.randn(9, 4), scale=scale)


class Ones(torch.nn.Module):
    def forward(self, n, m=2, flag=True):
        return torch.ones(n, m) * (2 if flag else 3)


@STRICT
@pytest.mark.parametrize("least", [0, 1])
def test_an_int_is_an_input_under_its_declaration(strict, least):
    """Also one that is an expression of another, and beside other numbers."""
    n = DynamicInt(6, name="n", constraints=["n % 2 == 0", f"n >= {least}"])
    module = export(Ones(), (n, n // 2, True), strict=strict).module()
    torch.testing.assert_close(module(8, 4, True), Ones()(8, 4))
    with pytest.raises(ConstraintViolationError, match="n % 2 == 0"):
        module(7, 3, True)
    with pytest.raises(ConstraintViolationError, match="m is 5, and n // 2 = 4"):
        module(8, 5, True)
    for module_ in (module, unhooked(module)):  # a bool is an int to Python
        with pytest.raises((ConstraintViolationError, AssertionError), match="n % 2 == 0"):
            module_(True, 0, True)
    if not least:
        assert module(0, 0, True).shape == (0, 0)


@STRICT
def test_a_branch_that_the_declaration_settles_and_one_that_it_does_not(strict):
    """The program of the second serves a part, and says so; a block makes that an error."""
    settled, said = told(lambda: export(Branch(), (named(6, "h", ["h > 5"]),), strict=strict))
    assert said == []
    assert not any("isinstance(h" not in guard for guard in settled._guards_code)
    program, (text,) = told(lambda: export(Branch(), (named(6, "h", ["h % 3 == 0"]),), strict=strict))
    assert text.startswith("warning[DC502]: the program serves only a part of the declaration: h >= 6\n")
    with pytest.raises(ConstraintViolationError, match="constraint violated: h >"):
        reloaded(program).module()(torch.randn(3, 4))
    with (
        dynamic_int_constraints(["h % 3 == 0"], on_new_guard="error"),
        pytest.raises(SpecializationError, match="h >= 6"),
    ):
        export(Branch(), (named(6, "h"),), strict=strict)


class Forced(torch.nn.Module):
    def forward(self, x):
        return x * len(range(x.shape[0]))


@STRICT
def test_a_size_that_the_program_forces(strict):
    """It is a number in the program, which says so."""
    program, (text,) = told(lambda: export(Forced(), (named(6, "h", ["h % 3 == 0"]),), strict=strict))
    assert text.startswith("warning[DC501]: the program forces h to one value: h == 6\n")
    with pytest.raises(ConstraintViolationError, match="h == 6"):
        program.module()(torch.randn(9, 4))


class Scaled(torch.nn.Module):
    def forward(self, x, p):
        return x * p


@STRICT
def test_a_float_is_a_constant_of_the_program(strict):
    """That is said, unless it is declared to be one value; what it says of sizes is enforced."""
    p = DynamicFloat(0.5, name="p", constraints=["0 < p", "p < 1"])
    program, (text,) = told(lambda: export(Scaled(), (named(6, "h", ["h*p >= 2"]), p), strict=strict))
    line = line_of('p = DynamicFloat(0.5, name="p", constraints=["0 < p"')
    more = line_of("return name_dims(torch.randn(size")
    assert text.replace(str(HERE), "here") == (
        "warning[DC703]: torch.export takes no dynamic float: the program is for p = 0.5 alone\n"
        f'  --> name_dims(x, {{0: "h"}})  at here:{more}\n'
        "    h*p >= 2\n"
        "    ^^^^^^^^\n"
        f'  --> DynamicFloat(0.5, name="p")  at here:{line}\n'
        "    0 < p\n"
        "    ^^^^^\n"
        f'  --> DynamicFloat(0.5, name="p")  at here:{line}\n'
        "    p < 1\n"
        "    ^^^^^\n"
        "  help: pass p as a tensor without dimensions to have it dynamic, and check it before"
    )
    module = program.module()
    module(torch.randn(4, 4), 0.5)
    with pytest.raises(ConstraintViolationError, match=r"h\*p >= 2"):
        module(torch.randn(3, 4), 0.5)
    with pytest.raises(ConstraintViolationError, match="p < 1"):
        module(torch.randn(4, 4), 2.5)
    with pytest.raises(AssertionError, match=r"p == 0\.5"):
        module(torch.randn(4, 4), 0.7)
    one = DynamicFloat(0.5, name="p", constraints=["p == 0.5"])
    assert told(lambda: export(Scaled(), (named(6, "h"), one), strict=strict))[1] == []


class Chosen(torch.nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: x.sin(), lambda x: x.cos(), (x,))


class Trained(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(4))
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))

    def forward(self, x):
        x.add_(1)
        self.seen += x.detach().sum(0)
        return self.layers(x)


class Strided(torch.nn.Module):
    def forward(self, x):
        return x.t().reshape(-1) + x.flatten().sum()


@STRICT
@pytest.mark.parametrize("kind", [Chosen, Strided, Trained])
def test_control_flow_strides_and_mutation(kind, strict):
    """A module keeps its buffers and what it changes."""
    sizes = (6, 4) if kind is not Strided else (8, 4)
    x = torch.randn(*sizes) if kind is not Strided else torch.randn(4, 16)[:, ::2].t()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeclarationWarning)  # torch.cond asks whether the size is 1
        program = export(kind(), (name_dims(x, {0: "h"}, constraints=["h % 2 == 0", "h > 1"]),), strict=strict)
    module = program.module()
    call = torch.randn(12, 4)
    torch.manual_seed(0)
    expected = kind()
    expected.load_state_dict(program.state_dict)
    one, other = call.clone(), call.clone()
    torch.testing.assert_close(module(one), expected(other))
    torch.testing.assert_close(one, other)
    with pytest.raises(ConstraintViolationError, match="h % 2 == 0"):
        module(torch.randn(9, 4))


class Bound(torch.nn.Module):
    def forward(self, x):
        return torch.ones(bind("k", x.sum().item(), constraints=["k >= 0", "k < 100"]))


def test_bind_in_an_export():
    """A strict trace knows it; the other says that it doesn't."""
    x = torch.tensor([1, 2])
    assert export(Bound(), (x,), strict=True).module()(x).shape == (3,)
    with pytest.raises(UnsupportedTorchError) as error:
        export(Bound(), (x,))
    assert str(error.value).replace(str(HERE), "here") == (
        "error[DC703]: k is a symbol of a trace that bind knows nothing of\n"
        f"  --> here:{line_of('return torch.ones(bind(')}:7\n"
        '    bind("k", ...)\n'
        "          ^\n"
        "  help: torch.export.export(..., strict=True) traces bind, as torch.compile does"
    )


@STRICT
def test_an_example_that_breaks_the_declaration_is_refused(strict):
    """By name, before anything is traced."""
    with dynamic_int_constraints(["n <= 8"]), pytest.raises(ConstraintViolationError, match="n <= 8"):
        export(Total(), (named(16),), strict=strict)
    with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
        export(declare(Rows(), x="n", constraints=["n % 4 == 0"]), (torch.randn(10),), strict=strict)


@STRICT
def test_a_block_whose_names_the_example_lacks(strict):
    """The program carries nothing, and the user hears of it."""
    for example, policy in ((torch.randn(8, 4), "error"), (named(8, "n"), "error")):
        with (
            dynamic_int_constraints(["q % 8 == 0"], on_missing=policy),
            pytest.raises(UnboundNameError, match="declared, but no input has it: q"),
        ):
            export(Total(), (example,), strict=strict)
    with dynamic_int_constraints(["q % 8 == 0"], on_missing="allow"):
        assert carried(export(Total(), (torch.randn(8, 4),), strict=strict).graph_module) is None


def test_nothing_changes_for_programs_that_declare_nothing_and_names_count_after_an_export():
    """What was suspended for the export is in force for the next compilation; marks of torch's stay as they were."""
    program = export(Total(), (torch.randn(8, 4),))
    assert carried(program.graph_module) is None
    x = named(8)
    torch._dynamo.mark_dynamic(x, 1)
    marks = set(x._dynamo_dynamic_indices)
    export(Total(), (x,))
    assert x._dynamo_dynamic_indices == marks
    compiled = torch.compile(Total(), backend="eager")
    with dynamic_int_constraints(["n <= 4"]), pytest.raises(ConstraintViolationError):
        compiled(x)


def test_a_contract_of_a_later_release_and_a_damaged_one():
    """What is not understood is not ignored."""
    program = export(Total(), (named(8),))
    meta = program.graph_module.meta["custom"]["dynconstraints"]
    meta["version"] = 2
    with pytest.raises(ArgumentError) as error:
        program.module()
    assert str(error.value) == (
        "error[DC155]: the program has a contract of version 2, where 1 is known\n"
        "    'dynconstraints'\n"
        "    ^^^^^^^^^^^^^^^^\n"
        "  help: update dynconstraints where the program is loaded"
    )
    del meta["version"], meta["places"]
    with pytest.raises(ArgumentError) as error:
        program.module()
    assert str(error.value) == (
        "error[DC155]: the contract of the program is damaged\n"
        "    'dynconstraints'\n"
        "    ^^^^^^^^^^^^^^^^\n"
        "  help: export the program anew, or take what is there out of its metadata"
    )


def test_what_a_decomposition_asks_is_checked_and_said(monkeypatch):
    """A graph that is traced again may be for less than the one that it is made of."""
    program = export(Total(), (named(8, constraints=["n % 2 == 0"]),))
    original = torch.export.exported_program._decompose_exported_program

    def asking(ep, **options):
        (node,) = ep.graph.find_nodes(op="placeholder")
        assert node.meta["val"].shape[0] > 4
        return original(ep, **options)

    monkeypatch.setattr(torch.export.exported_program, "_decompose_exported_program", asking)
    narrower, (text,) = told(program.run_decompositions)
    assert text.startswith("warning[DC502]: the program serves only a part of the declaration: n >= 6\n")
    narrower.module()(torch.randn(6, 4))
    program.module()(torch.randn(4, 4))
    for module in (narrower.module(), reloaded(narrower).module()):
        with pytest.raises(ConstraintViolationError, match="n >"):
            module(torch.randn(4, 4))


class Outer(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x) + 1


@STRICT
def test_a_program_inside_of_another(strict):
    """A strict trace takes its guards along, the other says that it drops them; under a declaration neither has to."""
    inner = export(Total(), (named(9, "h", ["h % 3 == 0"]),)).module()
    shapes = ({0: torch.export.Dim.DYNAMIC},)
    if strict:
        outer = export(Outer(inner), (torch.randn(9, 4),), dynamic_shapes=shapes, strict=True).module()
        with pytest.raises(Exception, match=r"% 3|Mod\("):
            outer(torch.randn(8, 4))
    else:
        _, (text,) = told(lambda: export(Outer(inner), (torch.randn(9, 4),), dynamic_shapes=shapes))
        line = line_of("return name_dims(torch.randn(size")
        assert text.replace(str(HERE), "here") == (
            "warning[DC703]: a program that was exported with a declaration is traced inside of another, which does "
            "not check it\n"
            f'  --> name_dims(x, {{0: "h"}})  at here:{line}\n'
            "    h % 3 == 0\n"
            "    ^^^^^^^^^^\n"
            "  help: declare the inputs of the outer one, too, or torch.export.export(..., strict=True)"
        )
    program, said = told(lambda: export(Outer(inner), (named(9, "h", ["h % 3 == 0"]),), strict=strict))
    assert said == []
    with pytest.raises(ConstraintViolationError, match="h % 3 == 0"):
        program.module()(torch.randn(8, 4))


class Repeated(torch.nn.Module):
    def forward(self, x):
        return x["x"].repeat(x["n"][0], 1)


@STRICT
def test_an_int_without_a_name_is_an_input(strict):
    """Nothing is said about it."""
    example = {"x": torch.randn(2, 2), "n": [DynamicInt(3)]}
    module = export(Repeated(), (example,), strict=strict).module()
    assert module({"x": torch.randn(2, 2), "n": [5]}).shape == (10, 2)


class Powers(torch.nn.Module):
    def forward(self, p):
        return torch.full((2,), p)


@STRICT
def test_a_float_alone(strict):
    """There is no symbol in the program, and its contract holds."""
    p = DynamicFloat(0.5, name="p", constraints=["p == 0.5"])
    module = export(Powers(), (p,), strict=strict).module()
    torch.testing.assert_close(module(0.5), torch.full((2,), 0.5))
    with pytest.raises(ConstraintViolationError, match=r"p == 0\.5"):
        module(0.25)
