"""Conditions that people build from rules: field, operator in words, value; groups of all or any.

A group is ``{"match": "all" | "any", "rules": [rule | group, …]}`` nested at most three deep. A rule is
``{"left": …, "op": …, "right": …, "type": …}``; its sides may be formulas and are resolved before evaluation. A side
whose formula failed is an ``Unsolved``: it matters only when its rule is looked at, and one that failed because a field
is not there counts as empty for "is empty" and "is filled in". ``type`` (``text``, ``number``, ``date``, ``bool``,
``list``; found from both sides when left out) says how to compare: as numbers as soon as one side is a number.
A value that does not fit is an error with words, never a silent "no".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from runtime.engine.expressions import describe
from runtime.engine.expressions.errors import ExpressionError, Unsolved
from runtime.engine.expressions.functions.dates import read
from runtime.engine.expressions.functions.logic import is_blank
from runtime.engine.expressions.functions.numbers import read_number
from runtime.engine.expressions.functions.text import matches
from runtime.engine.expressions.values import DEFAULT_LIMITS, Meter, kind_of, shown

MAX_DEPTH: Final = 3
MAX_RULES: Final = 100
_MOST_DAYS: Final = 100_000


class Operator(NamedTuple):
    """``words`` stand between the sides in a sentence, ``unit`` after them; ``types`` it works on; ``sides``: 1, 2, or
    3 for between; ``right`` is what the right side is when it is not of the same type."""

    words: str
    types: tuple[str, ...]
    sides: int = 2
    unit: str = ""
    right: str = ""


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
    "not_starts_with": Operator("does not start with", ("text",)),
    "ends_with": Operator("ends with", ("text",)),
    "not_ends_with": Operator("does not end with", ("text",)),
    "eq_any_case": Operator("is, in capitals or not,", ("text",)),
    "contains_any_case": Operator("contains, in capitals or not,", ("text",)),
    "matches": Operator("looks like", ("text",)),
    "before": Operator("is before", ("date",)),
    "after": Operator("is after", ("date",)),
    "on_or_before": Operator("is on or before", ("date",)),
    "on_or_after": Operator("is on or after", ("date",)),
    "same_day": Operator("is on the same day as", ("date",)),
    "in_last_days": Operator("is in the last", ("date",), 2, "days", "number"),
    "in_next_days": Operator("is in the next", ("date",), 2, "days", "number"),
    "length_is": Operator("has exactly", ("list",), 2, "entries", "number"),
    "length_at_least": Operator("has at least", ("list",), 2, "entries", "number"),
    "length_at_most": Operator("has at most", ("list",), 2, "entries", "number"),
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


def evaluate_group(group: Mapping[str, Any], now: datetime | None = None) -> bool:
    """Whether a resolved group holds; an empty group of "all" holds. Raises ConditionError.

    ``now`` is what "in the last … days" counts from.
    """
    return _holds(group, "", 1, now)


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


def _holds(group: Any, path: str, depth: int, now: datetime | None) -> bool:
    if depth > MAX_DEPTH or not isinstance(group, Mapping) or not isinstance(group.get("rules"), list):
        raise ConditionError(path, "This is not a group of rules.")
    wants_all: bool = group.get("match", "all") != "any"
    rules = group["rules"]
    for index, rule in enumerate(rules):
        here = _join(path, f"rules[{index}]")
        if isinstance(rule, Mapping) and "rules" in rule:
            holds = _holds(rule, here, depth + 1, now)
        else:
            holds = _rule_holds(rule, here, now)
        if holds is not wants_all:
            return not wants_all
    return wants_all


def _rule_holds(rule: Any, path: str, now: datetime | None) -> bool:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("op"), str) or rule["op"] not in OPERATORS:
        raise ConditionError(path, "This rule does not say how to compare.")
    name: str = rule["op"]
    operator = OPERATORS[name]
    left = rule.get("left")
    if name in ("is_empty", "is_not_empty"):
        if isinstance(left, Unsolved) and left.error.code == "missing":
            left = None
        return is_blank(_solved(left, f"{path}.left")) is (name == "is_empty")
    left = _solved(left, f"{path}.left")
    right = _solved(rule.get("right"), f"{path}.right") if operator.sides > 1 else None
    kind = rule.get("type") or _kind(left, right, operator)
    match name:
        case "is_true":
            return _flag(left, f"{path}.left") is True
        case "is_false":
            return _flag(left, f"{path}.left") is False
        case "eq" | "ne":
            return _equal(left, right, kind, path) is (name == "eq")
        case "gt" | "gte" | "lt" | "lte":
            return _ordered(name, _number(left, f"{path}.left"), _number(right, f"{path}.right"))
        case "before" | "after" | "on_or_before" | "on_or_after":
            sign = {"before": "lt", "after": "gt", "on_or_before": "lte", "on_or_after": "gte"}[name]
            return _ordered(sign, *_dates(left, right, path))
        case "between":
            return _between(left, right, kind, path)
        case "contains" | "not_contains":
            return _contains(left, right, kind, path) is (name == "contains")
        case "starts_with" | "not_starts_with":
            return _text(left, f"{path}.left").startswith(_text(right, f"{path}.right")) is (name == "starts_with")
        case "ends_with" | "not_ends_with":
            return _text(left, f"{path}.left").endswith(_text(right, f"{path}.right")) is (name == "ends_with")
        case "eq_any_case":
            return _text(left, f"{path}.left").casefold() == _text(right, f"{path}.right").casefold()
        case "contains_any_case":
            return _text(right, f"{path}.right").casefold() in _text(left, f"{path}.left").casefold()
        case "matches":
            return _matches(_text(left, f"{path}.left"), _text(right, f"{path}.right"), path)
        case "same_day":
            return _day(left, f"{path}.left") == _day(right, f"{path}.right")
        case "in_last_days" | "in_next_days":
            return _near(left, right, path, now, -1 if name == "in_last_days" else 1)
        case "length_is" | "length_at_least" | "length_at_most":
            if not isinstance(left, list):
                raise ConditionError(f"{path}.left", f"This counts a list, but here is {shown(left)}.")
            sign = {"length_at_least": "gte", "length_at_most": "lte"}.get(name, "eq")
            return _ordered(sign, len(left), _number(right, f"{path}.right"))
        case "in" | "not_in":
            entries = right if isinstance(right, list) else _parts(_text(right, f"{path}.right"))
            kinds = ((entry, rule.get("type") or _kind(left, entry, operator)) for entry in entries)
            return any(_equal(left, entry, entry_kind, path) for entry, entry_kind in kinds) is (name == "in")
    raise ConditionError(path, "This rule does not say how to compare.")


def _solved(value: Any, path: str) -> Any:
    """A side that is there, with every entry of it; else the failure of its formula."""
    for part in (value, *value) if isinstance(value, list) else (value,):
        if isinstance(part, Unsolved):
            raise ConditionError(path, part.error.message)
    return value


def _parts(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _kind(left: Any, right: Any, operator: Operator) -> str:
    """How to compare when the rule does not say: by what both sides are."""
    if len(operator.types) == 1:
        return operator.types[0]
    sides = (left, *right) if isinstance(right, list) and operator.sides == 3 else (left, right)
    if "bool" in operator.types and any(isinstance(side, bool) for side in sides):
        return "bool"
    if "number" in operator.types and any(map(_is_number, sides)):
        return "number"
    if isinstance(left, list):
        return "list"
    if "text" in operator.types:
        return "text"
    return "number" if _as_number(left) is not None else "date"


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


def _date(value: Any, path: str) -> date | datetime:
    try:
        return read(value)
    except ExpressionError:
        raise ConditionError(path, f"This compares dates like 2026-11-20, but here is {shown(value)}.") from None


def _dates(left: Any, right: Any, path: str) -> tuple[Any, Any]:
    """Two days, or two moments when both sides have a time."""
    found = (_date(left, f"{path}.left"), _date(right, f"{path}.right"))
    if all(isinstance(value, datetime) for value in found):
        return found
    # A day against a moment: the moment's own day decides, as people mean it.
    return tuple(value.date() if isinstance(value, datetime) else value for value in found)  # type: ignore[return-value]


def _day(value: Any, path: str) -> date:
    found = _date(value, path)
    return found.date() if isinstance(found, datetime) else found


def _near(left: Any, right: Any, path: str, now: datetime | None, direction: int) -> bool:
    """Whether a date or a moment lies at most so many days before or after now; today counts for both."""
    if now is None:
        raise ConditionError(path, "The present time is not known here.")
    days = _number(right, f"{path}.right")
    if not 0 <= days <= _MOST_DAYS or days != int(days):
        raise ConditionError(f"{path}.right", f"This needs a whole number of days up to {_MOST_DAYS:,}.")
    found = _date(left, f"{path}.left")
    here: Any = now if isinstance(found, datetime) else now.date()
    ends = sorted((here, here + timedelta(days=int(days) * direction)))
    return bool(ends[0] <= found <= ends[1])


def _matches(text: str, pattern: str, path: str) -> bool:
    try:
        return bool(matches(Meter(DEFAULT_LIMITS), text, pattern))
    except ExpressionError as error:
        raise ConditionError(path, error.message) from None


def _equal(left: Any, right: Any, kind: str, path: str) -> bool:
    if left is None or right is None:
        return is_blank(left) and is_blank(right)
    match kind:
        case "number":
            return bool(_number(left, f"{path}.left") == _number(right, f"{path}.right"))
        case "date":
            if is_blank(left) or is_blank(right):
                return is_blank(left) and is_blank(right)
            first, second = _dates(left, right, path)
            return bool(first == second)
        case "bool":
            return _flag(left, f"{path}.left") is _flag(right, f"{path}.right")
        case "list":
            for side, value in (("left", left), ("right", right)):
                if not isinstance(value, list):
                    raise ConditionError(f"{path}.{side}", f"This compares lists, but here is {shown(value)}.")
            return bool(left == right)
        case _:
            return _text(left, f"{path}.left") == _text(right, f"{path}.right")


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is the one that a way of a switch names: as numbers where both are or read as one, else as text.

    Values of different kinds are not the same; a list or an object is none that a way can name: ConditionError.
    """
    value, wanted = _solved(value, "value"), _solved(wanted, "cases")
    for side in (value, wanted):
        if isinstance(side, list | Mapping):
            raise ConditionError("value", f"This compares one value, but here is {kind_of(side)}.")
    if isinstance(value, bool) or isinstance(wanted, bool):
        try:
            return _flag(value, "value") is _flag(wanted, "cases")
        except ConditionError:
            return False
    if _is_number(value) or _is_number(wanted):
        first, second = _as_number(value), _as_number(wanted)
        return first is not None and first == second
    return _text(value, "value") == _text(wanted, "cases")


