"""What happens where a graph is narrower than the declaration: ``on_new_guard`` and ``on_specialize``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label, Severity
from dynconstraints.diagnostics.errors import SpecializationError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.scope import Policy
from dynconstraints.pytorch.declarations.user_location import calling_line
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.guards.narrowing import _LINE, ExtraGuard, extra_guards
from dynconstraints.pytorch.guards.plain_guards import plain
from dynconstraints.pytorch.guards.unnamed_sizes import unnamed_alike

_NOT_THE_USERS = ("dynconstraints.", "torch.")


def enforce(facts: FrameFacts) -> None:
    """Warn or raise SpecializationError as the block that was open at the compilation asks."""
    scope = facts.scope
    if scope.on_specialize == scope.on_new_guard == "allow":
        return
    for _ in narrowings(facts):
        pass


def narrowings(
    facts: FrameFacts, least: Policy = "allow", found: Iterable[ExtraGuard] | None = None
) -> Iterator[ExtraGuard]:
    """What narrows the declaration, each told as the block asks, and at the least as strictly as is said."""
    scope = facts.scope
    for narrowing in extra_guards(facts) if found is None else found:
        asked = {least, scope.on_new_guard} | ({scope.on_specialize} if narrowing.name is not None else set())
        policy = next(strict for strict in ("error", "warn", "allow") if strict in asked)
        if policy == "error":
            raise SpecializationError(_diagnostic(narrowing, facts, "error"))
        if policy == "warn":
            place = _source(narrowing.line)
            text = str(SpecializationError(_diagnostic(narrowing, facts, "warning")))
            warn(text, *(calling_line(beyond=_NOT_THE_USERS) if place is None else (place.file, place.line)))
        yield narrowing


def _diagnostic(narrowing: ExtraGuard, facts: FrameFacts, severity: Severity) -> Diagnostic:
    condition = _condition(narrowing, facts)
    source = _source(narrowing.line)
    labels = () if source is None else (Label(source, Span(0, len(source.text))),)
    notes: tuple[str, ...] = ()
    if narrowing.operation is not None:
        notes += (f"{narrowing.operation} does not support dynamic floats; the value becomes a constant",)
    if narrowing.asked_at is not None:
        notes += (f"asked by the backend, at {narrowing.asked_at}",)
    if source is None and narrowing.line is not None:
        notes += (f"it comes from {narrowing.line}",)
    if narrowing.name is None:
        return Diagnostic(
            "DC502",
            f"the program serves only a part of the declaration: {condition}",
            labels,
            notes,
            (f"declare it ({condition}), or change the line that requires it",),
            severity,
        )
    alike = unnamed_alike(facts, narrowing.name)
    several = len(alike) > 1
    unnamed = f"{' and '.join(alike)} {'are' if several else 'is'} {facts.values.get(narrowing.name)}, too"
    named = f"{'have' if several else 'has'} no name: if that is one size, name it {narrowing.name}"
    cure = (f"{unnamed}, and {named}",)
    return Diagnostic(
        "DC501",
        f"the program forces {narrowing.name} to one value: {condition}",
        labels,
        notes,
        cure if alike else (f"declare it ({condition}), or change the line that needs it as a constant",),
        severity,
    )


def _condition(narrowing: ExtraGuard, facts: FrameFacts) -> str:
    """What is asked, as a person would write it."""
    if narrowing.condition is None or narrowing.name is not None or narrowing.bounds is not None:
        return narrowing.text
    return show(plain(narrowing.condition, facts.system))


def _source(line: str | None) -> Source | None:
    """The user's line, and where it is; None where torch tells a line of its own."""
    found = None if line is None else _LINE.fullmatch(line)
    return None if found is None else Source(found["code"], found["function"], found["file"], int(found["line"]))
