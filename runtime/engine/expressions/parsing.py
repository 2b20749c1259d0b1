"""Reading formulas: Jinja's own expression grammar, nothing else of Jinja.

Only the parser is used. What it returns is walked by `compiler`, which knows a short list of node kinds and turns each
into a small closure of ours. No Python code is generated, no Jinja environment evaluates anything, no attribute of a
Python object is ever read. Numbers with a fraction are exact decimals from the first character on.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import Lexer, Token, TokenStream
from jinja2.parser import Parser

from runtime.engine.expressions.errors import ExpressionError

MAX_SOURCE: Final = 2_000
MAX_NESTING: Final = 50
MAX_TREE_DEPTH: Final = 100
MAX_TEMPLATE: Final = 200_000
MAX_FORMULAS: Final = 500
MAX_TOGETHER: Final = 20_000

_OPENING: Final = "([{"
_CLOSING: Final = ")]}"


class _ExactLexer(Lexer):
    """Jinja's lexer, except that ``1.10`` is a Decimal and never a float."""

    def wrap(self, stream: Any, name: str | None = None, filename: str | None = None) -> Iterator[Token]:
        for line, kind, text in stream:
            if kind == "float":
                yield Token(line, "float", Decimal(text.replace("_", "")))  # type: ignore[arg-type]
            else:
                yield from super().wrap(iter([(line, kind, text)]), name, filename)


class _Grammar(Environment):
    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        return _LEXER.tokenize(source, name, filename, state)


_GRAMMAR: Final = _Grammar()
_LEXER: Final = _ExactLexer(_GRAMMAR)


def parse(source: str) -> nodes.Expr:
    """The tree of one formula (the text between the braces). Raises ExpressionError."""
    if len(source) > MAX_SOURCE:
        raise ExpressionError(
            "too_long", f"A formula may have {MAX_SOURCE:,} characters; this one has {len(source):,}."
        )
    if not source.strip():
        raise ExpressionError("syntax", "There is nothing between {{ and }}.")
    try:
        parser = Parser(_GRAMMAR, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise ExpressionError("syntax", f"“{_token_text(parser.stream.current)}” is not expected here.")
    except TemplateSyntaxError as error:
        raise ExpressionError("syntax", _plain(error.message or "")) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("too_deep", "This formula is nested too deeply.") from None
    except (ValueError, ArithmeticError, SyntaxError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError("syntax", "A number or text in this formula cannot be read.") from None
    _check_depth(tree)
    return tree


def split(text: str) -> list[str | tuple[int, str]]:
    """Cut a field's text into plain pieces and formulas ``(position, source)``. Raises ExpressionError."""
    if len(text) > MAX_TEMPLATE:
        raise ExpressionError("too_long", f"A text with formulas may have {MAX_TEMPLATE:,} characters.")
    pieces: list[str | tuple[int, str]] = []
    position = 0
    formulas = together = 0
    while True:
        start = text.find("{{", position)
        if start < 0:
            if position < len(text):
                pieces.append(text[position:])
            return pieces
        if start > position:
            pieces.append(text[position:start])
        end = _end_of_formula(text, start)
        formulas += 1
        if formulas > MAX_FORMULAS:
            raise ExpressionError("too_long", f"A text may hold {MAX_FORMULAS} formulas.", start)
        together += end - start - 2
        if together > MAX_TOGETHER:
            raise ExpressionError(
                "too_long", f"The formulas of one text may have {MAX_TOGETHER:,} characters together.", start
            )
        pieces.append((start, text[start + 2 : end]))
        position = end + 2


def _end_of_formula(text: str, start: int) -> int:
    """Index of the ``}}`` that closes the formula opened at ``start``; braces inside texts and objects do not count."""
    position = start + 2
    depth = 0
    limit = min(len(text), start + MAX_SOURCE + 4)
    while position < limit:
        character = text[position]
        if character in "\"'":
            position = _end_of_text(text, position, limit)
        elif character in _OPENING:
            depth += 1
            if depth > MAX_NESTING:
                raise ExpressionError("too_deep", f"Brackets may be nested {MAX_NESTING} deep.", start)
        elif character == "}" and depth == 0:
            if text.startswith("}}", position):
                return position
        elif character in _CLOSING and depth:
            depth -= 1
        position += 1
    if limit < len(text):
        raise ExpressionError("too_long", f"A formula may have {MAX_SOURCE:,} characters; this one has more.", start)
    raise ExpressionError("syntax", "This formula is not closed: }} is missing.", start)


def _end_of_text(text: str, start: int, limit: int) -> int:
    quote = text[start]
    position = start + 1
    while position < limit:
        if text[position] == "\\":
            position += 1
        elif text[position] == quote:
            return position
        position += 1
    return limit


def _check_depth(tree: nodes.Node) -> None:
    waiting: list[tuple[nodes.Node, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_TREE_DEPTH:
            raise ExpressionError("too_deep", "This formula has too many parts inside each other or in one row.")
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())


def _token_text(token: Token) -> str:
    return str(token.value or token.type)[:40]


def _plain(message: str) -> str:
    """Jinja's words in ours."""
    if "end of template" in message:
        return "The formula stops in the middle."
    if "unexpected char" in message:
        return f"The character {message.split('char', 1)[1].split(' at ')[0].strip()} is not expected here."
    if message.startswith("expected token"):
        return "Here " + message.replace("'", "“", 1).replace("'", "”", 1) + "."
    if "is not expected" in message or message.startswith("unexpected"):
        return "Something is not expected here: " + message.removeprefix("unexpected ").strip() + "."
    return "This formula cannot be read: " + message.rstrip(".") + "."
