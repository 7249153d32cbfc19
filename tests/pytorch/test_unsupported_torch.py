"""A torch that is missing, too old, unknown or different: a message of its own, and facts off rather than wrong."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


NO_TORCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, Blocker())
"""
TORCH_IS_MISSING = (
    "error[DC701]: declared sizes need torch, which is not installed\n  help: pip install dynconstraints[torch]\n"
)


def test_without_torch_the_message_says_how_to_get_it() -> None:
    """The solver still works; a declared int asks for the extra."""
    program = """
import dynconstraints
assert dynconstraints.ConstraintSystem(["a > 3", "a < 5"]).check().model == {"a": 4}
try:
    dynconstraints.DynamicInt(4)
except dynconstraints.UnsupportedTorchError as error:
    print(error)
"""
    done = run(NO_TORCH + program)
    assert done.stdout == TORCH_IS_MISSING, done.stderr


def test_without_torch_every_name_can_be_looked_at() -> None:
    """By `hasattr`, `dir`, `help`, `inspect`, a star import, an annotation; none of them raises, or loads torch."""
    program = """
import inspect, pickle, pydoc, typing
import dynconstraints
from dynconstraints import *
assert all(hasattr(dynconstraints, name) and name in dir(dynconstraints) for name in dynconstraints.__all__)
assert not hasattr(dynconstraints, "nope")
members = dict(inspect.getmembers(dynconstraints))
assert set(dynconstraints.__all__) <= set(members)
for name in dynconstraints.__all__:
    value = getattr(dynconstraints, name)
    assert value is getattr(dynconstraints, name) and value.__name__ == name
    inspect.signature(value), inspect.getdoc(value), repr(value), pydoc.render_doc(value)
assert "torch, which is not installed" in pydoc.render_doc(dynconstraints)
assert isinstance(DynamicInt, type) and not isinstance(3, DynamicInt) and not isinstance(3.0, DynamicFloat)
assert typing.get_args(DynamicInt | None)[0] is typing.get_args(typing.Optional[DynamicInt])[0] is DynamicInt
assert sys.modules.get("torch") is None
"""
    done = run(NO_TORCH + program)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_torch_every_use_of_a_name_is_told() -> None:
    """Each by the same message, whatever is passed; of a subclass, too."""
    program = """
import dynconstraints
class Own(dynconstraints.DynamicInt):
    pass
uses = [getattr(dynconstraints, name) for name in dynconstraints._TORCH] + [Own]
for use in uses:
    for args, kwargs in (((), {}), ((3, "n"), {"constraints": ["n > 2"]})):
        try:
            use(*args, **kwargs)
        except dynconstraints.UnsupportedTorchError as error:
            print(error)
"""
    done = run(NO_TORCH + program)
    assert done.stdout == TORCH_IS_MISSING * 2 * 11, done.stderr


def test_torch_that_is_installed_in_the_meantime_is_found() -> None:
    """As in a notebook; nothing is kept of what stood in for it."""
    program = """
import dynconstraints
before = dynconstraints.DynamicInt
sys.meta_path.pop(0)
assert dynconstraints.DynamicInt is not before
print(dynconstraints.DynamicInt(4) + 1)
"""
    done = run(NO_TORCH + program)
    assert done.stdout == "5\n", done.stderr


def test_a_torch_without_dynamic_ints_is_refused() -> None:
    """As 2.9 is; torch itself stays usable."""
    program = """
import torch
import torch.fx.experimental.sym_node as module
del module.DynamicInt
torch.__version__ = "2.9.1"
import dynconstraints
try:
    dynconstraints.DynamicInt(4)
except dynconstraints.UnsupportedTorchError as error:
    print(error)
assert all(hasattr(dynconstraints, name) for name in dynconstraints.__all__)
print(torch.ones(2).sum().item())
"""
    done = run(program)
    assert done.stdout == (
        "error[DC701]: torch 2.9.1 has no dynamic integers\n  help: install torch 2.10 or later, below 2.16\n2.0\n"
    ), done.stderr


COMPILE = """
from dynconstraints import DynamicInt
compiled = torch.compile(lambda n, x: x + n if n % 4 == 0 else x, backend="eager")
print(compiled(DynamicInt(8, name="n", constraints=["n % 8 == 0"]), torch.ones(1)).item())
"""


def test_an_unknown_release_is_tried_out_and_trusted_if_it_fits() -> None:
    """The self-test passes on the torch at hand, whatever it calls itself."""
    newer = (
        "import torch\nimport dynconstraints.pytorch.install.installer as i\ni.NEXT = (2, 0)\ni.INSTALLER.install()\n"
    )
    done = run(newer + COMPILE)
    assert "does not fit" not in done.stderr
    assert done.stdout == "9.0\n", done.stderr


def test_a_torch_that_differs_turns_the_facts_off_with_a_warning() -> None:
    """A method that is not there: nothing stays wrapped, the program runs as with upstream's dynamic int."""
    program = """
import torch
import dynconstraints.pytorch._torch.dynamo as c
original = c.hook_points
def fewer():
    points = original()
    points.guard_relation = (points.guard_relation[0], "no_such_method")
    return points
c.hook_points = fewer
"""
    wrapped = "print(hasattr(torch._dynamo.variables.builder.VariableBuilder._wrap, '__wrapped__'))"
    done = run(program + COMPILE + wrapped)
    assert done.stdout == "9.0\nFalse\n", done.stderr
    assert "dynconstraints does not fit torch" in done.stderr
