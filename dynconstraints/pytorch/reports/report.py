"""What `explain` returns: the graphs, what they serve, and its renderings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynconstraints.pytorch.reports.coverage import Split
from dynconstraints.pytorch.reports.model import Doubt, Graph


@dataclass(frozen=True)
class Report:
    """What `explain` found: the graphs compiled for the calls, in order.

    ``backend`` is the one that they were compiled for, as torch names it, ``fullgraph`` whether breaks were forbidden.
    ``doubts`` are why there is no proof, whatever the graphs by themselves serve. ``fails_in_eager`` is what the
    program raises without the compiler for the counterexample, too. ``missing`` are names of the open blocks that no
    graph has met.
    """

    function: str
    graphs: tuple[Graph, ...]
    backend: str = "inductor"
    fullgraph: bool = False
    doubts: tuple[Doubt, ...] = ()
    fails_in_eager: str | None = None
    missing: tuple[str, ...] = ()

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """For each function that was compiled, its graphs and the parts of the domain that they serve."""
        from dynconstraints.pytorch.reports.coverage import split

        frames = dict.fromkeys(graph.frame for graph in self.graphs)
        return tuple(split([graph for graph in self.graphs if graph.frame == frame]) for frame in frames)

    @property
    def covers_domain(self) -> bool | None:
        """True where it is proved that the compiled graphs serve every input that the declaration allows.

        Other things equal: dtypes, contiguous layouts, and sizes that are not declared as they were in these calls.
        False where some assignment within the declaration needs another graph, as `counterexample` does; None where it
        is not known.
        """
        found = [split.covers_domain for split in self.splits if split.is_concerned]
        if not found or False in found:
            return False if found else None
        return None if None in found or self.doubts else True

    @property
    def counterexample(self) -> Mapping[str, int] | None:
        """An assignment that satisfies the declaration and compiles anew; None where none is known."""
        return next((s.counterexample for s in self.splits if s.counterexample is not None), None)

    @property
    def verdict(self) -> str:
        """What the report comes to, in one sentence: what is proved, or an assignment that compiles anew."""
        from dynconstraints.pytorch.reports.rendering.text import verdict

        return verdict(self)

    def as_data(self) -> dict[str, Any]:
        """The report as plain data, ready for JSON."""
        return {
            "version": 1,
            "function": self.function,
            "backend": self.backend,
            "fullgraph": self.fullgraph,
            "covers_domain": self.covers_domain,
            "counterexample": None if self.counterexample is None else dict(self.counterexample),
            "fails_in_eager": self.fails_in_eager,
            "missing": list(self.missing),
            "doubts": [doubt.as_data() for doubt in self.doubts],
            "splits": [split.as_data(self.graphs) for split in self.splits],
            "graphs": [graph.as_data() for graph in self.graphs],
        }

    def to_json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(self.as_data(), indent=2)

    def to_html(self) -> str:
        """The report as one page of HTML that needs nothing else, with a picture of the domain."""
        from dynconstraints.pytorch.reports.rendering.html import page

        return page(self)

    def save(self, path: str | Path) -> None:
        """Write the report to a file: as HTML, JSON or text, as the name ends (``.html``, ``.json``, ``.txt``).

        Raises ValueError for another ending.
        """
        writers = {".html": self.to_html, ".json": self.to_json, ".txt": self.__str__}
        writer = writers.get(Path(path).suffix)
        if writer is None:
            raise ValueError(f"a report is saved as {', '.join(writers)}, and this ends in none of them: {path}")
        Path(path).write_text(writer() + "\n", encoding="utf-8")

    def __str__(self) -> str:
        from dynconstraints.pytorch.reports.rendering.text import text

        return text(self)
