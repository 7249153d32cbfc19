"""What may be spent on a question, in counted steps: the same on every machine, under every load."""

from __future__ import annotations

from dynconstraints.diagnostics.frozen import Frozen

# z3's resource units for one question; about a second.
RLIMIT = 2_000_000


class Limited(Frozen):
    """No answer within the limit that ``reason`` names."""

    reason: str
