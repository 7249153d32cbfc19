"""The table of hooks: it has every function that is wrapped, and all of it is undone, or nothing is left half done."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from inspect import getattr_static
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
import torch._dynamo
import torch._inductor.compile_fx
from compiled import Compiled

from dynconstraints import DynamicInt
from dynconstraints.pytorch._torch import compilation
from dynconstraints.pytorch._torch.dynamo import COMPILING, DYNAMO, EXPORT, LOWERING, PACKAGE, SAVED
from dynconstraints.pytorch._torch.onnx import EXPORTER
from dynconstraints.pytorch._torch.release import NEXT, OLDEST
from dynconstraints.pytorch._torch.tracers import DRAFT
from dynconstraints.pytorch.declarations import moments
from dynconstraints.pytorch.install import hooks
from dynconstraints.pytorch.install.after_import import once_loaded
from dynconstraints.pytorch.install.hooks import ADDITIONS, HOOKS, Hook
from dynconstraints.pytorch.install.installer import INSTALLER

NOT_CHECKED = (
    f"dynconstraints does not fit torch {torch.__version__} in one point: "
    "calls that reach a graph made before a declaration are checked by guards alone"
)

Originals: TypeAlias = "dict[tuple[Any, str], Any]"

PLACES = [place for hook in HOOKS if (place := hook.where())[0] is not None]
"""Where torch has what is wrapped; torch.onnx exports nothing without onnxscript."""
MOMENTS = [known for known in vars(moments).values() if isinstance(known, moments.Moment)]


@pytest.fixture(autouse=True)
def originals() -> Iterator[Originals]:
    """What torch has in each place by itself; before and after a test all hooks are in place."""
    for moment in MOMENTS:
        moment.come()
    INSTALLER.uninstall()
    found = {place: getattr_static(*place) for place in PLACES}
    INSTALLER.install()
    yield found
    INSTALLER.uninstall()
    torch._dynamo.reset()
    INSTALLER.install()


def wrapped(originals: Originals) -> set[tuple[Any, str]]:
    """The functions that torch finds something else for."""
    return {place for place, original in originals.items() if getattr_static(*place) is not original}


@contextmanager
def replaced(hook: Hook, other: Hook, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is wrapped, and inside the block the table has another hook in the place of this."""
    INSTALLER.uninstall()
    patch.setattr(hooks, "HOOKS", tuple(other if each is hook else each for each in HOOKS))
    yield
    patch.undo()


def _name(hook: Hook) -> str:
    return hook.where()[1]


WALK = '''
import sys
import torch, torch._dynamo, torch._inductor.lowering, torch._inductor.compile_fx, torch.fx.passes.shape_prop
import torch.fx.passes._tensorify_python_scalars, torch.export._trace, torch._dynamo.aot_compile
import torch.export._draft_export
from contextlib import suppress
with suppress(ImportError):
    import torch.onnx._internal.exporter._core
from torch._dynamo.symbolic_convert import InstructionTranslatorBase
from torch._inductor import decomposition

def owners():
    """Modules of torch, their classes, and operators' overloads."""
    modules = {m for name, m in list(sys.modules.items()) if name.split(".")[0] == "torch" and type(m) is type(sys)}
    classes = {c for m in modules for c in vars(m).values() if isinstance(c, type) and c.__module__.startswith("torch")}
    return [*modules, *classes, torch.ops.prims.broadcast_in_dim.default]

def functions():
    """What torch can call, by where it finds it."""
    found = {}
    for owner in owners():
        for name, value in list(vars(owner).items()):
            if callable(value) or hasattr(type(value), "__get__"):
                found[owner, name] = value
    for kind in (InstructionTranslatorBase, *InstructionTranslatorBase.__subclasses__()):
        found.update({(kind, i): f for i, f in enumerate(vars(kind).get("dispatch_table", ()))})
    for table in (decomposition.decompositions, decomposition.fast_random_decomps()):
        found.update({(id(table), op): f for op, f in table.items()})
    return found

def changed(before):
    now, known = functions(), {owner for owner, _ in before}
    return {place for place in {*before, *now} if place[0] in known and now.get(place) is not before.get(place)}

before = functions()
from dynconstraints.pytorch.install.installer import INSTALLER
from dynconstraints.pytorch.install.hooks import HOOKS
from dynconstraints.pytorch.declarations import moments
for moment in vars(moments).values():
    if isinstance(moment, moments.Moment):
        moment.come()
'''


