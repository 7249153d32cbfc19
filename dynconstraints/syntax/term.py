"""Text -> term: an expression by itself, such as ``s0 + 3``."""

from dynconstraints.syntax.parser import parse_term

__all__ = ["parse_term"]
