"""`lint` reports what is wrong with constraint strings at their file, line and column, without running the source."""

import json
import time

import pytest

from dynconstraints.cli.lint.walk import files_below
from dynconstraints.cli.nearest_name import one_edit_apart


def lint_of(dync, tmp_path, source, *options, name="m.py"):
    """The findings as (code, line, column) of their first label."""
    (tmp_path / name).write_text(source)
    ran = dync("lint", name, "--format", "json", *options)
    findings = json.loads(ran.out)["findings"]
    assert ran.code == (1 if findings else 0)
    return [(f["code"], f["labels"][0]["line"], f["labels"][0]["column"]) for f in findings]


def test_a_syntax_error_is_at_its_own_characters(dync, tmp_path):
    """Also behind characters of several bytes."""
    source = "é = 'ü'; x = DynamicInt(64, name='s0', constraints=['s0 = 3'])\n"
    assert lint_of(dync, tmp_path, source) == [("DC102", 1, source.index("= 3") + 1)]


def test_a_contradiction_is_at_its_constraints(dync, tmp_path):
    """Within one list; two lists may contradict each other, in branches of which one is taken."""
    source = "dynamic_int_constraints(['s0 > 3'])\ndynamic_int_constraints([\n    's0 < 3',\n    's0 > 3',\n])\n"
    assert lint_of(dync, tmp_path, source) == [("DC201", 3, 6)]


def test_a_redundancy_is_at_the_constraint_that_can_go(dync, tmp_path):
    """A repetition as much as what follows."""
    source = "dynamic_int_constraints(['s0 % 32 == 0', 's0 % 16 == 0', 's0 % 32 == 0'])\n"
    assert sorted(lint_of(dync, tmp_path, source)) == [("DC202", 1, 43), ("DC202", 1, 59)]


def test_a_literal_value_that_breaks_its_constraints_is_reported(dync, tmp_path):
    """`DynamicInt(65, ...)` would raise when it is run."""
    source = "DynamicInt(65, name='s0', constraints=['s0 % 32 == 0'])\n"
    assert lint_of(dync, tmp_path, source) == [("DC301", 1, 41)]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("DynamicInt(64, constraints=['a < b'])", "ambiguous name: the constraints mention a and b; pass name=..."),
        ("DynamicInt(64, None, ['a < b'])", "ambiguous name: the constraints mention a and b; pass name=..."),
        ("DynamicFloat(.5, constraints=['p < b'])", "ambiguous name: the constraints mention p and b; pass name=..."),
        ("DynamicInt(64, name='s0', constraints=['so > 3'])", "the constraints of s0 never speak of s0, only of so"),
    ],
)
def test_a_value_whose_constraints_are_about_others_is_reported(dync, tmp_path, source, message):
    """It would raise when it is run; a short name that is misspelt is often found by that alone."""
    (tmp_path / "m.py").write_text(source)
    (finding,) = json.loads(dync("lint", "m.py", "--format", "json").out)["findings"]
    assert (finding["code"], finding["message"]) == ("DC401", message)


@pytest.mark.parametrize(
    "source",
    [
        "DynamicInt(2, constraints=['a < 3'])",
        "DynamicInt(64, name, ['a < b'])",
        "DynamicInt(64, name='s0', constraints=['a < b', other])",
        "DynamicInt(64, name='s0', constraints=[])",
        "dynamic_int_constraints(['a < b'])",
    ],
)
def test_a_value_whose_name_is_known_or_not_to_be_known_is_fine(dync, tmp_path, source):
    """Its only name, a name that is no literal, constraints that are none."""
    assert lint_of(dync, tmp_path, source) == []


def test_a_misspelt_name_is_at_the_name(dync, tmp_path):
    """Names count over the whole file; the other spelling must be in use."""
    source = "dynamic_int_constraints(['seq_len > 3', 'batch < seq_len'])\ndynamic_int_constraints(['seq_ln > 1'])\n"
    assert lint_of(dync, tmp_path, source) == [("DC405", 2, 27)]


@pytest.mark.parametrize(
    "constraints",
    [
        ["s0 % 2 == 0", "s0 < 9", "s1 < 5"],  # a digit
        ["h % 2 == 0", "h < 9", "w < 5"],  # short
        ["heads % 2 == 0", "heads < 9", "width < 5"],  # far apart
        ["head < 9", "heads < 5"],  # both used once: which is the slip?
    ],
)
def test_names_that_differ_on_purpose_are_no_slips(dync, tmp_path, constraints):
    """Short names, names with other digits, names far apart, and two that are both used once."""
    assert lint_of(dync, tmp_path, f"dynamic_int_constraints({constraints})\n") == []


def test_a_name_that_a_value_declares_is_no_slip(dync, tmp_path):
    """It is in use, though one constraint only speaks of it."""
    source = (
        "DynamicInt(4, name='heads', constraints=['heads > 3'])\ndynamic_int_constraints(['head > 1', 'head < 3'])\n"
    )
    assert lint_of(dync, tmp_path, source) == []


@pytest.mark.parametrize(
    ("a", "b", "apart"),
    [
        ("size", "sizes", True),
        ("size", "sie", True),
        ("size", "side", True),
        ("size", "siez", True),
        ("size", "isze", True),
        ("size", "size", False),
        ("size", "sizing", False),
        ("size", "zise", False),
        ("abcd", "badc", False),
    ],
)
def test_one_edit_is_an_insertion_a_deletion_a_replacement_or_a_swap(a, b, apart):
    """In either order of the two."""
    assert one_edit_apart(a, b) is one_edit_apart(b, a) is apart


