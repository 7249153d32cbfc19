"""Hypothesis strategies shared by all tests: assignments, and terms and formulas of every node kind.

Generated nodes keep the invariants of ``dynconstraints.ir.nodes``, so printing and parsing gives them back. Constants
and values are small, with zero and both signs frequent: that is where divisions, remainders and set borders go wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import (
    Bool,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    Function,
    IfElse,
    Implies,
    Int,
    Member,
    Mod,
    Name,
    Not,
    Pow,
    Predicate,
    RangeOf,
    Relation,
    SetOf,
    Term,
    Test,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)

NAMES = ("a", "b", "s0")

_UNARY = (Function.ABS,)
_BINARY = (Function.CEILDIV, Function.ALIGN_UP, Function.ALIGN_DOWN)
_VARIADIC = (Function.MIN, Function.MAX, Function.GCD, Function.LCM)

relations = st.sampled_from(Relation)


def values(bound: int = 200) -> st.SearchStrategy[int]:
    """Integers from -bound to bound, the ones near zero often."""
    return st.one_of(st.integers(-4, 4), st.integers(-bound, bound))


def assignments(names: Sequence[str] = NAMES, bound: int = 200) -> st.SearchStrategy[dict[str, int]]:
    """A value from -bound to bound for each name."""
    return st.fixed_dictionaries({name: values(bound) for name in names})


def terms(names: Sequence[str] = NAMES, *, max_leaves: int = 8, constants: int = 70) -> st.SearchStrategy[Term]:
    """Terms over the names, of every kind of node but the conditional, which needs formulas: see :func:`formulas`."""
    return _terms_over(_leaves(names, constants), max_leaves)


def linear_terms(names: Sequence[str] = NAMES, constants: int = 70) -> st.SearchStrategy[Term]:
    """``c + k1*x1 + …`` over some of the names."""
    monomial = st.builds(lambda k, x: product((Int(k), Name(x))), values(constants), st.sampled_from(names))
    constant = st.builds(Int, values(constants))
    return st.lists(st.one_of(monomial, constant), min_size=1, max_size=4).map(lambda parts: total(tuple(parts)))


def formulas(
    names: Sequence[str] = NAMES, *, max_leaves: int = 6, constants: int = 70, conditionals: bool = True
) -> st.SearchStrategy[Formula]:
    """Formulas over the names, of every kind of node; terms inside hold conditionals unless ``conditionals`` is off."""
    plain = terms(names, max_leaves=max_leaves, constants=constants)
    simple = _atoms(plain, constants)
    if conditionals:
        chosen = st.builds(IfElse, simple, plain, plain)
        simple = st.one_of(simple, _atoms(_terms_over(st.one_of(chosen, plain), 3), constants))
    return st.recursive(simple, _connectives, max_leaves=max_leaves)


def constraints(names: Sequence[str] = NAMES, **options: int) -> st.SearchStrategy[Constraint]:
    """Constraints made from :func:`formulas`, with their printed text."""
    return formulas(names, **options).map(Constraint.of)


def _leaves(names: Sequence[str], constants: int) -> st.SearchStrategy[Term]:
    return st.one_of(st.sampled_from(names).map(Name), values(constants).map(Int))


def _terms_over(leaves: st.SearchStrategy[Term], max_leaves: int) -> st.SearchStrategy[Term]:
    def extend(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        any_number = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            several.map(total),
            several.map(product),
            inner.map(negated),
            st.builds(FloorDiv, inner, inner),
            st.builds(Mod, inner, inner),
            st.builds(Pow, inner, st.integers(0, 3)),
            st.builds(lambda f, x: Call(f, (x,)), st.sampled_from(_UNARY), inner),
            st.builds(lambda f, x, y: Call(f, (x, y)), st.sampled_from(_BINARY), inner, inner),
            st.builds(Call, st.sampled_from(_VARIADIC), any_number),
        )

    return st.recursive(leaves, extend, max_leaves=max_leaves)


def _atoms(inner: st.SearchStrategy[Term], constants: int) -> st.SearchStrategy[Formula]:
    def chain(operands: list[Term]) -> st.SearchStrategy[Formula]:
        links = st.lists(relations, min_size=len(operands) - 1, max_size=len(operands) - 1)
        return links.map(lambda made: Compare(tuple(operands), tuple(made)))

    steps = values(constants).filter(bool)
    collections = st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda elements: SetOf(tuple(elements))),
        st.builds(RangeOf, inner, inner, steps),
    )
    return st.one_of(
        st.lists(inner, min_size=2, max_size=2).flatmap(chain),
        st.lists(inner, min_size=3, max_size=4).flatmap(chain),
        st.builds(Member, inner, collections),
        st.builds(lambda d, e: Test(Predicate.DIVIDES, (d, e)), inner, inner),
        st.builds(lambda e: Test(Predicate.IS_POWER_OF_TWO, (e,)), inner),
        st.builds(Bool, st.booleans()),
    )


def _connectives(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        inner.map(Not),
        several.map(conjunction),
        several.map(disjunction),
        st.builds(Implies, inner, inner),
        st.builds(Choice, inner, inner, inner),
    )
