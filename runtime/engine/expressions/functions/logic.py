"""Decisions, first filled values, conversions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.registry import Later, function
from runtime.engine.expressions.values import Meter, Missing, same, shown, text_of, truth
from runtime.engine.jsonprofile import JSONRefused, dumps, loads


def is_blank(value: Any) -> bool:
    """Nothing there: missing, empty, empty text, empty list or object."""
    return type(value) is Missing or value is None or value == "" or value == [] or value == {}


@function(
    "logic",
    "when(condition:any, yes:later, no:later?)",
    "One value if a condition holds, else another.",
    'when(5 > 3, "big", "small")',
    "big",
)
def when(meter: Meter, condition: Any, yes: Later, no: Later | None = None) -> Any:
    if truth(condition):
        return yes()
    return no() if no is not None else None


@function(
    "logic",
    "default(value:maybe, instead:any)",
    "Another value when the first is missing or empty; also trigger.nickname | default(…).",
    'default(trigger.nickname, "friend")',
    "friend",
)
def default(meter: Meter, value: Any, instead: Any) -> Any:
    return instead if value is None or value == "" else value


@function(
    "logic",
    "first_filled(values:maybe*)",
    "The first value that is there and not empty.",
    'first_filled(trigger.nickname, "", "Ann")',
    "Ann",
)
def first_filled(meter: Meter, *values: Any) -> Any:
    return next((value for value in values if not is_blank(value)), None)


@function("logic", "is_empty(value:maybe)", "Whether a value is missing or empty.", 'is_empty("")', True)
def is_empty(meter: Meter, value: Any) -> bool:
    return is_blank(value)


@function("logic", "is_filled(value:maybe)", "Whether a value is there and not empty.", 'is_filled("A-17")', True)
def is_filled(meter: Meter, value: Any) -> bool:
    return not is_blank(value)


@function(
    "logic",
    "switch(value:any, cases:any*)",
    "Pairs of case and result, then what holds otherwise.",
    'switch("b", "a", 1, "b", 2, 0)',
    2,
)
def switch(meter: Meter, value: Any, *cases: Any) -> Any:
    for position in range(0, len(cases) - 1, 2):
        if same(value, cases[position], meter):
            return cases[position + 1]
    return cases[-1] if len(cases) % 2 else None


@function(
    "logic",
    "type_of(value:maybe)",
    "What kind of value it is: text, number, yes/no, list, object or empty.",
    "type_of(12.5)",
    "number",
)
def type_of(meter: Meter, value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "yes/no"
        case int() | Decimal():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


@function("logic", "text(value:any)", "Any value as text.", "text(12.50)", "12.50")
def text(meter: Meter, value: Any) -> str:
    return text_of(value, meter)


_YES = ("true", "yes", "y", "1", "on", "ja", "oui", "si")
_NO = ("false", "no", "n", "0", "off", "nein", "non")


@function("logic", "yes_no(value:maybe)", "Read yes or no from text or a number.", 'yes_no("Yes")', True)
def yes_no(meter: Meter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = text_of(value, meter)[:40].strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ExpressionError("type", f"cannot read yes or no from {shown(value)}.")


@function("logic", "all_true(values:any*)", "Whether every value holds.", "all_true(1 < 2, 2 < 3)", True)
def all_true(meter: Meter, *values: Any) -> bool:
    return all(truth(value) for value in values)


@function("logic", "any_true(values:any*)", "Whether at least one value holds.", "any_true(1 > 2, 2 < 3)", True)
def any_true(meter: Meter, *values: Any) -> bool:
    return any(truth(value) for value in values)


@function("logic", "parse_json(text:text)", "Read JSON text as data.", 'parse_json("[1, 2.50]")', [1, Decimal("2.50")])
def parse_json(meter: Meter, text: str) -> Any:
    meter.text(len(text))
    meter.spend(len(text) // 8)
    try:
        return loads(text)
    except JSONRefused as refused:
        raise ExpressionError("type", f"cannot read this: {refused.message}.") from None


@function("logic", "to_json(value:any)", "Data as JSON text.", 'to_json({"a": 1})', '{"a":1}')
def to_json(meter: Meter, value: Any) -> str:
    if isinstance(value, list | Mapping):
        return text_of(value, meter)
    return dumps(value)
