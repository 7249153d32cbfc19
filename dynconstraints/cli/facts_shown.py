"""Facts about expressions, worded in the constraint language and as JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
