"""Values of data tables: brought into a column's type, and written so that their text sorts and compares like them.

Both databases then compare exact numbers of any size with nothing but the order of characters.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from runtime.contracts.datatables import MOST_ROW_BYTES, TableColumn, TableRefused
from runtime.engine.jsonprofile import JSON, JSONRefused, check_decimal, dumps, loads_stored, number_text
from runtime.sdk.fields import as_number

__all__ = ["cells_of", "digest_of", "plain", "sort_text", "sought_of", "text_of", "typed", "values_of"]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES: Final = {"true": True, "yes": True, "false": False, "no": False}
_MIDDLE: Final = 5_000
_FLIPPED: Final = str.maketrans("0123456789", "9876543210")


def typed(column: TableColumn, value: JSON) -> JSON:
    """The value as this column keeps it; None for what is empty. Raises TableRefused that names the column."""
    if value is None or value == "":
        return None
    match column.type:
        case "text":
            return _text(column, value)
        case "number" | "amount":
            return _number(column, value)
        case "date":
            return _date(column, value)
        case "yes_no":
            found = _YES.get(value.strip().lower()) if isinstance(value, str) else value
            if not isinstance(found, bool):
                raise _refused(column, "takes yes or no (true or false)", value)
            return found


def _text(column: TableColumn, value: JSON) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return number_text(value)
        case _:
            raise _refused(column, "takes text, not a list or an object", value)


def _number(column: TableColumn, value: JSON) -> JSON:
    try:
        found: Any = as_number(value)
    except Exception:
        raise _refused(column, "takes a number, such as 1250.5", value) from None
    try:
        return found if isinstance(found, int) else check_decimal(Decimal(found))
    except JSONRefused as refused:
        raise _refused(column, f"cannot keep this: {refused.message}", value) from None


def _date(column: TableColumn, value: JSON) -> str:
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            pass
    raise _refused(column, "takes a date, such as 2026-11-28", value)


def _refused(column: TableColumn, says: str, value: JSON) -> TableRefused:
    shown = value if isinstance(value, str) else dumps(value)
    shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
    return TableRefused(
        f"The column “{column.name}” {says}; “{shown}” does not fit.", code="value_refused", fields={column.name: says}
    )


def cells_of(columns: Sequence[TableColumn], values: Mapping[str, JSON], before: Mapping[str, JSON]) -> dict[str, JSON]:
    """The cells of a row: what is there `before`, by column id, with these values, by column name.

    Raises TableRefused for unknown columns, values that do not fit, what is required and missing, and too much.
    """
    by_name = {column.name: column for column in columns}
    unknown = [name for name in values if name not in by_name]
    if unknown:
        raise unknown_column(columns, unknown[0])
    cells = {column.id: before[column.id] for column in columns if column.id in before}
    for name, value in values.items():
        column = by_name[name]
        found = typed(column, value)
        if found is None:
            cells.pop(column.id, None)
        else:
            cells[column.id] = found
    missing = [column.name for column in columns if (column.required or column.key) and column.id not in cells]
    if missing:
        raise TableRefused(
            f"The column “{missing[0]}” must be filled in.",
            code="value_missing",
            fields=dict.fromkeys(missing, "must be filled in"),
        )
    if len(dumps(cells).encode()) > MOST_ROW_BYTES:
        raise TableRefused(f"A row holds at most {MOST_ROW_BYTES // 1024} KiB.", code="row_too_large")
    return cells


def unknown_column(columns: Sequence[TableColumn], name: str) -> TableRefused:
    """There is no such column; says which there are."""
    there = ", ".join(f"“{column.name}”" for column in columns)
    return TableRefused(f"The table has no column “{name[:100]}”. It has: {there}.", code="column_missing")


def values_of(columns: Sequence[TableColumn], cells: Mapping[str, JSON]) -> dict[str, JSON]:
    """The cells by the names of the columns; None where nothing stands."""
    return {column.name: cells.get(column.id) for column in columns}


def text_of(cells: Mapping[str, JSON]) -> str:
    """As they are stored."""
    return dumps(cells)


def plain(text: str) -> dict[str, JSON]:
    """Stored cells."""
    found: Any = loads_stored(text)
    return found  # type: ignore[no-any-return]


def sought_of(cells: Mapping[str, JSON]) -> str:
    """The same cells as text that is compared with."""
    return dumps({column: sort_text(value) for column, value in cells.items()})


def digest_of(columns: Sequence[TableColumn], cells: Mapping[str, JSON]) -> str | None:
    """What tells the row apart from all others; None where the table has no key."""
    keys = [column for column in columns if column.key]
    if not keys:
        return None
    # Text of a key counts as it is written; numbers by what they are worth.
    parts = [value if isinstance(value := cells[column.id], str) else sort_text(value) for column in keys]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def sort_text(value: JSON) -> str:
    """Text in whose order (by code points) the values of one column stand. Small and capital letters count alike."""
    match value:
        case bool():
            return "1" if value else "0"
        case int() | Decimal():
            return _number_text(Decimal(value))
        case str():
            return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())
        case _:
            return ""


def _number_text(number: Decimal) -> str:
    sign, digits, exponent = number.as_tuple()
    if not any(digits):
        return "1"
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    size = len(text) + exponent + _MIDDLE
    written = f"{size:04d}{text.rstrip('0')}"
    # Of two negative ones that begin alike the longer is the smaller: what ends it is above all digits.
    return f"0{written.translate(_FLIPPED)}:" if sign else f"2{written}"
