"""Constraint strings are found in the syntax tree, with the very characters of the file that they are."""

import textwrap

import pytest

from dynconstraints.cli.lint.discover import groups_in
from dynconstraints.cli.report import InputError


def found(source):
    """Each group as its callee and texts."""
    return [(group.callee, [one.text for one in group.written]) for group in groups_in(textwrap.dedent(source), "m.py")]


@pytest.mark.parametrize(
    ("source", "callee"),
    [
        ("DynamicInt(64, name='s0', constraints=['s0 > 0'])", "DynamicInt"),
        ("DynamicInt(64, 's0', ['s0 > 0'])", "DynamicInt"),
        ("DynamicInt(64, 's0', ('s0 > 0',))", "DynamicInt"),
        ("DynamicInt(64, constraints='s0 > 0')", "DynamicInt"),
        ("dynconstraints.DynamicInt(64, constraints=['s0 > 0'])", "DynamicInt"),
        ("from dynconstraints import DynamicInt as D\nD(64, constraints=['s0 > 0'])", "DynamicInt"),
        ("DynamicFloat(0.5, 'p', ['s0 > 0'])", "DynamicFloat"),
        ("with dynamic_int_constraints(['s0 > 0']): pass", "dynamic_int_constraints"),
        ("@dynamic_int_constraints(['s0 > 0'])\ndef f(): pass", "dynamic_int_constraints"),
        ("from dynconstraints import ConstraintSystem\nConstraintSystem(['s0 > 0'])", "ConstraintSystem"),
        ("import dynconstraints as dc\ndc.ConstraintSystem(['s0 > 0'])", "ConstraintSystem"),
        ("SIZES = ['s0 > 0']\ndynamic_int_constraints(SIZES)", "dynamic_int_constraints"),
    ],
)
def test_every_way_to_declare_constraints_is_found(source, callee):
    """By position or keyword, under another name, in a list, a tuple, or a literal list at the top of the module."""
    assert found(source) == [(callee, ["s0 > 0"])]


@pytest.mark.parametrize(
    "source",
    [
        "DynamicInt(64)",
        "DynamicInt(*args, ['s0 > 0'])",
        "ConstraintSystem(['s0 > 0'])",
        "other(['s0 > 0'])",
        "'DynamicInt(64, constraints=[\"s0 > 0\"])'",
    ],
)
def test_what_declares_no_constraints_is_left_alone(source):
    """No constraints, no way to know which argument they are, or another package's class of that name."""
    assert found(source) == []


def test_elements_that_are_no_literals_are_counted_not_guessed():
    """f-strings, names, calls and starred lists are left to the run."""
    (group,) = groups_in("DynamicInt(64, 's0', ['s0 > 0', f's0 > {x}', y, *z])", "m.py")
    assert len(group.written) == 1
    assert group.unread == 3


def test_a_list_that_is_assigned_twice_is_not_guessed():
    """Which of the two holds at the call is not known without running the source."""
    (group,) = groups_in("A = ['s0 > 0']\nA = ['s0 > 1']\ndynamic_int_constraints(A)", "m.py")
    assert group.written == ()
    assert group.unread == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        "def f(A): dynamic_int_constraints(A)",
        "for A in x: dynamic_int_constraints(A)",
        "A += y; dynamic_int_constraints(A)",
    ],
)
def test_a_list_whose_name_is_bound_again_anywhere_is_not_guessed(elsewhere):
    """A parameter or a loop variable of its name is another list; one that is added to has more."""
    (group,) = groups_in(f"A = ['s0 > 0']\n{elsewhere}", "m.py")
    assert (group.written, group.unread) == ((), 1)


def test_the_declared_name_and_value_are_read():
    """Only from literals."""
    source = (
        "DynamicInt(64, 's0', ['s0 > 0'])\nDynamicInt(n, name=m, constraints=[])\nDynamicFloat(-.5, 'p', ['p < 0'])"
    )
    first, second, third = groups_in(source, "m.py")
    assert (first.declared, first.value.number, first.is_real) == ("s0", 64, False)
    assert (second.declared, second.value) == (None, None)
    assert (third.declared, third.value.number, third.is_real) == ("p", -0.5, True)


@pytest.mark.parametrize(
    "literal",
    [
        "'s0 > 0'",
        '"s0 > 0"',
        "'''s0 > 0'''",
        '"""s0 > 0"""',
        "r's0 > 0'",
        "u's0 > 0'",
        "'''s0\n> 0'''",
        "'größe > 0'",
    ],
)
@pytest.mark.parametrize("before", ["", "x = 1; ", "é = 'ü𝄞'; ", "\n\n    \t\n"])
def test_the_offset_of_a_literal_is_that_of_its_first_character_in_the_file(literal, before):
    """Whatever the quotes and prefix, and whatever precedes it: columns count characters, not bytes."""
    source = f"{before}dynamic_int_constraints([{literal}])\n"
    (group,) = groups_in(source, "m.py")
    (written,) = group.written
    assert written.source.text == source
    assert source[written.offset : written.offset + len(written.text)] == written.text


@pytest.mark.parametrize("literal", ["'s0' ' > 0'", r"'s0 \x3e 0'", "'s0 > \\\n0'"])
def test_a_literal_whose_characters_are_not_those_of_the_file_stands_for_itself(literal):
    """Escapes and literals in a row: the source is the text itself, located where it starts."""
    (group,) = groups_in(f"\ndynamic_int_constraints([{literal}])\n", "m.py")
    (written,) = group.written
    assert written.source.text == written.text == "s0 > 0"
    assert written.source.position(0) == (2, 26)


@pytest.mark.parametrize("source", ["x = (", "\0", "(" * 10_000, "x = 'a", "if x:\npass"])
def test_what_is_not_python_is_an_input_error(source):
    """And never a traceback, of whatever exception the parser of Python raises."""
    with pytest.raises(InputError) as error:
        groups_in(source, "m.py")
    (finding,) = error.value.findings
    assert finding.code == "DC802"
