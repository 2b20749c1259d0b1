"""Conditions that people build from rules: field, operator in words, value; groups of all or any.

A group is ``{"match": "all" | "any", "rules": [rule | group, …]}`` nested at most three deep. A rule is
``{"left": …, "op": …, "right": …, "type": …}``; its sides may be formulas and are resolved before evaluation. ``type``
(``text``, ``number``, ``date``, ``bool``, ``list``; found from the value when left out) says how to compare.
A value that does not fit is an error with words, never a silent "no".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from runtime.engine.expressions import describe
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.functions.dates import moment, read
from runtime.engine.expressions.functions.logic import is_blank
from runtime.engine.expressions.functions.numbers import read_number
from runtime.engine.expressions.values import kind_of, shown

MAX_DEPTH: Final = 3
MAX_RULES: Final = 100


class Operator(NamedTuple):
    """``words`` stand between the sides in a sentence; ``types`` it works on; ``sides``: 1, 2, or 3 for between."""

    words: str
    types: tuple[str, ...]
    sides: int = 2


_ALL: Final = ("text", "number", "date", "bool", "list")
OPERATORS: Final[dict[str, Operator]] = {
    "eq": Operator("is", ("text", "number", "date", "bool")),
    "ne": Operator("is not", ("text", "number", "date", "bool")),
    "gt": Operator("is more than", ("number",)),
    "gte": Operator("is at least", ("number",)),
    "lt": Operator("is less than", ("number",)),
    "lte": Operator("is at most", ("number",)),
    "between": Operator("is between", ("number", "date"), 3),
    "contains": Operator("contains", ("text", "list")),
    "not_contains": Operator("does not contain", ("text", "list")),
    "starts_with": Operator("starts with", ("text",)),
    "ends_with": Operator("ends with", ("text",)),
    "before": Operator("is before", ("date",)),
    "after": Operator("is after", ("date",)),
    "on_or_before": Operator("is on or before", ("date",)),
    "on_or_after": Operator("is on or after", ("date",)),
    "in": Operator("is one of", ("text", "number")),
    "not_in": Operator("is none of", ("text", "number")),
    "is_true": Operator("is yes", ("bool",), 1),
    "is_false": Operator("is no", ("bool",), 1),
    "is_empty": Operator("is empty", _ALL, 1),
    "is_not_empty": Operator("is filled in", _ALL, 1),
}


class ConditionError(ValueError):
    """A rule that cannot be decided. ``path`` is where it stands (``rules[1].left``), ``message`` a plain sentence."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def problems(group: Any, path: str = "") -> list[tuple[str, str]]:
    """What is wrong with a group as stored, formulas not worked out: (path, sentence)."""
    found: list[tuple[str, str]] = []
    count = _inspect(group, path, 1, found)
    if count > MAX_RULES:
        found.append((path, f"There are {count} rules; at most {MAX_RULES} fit."))
    return found


def evaluate_group(group: Mapping[str, Any]) -> bool:
    """Whether a resolved group holds; an empty group of "all" holds. Raises ConditionError."""
    return _holds(group, "", 1)


def describe_group(group: Any, names: Mapping[str, str] | None = None) -> str:
    """A group as stored, in words; empty text when it says nothing yet. Never raises."""
    return _sentence(group, names or {}, 1)


def _join(path: str, rest: str) -> str:
    return f"{path}.{rest}" if path else rest


def _inspect(group: Any, path: str, depth: int, found: list[tuple[str, str]]) -> int:
    if not isinstance(group, Mapping) or not isinstance(group.get("rules"), list):
        found.append((path, "This needs rules."))
        return 0
    if depth > MAX_DEPTH:
        found.append((path, f"Groups may be nested {MAX_DEPTH} deep."))
        return 0
    if group.get("match", "all") not in ("all", "any"):
        found.append((_join(path, "match"), "Choose whether all or any of the rules must hold."))
    if unknown := [str(key) for key in group if key not in ("match", "rules")]:
        found.append((path, f"“{unknown[0][:40]}” is not known in a group of rules."))
    count = 0
    for index, rule in enumerate(group["rules"]):
        here = _join(path, f"rules[{index}]")
        if isinstance(rule, Mapping) and "rules" in rule:
            count += _inspect(rule, here, depth + 1, found)
        else:
            count += 1
            _inspect_rule(rule, here, found)
    return count


