"""Whatever the arguments and the files: an exit code, output in the format asked for, and never a traceback."""

import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import jsonschema
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

import dynconstraints.cli
from dynconstraints.cli.app import COMMANDS
from dynconstraints.ir.printer import show

SCHEMA = json.loads((Path(dynconstraints.cli.__file__).parent / "schema" / "output-1.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SECONDS = 10  # of questions to the solver, with the limit below; texts alone are answered in milliseconds

PIECES = ["a", "s0", "64", "0", "1.5", "%", "//", "**", "==", "=", "<=", "=>", "(", ")", "{1,2}", "and", "not", "in"]
SOUPS = st.lists(st.sampled_from([*PIECES, "\\", "'", '"', "#", "\n", "\0", "\udcff", "é", "漢", "-"]), max_size=9)
TEXTS = st.one_of(
    strategies.formulas(max_leaves=2).map(show),
    SOUPS.map(" ".join),
    st.sampled_from(["s0 % 32 == 0", "s0 == 33", "a < b", "b < a", "0.0 < p < 1.5", "p > 0", "a*b == 36", "true", ""]),
)
SMALL = st.sampled_from("- m.dync m.py . none.dync s0=64 a=-3 p=0.5 3 s0 DC201".split())  # noqa: SIM905  # as typed
OPTIONS = st.sampled_from(
    [
        *(
            "--shape x=s0",
            "--shape a=a",
            "--shape x=",
            "--name é",
            "--from m.py",
            "--from m.dync",
            "--assign s0=65",
            "--assign a=1",
            "--assign p=0.5",
            "--seed 7",
        ),
        *("-q", "-v", "--isolated", "--exit-zero", "--color always", "--syntax-only", "--ignore DC202", "--nonsense"),
        *("--to python", "--to json", "--to smtlib", "--to sympy", "--to cpp", "--to jax", "--to iree", "--"),
    ]
).map(str.split)
FORMATS = st.sampled_from(["", "", *("--format json",) * 2, "--format github", "--format sarif"]).map(str.split)
FIRST = {"sample": ["3"], "nearest": ["s0=65"], "project": ["s0"], "emit": ["--to", "python"], "lint": ["."]}
LISTS = st.lists(TEXTS, max_size=4)


def alone(text):
    return [text]


@st.composite
def arguments(draw):
    """A command, what it needs in most cases, then texts, files and options in any order."""
    command = draw(st.sampled_from([c for c in COMMANDS if c != "explain"]))  # which compiles with torch
    first = FIRST.get(command, []) if draw(st.integers(0, 5)) else []
    rest = draw(
        st.lists(st.one_of(TEXTS.map(lambda text: [text]), SMALL.map(lambda text: [text]), OPTIONS), max_size=5)
    )
    return [command, *first, *(one for part in rest for one in part), *draw(FORMATS)]


@st.composite
def sources(draw):
    """Python that declares: values and blocks, some inside others, and perhaps a comment that takes findings back."""
    lines = []
    for _ in range(draw(st.integers(0, 5))):
        given_ = f"[{', '.join(map(ascii, draw(LISTS)))}]"
        indent = "    " * draw(st.integers(0, 1 + len(lines[-1]) - len(lines[-1].lstrip()) if lines else 0))
        comment = draw(st.sampled_from(["", "", "  # dync: ignore[DC201]", "  # dync: ignore[DC202, DC102]"]))
        name, value = draw(st.sampled_from(["s0", "a", "p"])), draw(st.sampled_from(["64", "-3", "0.5", "n"]))
        kind = draw(st.sampled_from(["block", "block", "int", "float", "decorator"]))
        if kind == "block":
            lines += [f"{indent}with dynamic_int_constraints({given_}):{comment}", f"{indent}    pass"]
        elif kind == "decorator":
            lines += [f"{indent}@dynamic_int_constraints({given_}){comment}", f"{indent}def f():", f"{indent}    pass"]
        else:
            lines += [f"{indent}Dynamic{kind.title()}({value}, name='{name}', constraints={given_}){comment}"]
    return "\n".join(lines)


def encoded(text):
    return text.encode("utf-8", "surrogateescape")


def run(argv, stdin):
    """The exit code and what is written, of a run in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    source = io.TextIOWrapper(io.BytesIO(stdin))
    with patch.multiple(sys, argv=["dynconstraints", *argv], stdin=source, stdout=out, stderr=err):
        try:
            dynconstraints.cli.main()
        except SystemExit as ended:
            code = ended.code
        out.flush()
        err.flush()
    return code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()


STDIN = st.one_of(LISTS.map("\n".join).map(encoded), st.binary(max_size=9))


@settings(max_examples=10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 60)
@given(arguments(), LISTS.map("\n".join), sources(), STDIN)
def test_any_arguments_come_to_an_exit_code(argv, listing, source, stdin):
    """JSON is valid against its schema and says the exit code; nothing takes long."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "m.dync").write_bytes(encoded(listing))
        Path(folder, "m.py").write_text(source, encoding="utf-8")
        os.chdir(folder)
        try:
            started = time.process_time()
            limit = [] if "--" in argv or argv[0] == "--" else ["--limit", "20000"]
            code, out, err = run([*argv, *limit], stdin)
            assert time.process_time() - started < SECONDS
        finally:
            os.chdir(here)
    assert code in (0, 1, 2, 3)
    assert "Traceback" not in err
    if "json" in argv[-1:] and out:
        document = json.loads(out)
        VALIDATOR.validate(document)
        assert document["exit_code"] == code
        assert argv[0] == document["command"]
    if "sarif" in argv[-1:] and out:
        assert json.loads(out)["version"] == "2.1.0"
    assert out or err or "-q" in argv or "github" in argv or code == 0
