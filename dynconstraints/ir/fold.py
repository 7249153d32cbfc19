"""The one generic traversal: children, names, substitution. Readings with a case per node live in their own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.nodes import (
    Add,
    And,
    Bool,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    IfElse,
    Implies,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Node,
    Not,
    Or,
    Pow,
    RangeOf,
    Real,
    Relation,
    SetOf,
    Term,
    Test,
    comparison,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)


def children(node: Node) -> tuple[Node, ...]:
    """The direct subterms and subformulas, left to right."""
    match node:  # the frequent kinds first: this is most of what a traversal costs
        case Int() | Name():
            return ()
        case Compare(operands):
            return operands
        case Add(parts) | Mul(parts) | And(parts) | Or(parts):
            return parts
        case FloorDiv(left, right) | Mod(left, right) | Implies(left, right):
            return (left, right)
        case Neg(operand) | Not(operand):
            return (operand,)
        case Call(_, arguments) | Test(_, arguments):
            return arguments
        case Pow(base):
            return (base,)
        case Real() | Bool():
            return ()
        case Member(item, SetOf(elements)):
            return (item, *elements)
        case Member(item, RangeOf(start, stop)):
            return (item, start, stop)
        case IfElse(condition, then, otherwise) | Choice(condition, then, otherwise):
            return (condition, then, otherwise)
        case _:
            raise TypeError(f"not a node: {node!r}")


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first, left to right; iterative, so depth costs no stack."""
    stack: list[Node] = [node]
    while stack:
        current = stack.pop()
        yield current
        if below := children(current):
            stack.extend(reversed(below))


@lru_cache(maxsize=8192)
def names(node: Node) -> frozenset[str]:
    """The names that occur."""
    return frozenset(names_in_order(node))


@lru_cache(maxsize=8192)
def names_in_order(node: Node) -> tuple[str, ...]:
    """The names that occur, each once, in the order of first occurrence."""
    return tuple(dict.fromkeys([n.id for n in walk(node) if isinstance(n, Name)]))


def conjuncts(formula: Formula) -> Iterator[Formula]:
    """Formulas that hold together just where the formula does: what its conjunctions and chains join."""
    match formula:
        case And(operands):
            for operand in operands:
                yield from conjuncts(operand)
        case Compare(operands, relations) if len(relations) > 1:
            for relation, (left, right) in zip(relations, pairwise(operands), strict=True):
                yield comparison(left, relation, right)
        case _:
            yield formula


def has_link(formula: Formula, relation: Relation) -> bool:
    """Whether one of the conjuncts relates two terms so."""
    match formula:
        case Compare(_, relations):
            return relation in relations
        case And(operands):
            return any(has_link(operand, relation) for operand in operands)
        case _:
            return False


def substitute_term(term: Term, values: Mapping[str, Term]) -> Term:
    """The term with names replaced, all at once; names that are not mapped stay."""
    return map_term(term, lambda name: values.get(name.id, name))


def substitute(formula: Formula, values: Mapping[str, Term]) -> Formula:
    """The formula with names replaced, all at once; names that are not mapped stay."""
    return map_formula(formula, lambda name: values.get(name.id, name))


def map_term(term: Term, on_name: Callable[[Name], Term]) -> Term:
    """The term rebuilt through the smart constructors, with each name replaced."""

    def go(t: Term) -> Term:
        return map_term(t, on_name)

    match term:
        case Int() | Real():
            return term
        case Name():
            return on_name(term)
        case Neg(operand):
            return negated(go(operand), term.span)
        case Add(terms):
            return total(tuple(map(go, terms)), term.span)
        case Mul(factors):
            return product(tuple(map(go, factors)), term.span)
        case FloorDiv(dividend, divisor):
            return FloorDiv(go(dividend), go(divisor), term.span)
        case Mod(dividend, divisor):
            return Mod(go(dividend), go(divisor), term.span)
        case Pow(base, exponent):
            return Pow(go(base), exponent, term.span)
        case Call(function, arguments):
            return Call(function, tuple(map(go, arguments)), term.span)
        case IfElse(condition, then, otherwise):
            return IfElse(map_formula(condition, on_name), go(then), go(otherwise), term.span)
        case _:
            assert_never(term)


def map_formula(formula: Formula, on_name: Callable[[Name], Term]) -> Formula:
    """The formula rebuilt through the smart constructors, with each name replaced."""

    def go(f: Formula) -> Formula:
        return map_formula(f, on_name)

    def term(t: Term) -> Term:
        return map_term(t, on_name)

    match formula:
        case Bool():
            return formula
        case Compare(operands):
            return formula.changed(operands=tuple(map(term, operands)))
        case Member(item, SetOf(elements) as collection):
            return Member(term(item), collection.changed(elements=tuple(map(term, elements))), formula.span)
        case Member(item, RangeOf(start, stop) as collection):
            return Member(term(item), collection.changed(start=term(start), stop=term(stop)), formula.span)
        case Member():
            raise TypeError(f"not a collection: {formula.collection!r}")
        case Test(predicate, arguments):
            return Test(predicate, tuple(map(term, arguments)), formula.span)
        case Not(operand):
            return Not(go(operand), formula.span)
        case And(operands):
            return conjunction(tuple(map(go, operands)), formula.span)
        case Or(operands):
            return disjunction(tuple(map(go, operands)), formula.span)
        case Implies(premise, conclusion):
            return Implies(go(premise), go(conclusion), formula.span)
        case Choice(condition, then, otherwise):
            return Choice(go(condition), go(then), go(otherwise), formula.span)
        case _:
            assert_never(formula)
