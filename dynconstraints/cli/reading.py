"""Files, standard input and arguments as text, each failure with a finding of its own."""

from __future__ import annotations

import os
import sys

from dynconstraints.cli.report import InputError
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.syntax.content import MOST_BYTES, UnfitFileError, all_of, content_of

STANDARD_INPUT = "standard input"

_NAME_ANOTHER = f"name a regular file of at most {MOST_BYTES:,} bytes"


def read_file(path: str) -> bytes:
    """The bytes of a file. Raises InputError where there is none, it is no regular file, too large, or not readable."""
    try:
        return content_of(path)
    except FileNotFoundError:
        raise _unreadable(f"there is no file {path}", "check the path; it counts from the working directory") from None
    except IsADirectoryError:
        raise _unreadable(f"{path} is a directory, and a file is needed", "name a file in it") from None
    except UnfitFileError as error:
        raise _unreadable(f"the file {path} cannot be read: {error.strerror}", _NAME_ANOTHER) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(f"the file {path} cannot be read: {reason.lower()}", "check the path") from None


def read_standard_input() -> bytes:
    """All of standard input. Raises InputError where it is closed, or cannot be read."""
    if sys.stdin is None:
        raise _unreadable("standard input is closed", "give the constraints as arguments")
    try:
        return all_of(sys.stdin.buffer)
    except OSError as error:  # a directory, for one
        reason = (error.strerror or str(error)).lower()
        raise _unreadable(f"standard input cannot be read: {reason}", "give the constraints as arguments") from None


def decoded_argument(text: str, place: str) -> str:
    """The argument, where its bytes were UTF-8. Raises InputError elsewhere.

    Python passes bytes that are not UTF-8 as lone surrogates.
    """
    try:
        os.fsencode(text).decode("utf-8")
    except UnicodeError:
        raise InputError(Diagnostic("DC142", f"{place} is not UTF-8: {text!a}", help=("pass it as UTF-8",))) from None
    return text


def _unreadable(message: str, advice: str) -> InputError:
    return InputError(Diagnostic("DC141", message, help=(advice,)))


def write_file(path: str, text: str) -> None:
    """Write the text to a file, in UTF-8. Raises InputError where that fails."""
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise _unreadable(f"the file {path} cannot be written: {reason}", "check the path") from None
