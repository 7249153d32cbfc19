"""`emit` for other systems: shapes, a file for the text, and in JSON what is held and what is left over."""

import json

import pytest

TEXTS = ("h % 32 == 0", "32 <= h <= 64", "h != w")


def test_the_text_goes_to_standard_output_or_to_a_file(dync, tmp_path):
    """The same text."""
    shapes = ("--shape", "x=b h", "--shape", "y=w")
    ran = dync("emit", "--to", "openvino", *shapes, *TEXTS)
    assert ran.code == 0
    assert ran.out.startswith(
        "# OpenVINO holds:\n#   32 <= h <= 64\n# Left over, for check() to hold:\n#   h % 32 == 0  ("
    )
    written = dync("emit", "--to", "openvino", *shapes, *TEXTS, "--output", "shapes.py")
    assert (written.code, written.out) == (0, "wrote shapes.py\n")
    assert (tmp_path / "shapes.py").read_text() == ran.out


def test_json_says_what_is_held_and_what_is_left_over(dync):
    """Constraint by constraint, with the reason and the check."""
    result = json.loads(dync("emit", "--to", "annotated", "--format", "json", *TEXTS).out)["result"]
    assert result["held"] == ["h % 32 == 0", "32 <= h <= 64"]
    assert result["left"] == [
        {"constraint": "h != w", "reason": "a type has a range and a divisor of its own value alone"}
    ]
    assert result["checker"].startswith("def check(h, w):\n")
    assert result["text"].endswith(result["checker"])
    whole = json.loads(dync("emit", "--to", "annotated", "--format", "json", "h > 1").out)["result"]
    assert (whole["left"], whole["checker"]) == ([], "")
    assert "Nothing is left over: every constraint is held." in whole["text"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shape", "b 3"], """--shape takes PATH="SIZES", such as x="b 3 h w", not 'b 3'"""),
        (["--shape", "x y=b 3"], """--shape takes PATH="SIZES", such as x="b 3 h w", not 'x y=b 3'"""),
        (["--shape", "x=b", "--shape", "x=b 3"], "--shape gives x twice"),
        (["--shape", "x=b 2 * h"], "error[DC156]: not a size: *"),
        (["--shape", "x=h", "--output", "none/x.py"], "error[DC141]: the file none/x.py cannot be written"),
        ([], "error[DC157]: TensorRT needs the shapes of the arguments"),
    ],
)
def test_what_cannot_be_written_is_said(dync, arguments, said):
    """With exit code 2, and nothing on standard output."""
    ran = dync("emit", "--to", "tensorrt", *TEXTS, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_contradictory_constraints_exit_with_1(dync):
    """As everywhere."""
    assert dync("emit", "--to", "export", "h > 3", "h < 2").code == 1


def test_a_header_has_the_name_that_it_is_given(dync):
    """As a namespace."""
    assert "namespace sizes_forward {" in dync("emit", "--to", "cpp", "--name", "forward", "h > 3").out
