"""What a text of the language means, by Python's own parser and by z3: oracles that share no code with the package.

Texts are Python but for ``=>``, which is split off where it is outermost. Undefined (a zero divisor) is None, and
connectives are Kleene's: a conjunction with a false part is false whatever the others are.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import z3

FUNCTIONS = {
    "min": lambda *a: min(a),
    "max": lambda *a: max(a),
    "abs": abs,
    "ceildiv": lambda a, b: -(-a // b),
    "align_up": lambda a, m: -(-a // m) * m,
    "align_down": lambda a, m: a // m * m,
    "gcd": math.gcd,
    "lcm": math.lcm,
    "divides": lambda d, e: e % d == 0,
    "is_power_of_two": lambda e: e > 0 and e & (e - 1) == 0,
}
_ENVIRONMENT = {**FUNCTIONS, "true": True, "false": False, "range": range, "__builtins__": {}}
_COMPARE = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def names(*texts: str) -> tuple[str, ...]:
    """The names in the texts, in alphabetical order."""
    return tuple(sorted({n for t in texts for n in re.findall(r"[A-Za-z_]\w*", t)} - _KEYWORDS))


_KEYWORDS = {*_ENVIRONMENT, "and", "or", "not", "if", "else", "in", "True", "False"}


class Meaning:
    """A constraint or term as a function of values: call it with an assignment."""

    def __init__(self, text: str) -> None:
        self.text = text
        premise, arrow, conclusion = text.partition("=>")
        if arrow and (premise.count("(") != premise.count(")") or "=>" in conclusion):
            raise ValueError(f"nested implication: {text}")
        self.parts = [ast.parse(part.strip(), mode="eval") for part in ((premise, conclusion) if arrow else (text,))]
        self._code = None if arrow else compile(self.parts[0], text, "eval")

    def __call__(self, values: Mapping[str, int]) -> Any:
        """The truth value or the integer; None for undefined."""
        if self._code is not None:
            try:
                return eval(self._code, _ENVIRONMENT, dict(values))
            except ZeroDivisionError:
                return _value(self.parts[0].body, values)
        premise, conclusion = (_value(part.body, values) for part in self.parts)
        return _any((None if premise is None else not premise, conclusion))


def _all(parts: Sequence[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def _any(parts: Sequence[bool | None]) -> bool | None:
    return True if True in parts else None if None in parts else False


def _value(node: ast.expr, values: Mapping[str, int]) -> Any:
    """Node by node, for where something is undefined."""

    def strict(function: Any, *nodes: ast.expr) -> Any:
        arguments = [_value(n, values) for n in nodes]
        try:
            return None if None in arguments else function(*arguments)
        except ZeroDivisionError:
            return None

    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return {"true": True, "false": False}.get(name, values.get(name))
        case ast.UnaryOp(ast.Not(), operand):
            return strict(operator.not_, operand)
        case ast.UnaryOp(op, operand):
            return strict(operator.neg if isinstance(op, ast.USub) else operator.pos, operand)
        case ast.BinOp(left, op, right):
            return strict(_BINARY[type(op)], left, right)
        case ast.BoolOp(op, operands):
            return (_all if isinstance(op, ast.And) else _any)([_value(o, values) for o in operands])
        case ast.Compare(left, ops, rights):
            return _all([_link(a, op, b, values) for op, (a, b) in zip(ops, pairwise([left, *rights]), strict=True)])
        case ast.IfExp(test, then, otherwise):
            chosen = _value(test, values)
            return None if chosen is None else _value(then if chosen else otherwise, values)
        case ast.Call(ast.Name(name), arguments):
            return strict(_ENVIRONMENT[name], *arguments)
    raise ValueError(ast.dump(node))


def _link(left: ast.expr, op: ast.cmpop, right: ast.expr, values: Mapping[str, int]) -> bool | None:
    if not isinstance(op, ast.In | ast.NotIn):
        a, b = _value(left, values), _value(right, values)
        return None if a is None or b is None else bool(_COMPARE[type(op)](a, b))
    item = _value(left, values)
    if isinstance(right, ast.Set):
        found = _any([None if item is None or (e := _value(n, values)) is None else item == e for n in right.elts])
    else:
        within = _value(right, values)
        found = None if item is None or within is None else item in within
    return found if found is None or isinstance(op, ast.In) else not found


# z3


class Unsupported(ValueError):
    """z3 has no exact encoding of it here."""


class Solver:
    """Asks z3 whether constraints can hold together; each formula is a pair: when it is true, when it is false."""

    def __init__(self, rlimit: int = 300_000) -> None:
        self.context = z3.Context()
        self.solver = z3.Solver(ctx=self.context)
        self.solver.set("rlimit", rlimit)
        self._fresh = 0

    def satisfiable(self, true: Sequence[str], untrue: Sequence[str] = ()) -> bool | None:
        """Whether all of ``true`` can be true, and none of ``untrue``; None where z3 does not tell."""
        for texts, wanted in ((true, True), (untrue, False)):
            for text in texts:
                holds = self._text(text)[0]
                self.solver.add(holds if wanted else z3.Not(holds))
        answer = self.solver.check()
        return None if answer == z3.unknown else bool(answer == z3.sat)

    def _text(self, text: str) -> tuple[Any, Any]:
        parts = [self.formula(part.body) for part in Meaning(text).parts]
        if len(parts) == 1:
            return parts[0]
        (holds, fails), (then, not_then) = parts
        return self._or(fails, then), self._and(holds, not_then)

    def _and(self, *parts: Any) -> Any:
        return z3.And(*parts, z3.BoolVal(True, self.context))

    def _or(self, *parts: Any) -> Any:
        return z3.Or(*parts, z3.BoolVal(False, self.context))

    def formula(self, node: ast.expr) -> tuple[Any, Any]:
        """When it is true, and when it is false."""
        match node:
            case ast.Constant(bool(value)) | ast.Name("true" | "false" as value):
                holds = z3.BoolVal(value in (True, "true"), self.context)
                return holds, z3.Not(holds)
            case ast.UnaryOp(ast.Not(), operand):
                return self.formula(operand)[::-1]
            case ast.BoolOp(op, operands):
                true, false = zip(*map(self.formula, operands), strict=True)
                if isinstance(op, ast.And):
                    return self._and(*true), self._or(*false)
                return self._or(*true), self._and(*false)
            case ast.Compare(left, ops, rights):
                links = [self._link(a, op, b) for op, (a, b) in zip(ops, pairwise([left, *rights]), strict=True)]
                return self._and(*(t for t, _ in links)), self._or(*(f for _, f in links))
            case ast.IfExp(test, then, otherwise):
                (t, f), (t1, f1), (t2, f2) = map(self.formula, (test, then, otherwise))
                return self._or(self._and(t, t1), self._and(f, t2)), self._or(self._and(t, f1), self._and(f, f2))
            case ast.Call(ast.Name("divides"), [divisor, dividend]):
                (d, ok), (e, fine) = self.term(divisor), self.term(dividend)
                defined = self._and(ok, fine, d != 0)
                rest = self._divided(e, d)[1]
                return self._and(defined, rest == 0), self._and(defined, rest != 0)
        raise Unsupported(ast.dump(node))

    def _link(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> tuple[Any, Any]:
        match op, right:
            case (ast.In() | ast.NotIn(), ast.Set(elements)):
                links = [self._link(left, ast.Eq(), e) for e in elements]
                found = self._or(*(t for t, _ in links)), self._and(*(f for _, f in links))
            case (ast.In() | ast.NotIn(), ast.Call(ast.Name("range"), arguments)):
                found = self._in_range(left, arguments)
            case _:
                (a, ok), (b, fine) = self.term(left), self.term(right)
                related = _COMPARE[type(op)](a, b)
                return self._and(ok, fine, related), self._and(ok, fine, z3.Not(related))
        return found[::-1] if isinstance(op, ast.NotIn) else found

    def _in_range(self, left: ast.expr, arguments: Sequence[ast.expr]) -> tuple[Any, Any]:
        ends = [ast.Constant(0), *arguments] if len(arguments) == 1 else list(arguments)
        (item, a), (start, b), (stop, c) = map(self.term, (left, *ends[:2]))
        step = ast.literal_eval(ends[2]) if len(ends) == 3 else 1
        offset, room = (item - start, stop - item) if step > 0 else (start - item, item - stop)
        inside = self._and(offset >= 0, room > 0, offset % abs(step) == 0)
        return self._and(a, b, c, inside), self._and(a, b, c, z3.Not(inside))

    def term(self, node: ast.expr) -> tuple[Any, Any]:
        """The value, and when it is defined."""
        always = z3.BoolVal(True, self.context)
        match node:
            case ast.Constant(value):
                return z3.IntVal(value, self.context), always
            case ast.Name(name):
                return z3.Int(name, self.context), always
            case ast.UnaryOp(op, operand):
                value, defined = self.term(operand)
                return (-value if isinstance(op, ast.USub) else value), defined
            case ast.BinOp(base, ast.Pow(), ast.Constant(exponent)):
                value, defined = self.term(base)
                return reduce(operator.mul, [value] * exponent, z3.IntVal(1, self.context)), defined
            case ast.BinOp(left, op, right):
                (a, ok), (b, fine) = self.term(left), self.term(right)
                if isinstance(op, ast.FloorDiv | ast.Mod):
                    return self._divided(a, b)[isinstance(op, ast.Mod)], self._and(ok, fine, b != 0)
                return _BINARY[type(op)](a, b), self._and(ok, fine)
            case ast.IfExp(test, then, otherwise):
                (t, f), (a, ok), (b, fine) = self.formula(test), self.term(then), self.term(otherwise)
                return z3.If(t, a, b), self._or(self._and(t, ok), self._and(f, fine))
            case ast.Call(ast.Name(name), arguments):
                values, defined = zip(*map(self.term, arguments), strict=True)
                value, fine = self._call(name, values)
                return value, self._and(*defined, fine)
        raise Unsupported(ast.dump(node))

    def _call(self, name: str, values: Sequence[Any]) -> tuple[Any, Any]:
        always = z3.BoolVal(True, self.context)
        match name:
            case "min" | "max":
                return reduce(lambda a, b: z3.If(a <= b, *((a, b) if name == "min" else (b, a))), values), always
            case "abs":
                return z3.Abs(values[0]), always
            case "ceildiv":
                return -self._divided(-values[0], values[1])[0], values[1] != 0
            case "align_up":
                return -self._divided(-values[0], values[1])[0] * values[1], values[1] != 0
            case "align_down":
                return self._divided(*values)[0] * values[1], values[1] != 0
            case "gcd":
                return reduce(self._gcd, values), always
            case "lcm":
                return reduce(self._lcm, values), always
        raise Unsupported(name)

    def _divided(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Floor division and its remainder; z3's own keeps remainders from being negative."""
        if z3.is_int_value(b):
            return (a / b, a % b) if b.as_long() > 0 else ((-a) / (-b), -((-a) % (-b)))
        return z3.If(b > 0, a / b, (-a) / (-b)), z3.If(b > 0, a % b, -((-a) % (-b)))

    def _new(self) -> Any:
        self._fresh += 1
        return z3.Int(f"!{self._fresh}", self.context)

    def _gcd(self, a: Any, b: Any) -> Any:
        """By Bézout's identity: a common divisor that is a combination of both."""
        g, p, q, x, y = (self._new() for _ in range(5))
        self.solver.add(g >= 0, a == g * p, b == g * q, g == a * x + b * y)
        return g

    def _lcm(self, a: Any, b: Any) -> Any:
        g, m = self._gcd(a, b), self._new()
        self.solver.add(m >= 0, z3.Implies(g == 0, m == 0), m * g == z3.Abs(a * b))
        return m
