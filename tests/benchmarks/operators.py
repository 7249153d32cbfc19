"""Operations that take a float, under Inductor, twenty values each: `python tests/benchmarks/operators.py [name ...]`.

Without names all, which takes half an hour. A row is printed as soon as it is known.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from float_operators import DTYPES, OPERATORS, swept


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    print("| operation | " + " | ".join(str(d).removeprefix("torch.") for d in DTYPES) + " |")
    print("|---" * (len(DTYPES) + 1) + "|")
    for name in names or OPERATORS:
        operator = OPERATORS[name]
        reasons = "".join(f" ({text})" for text in (operator.constant, operator.apart) if text)
        print(f"| {name}{reasons} | " + " | ".join(str(swept(operator, d)) for d in DTYPES) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
