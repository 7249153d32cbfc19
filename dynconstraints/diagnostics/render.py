"""Diagnostic -> plain text with carets."""

from __future__ import annotations

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as text of several lines, without a final newline."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    for label in diagnostic.labels:
        lines.extend(_label(label))
    lines.extend(f"  note: {note}" for note in diagnostic.notes)
    lines.extend(f"  help: {text}" for text in diagnostic.help)
    return "\n".join(lines)


def _label(label: Label) -> list[str]:
    source = label.source
    places = [] if source.origin is None else [source.origin]
    if source.file is not None:
        places.append(f"{source.file}:{source.position(label.span.start)[0]}")
    lines = [f"  --> {'  at '.join(places)}"] if places else []
    text = source.text
    first = text.rfind("\n", 0, label.span.start) + 1
    last = text.find("\n", first)
    line = text[first:] if last < 0 else text[first:last]
    start = label.span.start - first
    width = max(1, min(label.span.stop - first, len(line)) - start)
    lines.append(f"    {line}")
    lines.append(f"    {' ' * start}{'^' * width}    {label.text}".rstrip())
    return lines
