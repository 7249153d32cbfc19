"""Findings as SARIF 2.1.0 (OASIS, *Static Analysis Results Interchange Format*), for code scanning services."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from dynconstraints import __version__
from dynconstraints.cli.formats.places import Place, place_of
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.diagnostics import catalogue
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "constraintText/v1"
"""The name of our partial fingerprint: a hash of the code, the files and the texts meant, but no line numbers, so
that a finding keeps it when lines above are added; equal findings of a run are told apart by their order."""


def render(report: Report, code: int) -> str:
    """The log of one run, with a final newline."""
    codes = tuple(dict.fromkeys(finding.code for finding in report.findings))
    driver = {"name": "dynconstraints", "semanticVersion": __version__, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": report.outcome is not Outcome.INVALID, "exitCode": code}],
        "results": _results(report.findings, codes),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, object]:
    rule = catalogue.entry(code)
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": _reflowed(rule.explanation)},
    }


def _reflowed(text: str) -> str:
    """The text with one line a paragraph: where it is shown decides how wide it is."""
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in text.split("\n\n"))


def _results(findings: tuple[Diagnostic, ...], codes: tuple[str, ...]) -> list[dict[str, object]]:
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        identity = _identity(finding)
        digest = sha256(f"{identity}\0{seen[identity]}".encode("utf-8", "backslashreplace")).hexdigest()
        seen[identity] += 1
        results.append(_result(finding, codes.index(finding.code), digest))
    return results


def _identity(finding: Diagnostic) -> str:
    places = [place_of(label) for label in finding.labels]
    return "\0".join([finding.code, *(f"{place.file or ''}\0{place.snippet}" for place in places)])


def _result(finding: Diagnostic, rule: int, digest: str) -> dict[str, object]:
    text = "\n".join([finding.message, *finding.notes, *finding.help])
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": text},
        "partialFingerprints": {FINGERPRINT: digest},
    }
    if finding.labels:
        result["locations"] = [_location(finding.labels[0])]
    if len(finding.labels) > 1:  # each constraint of a conflict, the primary one included
        result["relatedLocations"] = [{"id": i, **_location(label)} for i, label in enumerate(finding.labels)]
    return result


def _location(label: Label) -> dict[str, object]:
    place = place_of(label)
    location: dict[str, object] = {}
    if place.file is None:
        location["logicalLocations"] = [{"fullyQualifiedName": place.origin or place.snippet}]
    else:
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(place.file)}, "region": _region(place)}
    message = f"{place.snippet}: {label.text}" if label.text else place.snippet
    if message:
        location["message"] = {"text": message}
    return location


def _region(place: Place) -> dict[str, object]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "snippet": {"text": place.snippet},
    }


def _uri(file: str) -> str:
    return Path(file).as_uri() if Path(file).is_absolute() else quote(file)
