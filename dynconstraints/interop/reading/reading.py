"""What a form of another system says: shapes of arguments, constraints at their places, and what is odd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.diagnostics.source import Source
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula, Int, Name, Relation, Term, comparison
from dynconstraints.ir.printer import show
from dynconstraints.signature.shape import ANY, REST, Shape


@dataclass(frozen=True)
class Loose:
    """A name that no size is: where it is used, and what its system makes of that."""

    name: str
    label: Label
    consequence: str


@dataclass(frozen=True)
class Reading:
    """One declaration in the form of another system.

    Attributes:
        form: The name of the form, for messages.
        label: Where it stands.
        arguments: The shapes by path.
        said: The constraints that are written as such.
        ranges: Those of ``min=`` and ``max=``.
        always: Those that hold in this form without being written.
        returns: The shapes of results by path.
        loose: Names that stand in no shape.
        unread: What could not be read.
        troubles: What else is wrong.
    """

    form: str
    label: Label
    arguments: Mapping[str, Shape] = field(default_factory=dict)
    said: tuple[Constraint, ...] = ()
    ranges: tuple[Constraint, ...] = ()
    always: tuple[Constraint, ...] = ()
    returns: Mapping[str, Shape] = field(default_factory=dict)
    loose: tuple[Loose, ...] = ()
    unread: tuple[Label, ...] = ()
    troubles: tuple[Diagnostic, ...] = ()

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """All that is written."""
        return (*self.ranges, *self.said)


def shape_of(sizes: Sequence[Term | None], rest: int | None = None) -> Shape:
    """The shape with these sizes; ``rest`` is where any number of others may stand."""
    words = [ANY if size is None else show(size).replace(" ", "") for size in sizes]
    if rest is not None:
        words.insert(rest, REST)
    return Shape(" ".join(words), tuple(sizes), rest)


def indexed(sizes: Mapping[int, Term | None]) -> Shape:
    """The shape of which these dimensions are known, of any number of dimensions; negative ones count from the end."""
    first = 1 + max((index for index in sizes if index >= 0), default=-1)
    last = -min((index for index in sizes if index < 0), default=0)
    known = [sizes.get(index) for index in (*range(first), *range(-last, 0))]
    return shape_of(known, first)


NEVER_NEGATIVE = "no size is negative"


def never_negative(tensors: Iterable[Shape]) -> tuple[Constraint, ...]:
    """That each size is at least 0."""
    terms = dict.fromkeys(t for shape in tensors for t in shape.sizes if t is not None and not isinstance(t, Int))
    return tuple(at_least(term, 0, NEVER_NEGATIVE) for term in terms)


def at_least(term: Term, least: int, origin: str) -> Constraint:
    """That the term is at least so much, which nobody writes."""
    formula = comparison(term, Relation.GE, Int(least))
    text = show(formula)
    return Constraint(formula, text, Source(text, origin))


def placed(formula: Formula, label: Label) -> Constraint:
    """The constraint that stands at a place."""
    text = label.source.text[label.span.start : label.span.stop]
    return Constraint(formula, text, label.source, label.span.start)


def bound(name: str, relation: Relation, value: int, label: Label) -> Constraint:
    """A bound of a name, as ``min=`` and ``max=`` give it."""
    return placed(comparison(Name(name), relation, Int(value)), label)


def bare(shapes: Iterable[Shape]) -> frozenset[str]:
    """The names that are sizes themselves."""
    return frozenset(term.id for shape in shapes for term in shape.sizes if isinstance(term, Name))


def mentioned(shapes: Iterable[Shape], constraints: Iterable[Constraint]) -> tuple[str, ...]:
    """The names in sizes and constraints, each once."""
    sizes = [name for shape in shapes for term in shape.sizes if term is not None for name in sorted(names(term))]
    return tuple(dict.fromkeys((*sizes, *(name for c in constraints for name in c.symbols))))


def cannot_read(form: str, why: str, advice: str, *labels: Label) -> ArgumentError:
    """The error for a form that cannot be read."""
    return ArgumentError(Diagnostic("DC161", f"{form} cannot be read: {why}", labels, help=(advice,)))