def _inspect_rule(rule: Any, path: str, found: list[tuple[str, str]]) -> None:
    if not isinstance(rule, Mapping):
        found.append((path, "A rule has a value, an operator and another value."))
        return
    if unknown := [str(key) for key in rule if key not in ("left", "op", "right", "type")]:
        found.append((path, f"“{unknown[0][:40]}” is not known in a rule."))
    operator = OPERATORS.get(rule["op"]) if isinstance(rule.get("op"), str) else None
    if operator is None:
        found.append((_join(path, "op"), "Choose how the values are compared."))
        return
    if rule.get("left") in (None, ""):
        found.append((_join(path, "left"), "Choose the value to look at."))
    kind = rule.get("type")
    if kind is not None and kind not in _ALL:
        found.append((_join(path, "type"), f"The kind is one of {', '.join(_ALL)}."))
    elif kind is not None and kind not in operator.types:
        found.append((_join(path, "op"), f"“{operator.words}” does not work on this kind of value."))
    right = rule.get("right")
    if operator.sides == 2 and right is None:
        found.append((_join(path, "right"), "Give a value to compare with."))
    if operator.sides == 3 and not (
        isinstance(right, list) and len(right) == 2 and "" not in right and None not in right
    ):
        found.append((_join(path, "right"), "Give the lowest and the highest value."))


def _holds(group: Any, path: str, depth: int) -> bool:
    if depth > MAX_DEPTH or not isinstance(group, Mapping) or not isinstance(group.get("rules"), list):
        raise ConditionError(path, "This is not a group of rules.")
    wants_all: bool = group.get("match", "all") != "any"
    rules = group["rules"]
    for index, rule in enumerate(rules):
        here = _join(path, f"rules[{index}]")
        if isinstance(rule, Mapping) and "rules" in rule:
            holds = _holds(rule, here, depth + 1)
        else:
            holds = _rule_holds(rule, here)
        if holds is not wants_all:
            return not wants_all
    return wants_all


def _rule_holds(rule: Any, path: str) -> bool:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("op"), str) or rule["op"] not in OPERATORS:
        raise ConditionError(path, "This rule does not say how to compare.")
    name: str = rule["op"]
    operator = OPERATORS[name]
    left, right = rule.get("left"), rule.get("right")
    if name == "is_empty":
        return is_blank(left)
    if name == "is_not_empty":
        return not is_blank(left)
    kind = rule.get("type") or _kind(left, right, operator)
    match name:
        case "is_true":
            return _flag(left, path) is True
        case "is_false":
            return _flag(left, path) is False
        case "eq" | "ne":
            equal = _equal(left, right, kind, path)
            return equal is (name == "eq")
        case "gt" | "gte" | "lt" | "lte":
            return _ordered(name, _number(left, f"{path}.left"), _number(right, f"{path}.right"))
        case "before" | "after" | "on_or_before" | "on_or_after":
            sign = {"before": "lt", "after": "gt", "on_or_before": "lte", "on_or_after": "gte"}[name]
            return _ordered(sign, *_dates(left, right, path))
        case "between":
            return _between(left, right, kind, path)
        case "contains" | "not_contains":
            return _contains(left, right, path) is (name == "contains")
        case "starts_with":
            return _text(left, path).startswith(_text(right, path))
        case "ends_with":
            return _text(left, path).endswith(_text(right, path))
        case _:
            entries = right if isinstance(right, list) else [part.strip() for part in _text(right, path).split(",")]
            return any(_equal(left, entry, _kind(left, entry, operator), path) for entry in entries) is (name == "in")


def _kind(left: Any, right: Any, operator: Operator) -> str:
    """How to compare when the rule does not say: by what the left side is."""
    if len(operator.types) == 1:
        return operator.types[0]
    if isinstance(left, bool) or isinstance(right, bool):
        return "bool"
    if isinstance(left, int | Decimal):
        return "number"
    if isinstance(left, list):
        return "list"
    return (
        "number"
        if "text" not in operator.types and _as_number(left) is not None
        else "text"
        if "text" in operator.types
        else "date"
    )


def _as_number(value: Any) -> int | Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return value
    return read_number(value) if isinstance(value, str) and len(value) <= 60 and "," not in value else None


def _number(value: Any, path: str) -> int | Decimal:
    found = _as_number(value)
    if found is None:
        raise ConditionError(path, f"This compares numbers, but here is {shown(value)}.")
    return found


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return describe(value).replace(",", "")
    raise ConditionError(path, f"This compares text, but here is {kind_of(value)}.")


