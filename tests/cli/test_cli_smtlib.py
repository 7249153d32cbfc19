"""Scripts of SMT-LIB in the place of files of constraints."""

SCRIPT = """
(declare-const h Int)
(declare-const w Int)
(assert (and (<= 16 h 1024) ((_ divisible 16) h)))
(assert (= w (ite (> h 64) (* 2 h) h)))
"""


def test_a_script_is_checked(dync, tmp_path):
    """By its satisfiability; other constraints may stand beside it."""
    (tmp_path / "sizes.smt2").write_text(SCRIPT)
    assert dync("check", "sizes.smt2").code == 0
    assert dync("implies", "w % 16 == 0", "sizes.smt2").code == 0
    refused = dync("check", "sizes.smt2", "h == 65")
    assert refused.code == 1
    assert "h == 65" in refused.out


def test_what_it_cannot_say_is_shown_at_its_place(dync, tmp_path):
    """With the file, the line and the column."""
    (tmp_path / "sizes.smt2").write_text("(declare-const h Int)\n(assert (> y 2))\n")
    refused = dync("check", "sizes.smt2")
    assert refused.code == 2
    assert "error[DC144]: y is not declared\n  --> sizes.smt2:2:12\n" in refused.out + refused.err