def _ordered(sign: str, left: Any, right: Any) -> bool:
    match sign:
        case "gt":
            return bool(left > right)
        case "gte":
            return bool(left >= right)
        case "lt":
            return bool(left < right)
        case "eq":
            return bool(left == right)
        case _:
            return bool(left <= right)


def _between(left: Any, right: Any, kind: str, path: str) -> bool:
    if not isinstance(right, list) or len(right) != 2:
        raise ConditionError(f"{path}.right", "Give the lowest and the highest value.")
    if kind == "date":
        return _ordered("gte", *_dates(left, right[0], path)) and _ordered("lte", *_dates(left, right[1], path))
    value = _number(left, f"{path}.left")
    return _number(right[0], f"{path}.right") <= value <= _number(right[1], f"{path}.right")


def _contains(left: Any, right: Any, kind: str, path: str) -> bool:
    if left is None:
        return False
    if kind != "list":
        return _text(right, f"{path}.right") in _text(left, f"{path}.left")
    if not isinstance(left, list):
        raise ConditionError(f"{path}.left", f"This looks into a list, but here is {shown(left)}.")
    compared = [found for entry in left if (found := _same_entry(entry, right)) is not None]
    if left and not compared:
        raise ConditionError(
            f"{path}.right",
            f"Looked for is {shown(right)}, but this list holds nothing of that kind: it starts with {shown(left[0])}.",
        )
    return any(compared)


def _same_entry(entry: Any, wanted: Any) -> bool | None:
    """Whether an entry is the value looked for; None when the two kinds cannot be compared."""
    if isinstance(entry, bool) or isinstance(wanted, bool):
        return entry is wanted if isinstance(entry, bool) and isinstance(wanted, bool) else None
    if _is_number(entry) or _is_number(wanted):
        first, second = _as_number(entry), _as_number(wanted)
        return None if first is None or second is None else first == second
    return bool(entry == wanted) if type(entry) is type(wanted) else None


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
    kind = operator.right or rule.get("type")
    numeric = kind == "number" or ("text" not in operator.types and "date" not in operator.types)
    if operator.sides == 3 and isinstance(right, list) and len(right) == 2:
        return f"{start} {_side(right[0], numeric, names)} and {_side(right[1], numeric, names)}"
    if right in (None, ""):
        return start
    return f"{start} {_side(right, numeric, names)} {operator.unit}".rstrip()


def _side(value: Any, numeric: bool, names: Mapping[str, str]) -> str:
    if numeric and isinstance(value, str) and (number := _as_number(value)) is not None:
        return describe(number)
    return describe(value, names)
