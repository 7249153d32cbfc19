"""What a command found, as data: the one thing that every format renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from dynconstraints.diagnostics.diagnostic import Diagnostic


class Outcome(IntEnum):
    """How a command ended; the value is the exit code."""

    HOLDS = 0  # satisfiable, implied, clean
    FAILS = 1  # a conflict, a violation, refuted, open, findings
    INVALID = 2  # usage or syntax
    UNKNOWN = 3  # not decided within the limit


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one command.

    ``findings`` say what is wrong, primary first. ``result`` is the answer as JSON data, ``text`` the same answer for
    people; both are empty where the findings say it all. ``text_is_piped`` marks a text that is input for a next
    program, which findings must not be mixed into; ``text_is_prose`` one that a terminal may have in shorter lines.
    """

    outcome: Outcome
    findings: tuple[Diagnostic, ...] = ()
    result: Mapping[str, object] = field(default_factory=dict)
    text: str = ""
    text_is_piped: bool = False
    text_is_prose: bool = False


class InputError(Exception):
    """The input cannot be used: no constraint, no file, no such encoding. Carries a finding for each trouble."""

    def __init__(self, *findings: Diagnostic) -> None:
        super().__init__(*findings)
        self.findings = findings
