"""Traces of torch's that take no declaration say so, once a trace, and go on; nothing is said of other programs."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from dynconstraints import ConstraintViolationError, DynamicInt, declare, name_dims
from dynconstraints.pytorch.declarations.warning import DeclarationWarning

X = torch.arange(16.0)


class Rows(torch.nn.Module):
    def forward(self, x):
        return x.view(-1, 4) * 4


class Outer(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x) + 1


def rows(x):
    return x.view(-1, 4) * 4


@declare(x="n", constraints="n % 4 == 0")
def declared_rows(x):
    return x.view(-1, 4) * 4


def declared(module):
    return declare(module, x="n", constraints="n % 4 == 0")


def calls_a_declared_one(x):
    return declared_rows(x) + 1


def named(size=16):
    return name_dims(torch.arange(float(size)), {0: "n"}, constraints=["n % 4 == 0"])


TRACES = {
    "torch.jit.trace": lambda f, x: torch.jit.trace(f, (x,)),
    "torch.jit.trace_module": lambda f, x: torch.jit.trace_module(f, {"forward": (x,)}),
    "torch.jit.script": lambda f, x: torch.jit.script(f),
    "torch.fx.symbolic_trace": lambda f, x: torch.fx.symbolic_trace(f),
    "make_fx": lambda f, x: make_fx(f)(x),
    "make_fx, fake": lambda f, x: make_fx(f, tracing_mode="fake")(x),
    "make_fx, symbolic": lambda f, x: make_fx(f, tracing_mode="symbolic")(x),
    "torch.export.draft_export": lambda f, x: torch.export.draft_export(f, (x,)).module(),
}
OF_MODULES = ("torch.jit.trace_module", "torch.export.draft_export")
BY_SOURCE = ("torch.jit.script", "torch.fx.symbolic_trace")
"""These see no example."""

SUBJECTS = {
    "function": (lambda: declared_rows, lambda: X),
    "function inside": (lambda: calls_a_declared_one, lambda: X),
    "module": (lambda: declared(Rows()), lambda: X),
    "module inside": (lambda: Outer(declared(Rows())), lambda: X),
    "compiled alone": (lambda: declare(Rows(), x="n", constraints="n % 4 == 0", check="compiled"), lambda: X),
    "tensor": (lambda: Rows(), named),
}


def traced(name, subject, x):
    """What is made, and what was said, each with its line's file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = TRACES[name](subject, x)
    others = [str(w.message) for w in caught if issubclass(w.category, torch.jit.TracerWarning)]
    assert others == []
    return made, [(str(w.message), Path(w.filename)) for w in caught if w.category is DeclarationWarning]


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_trace_that_drops_a_declaration_says_so_once(name, kind):
    """At the user's line, and what it makes is what it is without the declaration."""
    subject, x = (make() for make in SUBJECTS[kind])
    if (name in OF_MODULES and not isinstance(subject, torch.nn.Module)) or (name in BY_SOURCE and kind == "tensor"):
        return
    made, said = traced(name, subject, x)
    ((text, file),) = said
    assert file == Path(__file__)
    what = name.split(",")[0]
    assert text.startswith(f"warning[DC703]: {what} takes no declaration: what it makes knows nothing of n\n")
    torch.testing.assert_close(made(X), subject(X))


@pytest.mark.parametrize("name", TRACES)
def test_nothing_is_said_of_programs_that_declare_nothing(name):
    """Beside others that do, and inside of what compiles."""
    assert traced(name, Outer(Rows()), X)[1] == []
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeclarationWarning)
        torch.compile(declared_rows, backend="aot_eager")(named())


def test_the_whole_text():
    """With the constraints that are dropped, and what to do."""
    _, ((text, _),) = traced("torch.jit.trace", rows, named())
    line = next(i for i, t in enumerate(Path(__file__).read_text().splitlines(), 1) if "return name_dims" in t)
    assert text.replace(__file__, "here") == (
        "warning[DC703]: torch.jit.trace takes no declaration: what it makes knows nothing of n\n"
        f'  --> name_dims(x, {{0: "n"}})  at here:{line}\n'
        "    n % 4 == 0\n"
        "    ^^^^^^^^^^\n"
        "  help: compile it with torch.compile, which keeps the declaration, or check sizes before what is made is "
        "called"
    )


def test_the_text_of_a_draft():
    """Its user goes on to an export."""
    _, ((text, _),) = traced("torch.export.draft_export", Rows(), named())
    assert text.endswith(
        "  help: export it with torch.export.export, which keeps the declaration, once the draft has no findings"
    )


def test_torch_compiler_precompile_is_called_by_its_name():
    """It captures with make_fx; a release that has it calls that from this module."""
    space = {"__name__": "torch._precompile", "make_fx": make_fx}
    exec("def precompile(f, x):\n    return make_fx(f)(x)", space)
    with pytest.warns(
        DeclarationWarning, match=r"torch\.compiler\.precompile takes no declaration.*\n(.*\n)*.*aot_compile"
    ):
        space["precompile"](rows, named())


def test_a_declared_int_is_dropped_too():
    """As the number that it is."""
    with pytest.warns(DeclarationWarning, match="make_fx takes no declaration: what it makes knows nothing of k"):
        made = make_fx(lambda x, k: x * k)(X, DynamicInt(4, name="k"))
    torch.testing.assert_close(made(X, 4), X * 4)


@pytest.mark.parametrize("name", [name for name in TRACES if name not in BY_SOURCE])
def test_an_example_that_breaks_the_declaration_is_refused(name):
    """By name, as in a call."""
    with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
        traced(name, declared(Rows()), torch.ones(10))


def test_hooks_of_a_module_are_there_again_after_it_was_scripted():
    """Its own ones and ours."""
    module = declared(Rows())
    traced("torch.jit.script", module, X)
    with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
        module(torch.ones(10))


def test_a_process_without_dynamo_hears_of_it():
    """Before anything has loaded it."""
    program = """
        import sys, torch
        from dynconstraints import declare
        @declare(x="n", constraints="n % 4 == 0")
        def rows(x):
            return x.view(-1, 4)
        assert "torch._dynamo" not in sys.modules
        torch.jit.trace(rows, (torch.ones(8),))
    """
    ran = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
    assert "warning[DC703]: torch.jit.trace takes no declaration" in ran.stderr
