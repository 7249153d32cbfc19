"""`explain`: a function of a module, compiled for one call; the exit code says whether that serves the declaration."""

import json
import sys

import pytest

PROGRAM = """
import torch

class Nested:
    @staticmethod
    def embed(tokens, table):
        return table[tokens]

def rows(n, x):
    return torch.softmax(x.view(-1, n), -1)

def scale(n, x):
    return x / n if n % 64 == 0 else x

def half(n, x):
    return x + 1 if n * 0.7 * n ** 0.5 != 0.1 else x

def pooled(x):
    return torch.nn.functional.adaptive_avg_pool2d(x.view(1, 1, 4, -1), (4, 4))

def broken(n, x):
    raise ValueError("no such thing")

constant = 3
"""


@pytest.fixture
def explain(dync, tmp_path):
    """Runs `dynconstraints explain` in a folder with a module; another test's module of that name is forgotten."""
    (tmp_path / "sample_program.py").write_text(PROGRAM)
    yield lambda target, *arguments, backend=("--backend", "eager"): dync(
        "explain", f"sample_program:{target}", *backend, *arguments
    )
    sys.modules.pop("sample_program", None)


def test_a_call_that_serves_the_declaration_exits_with_0(explain):
    """A relation between a tensor and an int is in the size of the tensor."""
    ran = explain(
        "rows", "n % 16 == 0", "n >= 32", "k >= 2", "--assign", "n=64", "--assign", "k=3", "--tensor", "x=k*n"
    )
    assert ran.code == 0
    assert "k*n is x.size(0)" in ran.out
    assert "proved: under eager the graph serves every input that the declaration allows" in ran.out


def test_a_call_that_serves_a_part_exits_with_1(explain):
    """The condition, the line, the counterexample; in JSON the same as data; findings for formats that know those."""
    arguments = ("scale", "n % 32 == 0", "--assign", "n=64", "--tensor", "x=3")
    ran = explain(*arguments)
    assert ran.code == 1
    assert "beyond the declaration: n % 64 == 0" in ran.out
    data = json.loads(explain(*arguments, "--format", "json").out)
    assert data["command"] == "explain"
    assert data["outcome"] == "fails"
    assert data["result"]["counterexample"]["n"] % 64
    sarif = json.loads(explain(*arguments, "--format", "sarif").out)
    assert [r["ruleId"] for r in sarif["runs"][0]["results"]] == ["DC502"]
    assert explain(*arguments, "--exit-zero").code == 0


def test_inductor_is_what_a_function_is_judged_for(explain):
    """As torch.compile does; an unknown backend is told."""
    ran = explain("pooled", "2 <= n <= 128", "--assign", "n=70", "--tensor", "x=4,n", backend=())
    assert ran.out.startswith("pooled: 1 graph under Inductor\n")
    assert ran.code == 1
    assert explain("pooled", "2 <= n <= 128", "--assign", "n=70", "--tensor", "x=4,n").code == 0
    refused = explain("pooled", "--assign", "n=64", "--tensor", "x=4,n", backend=("--backend", "enductor"))
    assert refused.code == 2
    assert "enductor" in refused.err


def test_what_is_not_known_exits_with_3(explain):
    """A guard that the language has no words for and that no value was found to fail; and nothing declared at all."""
    assert explain("half", "n > 0", "--assign", "n=64", "--tensor", "x=3").code == 3
    assert explain("Nested.embed", "--tensor", "tokens=5:int64", "--tensor", "table=10,4").code == 3


def test_the_report_is_saved(explain, tmp_path):
    """As the name of the file ends."""
    arguments = ("scale", "n % 32 == 0", "--assign", "n=64", "--tensor", "x=3", "--save")
    explain(*arguments, "report.html")
    assert "<title>scale: what its graphs cover</title>" in (tmp_path / "report.html").read_text()
    refused = explain(*arguments, "report.pdf")
    assert refused.code == 2
    assert "a report is saved as .html, .json, .txt" in refused.err


REFUSED = [
    (("nothing",), "sample_program:nothing cannot be had: AttributeError"),
    (("constant",), "sample_program:constant is no function: it is of type int"),
    (("Nested",), "sample_program:Nested is a class: name a function, or an object that the module makes of the class"),
    (("scale", "--assign", "n=64"), "nothing is given for the parameter x"),
    (("scale", "--tensor", "x=3"), "nothing is given for the parameter n"),
    (("scale", "--assign", "n=64", "--tensor", "x=3", "--tensor", "y=3"), "y is no parameter; there are n, x"),
    (("scale", "--assign", "n=64", "--tensor", "x=m"), "a size of x is m, and m has no value"),
    (("scale", "--assign", "n=64", "--tensor", "x=n-65"), "a size of x is n - 65, and that is -1"),
    (("scale", "--assign", "n=64", "--tensor", "x=3:float31"), "float31 is no type of torch's"),
    (("scale", "--assign", "n=64", "--tensor", "x"), "write a tensor as PARAMETER=SIZE,..."),
    (("scale", "--assign", "n=64", "--tensor", "x=3,,4"), "an empty size in 'x=3,,4' is no expression"),
    (
        ("scale", "--assign", "n=64", "--assign", "m=1", "--tensor", "x=3"),
        "m is neither a parameter nor in the size of a tensor",
    ),
    (("broken", "--assign", "n=64", "--tensor", "x=3"), "fails for this call: ValueError: no such thing"),
    (("rows", "--assign", "n=64", "--tensor", "x=3"), "fails for this call: RuntimeError: shape '[-1, 64]' is invalid"),
    (("scale", "n % 32 == 0", "--assign", "n=65", "--tensor", "x=3"), "constraint violated: n % 32 == 0"),
    (("scale", "n % == 0", "--assign", "n=65", "--tensor", "x=3"), "error[DC1"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_makes_no_call_exits_with_2(explain, arguments, said):
    """And says what is amiss."""
    ran = explain(*arguments)
    assert ran.code == 2
    assert said in ran.err


def test_contradictory_constraints_exit_with_1_as_elsewhere(explain):
    """With the minimal conflict, before anything is compiled."""
    ran = explain("scale", "n > 5", "n < 3", "--assign", "n=64", "--tensor", "x=3")
    assert ran.code == 1
    assert "DC201" in ran.out


def test_a_target_that_is_no_target_is_a_usage_error(dync):
    """No colon; no such module; one that fails when imported."""
    assert "write the function as MODULE:FUNCTION" in dync("explain", "program").err
    assert "cannot be had: ModuleNotFoundError" in dync("explain", "no_such_module:f").err


def test_sizes_may_hold_commas_in_parentheses(explain):
    """``max(n, 3)`` is one size."""
    ran = explain("scale", "n % 64 == 0", "n >= 64", "--assign", "n=64", "--tensor", "x=max(n, 3),2")
    assert "max(n, 3) is x.size(0)" in ran.out
