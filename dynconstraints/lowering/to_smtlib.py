"""Formulas -> an SMT-LIB script, by the z3 lowering: whatever solver reads it answers the same question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import z3

from dynconstraints.ir.fold import conjuncts, names, substitute
from dynconstraints.ir.nodes import Formula, Name
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.lowering.to_z3 import Encoder

_DECLARED = re.compile(r"^\(declare-fun (\S+) ", re.MULTILINE)

# Words of the language itself, and functions of the core and the numbers, that Python has as identifiers.
_RESERVED = frozenset(
    {"BINARY", "DECIMAL", "HEXADECIMAL", "NUMERAL", "STRING", "_", "let", "par", "exists", "forall", "match"}
    | {"echo", "exit", "pop", "push", "reset", "distinct", "ite", "xor", "iff", "implies", "Bool", "Int", "Real"}
    | {"mod", "div", "rem", "abs", "divisible", "to_real", "to_int", "is_int"}
)


def to_smtlib(formulas: Iterable[Formula], reals: frozenset[str] = frozenset()) -> str:
    """A script that declares the names and asserts each formula as it is defined and true, ready for ``(check-sat)``.

    The logic is QF_NIA, with floats QF_NIRA; helper symbols (their names have a ``!``) stand for what gcd and lcm are
    defined by. ``reals`` are the names that are real. A name that SMT-LIB keeps for itself has underscores after it.
    """
    asked = tuple(formulas)
    spelled = _spelled(sorted(frozenset().union(*map(names, asked))))
    if any(name != symbol for name, symbol in spelled.items()):
        images = {name: Name(symbol) for name, symbol in spelled.items()}
        asked = tuple(substitute(formula, images) for formula in asked)
        reals = frozenset(spelled.get(name, name) for name in reals)
    encoder = Encoder(z3.Context(), fresh_quotients=False, reals=reals)
    for symbol in spelled.values():
        encoder.name(symbol)
    logic = "QF_NIRA" if speaks_of_reals(asked, reals) else "QF_NIA"
    solver = z3.SolverFor(logic, ctx=encoder.context)
    solver.add(*(encoder.true(part) for formula in asked for part in conjuncts(formula)), *encoder.sides)
    body = "\n".join(line for line in solver.sexpr().splitlines() if line)
    seen = set(_DECLARED.findall(body))
    declared = "".join(
        f"(declare-fun {_quoted(symbol)} () {'Real' if symbol in reals else 'Int'})\n"
        for symbol in encoder.names
        if seen.isdisjoint((symbol, f"|{symbol}|"))
    )
    return f"(set-logic {logic})\n{declared}{body}\n(check-sat)\n"


def _spelled(given: Iterable[str]) -> Mapping[str, str]:
    """A symbol for each name, none like another."""
    symbols = {name: name for name in given}
    for name in sorted(_RESERVED & symbols.keys()):
        symbol = name
        while symbol in _RESERVED or symbol in symbols.values():
            symbol += "_"
        symbols[name] = symbol
    return symbols


def _quoted(symbol: str) -> str:
    """The symbol, in bars where it has letters beyond ASCII."""
    return symbol if symbol.isascii() else f"|{symbol}|"
