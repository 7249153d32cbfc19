"""The C++ header refuses what the constraints refuse, and says where a number has no room; no overflow is undefined."""

import os
import shutil
import subprocess

import pytest
import random_systems
from random_points import GENERATOR, Points, needs_more

from dynconstraints import ConstraintSystem, Signature
from dynconstraints.interop.cpp import emit
from dynconstraints.interop.emission import Subject

COMPILER = shutil.which("g++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no g++")
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
POINTS = 1_000_000 if NIGHTLY else 400
DOMAINS = 24
STRICT = [
    "-std=c++17",
    "-O2" if NIGHTLY else "-O0",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
]
SANITIZED = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]

MAIN = """
#include <cstring>
#include <cstdio>
static char kind(const std::string& said) {
  return said.empty() ? '.' : std::strncmp(said.c_str(), "too large", 9) == 0 ? 'o' : 'x';
}
int main() {
%s
}
"""
RUN = """  state = {seed}ULL;
  for (int i = 0; i < {points}; ++i) {{
    {values}
    std::putchar(kind(sizes_d{seed}::violation({passed})));
  }}
  std::putchar('\\n');
"""


LARGE = [
    ["a*a*a - b > c or a < 0"],
    ["a**3 % 7 == 1 => b + 2**126 - c + 2**126 > a", "lcm(a, b, c) != 10"],
    ["(a*b*c if a > 0 else 1 // a) < 5 or c == 3"],
    ["c in range(-a*a - 2**126, b*b + 2**126, 5) or a > b > c"],
    ["9223372036854775807 + a != 9223372036854775808", "-9223372036854775808 <= b", "abs(c) < 100000000000000000000"],
]
"""What needs many bits at large values."""


