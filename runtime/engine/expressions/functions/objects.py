"""Objects: fields with names."""

from __future__ import annotations

from typing import Any

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.registry import Formula, function
from runtime.engine.expressions.values import Meter, Missing, shown

_CUSTOMER = '{"name": "Ann", "city": "Bonn", "vat": null}'


@function("object", "keys(object:object)", "The names of the fields.", f"keys({_CUSTOMER})", ["name", "city", "vat"])
def keys(meter: Meter, thing: dict[str, Any]) -> list[str]:
    meter.spend(len(thing))
    return list(thing)


@function("object", "values(object:object)", "The values of the fields.", f"values({_CUSTOMER})", ["Ann", "Bonn", None])
def values(meter: Meter, thing: dict[str, Any]) -> list[Any]:
    meter.spend(len(thing))
    return list(thing.values())


@function("object", "has(object:object, name:text)", "Whether a field is there.", f'has({_CUSTOMER}, "city")', True)
def has(meter: Meter, thing: dict[str, Any], name: str) -> bool:
    return name in thing


@function(
    "object",
    "get(value:maybe, path:text, instead:any?)",
    "A value by its path, with something instead when it is not there.",
    'get({"a": {"b": [7]}}, "a.b[0]", 0)',
    7,
)
def get(meter: Meter, value: Any, path: str, instead: Any = None) -> Any:
    meter.text(len(path))
    parts = path.replace("[", ".").replace("]", "").split(".")
    meter.spend(len(parts))
    for part in parts:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif (
            isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 10 and int(part) < len(value)
        ):
            value = value[int(part)]
        else:
            return instead
    return value


@function(
    "object", "pick(object:object, names:text*)", "Only these fields.", f'pick({_CUSTOMER}, "name")', {"name": "Ann"}
)
def pick(meter: Meter, thing: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: thing[name] for name in names if name in thing}


@function(
    "object",
    "omit(object:object, names:text*)",
    "All but these fields.",
    f'omit({_CUSTOMER}, "vat", "city")',
    {"name": "Ann"},
)
def omit(meter: Meter, thing: dict[str, Any], *names: str) -> dict[str, Any]:
    meter.spend(len(thing) + len(names))
    left_out = set(names)
    return {name: value for name, value in thing.items() if name not in left_out}


@function(
    "object",
    "merge(objects:object*)",
    "Several objects as one; later ones win.",
    'merge({"a": 1}, {"b": 2})',
    {"a": 1, "b": 2},
)
def merge(meter: Meter, *things: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for thing in things:
        meter.spend(len(thing))
        found.update(thing)
    return found


@function(
    "object",
    "set(object:object, name:text, value:any)",
    "The object with one field changed or added.",
    'set({"a": 1}, "b", 2)',
    {"a": 1, "b": 2},
)
def set_(meter: Meter, thing: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    meter.spend(len(thing) + 1)
    return {**thing, name: value}


@function(
    "object",
    "rename(object:object, old:text, new:text)",
    "The object with one field renamed, in its place.",
    'rename({"a": 1, "c": 3}, "a", "b")',
    {"b": 1, "c": 3},
)
def rename(meter: Meter, thing: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    meter.spend(len(thing))
    return {new if name == old else name: value for name, value in thing.items() if name == old or name != new}


@function(
    "object",
    "entries(object:object)",
    "A list with name and value of every field.",
    'entries({"a": 1})',
    [{"name": "a", "value": 1}],
)
def entries(meter: Meter, thing: dict[str, Any]) -> list[dict[str, Any]]:
    meter.spend(2 * len(thing))
    return [{"name": name, "value": value} for name, value in thing.items()]


@function(
    "object",
    "from_entries(list:list, name:formula, value:formula)",
    "An object made from a list.",
    'from_entries([{"k": "a", "v": 1}], item.k, item.v)',
    {"a": 1},
)
def from_entries(meter: Meter, things: list[Any], name: Formula, value: Formula) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, thing in enumerate(things):
        label = name(thing, index)
        if not isinstance(label, str):
            raise ExpressionError("type", f"names fields by text, not by {shown(label)}.")
        content = value(thing, index)
        if isinstance(content, Missing):
            raise content.error()
        found[label] = content
    return found


@function(
    "object",
    "without_empty_fields(object:object)",
    "Only the fields that are not empty.",
    f"without_empty_fields({_CUSTOMER})",
    {"name": "Ann", "city": "Bonn"},
)
def without_empty_fields(meter: Meter, thing: dict[str, Any]) -> dict[str, Any]:
    meter.spend(len(thing))
    return {name: value for name, value in thing.items() if value is not None and value not in ("", [], {})}
