"""Files and standard input as text, each failure with a finding of its own."""

from __future__ import annotations

import os
import sys

from dynconstraints.cli.report import Refused
from dynconstraints.diagnostics.diagnostic import Diagnostic

STANDARD_INPUT = "standard input"


def read_file(path: str) -> bytes:
    """The bytes of a file. Raises Refused where there is none, it is a directory, or it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Refused(_trouble("DC801", f"there is no file {path!r}", "check the path; it counts from here")) from None
    except IsADirectoryError:
        raise Refused(
            _trouble("DC802", f"{path!r} is a directory, and a file is needed", "`lint` takes directories")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused(_trouble("DC803", f"{path!r} cannot be read: {reason}", "check its permissions")) from None


def read_standard_input() -> str:
    """All of standard input, as UTF-8. Raises Refused where it is not."""
    stream = sys.stdin
    if stream is None:
        raise Refused(_trouble("DC803", "standard input is closed", "give the constraints as arguments"))
    return decoded(stream.buffer.read(), STANDARD_INPUT)


def decoded(data: bytes, name: str) -> str:
    """The text of UTF-8 bytes, without a byte order mark, lines ended by ``\\n``. Raises Refused where it is not."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start} (line {line})"
        raise Refused(_trouble("DC804", f"{name} is not UTF-8: {byte}", "save it as UTF-8")) from None
    return normal_lines(text)


def normal_lines(text: str) -> str:
    """The text with each line ended by ``\\n``, as Python reads sources."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def checked_argument(text: str, place: str) -> str:
    """The argument, where its bytes were UTF-8. Raises Refused otherwise: Python passes such bytes as lone surrogates."""
    try:
        os.fsencode(text).decode("utf-8")
    except UnicodeError:
        raise Refused(_trouble("DC804", f"{place} is not UTF-8: {ascii(text)}", "pass it as UTF-8")) from None
    return text


def _trouble(code: str, message: str, help: str) -> Diagnostic:
    return Diagnostic(code, message, help=(help,))
