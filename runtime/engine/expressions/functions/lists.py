"""Lists. An argument called ``formula`` is worked out for every entry, which it reads as ``item``."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from runtime.engine.expressions.arithmetic import Num, add, divide
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.functions.logic import is_blank
from runtime.engine.expressions.functions.numbers import numbers_in
from runtime.engine.expressions.registry import Formula, exact, function
from runtime.engine.expressions.values import Meter, Missing, identity, kind_of, same, text_of, truth, weigh

_LINES = '[{"sku": "A", "net": 10.5}, {"sku": "B", "net": 4}]'


def _present(value: Any) -> Any:
    if type(value) is Missing:
        raise value.error()
    return value


@function(
    "list",
    "count(list:list, formula:formula?)",
    "How many entries, or how many for which a condition holds.",
    "count([5, 12, 30], item > 10)",
    2,
)
def count(meter: Meter, entries: list[Any], formula: Formula | None = None) -> int:
    if formula is None:
        return len(entries)
    return sum(1 for index, item in enumerate(entries) if truth(formula(item, index)))


@function("list", "first(list:list)", "The first entry; empty for an empty list.", 'first(["a", "b"])', "a")
def first(meter: Meter, entries: list[Any]) -> Any:
    return entries[0] if entries else None


@function("list", "last(list:list)", "The last entry; empty for an empty list.", 'last(["a", "b"])', "b")
def last(meter: Meter, entries: list[Any]) -> Any:
    return entries[-1] if entries else None


@function(
    "list",
    "map(list:list, formula:formula)",
    "Work out something for every entry.",
    f"map({_LINES}, item.sku)",
    ["A", "B"],
)
def map_(meter: Meter, entries: list[Any], formula: Formula) -> list[Any]:
    return [_present(formula(item, index)) for index, item in enumerate(entries)]


@function(
    "list",
    "filter(list:list, formula:formula)",
    "The entries for which a condition holds.",
    "filter([5, 12, 30], item > 10)",
    [12, 30],
)
def filter_(meter: Meter, entries: list[Any], formula: Formula) -> list[Any]:
    return [item for index, item in enumerate(entries) if truth(formula(item, index))]


@function(
    "list",
    "find(list:list, formula:formula)",
    "The first entry for which a condition holds, else empty.",
    f'find({_LINES}, item.sku == "B").sku',
    "B",
)
def find(meter: Meter, entries: list[Any], formula: Formula) -> Any:
    return next((item for index, item in enumerate(entries) if truth(formula(item, index))), None)


@function(
    "list",
    "any(list:list, formula:formula?)",
    "Whether a condition holds for at least one entry.",
    "any([5, 12], item > 10)",
    True,
)
def any_(meter: Meter, entries: list[Any], formula: Formula | None = None) -> bool:
    meter.spend(len(entries))
    return any(truth(formula(item, index) if formula else item) for index, item in enumerate(entries))


@function(
    "list",
    "all(list:list, formula:formula?)",
    "Whether a condition holds for every entry.",
    "all([5, 12], item > 10)",
    False,
)
def all_(meter: Meter, entries: list[Any], formula: Formula | None = None) -> bool:
    meter.spend(len(entries))
    return all(truth(formula(item, index) if formula else item) for index, item in enumerate(entries))


@function(
    "list",
    "not_any(list:list, formula:formula?)",
    "Whether a condition holds for no entry.",
    "not_any([5, 12], item > 100)",
    True,
)
def not_any(meter: Meter, entries: list[Any], formula: Formula | None = None) -> bool:
    return not any_(meter, entries, formula)


@function(
    "list",
    "sort(list:list, formula:formula?, descending:flag?)",
    "Put in order; empty entries come last.",
    "sort([3, 1, 2])",
    [1, 2, 3],
)
def sort(meter: Meter, entries: list[Any], formula: Formula | None = None, descending: bool = False) -> list[Any]:
    meter.spend(len(entries) * 4)
    keyed = [(_present(formula(item, index)) if formula else item, item) for index, item in enumerate(entries)]
    filled = [pair for pair in keyed if pair[0] is not None]
    kinds = {kind_of(key) for key, _item in filled}
    if kinds == {"text"}:
        # Texts that begin alike are compared far in, about log n times each.
        meter.spend((sum(len(key) for key, _item in filled) >> 10) * len(filled).bit_length())
    if len(kinds) > 1 or kinds - {"a number", "text"}:
        raise ExpressionError("type", f"puts numbers or texts in order, not {' and '.join(sorted(kinds))}.")
    filled.sort(key=lambda pair: pair[0], reverse=descending)
    return [item for _key, item in filled] + [item for key, item in keyed if key is None]


@function(
    "list",
    "unique(list:list, formula:formula?)",
    "Every value once, the first of equal ones stays.",
    'unique(["a", "b", "a"])',
    ["a", "b"],
)
def unique(meter: Meter, entries: list[Any], formula: Formula | None = None) -> list[Any]:
    meter.spend(len(entries))
    found: dict[Hashable, Any] = {}
    for index, item in enumerate(entries):
        value = _present(formula(item, index) if formula else item)
        if isinstance(value, list | dict):
            weigh(value, meter)
        elif isinstance(value, str):
            meter.spend(len(value) >> 10)
        found.setdefault(identity(value), item)
    return list(found.values())


def _name(value: Any, meter: Meter) -> str:
    name = text_of(_present(value), meter)
    if len(name) > 250:
        raise ExpressionError("too_big", "makes names from at most 250 characters.")
    return name


@function(
    "list",
    "group_by(list:list, formula:formula)",
    "An object with a list of entries for each value.",
    'keys(group_by([{"k": "a"}, {"k": "b"}, {"k": "a"}], item.k))',
    ["a", "b"],
)
def group_by(meter: Meter, entries: list[Any], formula: Formula) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for index, item in enumerate(entries):
        groups.setdefault(_name(formula(item, index), meter), []).append(item)
    return groups


@function(
    "list",
    "index_by(list:list, formula:formula)",
    "An object that finds each entry by a value; the last of equal ones stays.",
    'index_by([{"id": "x", "n": 1}], item.id).x.n',
    1,
)
def index_by(meter: Meter, entries: list[Any], formula: Formula) -> dict[str, Any]:
    return {_name(formula(item, index), meter): item for index, item in enumerate(entries)}


@function(
    "list",
    "sum_of(list:list, formula:formula)",
    "Add up something of every entry.",
    f"sum_of({_LINES}, item.net)",
    exact("14.5"),
)
def sum_of(meter: Meter, entries: list[Any], formula: Formula) -> Num:
    total: Num = 0
    for number in numbers_in((map_(meter, entries, formula),), meter):
        total = add(total, number, meter)
    return total


@function(
    "list",
    "average_of(list:list, formula:formula)",
    "The mean of something of every entry.",
    'average_of([{"n": 1}, {"n": 2}], item.n)',
    exact("1.5"),
)
def average_of(meter: Meter, entries: list[Any], formula: Formula) -> Num | None:
    numbers = numbers_in((map_(meter, entries, formula),), meter)
    total: Num = 0
    for number in numbers:
        total = add(total, number, meter)
    return divide(total, len(numbers), meter) if numbers else None


@function(
    "list",
    "min_of(list:list, formula:formula)",
    "The smallest of something of every entry.",
    f"min_of({_LINES}, item.net)",
    4,
)
def min_of(meter: Meter, entries: list[Any], formula: Formula) -> Num | None:
    return min(numbers_in((map_(meter, entries, formula),), meter), default=None)


@function(
    "list",
    "max_of(list:list, formula:formula)",
    "The biggest of something of every entry.",
    'max_of([{"n": 1}, {"n": 7}], item.n)',
    7,
)
def max_of(meter: Meter, entries: list[Any], formula: Formula) -> Num | None:
    return max(numbers_in((map_(meter, entries, formula),), meter), default=None)


@function(
    "list", "flatten(list:list)", "Lists inside the list become its entries.", "flatten([[1, 2], [3]])", [1, 2, 3]
)
def flatten(meter: Meter, entries: list[Any]) -> list[Any]:
    meter.spend(sum(len(entry) if isinstance(entry, list) else 1 for entry in entries))
    found: list[Any] = []
    for entry in entries:
        found.extend(entry) if isinstance(entry, list) else found.append(entry)
    return found


@function(
    "list", "chunk(list:list, size:whole)", "Cut a list into parts of a size.", "chunk([1, 2, 3], 2)", [[1, 2], [3]]
)
def chunk(meter: Meter, entries: list[Any], size: int) -> list[list[Any]]:
    if size < 1:
        raise ExpressionError("arguments", "needs a size of at least 1.")
    meter.spend(len(entries))
    return [entries[start : start + size] for start in range(0, len(entries), size)]


@function("list", "take(list:list, count:whole)", "The first entries.", "take([1, 2, 3], 2)", [1, 2])
def take(meter: Meter, entries: list[Any], count: int) -> list[Any]:
    meter.spend(min(len(entries), max(count, 0)))
    return entries[: max(count, 0)]


@function("list", "skip(list:list, count:whole)", "All but the first entries.", "skip([1, 2, 3], 2)", [3])
def skip(meter: Meter, entries: list[Any], count: int) -> list[Any]:
    meter.spend(len(entries))
    return entries[max(count, 0) :]


@function("list", "reverse(list:list)", "The list from its end.", "reverse([1, 2, 3])", [3, 2, 1])
def reverse(meter: Meter, entries: list[Any]) -> list[Any]:
    meter.spend(len(entries))
    return entries[::-1]


@function(
    "list", "append(list:list, values:any*)", "The list with more entries at its end.", "append([1], 2, 3)", [1, 2, 3]
)
def append(meter: Meter, entries: list[Any], *values: Any) -> list[Any]:
    meter.spend(len(entries) + len(values))
    return [*entries, *values]


@function(
    "list", "without_empty(list:list)", "The entries that are not empty.", 'without_empty(["a", "", "b"])', ["a", "b"]
)
def without_empty(meter: Meter, entries: list[Any]) -> list[Any]:
    meter.spend(len(entries))
    return [entry for entry in entries if not is_blank(entry)]


@function(
    "list",
    "zip(first:list, second:list)",
    "Pairs from two lists, as far as the shorter goes.",
    "zip([1, 2], [3, 4])",
    [[1, 3], [2, 4]],
)
def zip_(meter: Meter, left: list[Any], right: list[Any]) -> list[list[Any]]:
    meter.spend(2 * min(len(left), len(right)))
    return [[one, other] for one, other in zip(left, right, strict=False)]


@function(
    "list",
    "position(list:list, value:any)",
    "Where a value stands, counted from 1; 0 when it is not there.",
    'position(["a", "b"], "b")',
    2,
)
def position(meter: Meter, entries: list[Any], value: Any) -> int:
    meter.spend(len(entries))
    return next((place for place, entry in enumerate(entries, start=1) if same(entry, value, meter)), 0)


@function(
    "list",
    "numbers(from:whole, to:whole)",
    "Whole numbers from one to another, at most 10,000.",
    "numbers(1, 4)",
    [1, 2, 3, 4],
)
def numbers(meter: Meter, start: int, end: int) -> list[int]:
    if end - start >= 10_000:
        raise ExpressionError("too_big", "makes at most 10,000 numbers.")
    meter.spend(max(end - start, 0) + 1)
    return list(range(start, end + 1))


@function(
    "list",
    "as_list(value:maybe)",
    "A list whatever it was: empty, one value, or already a list.",
    'as_list("a")',
    ["a"],
)
def as_list(meter: Meter, value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


@function(
    "list",
    "join_of(list:list, formula:formula, by:text?)",
    "Join a text of every entry.",
    f'join_of({_LINES}, item.sku, "+")',
    "A+B",
)
def join_of(meter: Meter, entries: list[Any], formula: Formula, by: str = ", ") -> str:
    texts = [text_of(_present(formula(item, index)), meter) for index, item in enumerate(entries)]
    meter.text(sum(map(len, texts)) + len(by) * len(texts))
    return by.join(texts)
