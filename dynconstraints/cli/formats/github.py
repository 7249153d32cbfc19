"""Findings as GitHub workflow commands, which a job's log turns into annotations of the files."""

from __future__ import annotations

from dynconstraints.cli.formats.places import Place, place_of
from dynconstraints.cli.report import Report
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label

_COMMAND = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """One line a finding; the other places of a finding, its notes and its help follow in the message."""
    return "".join(_line(finding) + "\n" for finding in report.findings)


def _line(finding: Diagnostic) -> str:
    properties = {"title": finding.code}
    if finding.labels:
        place = place_of(finding.labels[0])
        if place.file is not None:
            properties |= _region(place)
    fields = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMAND[finding.severity]} {fields}::{_data(_message(finding))}"


def _region(place: Place) -> dict[str, str]:
    region = {"file": place.file or "", "line": str(place.line), "endLine": str(place.end_line)}
    if place.line == place.end_line:  # GitHub takes columns for one line only; its end is inclusive
        region |= {"col": str(place.column), "endColumn": str(max(place.column, place.end_column - 1))}
    return region


def _message(finding: Diagnostic) -> str:
    places = [_sentence(label) for label in finding.labels]
    notes = [f"note: {note}" for note in finding.notes]
    return "\n".join([finding.message, *places, *notes, *(f"help: {text}" for text in finding.help)])


def _sentence(label: Label) -> str:
    place = place_of(label)
    where = f"{place.file}:{place.line}:{place.column}" if place.file else place.origin
    said = f"  ({label.text})" if label.text else ""
    return f"{where}: {place.snippet}{said}" if where else f"{place.snippet}{said}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
