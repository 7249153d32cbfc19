"""Blocks inside one another add up, as do blocks and the values in them; what only stands near does not."""

import json
import textwrap

import pytest


@pytest.fixture
def lint(dync, tmp_path):
    """A function from a source to its findings: the code, and the line of each label."""

    def run(source, *options):
        (tmp_path / "m.py").write_text(textwrap.dedent(source))
        findings = json.loads(dync("lint", "m.py", "--format", "json", *options).out)["findings"]
        return [(f["code"], [label["line"] for label in f["labels"]]) for f in findings]

    return run


CONTRADICTORY = {
    "blocks": """
        with dynamic_int_constraints(["batch > 100"]):
            with dynamic_int_constraints(["batch < 50"]):
                pass
        """,
    "items of one with": """
        with (
            dynamic_int_constraints(["batch > 100"]), dynamic_int_constraints(
                ["batch < 50"])):
            pass
        """,
    "with other items and statements between": """
        with dynamic_int_constraints(["batch > 100"]) as scope, open(path):
            if wanted:
                for item in items: print(); [dynamic_int_constraints(["batch < 50"])]; x = 1
                with dynamic_int_constraints(["batch < 50"]): pass
        """,
    "decorators": """
        @dynamic_int_constraints(["batch > 100"])
        @dynamic_int_constraints(["batch < 50"])
        def f(): pass
        """,
    "decorators with one between that calls at once": """
        @dynamic_int_constraints(["batch > 100"])
        @torch.compile(fullgraph=True)
        @dynamic_int_constraints(["batch < 50"])
        async def f(): pass
        """,
    "a block in a decorated function": """
        @dynamic_int_constraints(["batch > 100"])
        async def f():
            with dynamic_int_constraints(["batch < 50"]): pass
        """,
    "a block in a class in a block": """
        with dynamic_int_constraints(["batch > 100"]):
            class C:
                with dynamic_int_constraints(["batch < 50"]): pass
        """,
    "a block beside what catches another error": """
        with dynamic_int_constraints(["batch > 100"]):
            try:
                with dynamic_int_constraints(["batch < 50"]): pass
            except OSError:
                pass
        """,
    "a block by name": """
        OUTER = dynamic_int_constraints(["batch > 100"])
        with OUTER:
            with dynamic_int_constraints(["batch < 50"]): pass
        """,
    "blocks by names that other functions enter, too": """
        OUTER = dynamic_int_constraints(["batch > 100"])
        INNER = dynamic_int_constraints(["batch < 50"])
        def f():
            with OUTER, INNER: pass
        def g():
            with OUTER, INNER: pass
        """,
    "a declared value": """
        with dynamic_int_constraints(["batch > 100"]):
            n = DynamicInt(size, name="batch", constraints=["batch < 50"])
        """,
    "a declared value with the only name there is": """
        with dynamic_int_constraints(["batch > 100"]):
            n = DynamicInt(size, constraints=["batch < 50"])
        """,
    "a declared float": """
        with dynamic_int_constraints(["0 < p", "p < 1"][:]): pass
        with dynamic_int_constraints(["p > 0.9"]):
            f(DynamicFloat(0.5, name="p", constraints=["p < 0.6"]))
        """,
}


@pytest.mark.parametrize("name", CONTRADICTORY)
def test_what_holds_at_the_same_time_and_contradicts_itself_is_reported(lint, name):
    """Once, with a label at each place."""
    lines = [i for i, line in enumerate(CONTRADICTORY[name].splitlines(), 1) if "batch >" in line or "p > 0.9" in line]
    inner = [i for i, line in enumerate(CONTRADICTORY[name].splitlines(), 1) if "< 50" in line or "p < 0.6" in line]
    assert lint(CONTRADICTORY[name]) == [("DC201", [lines[0], inner[-1]])]


APART = {
    "one after the other": """
        with dynamic_int_constraints(["batch > 100"]): pass
        with dynamic_int_constraints(["batch < 50"]): pass
        """,
    "siblings in a block": """
        with dynamic_int_constraints(["batch > 10"]):
            with dynamic_int_constraints(["batch > 100"]): pass
            with dynamic_int_constraints(["batch < 50"]): pass
        """,
    "a function in a block may run elsewhere": """
        with dynamic_int_constraints(["batch > 100"]):
            def f():
                with dynamic_int_constraints(["batch < 50"]): pass
            @dynamic_int_constraints(["batch < 50"])
            def g(): pass
            later = lambda: DynamicInt(3, name="batch")
            values = (DynamicInt(i, name="batch", constraints=["batch < 50"]) for i in x)
        """,
    "a function in a decorated function, too": """
        @dynamic_int_constraints(["batch > 100"])
        def f():
            def g():
                with dynamic_int_constraints(["batch < 50"]): pass
            return g
        """,
    "decorators with an unknown one between": """
        @dynamic_int_constraints(["batch > 100"])
        @in_a_thread
        @dynamic_int_constraints(["batch < 50"])
        def f(): pass
        """,
    "a block that is made in another and not entered there": """
        with dynamic_int_constraints(["batch > 100"]):
            later = dynamic_int_constraints(["batch < 50"])
        """,
    "a name that is something else here": """
        INNER = dynamic_int_constraints(["batch < 50"])
        def f(INNER):
            with dynamic_int_constraints(["batch > 100"]), INNER: pass
        """,
    "an expression that is evaluated before its block is entered": """
        with dynamic_int_constraints(["batch > 100"]) if f(DynamicInt(3, name="batch")) else other: pass
        """,
    "a block entered twice": """
        SCOPE = dynamic_int_constraints(["batch > 100"])
        with SCOPE, SCOPE: pass
        """,
    "values beside each other": """
        with dynamic_int_constraints(["batch > 10"]):
            a = DynamicInt(20, name="batch", constraints=["batch < 30"])
            b = DynamicInt(40, name="batch", constraints=["batch > 35"])
        """,
    "what a value says again may count outside of the block": """
        with dynamic_int_constraints(["batch > 10"]):
            a = DynamicInt(20, name="batch", constraints=["batch > 5"])
        """,
    "a stricter inner block leaves the outer one as it is": """
        with dynamic_int_constraints(["batch > 10"]):
            with dynamic_int_constraints(["batch > 20"]): pass
        """,
    "what is there to fail": """
        with dynamic_int_constraints(["batch > 10"]):
            with pytest.raises(ConstraintViolationError):
                f(DynamicInt(3, name="batch"))
            try:
                f(DynamicInt(3, name="batch"))
            except (OSError, dynconstraints.ConstraintError):
                pass
        """,
    "a system is a set of its own": """
        from dynconstraints import ConstraintSystem
        with dynamic_int_constraints(["batch > 10"]):
            ConstraintSystem(["batch < 5"])
        """,
}


