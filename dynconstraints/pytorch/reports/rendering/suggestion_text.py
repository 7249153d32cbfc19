"""What `suggest` found, as text of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dynconstraints.pytorch.declarations.violation_error import shown
from dynconstraints.pytorch.reports.rendering.text import under
from dynconstraints.pytorch.reports.rendering.wrap import code_line, fitted
from dynconstraints.syntax.parser import parse

if TYPE_CHECKING:
    from dynconstraints.pytorch.reports.suggesting.search import Proposed
    from dynconstraints.pytorch.reports.suggestion import Suggestion


def suggestion_text(found: Suggestion) -> str:
    """All of it; the declaration is never folded: it is code."""
    if not found.sizes:
        return f"{found.function}: no size that could be declared differs from call to call"
    written = "\n".join(["write", *(f"  {line}" for line in found.declaration.splitlines())])
    return f"{fitted(_findings(found))}\n{written}\n{fitted(_claims(found))}"


def _findings(found: Suggestion) -> Iterator[str]:
    yield f"{found.function}: what its calls could declare"
    numbers = {size.name for size in found.sizes if size.name == size.where}
    for size in found.sizes:
        yield f"  {size.name} is {'the number ' * (size.name in numbers)}{size.where}"
    for proposed in found.proposed:
        yield from _proposed(proposed)
    for split in found.splits:
        yield f"  not for all of the calls: {split.condition}"
        if split.specialises:
            yield f"    {split.specialises} is needed as a constant"
        if split.line:
            yield code_line("    from ", split.line)


def _proposed(proposed: Proposed) -> Iterator[str]:
    yield f"  declare: {proposed.constraint}"
    if proposed.line:
        yield code_line("    for ", proposed.line)
    if proposed.asked is not None:
        yield f"    which asks {proposed.asked}"
    if proposed.refused is not None:
        spoken = parse(proposed.constraint).symbols
        mine = {name: value for name, value in proposed.refused.values.items() if name in spoken}
        yield f"    {shown(mine)} fails in eager: {proposed.refused.error}"
    elif proposed.reason:
        yield f"    {proposed.reason}"


def _claims(found: Suggestion) -> Iterator[str]:
    graphs = len(found.report.graphs)
    if graphs:
        yield f"then these calls need {graphs} graph{'s' * (graphs != 1)} {under(found.report)}"
    if found.report.covers_domain and not found.splits:
        yield "proved: they serve every input that these constraints allow"
    for saving in found.savings:
        yield f"not declared, since it only saves a second graph: {saving.constraint}"
        if saving.line:
            yield code_line("    for ", saving.line)
        if saving.refuses:
            yield f"    it refuses {shown(saving.refuses)}, which eager serves"
    if found.stopped is not None:
        yield f"time was up before {found.stopped}"
