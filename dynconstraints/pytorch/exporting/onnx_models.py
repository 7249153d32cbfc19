"""A model of ONNX that is made of a declared program: its dimensions have the user's names, its metadata the rest."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import sympy

from dynconstraints.interop.onnx import metadata_of
from dynconstraints.interop.reading.expressions import UnreadError, term_of
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Add, FloorDiv, Int, Mul, Name, Neg, Pow, Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch import exporting as upstream
from dynconstraints.pytorch._torch.onnx import inputs_by_leaf, rename_dimensions
from dynconstraints.pytorch.exporting.contract import Contract, carried
from dynconstraints.pytorch.exporting.loaded import learn_again
from dynconstraints.pytorch.frame import sympy_bridge
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.signature.shape import ANY
from dynconstraints.signature.signature import Signature


def put_names(model: Any) -> None:
    """Give a model that was made of a declared program the names, and the metadata."""
    program = getattr(model, "exported_program", None)
    contract = None if program is None else carried(program.graph_module)
    if contract is None:
        return
    inputs = inputs_by_leaf(model)
    env = upstream.env_of_program(program)
    if env is not None and learn_again(program) and KEY in env.__dict__:
        rename_dimensions(model, Named(env.__dict__[KEY]).text)
    model.model.metadata_props.update(metadata_of(signature_of(contract, inputs)))


def signature_of(contract: Contract, inputs: Mapping[int, Any]) -> Signature:
    """The contract as a signature over the inputs of a model; a float is a constant of it."""
    arguments: dict[str, str] = {}
    for leaf, value in inputs.items():
        terms = {place.dimension: place.term for place in contract.places if place.leaf == leaf}
        if None in terms:
            arguments[value.name] = show(terms[None])
        elif terms:
            words = [show(terms[i]).replace(" ", "") if i in terms else ANY for i in range(len(value.shape))]
            arguments[value.name] = " ".join(words)
    said = [c for c in contract.system.constraints if contract.floats.keys().isdisjoint(c.symbols)]
    return Signature.of(arguments, [c.text for c in said])


class Named:
    """Dimensions of a traced program, which are texts over its symbols, in terms of the names."""

    def __init__(self, facts: FrameFacts) -> None:
        terms = facts.parameter_terms()
        self._names = facts.expressions.keys()
        self._terms: dict[str, Term] = {str(facts.parameters[name].symbol): term for name, term in terms.items()}

    def text(self, dimension: str) -> str:
        """The text over the names. A symbol that is no declared size keeps its own, and is never taken for a name."""
        try:
            term = term_of(ast.parse(dimension, mode="eval").body, _symbol)
        except (UnreadError, SyntaxError):
            return dimension
        others = {n: Name(f"{n}_" if n in self._names else n) for n in names_of(term) if n not in self._terms}
        try:
            exact = {sympy.Symbol(s, integer=True): _quotient(t) for s, t in self._terms.items()}
            renamed = substitute_term(term, others)
            found = _divided(_polynomial(renamed).xreplace(exact))
        except _NoPolynomialError:
            found = substitute_term(term, {**self._terms, **others})
        return show(found).replace(" ", "")


def _divided(value: Any) -> Term:
    """A polynomial with rational coefficients, which is whole wherever it is asked for, as a term."""
    numerator, denominator = sympy.fraction(sympy.together(sympy.expand(value)))
    term = sympy_bridge.term_of(sympy.expand(numerator), {one: Name(one.name) for one in numerator.free_symbols})
    if term is None:
        raise _NoPolynomialError
    return term if denominator == 1 else FloorDiv(term, Int(int(denominator)))


def _polynomial(term: Term) -> Any:
    """The term as a polynomial."""
    match term:
        case Int(value):
            return sympy.Integer(value)
        case Name(id):
            return sympy.Symbol(id, integer=True)
        case Neg(operand):
            return -_polynomial(operand)
        case Add(terms):
            return sympy.Add(*map(_polynomial, terms))
        case Mul(factors):
            return sympy.Mul(*map(_polynomial, factors))
        case Pow(base, exponent):
            return _polynomial(base) ** exponent
    raise _NoPolynomialError


def _quotient(term: Term) -> Any:
    """What a symbol of the trace is, such as ``h//32``, which leaves no rest."""
    match term:
        case FloorDiv(dividend, Int(divisor)):
            return _quotient(dividend) / divisor
        case Add(terms):
            return sympy.Add(*map(_quotient, terms))
        case Neg(operand):
            return -_quotient(operand)
        case Mul(factors):
            return sympy.Mul(*map(_quotient, factors))
    return _polynomial(term)


class _NoPolynomialError(Exception):
    """The term has a function in it."""


def _symbol(node: ast.expr) -> Term | None:
    return Name(node.id) if isinstance(node, ast.Name) else None
