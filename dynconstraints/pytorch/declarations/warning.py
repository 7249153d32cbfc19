"""What is said without being an error: a program narrows a declaration, or a declaration does not arrive."""

from __future__ import annotations

import warnings


class DeclarationWarning(UserWarning):
    """A program narrows what is declared, or a declared name does not arrive, and nobody asked for an error."""


def warn(text: str, file: str | None, line: int) -> None:
    """A warning at a line of the user's, where that is known."""
    if file is None:
        warnings.warn(text, DeclarationWarning, stacklevel=3)
    else:
        warnings.warn_explicit(text, DeclarationWarning, file, line)
