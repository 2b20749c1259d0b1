"""JSON that somebody wrote as text, with formulas in it: read as a document first, so that data never is syntax."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from runtime.engine.expressions import ExpressionError, is_expression
from runtime.engine.expressions.parsing import split
from runtime.engine.jsonprofile import JSON, JSONRefused, loads

_MARKS: Final = "\ue000\ue001\ue002\uf8ff"
_FORMULA_AS_NAME: Final = "a name in it is a formula; put the formula into a value"


def is_whole_formula(text: str) -> bool:
    """Whether a text is one formula and nothing else, whose value is taken as it is."""
    try:
        pieces = split(text)
    except ExpressionError:
        return False
    plain = "".join(piece for piece in pieces if isinstance(piece, str))
    return not plain.strip() and sum(not isinstance(piece, str) for piece in pieces) == 1


def read_json_text(text: str) -> JSON:
    """The document that a text stands for, its formulas still in it as texts; raises JSONRefused.

    A formula may stand inside a text (``"Order {{ … }}"``) or in the place of a value (``{"total": {{ … }}}``).
    """
    try:
        found = loads(text)
    except JSONRefused:
        if not is_expression(text):
            raise
        found = _with_marks(text)
    _refuse_formulas_as_names(found)
    return found


def _with_marks(text: str) -> JSON:
    """Read it with a mark in the place of each formula, then put the formulas back."""
    mark = next((mark for mark in _MARKS if mark not in text), "")
    try:
        pieces = split(text) if mark else []
    except ExpressionError as error:
        raise JSONRefused("formula", error.message) from None
    sources: list[str] = []
    written: list[str] = []
    inside = False
    for piece in pieces:
        if isinstance(piece, str):
            written.append(piece)
            inside = _ends_inside(piece, inside)
        else:
            token = f"{mark}{len(sources)}{mark}"
            sources.append("{{" + piece[1] + "}}")
            written.append(token if inside else f'"{token}"')
    marked = re.compile(f"{mark}([0-9]+){mark}")
    document: JSON = _restored(
        loads("".join(written)), lambda part: marked.sub(lambda found: sources[int(found[1])], part)
    )
    return document


def _ends_inside(piece: str, inside: bool) -> bool:
    """Whether a JSON text is open at the end of this piece."""
    position = 0
    while position < len(piece):
        if inside and piece[position] == "\\":
            position += 1
        elif piece[position] == '"':
            inside = not inside
        position += 1
    return inside


def _restored(value: Any, put_back: Any) -> Any:
    if isinstance(value, str):
        return put_back(value)
    if isinstance(value, list):
        return [_restored(entry, put_back) for entry in value]
    if isinstance(value, Mapping):
        return {put_back(name): _restored(entry, put_back) for name, entry in value.items()}
    return value


def _refuse_formulas_as_names(value: Any) -> None:
    if isinstance(value, list):
        for entry in value:
            _refuse_formulas_as_names(entry)
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            if is_expression(name):
                raise JSONRefused("formula", _FORMULA_AS_NAME)
            _refuse_formulas_as_names(entry)
