"""Parse actions: grammar rule -> node, with the checks that a context-free grammar cannot make.

Each method of :class:`Builder` is the grammar rule of its name and gets the list of what the rule matched: nodes, and
tokens where the grammar names the terminal.
"""

from __future__ import annotations

import keyword
import math
import unicodedata
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir import nodes as n
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import children, names
from dynconstraints.ir.functions import MEANINGS
from dynconstraints.syntax import foreign
from dynconstraints.syntax.failure import Failure, Fix
from dynconstraints.syntax.lexer import Token

MAX_DIGITS = 1000
MAX_DEPTH = 100
# A power is refused where it could be longer than this for 64-bit values: it would cost more than it could say.
MAX_POWER_BITS = 8192

_CALLABLE: dict[str, n.Function | n.Predicate] = {f.value: f for f in MEANINGS}
_RELATIONS = {r.value: r for r in n.Relation}
_FORMULAS = (n.Bool, n.Compare, n.Member, n.Test, n.Not, n.And, n.Or, n.Implies, n.Choice)
RESERVED = frozenset((*_CALLABLE, "range"))


class Builder:
    """Bottom-up construction of the nodes of one text; raises Failure where a part has the wrong sort."""

    def group(self, parts: list[Any]) -> n.Node:
        return parts[1].changed(span=_span(parts))  # type: ignore[no-any-return]

    def implies(self, parts: list[Any]) -> n.Formula:
        premise, conclusion = parts
        if not isinstance(premise, _FORMULAS) or not isinstance(conclusion, _FORMULAS):
            raise foreign.implication_between_numbers(premise, conclusion)
        return n.Implies(premise, conclusion, _span(parts))

    def conditional(self, parts: list[Any]) -> n.Node:
        then, condition, otherwise = parts
        if isinstance(then, _FORMULAS):
            return n.Choice(_truth(condition), then, _truth(otherwise), _span(parts))
        return n.IfElse(_truth(condition), then, _term(otherwise), _span(parts))

    def disjunction(self, parts: list[Any]) -> n.Formula:
        foreign.refuse_shared_subject(parts)
        return n.disjunction(tuple(map(_truth, parts)), _span(parts))

    def conjunction(self, parts: list[Any]) -> n.Formula:
        return n.conjunction(tuple(map(_truth, parts)), _span(parts))

    def not_(self, parts: list[Any]) -> n.Formula:
        return n.Not(_truth(parts[1]), _span(parts))

    def compare(self, parts: list[Any]) -> n.Formula:
        if isinstance(parts[0], _FORMULAS) and isinstance(parts[2], _FORMULAS):
            raise foreign.conditions_compared(parts)
        relations = tuple([_RELATIONS[token.text] for token in parts[1::2]])
        return n.Compare(tuple(map(_term, parts[::2])), relations, _span(parts))

    def member(self, parts: list[Any]) -> n.Formula:
        return n.Member(_term(parts[0]), parts[1], _span(parts))

    def not_member(self, parts: list[Any]) -> n.Formula:
        item, _, collection = parts
        span = _span(parts)
        return n.Not(n.Member(_term(item), collection, span), span)

    def set_of(self, parts: list[Any]) -> n.SetOf:
        return n.SetOf(tuple(map(_term, parts[1])), _span(parts))

    def range_of(self, parts: list[Any]) -> n.RangeOf:
        bounds, span = tuple(map(_term, parts[2])), _span(parts)
        if len(bounds) > 3:
            message = f"`range` takes 1 to 3 arguments, and here are {len(bounds)}"
            raise Failure("DC116", message, span, advice=form_of("range"))
        start, stop = (n.Int(0), bounds[0]) if len(bounds) == 1 else bounds[:2]
        return n.RangeOf(start, stop, _step(bounds[2]) if len(bounds) == 3 else 1, span)

    def sum(self, parts: list[Any]) -> n.Term:
        addends = [_term(parts[0])]
        for sign, term in zip(parts[1::2], parts[2::2], strict=True):
            negative = sign.text == "-"
            addends.append(n.negated(_term(term), _span((sign, term))) if negative else _term(term))
        return n.total(tuple(addends), _span(parts))

    def product(self, parts: list[Any]) -> n.Term:
        factors = [_term(parts[0])]
        for sign, term in zip(parts[1::2], parts[2::2], strict=True):
            if sign.text == "*":
                factors.append(_term(term))
            else:
                left, span = n.product(tuple(factors), _span((parts[0], factors[-1]))), _span((parts[0], term))
                divided: n.Term = (n.FloorDiv if sign.text == "//" else n.Mod)(left, _term(term), span)
                factors = [divided]
        return n.product(tuple(factors), _span(parts))

    def signed(self, parts: list[Any]) -> n.Term:
        sign, operand = parts
        return n.negated(_term(operand), _span(parts)) if sign.text == "-" else _term(operand)

    def power(self, parts: list[Any]) -> n.Term:
        base, _, exponent = parts
        return n.Pow(_term(base), _exponent(base, _term(exponent)), _span(parts))

    def integer(self, parts: list[Token]) -> n.Term:
        (token,) = parts
        if len(token.text) > MAX_DIGITS:
            message = f"this literal has more than {MAX_DIGITS:,} characters"
            raise Failure("DC122", message, token.span, advice="write it with a power, such as `10**100`")
        try:
            return n.Int(int(token.text, 0), token.span)
        except ValueError:  # Python's own rule: 012 was octal once
            short = token.text.lstrip("0_") or "0"
            message, fix = f"the integer {token.text} starts with a zero", Fix(token.span, (short,))
            raise Failure("DC122", message, token.span, fix=fix) from None

    def real(self, parts: list[Token]) -> n.Term:
        (token,) = parts
        value = float(token.text)
        if math.isinf(value):
            message, advice = "this literal is larger than every float", "write a number of at most 1.797e308"
            raise Failure("DC122", message, token.span, advice=advice)
        return n.Real(value, token.span)

    def name(self, parts: list[Token]) -> n.Term:
        (token,) = parts
        text = token.text if token.text.isascii() else unicodedata.normalize("NFKC", token.text)
        if text in RESERVED or keyword.iskeyword(text):
            raise _reserved(text, token)
        if not text.isidentifier():
            known = "Python would not accept it"
            raise Failure("DC120", f"`{token.text}` cannot be a name", token.span, known=known)
        return n.Name(text, token.span)

    def true(self, parts: list[Token]) -> n.Formula:
        return n.Bool(True, parts[0].span)

    def false(self, parts: list[Token]) -> n.Formula:
        return n.Bool(False, parts[0].span)

    def arguments(self, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    def call(self, parts: list[Any]) -> n.Node:
        token, _, arguments, _ = parts
        name, span = token.text, _span(parts)
        function = _CALLABLE.get(name)
        if function is None:
            raise foreign.operator_as_function(name, arguments, span) or _unknown(token)
        least, most = MEANINGS[function].fewest, MEANINGS[function].most
        if len(arguments) < least or (most is not None and len(arguments) > most):
            number = f"{least} or more arguments" if most is None else f"{least} argument{'s' * (least > 1)}"
            message = f"`{name}` takes {number}, and here {'is' if len(arguments) == 1 else 'are'} {len(arguments)}"
            raise Failure("DC116", message, span, advice=form_of(name))
        terms = tuple(map(_term, arguments))
        return n.Call(function, terms, span) if isinstance(function, n.Function) else n.Test(function, terms, span)


def formula(node: Any) -> n.Formula:
    """What a whole text was read as. Raises Failure where that is no condition, or is nested too deep."""
    if isinstance(node, _FORMULAS):
        check_depth(node)
        return node
    raise foreign.lone_number(node)


def term(node: Any) -> n.Term:
    """The same, where a number is wanted."""
    read = _term(node)
    check_depth(read)
    return read


def _span(parts: Any) -> Span:
    return Span(parts[0].span.start, parts[-1].span.stop)


def _term(node: Any) -> n.Term:
    if isinstance(node, _FORMULAS):
        known, advice = "this is true or false", "for a number that depends on it, write `(1 if … else 0)`"
        message = "a number is needed, and here stands a condition"
        raise Failure("DC111", message, _span((node,)), known=known, advice=advice)
    return node  # type: ignore[no-any-return]


def _truth(node: Any) -> n.Formula:
    if isinstance(node, _FORMULAS):
        return node
    advice = "compare it with something, as in `… == 1`"
    message, known = "a condition is needed, and here stands a number", "this is a number"
    raise Failure("DC110", message, _span((node,)), known=known, advice=advice)


def check_depth(node: n.Node) -> None:
    """Raises Failure where nodes nest deeper than MAX_DEPTH, which is what every recursive reading relies on."""
    stack = [(node, 0)]
    while stack:
        current, depth = stack.pop()
        if depth > MAX_DEPTH:
            message = f"the constraint is nested more than {MAX_DEPTH} levels deep"
            raise Failure("DC125", message, current.span or Span(0, 1), advice="split it into several constraints")
        stack.extend([(child, depth + 1) for child in children(current)])


def _constant(term: n.Term) -> int | Fraction | None:
    """The value of a term without names, if it has one: with floats in it a fraction."""
    check_depth(term)
    return None if names(term) else value_of(term, {})


def _step(term: n.Term) -> int:
    step, span = _constant(term), _span((term,))
    if step is None:
        raise Failure("DC124", "the step of a range must be a constant", span, advice="write a number")
    if step.denominator != 1:
        raise Failure("DC124", "the step of a range must be an integer", span, advice="write a number without a point")
    if step == 0:
        raise Failure(
            "DC124", "the step of a range must not be 0", span, advice="write another number, or leave it out"
        )
    return int(step)


def _exponent(base: n.Term, exponent: n.Term) -> int:
    span = _span((exponent,))
    value = _constant(exponent)
    if value is None:
        two = isinstance(base, n.Int) and base.value == 2
        advice = "say `is_power_of_two(…)` of what it equals" if two else "write a number"
        raise Failure("DC121", "an exponent must be a constant", span, advice=advice)
    if value.denominator != 1:  # the value of a float
        known, advice = "the power would be a root", "compare the powers of both sides instead"
        raise Failure("DC121", "an exponent must be an integer", span, known=known, advice=advice)
    if value < 0:
        known, advice = "the power would be a fraction", "multiply the other side by the positive power instead"
        raise Failure("DC121", "an exponent must not be negative", span, known=known, advice=advice)
    if value * _bits(base) > MAX_POWER_BITS:
        known = f"the result could have more than {MAX_POWER_BITS:,} bits"
        advice = "write a smaller exponent"
        raise Failure("DC121", "this power is too large", _span((base, exponent)), known=known, advice=advice)
    return int(value)


def _bits(term: n.Term) -> int:
    """A generous estimate of how long the term's value can be, each name having 64 bits; stops when it is too long."""
    total, stack = 0, [(term, 1)]
    while stack and total <= MAX_POWER_BITS:
        node, times = stack.pop()
        match node:
            case n.Int(value):
                total += times * max(1, value.bit_length())
            case n.Real(value):
                total += times * sum(part.bit_length() for part in value.as_integer_ratio())
            case n.Name():
                total += times * 64
            case n.Pow(base, exponent):
                stack.append((base, times * max(1, exponent)))
            case _:
                stack.extend([(child, times) for child in children(node)])  # type: ignore[misc]
    return total


def _reserved(text: str, token: Token) -> Failure:
    kind = "a function of the language" if text in RESERVED else "a Python keyword"
    advice = f"call it, as in `{text}(…)`" if text in RESERVED else f"choose another name, as in `{text}_`"
    return Failure("DC120", f"`{text}` cannot be a name", token.span, known=f"it is {kind}", advice=advice)


def _unknown(token: Token) -> Failure:
    near = [name for name in get_close_matches(token.text, _CALLABLE, cutoff=0.6) if _alike(token.text, name)]
    if near:
        fix = Fix(token.span, (near[0],))
        return Failure("DC115", f"there is no function `{token.text}`", token.span, fix=fix)
    advice = f"the functions are {', '.join(sorted(_CALLABLE))}"
    return Failure("DC115", f"there is no function `{token.text}`", token.span, advice=advice)


def _alike(wrong: str, name: str) -> bool:
    """Of short names, which have much in common by chance, only those that begin alike."""
    return len(wrong) > 3 or wrong[0].lower() == name[0]


def form_of(name: str) -> str:
    """How the function is called."""
    if name not in _CALLABLE and name != "range":
        return f"the functions are {', '.join(sorted(_CALLABLE))}"
    if name == "range":
        return "the forms are `range(stop)`, `range(start, stop)` and `range(start, stop, step)`"
    least, most = MEANINGS[_CALLABLE[name]].fewest, MEANINGS[_CALLABLE[name]].most
    arguments = "a, b, …" if most is None else ", ".join("ab"[:least])
    return f"the form is `{name}({arguments})`"
