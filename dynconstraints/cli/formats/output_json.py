"""A report as one JSON document; ``dynconstraints/cli/schema/output-1.json`` is its schema."""

from __future__ import annotations

import json
from dataclasses import asdict

from dynconstraints.cli.formats.places import place_of
from dynconstraints.cli.report import Report
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label

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
        "findings": [_finding(finding) for finding in report.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Diagnostic) -> dict[str, object]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "labels": [_label(label) for label in finding.labels],
        "notes": list(finding.notes),
        "help": list(finding.help),
    }


def _label(label: Label) -> dict[str, object]:
    return {**asdict(place_of(label)), "text": label.text}
