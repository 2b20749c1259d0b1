"""Bringing a value into a kind that a person chose, with an explicit failure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from runtime.engine.expressions import ExpressionError
from runtime.engine.expressions.functions.dates import read, write
from runtime.engine.expressions.functions.numbers import read_number
from runtime.engine.expressions.values import shown
from runtime.engine.jsonprofile import JSON, JSONRefused, loads
from runtime.sdk.fields import as_text


def convert(value: Any, kind: str) -> JSON:
    """``value`` as ``text``, ``number``, ``yes_no``, ``date``, ``list`` or ``object``; nothing stays nothing.

    Raises ValueError with a message that follows the field's name ("… is not a number: text “abc”").
    """
    if value is None:
        return None
    match kind:
        case "text":
            return as_text(value)  # type: ignore[return-value]
        case "number":
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return value
            found = read_number(value) if isinstance(value, str) and "," not in value and len(value) <= 60 else None
            if found is None:
                raise ValueError(f"is not a number: {shown(value)}")
            return found
        case "yes_no":
            if isinstance(value, bool):
                return value
            word = value.strip().lower() if isinstance(value, str) else value
            if word in ("true", "yes", 1):
                return True
            if word in ("false", "no", 0):
                return False
            raise ValueError(f"is neither yes nor no: {shown(value)}")
        case "date":
            try:
                return write(read(value))
            except ExpressionError:
                raise ValueError(f"is not a date like 2026-11-20: {shown(value)}") from None
        case "list" | "object":
            if isinstance(value, str):
                try:
                    value = loads(value)
                except JSONRefused:
                    raise ValueError(f"is not {'a list' if kind == 'list' else 'an object'}: {shown(value)}") from None
            if isinstance(value, list if kind == "list" else dict):
                return value
            raise ValueError(f"is not {'a list' if kind == 'list' else 'an object'}: {shown(value)}")
        case _:
            return value  # type: ignore[no-any-return]
