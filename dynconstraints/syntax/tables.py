"""The parser's tables, kept beside this module: loading them takes a tenth of the time of making them of the grammar.

They are used where they were made of the very grammar at hand, by the very lark; elsewhere the parser is made of the
grammar, as ever. `python -m dynconstraints.syntax.tables` writes them anew after a change of the grammar.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

TABLES = os.path.join(os.path.dirname(__file__), "tables.json")  # pathlib takes longer to load than the tables


def grammar() -> str:
    """The text of the grammar. A wheel has it inside of the package, a checkout and an editable install beside it."""
    package = os.path.dirname(os.path.dirname(__file__))
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, "grammar", "constraints.lark")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
    raise FileNotFoundError("grammar/constraints.lark is missing from the installation")


def parser_of(text: str, builder: object) -> Lark:
    """The parser of the grammar, whose rules call the methods of the builder."""
    from lark import Lark, __version__

    from dynconstraints.syntax.lexer import Tokens

    kept = _kept(text, __version__)
    if kept is None:
        return made_of(text, builder)
    data, memo = _with_numbers(kept["data"]), _with_numbers(kept["memo"])
    data["parser"]["lexer_conf"]["lexer_type"] = data["options"]["lexer"] = Tokens
    # The constructor of the stand-alone parsers that lark generates: these tables, and actions of one's own.
    return Lark._load_from_dict(data, memo, transformer=builder)  # type: ignore[no-any-return,no-untyped-call] # noqa: SLF001


def made_of(text: str, builder: object) -> Lark:
    """The parser, made of the grammar alone."""
    from lark import Lark

    from dynconstraints.syntax.lexer import Tokens

    return Lark(text, parser="lalr", lexer=Tokens, transformer=builder, maybe_placeholders=False)


def tables_of(text: str) -> str:
    """The tables as JSON, with what they were made of."""
    from lark import __version__
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = made_of(text, None).memo_serialize([TerminalDef, Rule])
    data["parser"]["lexer_conf"]["lexer_type"] = data["options"]["lexer"] = None
    return json.dumps({"lark": __version__, "grammar": text, "data": data, "memo": memo}, separators=(",", ":"))


def _kept(text: str, lark: str) -> dict[str, Any] | None:
    try:
        with open(TABLES, encoding="utf-8") as file:
            kept = json.load(file)
    except (OSError, ValueError):  # not there, or not whole
        return None
    return kept if kept["lark"] == lark and kept["grammar"] == text else None


def _with_numbers(value: Any) -> Any:
    """The value with the keys that were numbers before JSON made texts of them."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: _with_numbers(item) for key, item in value.items()}
    return [_with_numbers(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    with open(TABLES, "w", encoding="utf-8") as file:
        file.write(tables_of(grammar()) + "\n")
