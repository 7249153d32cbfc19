"""The examples run, are short, and show what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("[0-9]*.py"))
SERVED = ["equal to eager: True", "proved to serve every declared size: True"]
PROMISES = {
    "01_quickstart": [
        "graphs compiled: 1, recompiles: 0",
        "vector tail in the kernel: False, without the constraint: True",
        "error[DC301]: constraint violated: s0 % 32 == 0",
        "65 as a plain int: equal to eager: True, recompiles: 1",
    ],
    "02_relations": ["graphs: 1", "error[DC301]", 'DynamicInt(33, expression="2*n + 1")'],
    "03_check": ["s1 % 64 == 0: Implied()", "nearest: {'s0': 64, 's1': 128}", "follows from s0 % 32 == 0"],
    "04_learning_rate": [
        "SGD: graphs compiled: 1 declared, 12 with plain floats",
        "SGD: weights as in eager within 1e-6 relative: True",
        "AdamW: graphs compiled: 1 declared, 2 with plain floats",
        "AdamW: weights as in eager within 1e-6 relative: True",
    ],
    "05_unet": ["declared            1       4", *SERVED],
    "06_swin": ["declared            1       4", *SERVED],
    "07_vit": ["declared            1       4", *SERVED],
    "08_llama": ["declared            2       1", *SERVED],
    "09_pyramid": ["declared            1       8", *SERVED],
    "10_from_nothing": [
        '      mask="image_0 image_2 image_3",\n',
        "  declare: image_2 % 4 == 0\n    for ",
        "then these calls need 1 graph under Inductor\n",
        "declared            1       5",
        *SERVED,
    ],
    "11_training_loop": ["graphs: 2, losses equal to eager: True"],
    "12_trainer": ["graphs: 2, losses equal to eager: True"],
    "13_generate": [f"{name:8} graphs: 2, equal to eager: True" for name in ("LLaMA", "Qwen", "T5", "Whisper")],
    "14_masked_vision": ["graphs: 2, equal to eager: True"],
    "15_accelerate": ["graphs: 2, losses equal to eager: True"],
}
"""Among them graphs and shape guards, of what is declared."""

QUICK = re.compile(r"\bbeside\(|\bQUICK\b")
ARGUMENTS = {
    "04_learning_rate": ["12"],
    **{path.stem: ["quick"] for path in EXAMPLES if QUICK.search(path.read_text())},
}
"""To make them quick; without arguments they show more of the same."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_it_runs_and_keeps_its_promise(path: Path) -> None:
    """Exit code 0, every promised line, and no size that differs from eager."""
    done = subprocess.run([sys.executable, str(path), *ARGUMENTS.get(path.stem, [])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for promise in PROMISES.get(path.stem, []):
        assert promise in done.stdout
    assert "equal to eager: False" not in done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_it_is_short(path: Path) -> None:
    """Under 60 lines, and a docstring that says the one idea."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert len(text.splitlines()) < 60