def built(folder, source, *options):
    (folder / "program.cpp").write_text(source)
    command = [COMPILER, *STRICT, *SANITIZED, *options, "program.cpp", "-o", "program"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "program"


def answers(folder, systems, *options):
    """A line for each system, a letter for each point: fine, refused, or too large."""
    headers, runs = [], []
    for seed, system in systems.items():
        headers.append(emit(Subject(system, name=f"d{seed}")).text)
        drawn = [("real() " if n in system.reals else "whole()") for n in system.symbols]
        values = " ".join(f"const auto v{i} = {call};" for i, call in enumerate(drawn))
        passed = ", ".join(f"v{i}" for i in range(len(drawn)))
        runs.append(RUN.format(seed=seed, points=POINTS, values=values, passed=passed))
    usual = "#include <cmath>\n#include <cstdint>\n"
    program = built(folder, "\n".join([usual, *headers, GENERATOR, MAIN % "".join(runs)]), *options)
    ran = subprocess.run([program], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return dict(zip(systems, ran.stdout.splitlines(), strict=True))


def expected(system, values, letter, bits):
    """Whether the letter is right: exact, unless some number on the way is too large."""
    if letter == "o":
        return any(needs_more(c.formula, values, bits) for c in system)
    return (letter == ".") is system.holds(values)


@needs_compiler
@pytest.mark.parametrize("bits", [127, 63])
def test_it_agrees_with_the_evaluator(tmp_path, bits):
    """Over the whole language, at small and at large values, with and without integers of 128 bits."""
    systems = {seed: random_systems.of_integers(seed) for seed in range(DOMAINS)}
    systems |= {DOMAINS + i: ConstraintSystem(texts) for i, texts in enumerate(LARGE)}
    options = [] if bits == 127 else ["-U__SIZEOF_INT128__"]
    letters = set()
    for seed, line in answers(tmp_path, systems, *options).items():
        system = systems[seed]
        points = Points(seed).assignments(system.symbols, system.reals, POINTS)
        for values, letter in zip(points, line, strict=True):
            assert expected(system, values, letter, bits), (system, values, letter)
        letters |= set(line)
    assert letters == {".", "x", "o"}


@needs_compiler
def test_floats_are_exact(tmp_path):
    """Sums and products of floats as rationals; where they have no room it says so."""
    systems = {seed: random_systems.of_reals(seed) for seed in range(DOMAINS)}
    letters, refused, total = set(), 0, 0
    for seed, line in answers(tmp_path, systems).items():
        system = systems[seed]
        for values, letter in zip(Points(seed).assignments(system.symbols, system.reals, POINTS), line, strict=True):
            assert letter == "o" or (letter == ".") is system.holds(values), (system, values, letter)
        letters |= set(line)
        refused, total = refused + line.count("o"), total + len(line)
    assert {".", "x"} <= letters
    assert refused < total // 4


SAID = """
#include "checked.hpp"
#include <cstdio>
int main() {
  std::puts(dynconstraints::violation(65, 48, 0.5).c_str());
  std::puts(dynconstraints::violation(64, 47, 0.5).c_str());
  std::puts(dynconstraints::violation(64, 48, 0.1).c_str());
  std::puts(dynconstraints::violation(64, 48, 1.0 / 0.0).c_str());
  std::puts(dynconstraints::violation(INT64_MIN, 48, 0.5).c_str());
  std::puts(dynconstraints::violation(64, 48, 0.5).c_str());
  try {
    dynconstraints::check(65, 48, 0.5);
  } catch (const std::invalid_argument& error) {
    std::puts(error.what());
  }
}
"""


@needs_compiler
def test_what_it_says(tmp_path):
    """The constraint and the values of its names."""
    system = ConstraintSystem(["h % 32 == 0", "n in {16, 48}", "p >= 0.5", "h**3 < 10**38"])
    (tmp_path / "checked.hpp").write_text(emit(Subject(system)).text)
    program = built(tmp_path, SAID, "-fno-sanitize=float-divide-by-zero")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines() == [
        "constraint violated: h % 32 == 0, where h = 65",
        "constraint violated: n in {16, 48}, where n = 47",
        "constraint violated: p >= 0.5, where p = 0.1",
        "p is not finite: inf",
        "too large to be decided: h**3 < 10**38, where h = -9223372036854775808",
        "",
        "constraint violated: h % 32 == 0, where h = 65",
    ]


NAMES = (
    "int",
    "template",
    "NULL",
    "linux",
    "t0",
    "State",
    "naïve",
    "_",
    "a_",
    "a__b",
    "eq",
    "detail",
    "violation",
    "Int",
)


@needs_compiler
def test_any_name_will_do(tmp_path):
    """Keywords of C++, its macros, other alphabets, and what the header calls itself; its own name may be anything."""
    system = ConstraintSystem([f"{' + '.join(NAMES)} == 14", "gcd(int, t0) == 1 and 0 < (NULL % 3) < 2 < 3"])
    header = emit(Subject(system, name="my model's 1st forward()")).text
    ones = ", ".join("1" for _ in NAMES)
    main = f"\nint main() {{ return sizes_my_model_s_1st_forward::violation({ones}).empty() ? 0 : 1; }}\n"
    assert subprocess.run([built(tmp_path, header + main)], check=False).returncode == 0


@needs_compiler
def test_two_headers_and_no_exceptions(tmp_path):
    """Two in one program, one of them twice, and compilers without exceptions."""
    one = emit(Subject(ConstraintSystem(["n > 1"]), name="one")).text
    two = emit(Subject(ConstraintSystem(["n > 2 and align_up(n, 8) == 8"]), name="two")).text
    none = emit(Subject(ConstraintSystem(()), name="none")).text
    main = "int main() { return sizes_one::violation(2).empty() && !sizes_two::violation(2).empty() ? 0 : 1; }\n"
    program = built(tmp_path, one + two + one + none + main, "-fno-exceptions")
    assert subprocess.run([program], check=False).returncode == 0


def test_the_header_reads_like_the_constraints():
    """What it holds in its head, the text of each constraint above its code."""
    text = emit(Subject(ConstraintSystem(["h % 32 == 0"]))).text
    assert text.startswith(
        "// This header holds:\n//   h % 32 == 0\n// Nothing is left over: every constraint is held.\n"
        "#ifndef DYNCONSTRAINTS_DYNCONSTRAINTS_HPP\n"
    )
    assert "// h % 32 == 0\ninline Truth holds_0(Int h_) { return eq(mod(h_, Int(32)), Int(0)); }" in text


SHAPED = """
int main() {
  using dynconstraints::violation;
  std::puts(violation(32, 64, 3, 64, 31).c_str());
  std::puts(violation(32, 64, 4, 64, 32).c_str());
  std::puts(violation(32, 64, 3, 64, 32).c_str());
}
"""


@needs_compiler
def test_sizes_of_shapes_are_checked(tmp_path):
    """Fixed sizes and those that are computed from names come after the names."""
    signature = Signature.of({"x": "h 3 w w", "y": "w//2"}, ["h % 32 == 0", "w == 2*h"])
    header = signature.to_cpp()
    assert "// Arguments: h, w, x.shape[1], x.shape[3], y.shape[0].\n" in header
    program = built(tmp_path, f"#include <cstdio>\n{header}{SHAPED}")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines() == [
        "constraint violated: y.shape[0] == w // 2, where y.shape[0] = 31, w = 64",
        "constraint violated: x.shape[1] == 3, where x.shape[1] = 4",
        "",
    ]
