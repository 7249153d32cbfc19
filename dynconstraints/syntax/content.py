"""The bytes of files and streams, so that no path and no pipe waits for ever or fills the memory."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

MOST_BYTES = 16 * 2**20
"""The most that is read of anything: a thousand times what is ever written, and far from what memory holds."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnfitFileError(OSError):
    """What is at a path, or comes through a pipe, is not for reading: it may wait for ever, or never end."""


def content_of(path: str) -> bytes:
    """The bytes of a regular file. Raises OSError: UnfitFileError for other kinds of files, and for one too large."""
    kind = stat.S_IFMT(os.stat(path).st_mode)  # before it is opened: to open a pipe waits for its writer
    if kind in _KINDS:
        raise UnfitFileError(None, f"it is {_KINDS[kind]}, and only regular files are read")
    with open(path, "rb") as file:
        return all_of(file)


def all_of(stream: BinaryIO) -> bytes:
    """All that a stream has. Raises UnfitFileError where it is too much."""
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UnfitFileError(None, f"it is larger than {MOST_BYTES:,} bytes")
    return content
