"""Text -> constraint. The only module that knows lark."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula
from dynconstraints.syntax.build import Builder, Misuse


def parse(text: str, origin: str | None = None) -> Constraint:
    """The constraint that the text says. Raises ConstraintSyntaxError, with the mend where the slip is a common one."""
    formula = _formula(text)
    return Constraint(formula, text, Source(text, origin))


@lru_cache(maxsize=4096)
def _formula(text: str) -> Formula:
    from lark.exceptions import UnexpectedInput, VisitError

    try:
        return _parser().parse(text)  # type: ignore[no-any-return]
    except (Misuse, VisitError) as error:
        misuse = error.orig_exc if isinstance(error, VisitError) else error
        if not isinstance(misuse, Misuse):
            raise
        raise _error(text, misuse.message, misuse.span) from None
    except UnexpectedInput as error:
        at = getattr(error, "pos_in_stream", None) or 0
        raise _error(text, "this is not a constraint", Span(at, at + 1)) from None


def _error(text: str, message: str, span: Span) -> ConstraintSyntaxError:
    return ConstraintSyntaxError(Diagnostic("DC101", message, (Label(Source(text), span),)))


@cache
def _parser() -> Any:
    from lark import Lark

    return Lark(
        _grammar(), parser="lalr", transformer=Builder(), maybe_placeholders=False
    )


def _grammar() -> str:
    package = Path(__file__).parent.parent
    for folder in (package, package.parent):  # a wheel has it inside, a checkout and an editable install beside
        path = folder / "grammar" / "constraints.lark"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError("grammar/constraints.lark is missing from the installation")
