"""Hostile texts, each answered with a constraint or an error; run as a script, in a process of its own.

Prints one line a text: its name, the seconds of processor time until its answer, and the answer; then the peak of the
memory in MB.
"""

import resource
import sys
import time
from pathlib import Path

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.diagnostics.render import render
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.syntax.parser import parse

MEGABYTE = 1_000_000
NAMES = [f"n{i}" for i in range(10_000)]
TEXTS = {
    "megabyte of (": "(" * MEGABYTE,
    "megabyte of )": ")" * MEGABYTE,
    "megabyte of {": "{" * MEGABYTE,
    "megabyte of not": "not " * (MEGABYTE // 4),
    "megabyte of -": "-" * MEGABYTE,
    "megabyte of a+": "a+" * (MEGABYTE // 2),
    "megabyte of a=>": "a=>" * (MEGABYTE // 3),
    "megabyte of spaces": " " * MEGABYTE,
    "megabyte of a name": "a" * MEGABYTE + " > 1",
    "power tower": "2**10**9 == a",
    "power of a power": "((((a**99)**99)**99)**99)**99 == a",
    "long literal": "9" * 100_000 + " == a",
    "long hexadecimal literal": "0x" + "f" * 100_000 + " == a",
    "zero divisor": "s0 % 0 == 0",
    "NUL": "s0 % \0 == 0",
    "lone surrogate": "s0 % \ud800 == 0",
    "surrogate in a name": "s0\udfff == 0",
    "conjunction of 10,000 names": " and ".join(f"{n} > 0" for n in NAMES),
    "chain of 10,000 comparisons": " <= ".join(NAMES),
    "sum of 10,000 names": " + ".join(NAMES) + " > 0",
    "product of 10,000 names": "*".join(NAMES) + " > 0",
    "set of 10,000 members": f"a in {{{', '.join(map(str, range(10_000)))}}}",
    "minimum of 10,000 names": f"min({', '.join(NAMES)}) > 0",
    "10,000 quotients": "//".join(["a"] * 10_000) + " > 0",
    "10,000 implications": " => ".join(["a > 0"] * 10_000),
    "5,000 conditionals": "a > 0 if a > 1 else " * 5_000 + "a > 0",
    "10,000 powers": "**".join(["a"] * 10_000) + " > 0",
    "10,000 powers of one": "a**" + "**".join(["1"] * 10_000) + " > 0",
    "quotients in an exponent": "a**(" + "//".join(["1"] * 10_000) + ") > 0",
    "alternating brackets": "({" * 40_000,
    "100,000 letters of another script": "漢" * 100_000 + " > 1",
    "100,000 combining characters": "e" + "\u0301" * 100_000 + " > 1",
}


def answer(text: str) -> str:
    """What reading the text comes to."""
    try:
        parse(text)
    except ConstraintError as error:
        rendered = render(error.diagnostic)
        rendered.encode()  # no surrogate is left
        return f"{error.code} in {len(rendered)} characters"
    return "constraint"


def check_other_readings(text: str) -> None:
    """Printing, evaluating and compiling what was accepted exhausts nothing either."""
    constraint = parse(text)
    assert parse(show(constraint.formula)) == constraint
    values = dict.fromkeys(constraint.symbols, 1)
    assert compile_formula(constraint.formula, constraint.symbols)(*values.values()) is constraint.holds(values)


def main() -> None:
    """Answer all texts."""
    parse("a > 1")
    for name, text in TEXTS.items():
        start = time.process_time()
        said = answer(text)
        print(name, f"{time.process_time() - start:.3f}", said, sep="\t")
        if said == "constraint":
            check_other_readings(text)
    print("peak", f"{peak():.0f}", "MB", sep="\t")


def peak() -> float:
    """The most memory that this process had resident, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage also counts what the parent had when it forked
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main()
