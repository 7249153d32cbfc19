"""AOTInductor's packages of declared programs: what they refuse, in Python and C++, and what their kernels know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
import torch._dynamo as dynamo
from torch._inductor.utils import run_and_get_cpp_code

from dynconstraints import (
    ConstraintViolationError,
    DynamicFloat,
    DynamicInt,
    declare,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.warning import DeclarationWarning
from dynconstraints.pytorch.exporting.contract import carried
from dynconstraints.pytorch.exporting.definitions import Definitions
from dynconstraints.pytorch.exporting.packages import check_in_cpp
from dynconstraints.pytorch.install import program_wrappers

pytestmark = pytest.mark.inductor

NIGHTLY = pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "nightly", reason="compiles for a minute")


class Rows(torch.nn.Module):
    def forward(self, x, n):
        return (x.view(-1, n) * n).relu()


class Plain(torch.nn.Module):
    def forward(self, x):
        return (x * 2 + 1).relu()


def named(size=64):
    return name_dims(torch.randn(size), {0: "h"}, constraints=["h % 32 == 0", "h >= 32"])


def packaged(program, path):
    torch._inductor.aoti_compile_and_package(program, package_path=str(path))
    return torch._inductor.aoti_load_package(str(path))


ALONE = """
import sys, torch
assert "dynconstraints" not in sys.modules
package = torch._inductor.aoti_load_package(sys.argv[1])
for size, number in ((48, 16), (48, 24), (50, 16), (0, 16)):
    try:
        print(tuple(package(torch.ones(size), torch.tensor(number)).shape))
    except RuntimeError as error:
        print(error)