@pytest.mark.parametrize("name", APART)
def test_what_does_not_hold_at_the_same_time_is_not_put_together(lint, name):
    """No finding."""
    assert lint(APART[name]) == []


def test_what_an_inner_block_repeats_is_redundant(lint):
    """It holds already: the very constraint, or what follows, also from blocks farther out."""
    source = """
        with dynamic_int_constraints(["n % 32 == 0"]):
            with dynamic_int_constraints(["m == 2*n"]):
                with dynamic_int_constraints([
                    "n % 32 == 0",
                    "m % 64 == 0",
                    "m > 5"]): pass
        """
    assert lint(source) == [("DC202", [5, 2]), ("DC202", [6, 2, 3])]


def test_a_contradiction_is_told_where_it_arises_and_no_further_in(lint):
    """The innermost block adds nothing to a contradiction between those around it, or to its own."""
    source = """
        with dynamic_int_constraints(["n > 5"]):
            with dynamic_int_constraints(["n < 3"]):
                with dynamic_int_constraints(["n == 4"]): pass
            with dynamic_int_constraints(["n > 9", "n < 8"]): pass
        """
    assert lint(source) == [("DC201", [2, 3]), ("DC201", [5, 5])]


def test_a_value_is_held_to_the_blocks_around_it(lint):
    """With or without constraints of its own; together with other names too. The value is the first place."""
    source = """
        with dynamic_int_constraints(["n % 32 == 0", "m == 2*n", "m < 999"]):
            f(DynamicInt(65, name="n"))
            f(DynamicInt(640, name="n", constraints=["n > 5"]))
            f(DynamicInt(64, name="n"))
            f(DynamicInt(-3, name="k"))
        """
    assert lint(source) == [("DC301", [3, 2]), ("DC301", [4, 2, 2])]


def test_a_value_that_breaks_its_own_constraints_is_told_of_once(lint):
    """With those of the block it would be told again."""
    source = """
        with dynamic_int_constraints(["n > 5"]):
            f(DynamicInt(65, name="n", constraints=["n % 32 == 0"]))
        """
    assert lint(source) == [("DC301", [3])]


def test_a_comment_at_any_of_the_places_takes_it_back(lint):
    """At the outer block as well as at the inner one."""
    outer, inner = 'with dynamic_int_constraints(["n > 5"]):', '    with dynamic_int_constraints(["n < 5"]):'
    for first, second in (("", "  # dync: ignore[DC201]"), ("  # dync: ignore[DC201]", "")):
        assert lint(f"{outer}{first}\n{inner}{second}\n        pass\n") == []


def test_syntax_only_leaves_them_out(lint):
    """They need the solver."""
    assert lint(CONTRADICTORY["blocks"], "--syntax-only") == []


def test_a_deep_tree_is_no_traceback(lint):
    """The parser of Python takes long sums, whose trees are as deep."""
    block = 'with dynamic_int_constraints(["n > 5"]):\n    x = ' + " + ".join(["1"] * 900)
    assert lint(f'{block} + DynamicInt(3, name="n")\n') == [("DC301", [2, 1])]


def test_the_summary_counts_lists_of_constraints(dync, tmp_path):
    """A value without any is no list."""
    (tmp_path / "m.py").write_text('with dynamic_int_constraints(["n > 5"]):\n    DynamicInt(9, name="n")\n')
    assert dync("lint", "m.py").out == "clean: 1 list of constraints in 1 file\n"


def test_floats_are_floats(lint):
    """Between 0 and 1 there are some, though no integer; as values they are held to their constraints."""
    assert lint('DynamicFloat(0.5, name="p", constraints=["p > 0", "p < 1"])') == []
    assert lint('DynamicFloat(0.5, constraints=["p > 0", "p < 1"])') == []
    assert lint('DynamicFloat(1.5, name="p", constraints=["p > 0", "p < 1"])') == [("DC301", [1])]
    assert lint('DynamicFloat(0.5, name="q", constraints=["q % 2 == 0"])\nf(["x"])\n') == [("DC135", [1])]


def test_a_value_that_leaves_none_for_other_names_is_reported(lint):
    """As it would be where it is run."""
    assert lint('DynamicInt(65, name="n", constraints=["m == 2*n", "m < 9"])') == [("DC301", [1, 1])]