def _flag(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "yes"):
        return True
    if isinstance(value, str) and value.strip().lower() in ("false", "no"):
        return False
    raise ConditionError(path, f"This needs yes or no, but here is {shown(value)}.")


def _dates(left: Any, right: Any, path: str) -> tuple[Any, Any]:
    """Two days, or two moments when one side has a time."""
    found = []
    for side, value in (("left", left), ("right", right)):
        try:
            found.append(read(value))
        except ExpressionError:
            raise ConditionError(
                f"{path}.{side}", f"This compares dates like 2026-11-20, but here is {shown(value)}."
            ) from None
    if any(isinstance(value, datetime) for value in found) and not all(isinstance(value, datetime) for value in found):
        # A day against a moment: the moment's own day decides, as people mean it.
        return tuple(value.date() if isinstance(value, datetime) else value for value in found)  # type: ignore[return-value]
    if any(isinstance(value, datetime) for value in found):
        return moment(left), moment(right)
    return found[0], found[1]


def _equal(left: Any, right: Any, kind: str, path: str) -> bool:
    match kind:
        case "number":
            if left is None or right is None:
                return left is right
            return bool(_number(left, f"{path}.left") == _number(right, f"{path}.right"))
        case "date":
            if is_blank(left) or is_blank(right):
                return is_blank(left) and is_blank(right)
            first, second = _dates(left, right, path)
            return bool(first == second)
        case "bool":
            return _flag(left, f"{path}.left") is _flag(right, f"{path}.right")
        case "list":
            return bool(left == right)
        case _:
            return _text(left, f"{path}.left") == _text(right, f"{path}.right")


def _ordered(sign: str, left: Any, right: Any) -> bool:
    match sign:
        case "gt":
            return bool(left > right)
        case "gte":
            return bool(left >= right)
        case "lt":
            return bool(left < right)
        case _:
            return bool(left <= right)


def _between(left: Any, right: Any, kind: str, path: str) -> bool:
    if not isinstance(right, list) or len(right) != 2:
        raise ConditionError(f"{path}.right", "Give the lowest and the highest value.")
    if kind == "date":
        return _ordered("gte", *_dates(left, right[0], path)) and _ordered("lte", *_dates(left, right[1], path))
    value = _number(left, f"{path}.left")
    return _number(right[0], f"{path}.right") <= value <= _number(right[1], f"{path}.right")


def _contains(left: Any, right: Any, path: str) -> bool:
    if isinstance(left, list):
        return any(type(entry) is type(right) and entry == right for entry in left) or (
            isinstance(right, str)
            and any(_as_number(entry) is not None and _text(entry, path) == right for entry in left)
        )
    return _text(right, f"{path}.right") in _text(left, f"{path}.left")


def _sentence(group: Any, names: Mapping[str, str], depth: int) -> str:
    if not isinstance(group, Mapping) or not isinstance(group.get("rules"), list) or depth > MAX_DEPTH:
        return ""
    parts = []
    for rule in group["rules"][:MAX_RULES]:
        if not isinstance(rule, Mapping):
            continue
        if "rules" in rule:
            inner = _sentence(rule, names, depth + 1)
            parts.append(f"({inner})" if inner and len(rule.get("rules") or ()) > 1 else inner)
        else:
            parts.append(_rule_sentence(rule, names))
    return (" or " if group.get("match") == "any" else " and ").join(part for part in parts if part)


def _rule_sentence(rule: Mapping[str, Any], names: Mapping[str, str]) -> str:
    operator = OPERATORS.get(rule["op"]) if isinstance(rule.get("op"), str) else None
    left = rule.get("left")
    if operator is None or left in (None, ""):
        return ""
    start = f"{describe(left, names)} {operator.words}"
    right = rule.get("right")
    if operator.sides == 1:
        return start
    numeric = rule.get("type") == "number" or ("text" not in operator.types and "date" not in operator.types)
    if operator.sides == 3 and isinstance(right, list) and len(right) == 2:
        return f"{start} {_side(right[0], numeric, names)} and {_side(right[1], numeric, names)}"
    return f"{start} {_side(right, numeric, names)}" if right not in (None, "") else start


def _side(value: Any, numeric: bool, names: Mapping[str, str]) -> str:
    if numeric and isinstance(value, str) and (number := _as_number(value)) is not None:
        return describe(number)
    return describe(value, names)
