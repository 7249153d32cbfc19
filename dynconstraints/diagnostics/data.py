"""Diagnostic -> data that JSON can hold."""

from __future__ import annotations

from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label


def as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """The diagnostic as dictionaries, lists, strings and ints; lines and columns count from 1, in code points."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "labels": [_label(label) for label in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "help": list(diagnostic.help),
    }


def _label(label: Label) -> dict[str, Any]:
    source, span = label.source, label.span
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.stop)
    return {
        "origin": source.origin,
        "file": source.file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "excerpt": source.text[span.start : span.stop],
        "text": label.text,
    }
