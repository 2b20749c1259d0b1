"""The result file of a batch: the table as it was given, and beside each row what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from builder.api.languages import in_language
from builder.api.operation import Query
from runtime.contracts import JSON, dumps
from runtime.contracts.batch_results import EntryResult

__all__ = ["Columns", "ResultQuery", "columns", "new_id", "rows"]

#: Behind the columns of the table; one that has such a name already keeps it, and ours is called otherwise. The last
#: is the column of entries that are no objects.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("Number", "Key", "Status", "Message", "New id", "Value"),
    "de": ("Nummer", "Schlüssel", "Status", "Meldung", "Neue ID", "Wert"),
}
#: Under these names other systems answer with what they call a thing.
_IDS: Final = ("id", "number", "reference", "document", "key")
_MOST: Final = 1_000
_LONGEST: Final = 200


class ResultQuery(Query):
    """`csv`: with commas and decimal points; `csv_comma`: with semicolons and decimal commas."""

    format: Literal["csv", "csv_comma"] = "csv"


class Columns(NamedTuple):
    """What the table has: the columns that were given, then ours. `value`: of entries that are no objects."""

    given: list[str]
    own: list[str]
    value: str

    @property
    def names(self) -> list[str]:
        """All of them, in their order."""
        return [*self.given, *self.own]


def columns(items: Iterable[JSON], language: str) -> Columns:
    """The columns that the entries have, in the order in which they are first met; and what ours are called in this
    language, or in English."""
    *own, value = in_language(_WORDS, language)
    found: dict[str, None] = {}
    for item in items:
        if len(found) < _MOST:
            found |= dict.fromkeys(item if isinstance(item, dict) else (value,) if item is not None else ())
    given = list(found)[:_MOST]
    return Columns(given, [_free(name, found) for name in own], value)


def _free(name: str, taken: dict[str, None]) -> str:
    while name in taken:
        name = f"{name} (Millrace)"
    return name


def rows(found: Iterable[EntryResult], named: Columns, mask: Callable[[Any], Any]) -> Iterator[dict[str, Any]]:
    """A row for each entry. `named`: what the columns are called; `mask`: leaves out what the asker may not see."""
    for one in found:
        item = one.item if isinstance(one.item, dict) else {} if one.item is None else {named.value: one.item}
        key, message = mask(one.label or one.place), mask(one.message)
        told = (one.number, key, one.status, message, new_id(mask(one.result)))
        yield {
            **{name: _cell(value) for name, value in mask(item).items()},
            **dict(zip(named.own, told, strict=True)),
        }


def new_id(result: JSON) -> str:
    """What the other system calls what was made, where that can be told from the last result; else empty."""
    for _ in range(2):
        if not isinstance(result, dict):
            break
        named = next((one for one in _IDS if _is_name(result.get(one))), "body")
        result = result.get(named)
    return str(result)[:_LONGEST] if _is_name(result) else ""


def _is_name(value: JSON) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _cell(value: JSON) -> Any:
    return dumps(value) if isinstance(value, dict | list) else value
