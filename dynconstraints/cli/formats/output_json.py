"""A report as one JSON document; ``dynconstraints/cli/schema/output-1.json`` is its schema."""

from __future__ import annotations

import json

from dynconstraints.cli.report import Report
from dynconstraints.diagnostics.data import as_data

VERSION = 1
"""Raised when a field changes its meaning or goes away; a new field does not raise it."""


def render(report: Report, command: str, code: int) -> str:
    """The document, indented, with a final newline. Integers are written in full, of whatever size."""
    document = {
        "version": VERSION,
        "command": command,
        "outcome": report.outcome.name.lower(),
        "exit_code": code,
        "result": dict(report.result),
        "findings": [as_data(finding) for finding in report.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
