"""`lint` reads the constraints of every call that takes some, whatever a source calls it and however it lists them."""

import itertools
import json

import pytest

IMPORTS = "from dynconstraints import *\n"


def findings_of(dync, tmp_path, source):
    """Code and the characters that the first label marks."""
    (tmp_path / "m.py").write_text(source)
    lines = source.split("\n")
    found = json.loads(dync("lint", "m.py", "--format", "json").out)["findings"]
    labels = [(f["code"], f["labels"][0]) for f in found]
    return [(code, lines[one["line"] - 1][one["column"] - 1 : one["end_column"] - 1]) for code, one in labels]


CALLS = {
    "DynamicInt": "{}(v, 'k', {})",
    "DynamicFloat": "{}(v, constraints={})",
    "dynamic_int_constraints": "{}({})",
    "ConstraintSystem": "{}({})",
    "name_dims": "{}(x, {{0: 'k'}}, constraints={})",
    "bind": "{}('k', v, constraints={})",
}
REACHED = {
    "imported": ("from dynconstraints import {0}", "{0}"),
    "renamed": ("from dynconstraints import {0} as short", "short"),
    "from a module": ("from dynconstraints.pytorch import {0} as short", "short"),
    "in a function": ("def f():\n    from dynconstraints import {0}", "{0}"),
    "star": ("from dynconstraints import *", "{0}"),
    "attribute": ("import dynconstraints", "dynconstraints.{0}"),
    "attribute of an alias": ("import dynconstraints as dc", "dc.{0}"),
    "attribute of a module": ("from dynconstraints import pytorch as p", "p.{0}"),
    "attribute of an attribute": ("import dynconstraints.pytorch", "dynconstraints.pytorch.{0}"),
    "assigned": ("import dynconstraints as dc\nshort = dc.{0}\nshorter = short", "shorter"),
}
LISTED = {
    "text": "'k = 2'",
    "list": "['k = 2']",
    "tuple": "('k > 1', 'k = 2')",
    "set": "{'k = 2'}",
    "f-string with nothing to fill in": "[f'k = 2']",
    "beside an f-string": "[f'k > {v}', 'k = 2']",
    "beside what is computed": "[texts(), 'k = 2', more]",
    "sum": "['k > 1'] + ['k = 2'] + more",
    "unpacked": "[*more, *['k > 1', 'k = 2']]",
    "copied": "list(('k = 2',))",
    "conversion of a sum": "tuple(sorted(more + ['k = 2']))",
}


@pytest.mark.parametrize("reached", REACHED)
@pytest.mark.parametrize("callee", CALLS)
def test_a_slip_is_found_in_every_call_however_it_is_reached(dync, tmp_path, callee, reached):
    """At its own characters."""
    above, spelled = REACHED[reached]
    source = f"{above.format(callee)}\n{CALLS[callee].format(spelled.format(callee), LISTED['list'])}\n"
    assert findings_of(dync, tmp_path, source) == [("DC102", "=")]


@pytest.mark.parametrize("listed", LISTED)
@pytest.mark.parametrize("callee", CALLS)
@pytest.mark.parametrize("where", ["in place", "at the top", "in a function", "by two names", "of a class", "of self"])
def test_a_slip_is_found_however_it_is_listed(dync, tmp_path, callee, listed, where):
    """Also where the list has a name, at the top of the module, in a function or in a class."""
    call, text = CALLS[callee], LISTED[listed]
    source = {
        "in place": IMPORTS + call.format(callee, text),
        "at the top": f"{IMPORTS}SIZES = {text}\n{call.format(callee, 'SIZES')}",
        "in a function": f"{IMPORTS}def f(x, v, more):\n    sizes = {text}\n    return {call.format(callee, 'sizes')}",
        "of a class": f"{IMPORTS}class Net:\n    SIZES: list[str] = {text}\n{call.format(callee, 'Net.SIZES')}",
        "of self": f"{IMPORTS}class Net:\n    SIZES = {text}\n    def f(self): {call.format(callee, 'self.SIZES')}",
        "by two names": f"{IMPORTS}A = {text}\nB: list[str] = A\n{call.format(callee, 'B')}",
    }[where]
    assert findings_of(dync, tmp_path, source + "\n") == [("DC102", "=")]


@pytest.mark.parametrize(
    "system",
    [
        "ConstraintSystem(['a > 1'])",
        "dc.ConstraintSystem(['a > 1'])",
        "ConstraintSystem(['a > 1']).extend(['b > 1'])",
        "(ConstraintSystem('a > 1') & other)",
        "(other & ConstraintSystem('a > 1'))",
        "BASE",
        "MORE",
    ],
)
def test_a_slip_is_found_in_what_extends_a_system(dync, tmp_path, system):
    """A system that is made in the source; other lists have an `extend`, too."""
    head = "from dynconstraints import ConstraintSystem\nimport dynconstraints as dc\n"
    head += "BASE = ConstraintSystem(['a > 1'])\nMORE = BASE.extend(['c > 1'])\n"
    assert findings_of(dync, tmp_path, f"{head}{system}.extend(['k = 2'])\n") == [("DC102", "=")]
    assert findings_of(dync, tmp_path, f"{head}{system}.extend('k = 2')\n") == [("DC102", "=")]


