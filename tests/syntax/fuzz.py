"""Coverage-guided fuzzing of texts: `pip install atheris`, then `python tests/syntax/fuzz.py [SECONDS]`.

Bytes choose pieces of the language, or characters as they are; what is checked is what `test_any_text.py` checks of
generated texts, and that a text takes no longer than a second. What it finds goes into the frozen cases there.
"""

import sys
import time
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

with atheris.instrument_imports(include=["dynconstraints"]):
    import test_any_text as any_text

    from dynconstraints.syntax.reader import read_formula

    read_formula("a == 1")  # loads the parser

PIECES = any_text.PIECES.elements
SECONDS = 600


def text_of(data: bytes) -> str:
    """A soup of pieces, or with an odd first byte the bytes as characters."""
    if data[:1] and data[0] % 2:
        return data[1:].decode("utf-8", "surrogateescape")
    return "".join(PIECES[b % len(PIECES)] + (" " if b >= 128 else "") for b in data[1:])


def test_one_input(data: bytes) -> None:
    """Raises where the text breaks something."""
    text, start = text_of(data), time.process_time()
    any_text.check(text)
    any_text.parse_lines(text, file="q.dync")
    if time.process_time() - start > 1:
        raise AssertionError(f"slow: {text!r}")


if __name__ == "__main__":
    seconds = sys.argv[1] if len(sys.argv) > 1 else SECONDS
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=200", "-timeout=20"], test_one_input)
    atheris.Fuzz()