def test_a_suppression_takes_back_the_findings_of_its_line(dync, tmp_path):
    """In Python and in listings, of one code or several; other codes and lines stay."""
    conflict = "dynamic_int_constraints(['s0 < 3', 's0 > 3'])"
    assert lint_of(dync, tmp_path, f"{conflict}  # dync: ignore[DC201]\n") == []
    assert lint_of(dync, tmp_path, f"{conflict}  # dync: ignore[DC101, DC201]\n") == [("DC901", 1, 63)]
    assert lint_of(dync, tmp_path, f"{conflict}\n{conflict}  # dync: ignore[DC201]\n") == [("DC201", 1, 27)]
    assert lint_of(dync, tmp_path, "s0 < 3\ns0 > 3  # dync: ignore[DC201]\n", name="m.dync") == []


def test_a_suppression_that_takes_nothing_back_is_reported(dync, tmp_path):
    """Where its code is."""
    assert lint_of(dync, tmp_path, "s0 < 3  # dync: ignore[DC201]\n", name="m.dync") == [("DC901", 1, 24)]


def test_what_looks_like_a_suppression_in_a_string_is_none(dync, tmp_path):
    """Only comments count."""
    source = "x = '# dync: ignore[DC201]'; dynamic_int_constraints(['s0 < 3', 's0 > 3'])\n"
    assert lint_of(dync, tmp_path, source) == [("DC201", 1, 56)]


def test_syntax_only_leaves_out_what_needs_the_solver_and_does_not_call_suppressions_unused(dync, tmp_path):
    """A comment against DC201 cannot be known to be unused by a run that does not look for contradictions."""
    source = "dynamic_int_constraints(['s0 < 3', 's0 > 3', 's0 = 3'])  # dync: ignore[DC201]\n"
    assert [code for code, *_ in lint_of(dync, tmp_path, source, "--syntax-only")] == ["DC102"]


def test_syntax_only_honours_suppressions(dync, tmp_path):
    """Of the codes that it finds."""
    source = "dynamic_int_constraints(['s0 = 3'])  # dync: ignore[DC102]\n"
    assert lint_of(dync, tmp_path, source, "--syntax-only") == []


def test_codes_can_be_left_out(dync, tmp_path):
    """By option, or in pyproject.toml."""
    source = "dynamic_int_constraints(['s0 % 32 == 0', 's0 % 16 == 0'])\n"
    assert lint_of(dync, tmp_path, source, "--ignore", "DC202") == []
    (tmp_path / "pyproject.toml").write_text('[tool.dynconstraints]\nignore = ["DC202"]\n')
    assert lint_of(dync, tmp_path, source) == []
    assert len(lint_of(dync, tmp_path, source, "--isolated")) == 1


def test_folders_are_walked_in_order_without_what_is_not_source(tmp_path):
    """Hidden folders, environments, caches and excluded patterns are not entered; a named file is always taken."""
    for name in ("b.py", "a.dync", "c.txt", ".hidden/x.py", "venv/pyvenv.cfg", "venv/x.py", "sub/x.py", "gen/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    shown = [path.removeprefix(f"{tmp_path}/") for path in files_below([str(tmp_path)], ["gen"])]
    assert shown == ["a.dync", "b.py", "sub/x.py"]
    assert list(files_below([str(tmp_path / "c.txt"), str(tmp_path / "c.txt")])) == [str(tmp_path / "c.txt")]


def test_a_file_that_is_not_utf8_or_not_python_does_not_stop_the_others(dync, tmp_path):
    """It is a finding like any other."""
    (tmp_path / "a.py").write_bytes(b"DynamicInt(\xff)")
    (tmp_path / "b.py").write_text("DynamicInt(")
    (tmp_path / "c.py").write_text("dynamic_int_constraints(['s0 = 3'])")
    ran = dync("lint", ".", "--format", "json")
    assert ran.code == 1
    assert [f["code"] for f in json.loads(ran.out)["findings"]] == ["DC142", "DC802", "DC102"]


def test_the_summary_counts(dync, tmp_path):
    """Files, lists, and findings by severity."""
    (tmp_path / "m.py").write_text("dynamic_int_constraints(['s0 = 3'])")
    (tmp_path / "n.py").write_text("")
    assert dync("lint", ".").out.endswith("found 1 error in 1 list of constraints in 2 files\n")
    assert dync("lint", "n.py").out == "clean: 0 lists of constraints in 1 file\n"


def test_many_names_take_no_longer_than_their_number(dync, tmp_path):
    """Thousands of names used once beside thousands in use are compared by what they share, not each with each."""
    once = [f"constraint_{chr(97 + i % 26)}{i}_x > 0" for i in range(3000)]
    twice = [f"constraint_{chr(97 + i % 26)}{i}_yy > {j}" for i in range(1500) for j in range(2)]
    (tmp_path / "many.dync").write_text("\n".join(once + twice))
    started = time.process_time()
    assert dync("lint", "--syntax-only", "many.dync").code == 0
    assert time.process_time() - started < 5