@pytest.mark.parametrize(
    "source",
    [
        "texts = []\ntexts.extend(['k = 2'])",
        "import socket\nsocket.socket().bind('k', 1, constraints=['k = 2'])",
        "from zmq import bind\nbind('k', 1, constraints=['k = 2'])",
        "def bind(name, value, constraints): ...\nbind('k', 1, constraints=['k = 2'])",
        "s = s.extend(['k = 2'])",
        "a = b\nb = a\na.extend(['k = 2'])\na(['k = 2'])",
        "name_dims(x, names)",
        "class A:\n    C = ['k = 2']\n    def f(self):\n        self.C = []\n        dynamic_int_constraints(self.C)",
        "def f(dynamic_int_constraints2): dynamic_int_constraints2(['k = 2'])",
    ],
)
def test_what_is_not_ours_is_left_alone(dync, tmp_path, source):
    """A word that others use counts only where it is imported from here, or reached through what is."""
    assert findings_of(dync, tmp_path, "# of dynconstraints\n" + source + "\n") == []


MISSPELT = {
    "in a constraint": "dynamic_int_constraints(['height > 2', 'hight > 1', 'height < 9'])",
    "as a dimension": "dynamic_int_constraints(['height > 2', 'height < 9']); name_dims(x, {0: 'hight'})",
    "in a size": "dynamic_int_constraints(['height > 2', 'height < 9']); name_dims(x, {0: '2*hight'})",
    "beside a dimension": "name_dims(x, {0: 'height'}); dynamic_int_constraints(['hight > 2'])",
    "beside a value": "bind('height', v); dynamic_int_constraints(['hight > 2'])",
    "beside an f-string": "dynamic_int_constraints([f'height > {v}', 'hight > 2'])",
    "beside a size that is an f-string": "name_dims(x, {0: f'height + {v}'}); dynamic_int_constraints(['hight > 2'])",
    "beside what is computed": "dynamic_int_constraints([*t, f'{v}', 'height > 2', 'hight > 1', 'height < 9'])",
    "before a repeated slip": "name_dims(x, {0: 'height', 1: 'hight'}); dynamic_int_constraints(['height > 2'])",
}


@pytest.mark.parametrize("place", MISSPELT)
def test_a_misspelt_name_is_found_wherever_it_stands(dync, tmp_path, place):
    """And nothing is said of the name that is meant."""
    assert findings_of(dync, tmp_path, f"{IMPORTS}{MISSPELT[place]}\n") == [("DC405", "hight")]


@pytest.mark.parametrize(
    "source",
    [
        "name_dims(x, {0: 'heads', 1: 'head'})",
        "name_dims(x, {0: 's0', 1: 's1'})",
        "dynamic_int_constraints([f'height{v} > 2', 'height > 2'])",
        "dynamic_int_constraints([f'{v}height > 2', f'height{v}', 'hight > 2'])",
        "name_dims(x, {0: f'{v}', 1: v, 2: n}); dynamic_int_constraints(['height > 2'])",
    ],
)
def test_names_that_are_alike_on_purpose_are_left_alone(dync, tmp_path, source):
    """Two dimensions used once each; parts of names that go on in what is filled in."""
    assert findings_of(dync, tmp_path, f"{IMPORTS}{source}\n") == []


def test_an_expression_of_a_size_is_read(dync, tmp_path):
    """What is no expression is told at its characters."""
    found = findings_of(dync, tmp_path, f"{IMPORTS}name_dims(x, {{0: 'n', 1: '2*'}})\n")
    assert found == [("DC118", "*")]


def test_a_bound_value_is_held_to_its_constraints_and_blocks(dync, tmp_path):
    """As a DynamicInt is."""
    source = f"{IMPORTS}bind('k', 3, constraints=['k % 2 == 0'])\n"
    assert findings_of(dync, tmp_path, source) == [("DC301", "k % 2 == 0")]
    source = f"{IMPORTS}with dynamic_int_constraints(['k >= 4']):\n    bind('k', 3, constraints=['k % 3 == 0'])\n"
    assert [code for code, _ in findings_of(dync, tmp_path, source)] == ["DC301"]
    source = (
        f"{IMPORTS}with dynamic_int_constraints(['k >= 4']):\n    name_dims(x, {{0: 'k'}}, constraints=['k < 4'])\n"
    )
    assert [code for code, _ in findings_of(dync, tmp_path, source)] == ["DC201"]


def test_every_order_of_elements_finds_the_same(dync, tmp_path):
    """Whatever stands before, between and behind the texts."""
    elements = ["f'height > {v}'", "'hight > 1'", "'height = 3'", "more()"]
    for order in itertools.permutations(elements):
        source = f"{IMPORTS}dynamic_int_constraints([{', '.join(order)}])\n"
        assert sorted(findings_of(dync, tmp_path, source)) == [("DC102", "="), ("DC405", "hight")]
