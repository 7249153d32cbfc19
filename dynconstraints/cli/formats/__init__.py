"""The renderings of a report: text for people, JSON for programs, GitHub annotations, SARIF 2.1.0.

Each shows the same findings, syntax errors included; text and JSON also show the answer.
"""

from __future__ import annotations

from typing import Literal, get_args

from dynconstraints.cli.report import Report

Format = Literal["text", "json", "github", "sarif"]
FORMATS: tuple[Format, ...] = get_args(Format)


def machine_readable(report: Report, command: str, code: int, form: Format) -> str:
    """The report in a format for programs, with a final newline unless it is empty; ``code`` is the exit code."""
    if form == "json":
        from dynconstraints.cli.formats import output_json

        return output_json.render(report, command, code)
    if form == "sarif":
        from dynconstraints.cli.formats import sarif

        return sarif.render(report, code)
    from dynconstraints.cli.formats import github

    return github.render(report)