"""


def without_this_package(code, *arguments):
    """What the code prints in a process of its own that knows torch alone."""
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, env={})
    return ran.stdout.splitlines()


def test_a_package_refuses_sizes_exactly_where_this_package_is_and_where_it_is_not(tmp_path):
    """An int is an input, which torch has none of in packages; a set and a product of names are checked."""
    n = DynamicInt(32, name="n", constraints=["n in {16, 32, 80}", "rows >= 1"])
    program = torch.export.export(Rows(), (name_dims(torch.randn(128), {0: "rows*n"}), n))
    package = packaged(program, tmp_path / "rows.pt2")
    for size, number in ((48, 16), (32, 32), (160, 80)):
        x = torch.randn(size)
        torch.testing.assert_close(package(x, number), Rows()(x, number))
    for size, number, said in ((48, 24, "n in"), (50, 16, r"rows\*n"), (0, 16, "rows >= 1")):
        with pytest.raises(ConstraintViolationError, match=said):
            package(torch.randn(size), number)
    assert without_this_package(ALONE, str(tmp_path / "rows.pt2")) == [
        "(3, 16)",
        "constraint violated: n in {16, 32, 80}, where n = 24",
        "constraint violated: x.shape[0] == rows*n, where x.shape[0] = 50, rows = 3, n = 16",
        "constraint violated: rows >= 1, where rows = 0",
    ]


def kernel(text):
    """The function that computes, by whatever name."""
    return re.search(r"\(const float\* in_ptr0.*?\n\}\n", text, re.DOTALL)[0]


def test_kernels_know_the_facts_as_compiled_ones_do(tmp_path):
    """Also of a program from a file; without a declaration there is a loop for what is left of vectors."""
    dynamo.reset()
    _, code = run_and_get_cpp_code(torch.compile(Plain(), fullgraph=True), named())
    torch.export.save(torch.export.export(Plain(), (named(),)), tmp_path / "plain.pt2")
    package = packaged(torch.export.load(tmp_path / "plain.pt2"), tmp_path / "package.pt2")
    with zipfile.ZipFile(tmp_path / "package.pt2") as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".kernel.cpp")]
        found = kernel(archive.read(name).decode())
    assert found == kernel(code)
    assert "masked" not in found
    assert "C10_UNLIKELY" not in found
    x = torch.randn(96)
    torch.testing.assert_close(package(x), Plain()(x))
    with pytest.raises(ConstraintViolationError, match="h >= 32"):
        package(torch.randn(0))


def checker(module, *args, **options):
    program = torch.export.export(module, args, **options)
    return Definitions(carried(program.graph_module))


def test_names_are_computed_from_sizes_one_after_the_other():
    """Names first, then what is linear in a size, then factors; what sizes tell nothing is left."""
    x, y = torch.randn(6, 4), torch.randn(13, 8)
    module = declare(Pair(), {"x": "a b", "y": "2*a+1 b*c"}, constraints=["a % 2 == 0", "b >= 1", "c == 2"])
    found = checker(module, x, y)
    assert {name: show(found.over_sizes(name)) for name in found.values} == {
        "a": "x.shape[0]",
        "b": "x.shape[1]",
        "c": "y.shape[1] // x.shape[1]",
    }
    assert [c.text for c in found.checked] == [
        "y.shape[0] == 2*a + 1",
        "y.shape[1] == b*c",
        "a % 2 == 0",
        "b >= 1",
        "c == 2",
    ]
    assert found.left == ()


class Pair(torch.nn.Module):
    def forward(self, x, y):
        return x.sum() + y.sum()


def test_what_a_package_cannot_check_is_said():
    """A name that no size tells: its constraints are for processes with this package."""
    with dynamic_int_constraints(["h % 32 == 0", "zz > h"], on_missing="allow"):
        contract = carried(torch.export.export(Plain(), (named(),)).graph_module)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(AttributeError):  # there is no code of Inductor's to write it into
            check_in_cpp(contract)
    (text,) = [str(w.message) for w in caught if w.category is DeclarationWarning]
    line = next(
        i for i, t in enumerate(Path(__file__).read_text().splitlines(), 1) if "with dynamic_int_constraints" in t
    )
    assert text.replace(__file__, "here") == (
        "warning[DC703]: the package checks less than is declared: zz > h\n"
        f"  --> dynamic_int_constraints([...])  at here:{line}\n"
        "    zz > h\n"
        "    ^^^^^^\n"
        "  note: what names stand for has to follow from the sizes by sums and quotients\n"
        "  help: in Python, with dynconstraints imported, calls of the package are checked in full"
    )


class Forced(torch.nn.Module):
    def forward(self, x, y):
        return x * len(range(x.shape[0])) + y.sum()


def test_kernels_that_are_made_without_the_facts_are_said(tmp_path):
    """Where a file has another expression for a size than its contract says."""
    x = name_dims(torch.randn(6), {0: "h"}, constraints=["h % 3 == 0"])
    y = name_dims(torch.randn(8), {0: "n"})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = torch.export.export(Forced(), (x, y))
        torch.export.save(program, tmp_path / "forced.pt2")
        packaged = program_wrappers.packaged_as_declared(lambda *_args, **_options: None)
        packaged(program.module(), [])
        module = torch.export.load(tmp_path / "forced.pt2").module()
        packaged(module, [])
        module = torch.export.load(tmp_path / "forced.pt2").module()
        module.meta["custom"]["dynconstraints"]["narrowed"] = []  # that h is one number
        packaged(module, [])
    texts = [str(w.message) for w in caught if w.category is DeclarationWarning]
    line = next(
        i
        for i, t in enumerate(Path(__file__).read_text().splitlines(), 1)
        if '{0: "h"}, constraints=["h % 3 == 0"' in t
    )
    assert texts[0].startswith("warning[DC501]: the program forces h to one value: h == 6")
    assert [text.replace(__file__, "here") for text in texts[1:]] == [
        "warning[DC703]: the package checks what is declared, and its kernels are made without it\n"
        f'  --> name_dims(x, {{0: "h"}})  at here:{line}\n'
        "    h % 3 == 0\n"
        "    ^^^^^^^^^^\n"
        "  note: the sizes of the program from the file are other expressions than the declaration makes them\n"
        "  help: export the program and make the package of it in one process"
    ]


class Scaled(torch.nn.Module):
    def forward(self, x, p):
        return x * p


@NIGHTLY
def test_a_float_of_the_program_and_narrower_graphs(tmp_path):
    """A float counts with its value; what Inductor asks besides is refused, too."""
    p = DynamicFloat(0.5, name="p", constraints=["p == 0.5"])
    x = name_dims(torch.randn(8, 4), {0: "h"}, constraints=["h*p >= 2"])
    package = packaged(torch.export.export(Scaled(), (x, p)), tmp_path / "scaled.pt2")
    torch.testing.assert_close(package(torch.ones(4, 4), 0.5), torch.full((4, 4), 0.5))
    with pytest.raises(ConstraintViolationError, match=r"h\*p >= 2"):
        package(torch.ones(3, 4), 0.5)


MAIN = """
#include <iostream>
#include <ATen/ATen.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

int main(int argc, char** argv) {
    torch::inductor::AOTIModelPackageLoader loader(argv[1]);
    for (int i = 2; i < argc; ++i) {
        try {
            std::cout << loader.run({at::ones({std::stol(argv[i])})})[0].numel() << std::endl;
        } catch (const std::exception& error) {
            std::string text = error.what();
            std::cout << text.substr(0, text.find("\\n")) << std::endl;
        }
    }
}
"""


@NIGHTLY
def test_a_program_of_cpp_gets_the_text_of_the_constraint(tmp_path):
    """Linked against torch's runner of packages."""
    packaged(torch.export.export(Plain(), (named(),)), tmp_path / "plain.pt2")
    (tmp_path / "main.cpp").write_text(MAIN)
    home = Path(torch.__file__).parent
    flags = [f"-I{home}/include", f"-I{home}/include/torch/csrc/api/include", f"-L{home}/lib", f"-Wl,-rpath,{home}/lib"]
    libraries = ["-ltorch", "-ltorch_cpu", "-lc10"]
    command = ["g++", "-std=c++20", "-O0", str(tmp_path / "main.cpp"), *flags, *libraries, "-o", str(tmp_path / "main")]
    subprocess.run(command, check=True)
    ran = subprocess.run(
        [*map(str, (tmp_path / "main", tmp_path / "plain.pt2")), "64", "33", "0"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == [
        "64",
        "constraint violated: h % 32 == 0, where h = 33",
        "constraint violated: h >= 32, where h = 0",
    ]