def run(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_is_wrapped_is_in_the_table_and_all_of_it_is_undone() -> None:
    """By the identity of everything that torch can call, before, after, and afterwards; and once more."""
    program = """
placed = {place for hook in HOOKS if (place := hook.where())[0] is not None}
wrapped = {(o, n) for o, n in changed(before) if isinstance(n, str)}
print(sorted(f"{o.__name__}.{n}" for o, n in wrapped - placed), sorted(str(p) for p in placed - wrapped))
tables = {(o, n) for o, n in changed(before) if not isinstance(n, str)}
print(any(isinstance(n, int) for _, n in tables), any(not isinstance(n, int) for _, n in tables))
for _ in range(2):
    INSTALLER.uninstall()
    print(sorted(map(str, changed(before))), INSTALLER.placed)
    INSTALLER.install()
    print({(o, n) for o, n in changed(before) if isinstance(n, str)} == placed)
"""
    assert run(WALK + program) == ["[] []", "True True", *["[] []", "True"] * 2]


def test_the_table_names_no_function_twice() -> None:
    """Each line has its own function, wrapped where torch is loaded, and a sentence of its own that says why."""
    assert len(set(PLACES)) == len(PLACES) > 40
    assert len({entry.why for entry in (*HOOKS, *ADDITIONS)}) == len(HOOKS) + len(ADDITIONS)
    for entry in (*HOOKS, *ADDITIONS):
        major, minor = map(int, entry.since.split("."))
        assert OLDEST <= (major, minor) < NEXT
        assert entry.when in (DYNAMO, LOWERING, COMPILING, SAVED, EXPORT, PACKAGE, DRAFT, EXPORTER) or isinstance(
            entry.when, moments.Moment
        )
        assert not entry.why.endswith(".")


def test_every_hook_is_placed_in_this_torch() -> None:
    """None is missed because its place is misspelt."""
    assert {(placed.owner, placed.name) for placed in INSTALLER.placed} == set(PLACES)


def test_without_hooks_torch_compiles_as_by_itself_and_with_them_again_as_before() -> None:
    """Undone and put in place again, in one process."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        return x + n if n % 4 == 0 else x

    def guards() -> list[str]:
        torch._dynamo.reset()
        compiled = Compiled(program)
        assert compiled(DynamicInt(16, name="n", constraints=["n % 8 == 0"]), torch.ones(1)).item() == 17
        return [guard for graph in compiled.guards for guard in graph]

    before = guards()
    assert any("8*" in guard for guard in before)
    INSTALLER.uninstall()
    torch._dynamo.reset()
    compiled = torch.compile(program, backend="eager", fullgraph=True)
    n = DynamicInt(16, name="n", constraints=["n % 8 == 0"])
    assert compiled(n, torch.ones(1)).item() == 17
    INSTALLER.install()
    assert guards() == before


REQUIRED = [hook for hook in HOOKS if hook.is_required]


@pytest.mark.parametrize("hook", [REQUIRED[0], REQUIRED[-1], *(h for h in REQUIRED if h.when != DYNAMO)], ids=_name)
def test_a_torch_that_lacks_what_is_required_stays_as_it_is(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, originals: Originals
) -> None:
    """The first, the last, and what is wrapped later: nothing is wrapped, at no moment, and the warning says so."""
    broken = replace(hook, where=lambda: (hook.where()[0], "no_such_method"))
    with replaced(hook, broken, monkeypatch):
        text = (
            f"dynconstraints does not fit torch {torch.__version__} (no_such_method): declared sizes are checked where "
            "they are made, and torch.compile treats them as dynamic ints without constraints"
        )
        with pytest.warns(UserWarning, match="does not fit") as told:
            INSTALLER.install()
        assert [str(each.message) for each in told] == [text]
        assert wrapped(originals) == set()


def test_a_wrapper_that_does_not_fit_leaves_none_in_place(
    monkeypatch: pytest.MonkeyPatch, originals: Originals
) -> None:
    """Where it is found out amid the others, those that are in place are undone."""

    def fails(original: Callable[..., Any]) -> Any:
        raise AttributeError("no such parameter")

    hook = REQUIRED[-1]
    with replaced(hook, replace(hook, wrap=fails), monkeypatch):
        with pytest.warns(UserWarning, match=r"does not fit torch .*\(no such parameter\): declared sizes are checked"):
            INSTALLER.install()
        assert wrapped(originals) == set()


def test_what_is_optional_is_done_without(
    monkeypatch: pytest.MonkeyPatch, originals: Originals, recwarn: pytest.WarningsRecorder
) -> None:
    """A release that lacks the part has all the others, and nothing is said."""

    def where() -> Any:
        raise ImportError("no module of this name")

    hook = next(hook for hook in HOOKS if not hook.is_required and not hook.without and hook.when == DYNAMO)
    with replaced(hook, replace(hook, where=where), monkeypatch):
        INSTALLER.install()
        assert wrapped(originals) == set(PLACES) - {hook.where()}
    assert not [each for each in recwarn if "dynconstraints" in str(each.message)]


def test_a_torch_whose_calls_cannot_be_checked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook at the entry of compiled functions, in a release that has no frame of the kind; others are in place."""
    known = compilation.compiled_calls()
    lacking = type(known)(**{**vars(known), "code": None, "choose_callback": (None, "_callback_from_stance")})
    INSTALLER.uninstall()
    INSTALLER.install()
    placed = len(INSTALLER.placed)
    INSTALLER.uninstall()
    monkeypatch.setattr(hooks, "compiled_calls", lambda: lacking)
    with pytest.warns(UserWarning, match="does not fit") as told:
        INSTALLER.install()
    assert [str(each.message) for each in told] == [NOT_CHECKED]
    assert len(INSTALLER.placed) == placed - 1


def test_a_module_that_is_waited_for_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once nobody waits any more, importing it does nothing; until then it acts once, however often it is asked to."""
    for name in ("waited_for", "forgotten"):
        (tmp_path / f"{name}.py").touch()
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    done: list[str] = []
    for name in ("waited_for", "waited_for", "forgotten"):
        once_loaded(name, partial(done.append, name))
    importlib.import_module("waited_for")
    INSTALLER.uninstall()
    importlib.import_module("forgotten")
    assert done == ["waited_for"]
    once_loaded("forgotten", partial(done.append, "at once"))
    assert done == ["waited_for", "at once"]
