"""Facts that are lists: a table of short texts, as people read it beside a question."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.fields import as_text
from runtime.sdk.files import is_file

__all__ = ["as_table", "kept_rows", "table_of"]

#: So much of a list is shown; what is beyond is counted.
MOST_ROWS: Final = 20
MOST_COLUMNS: Final = 8
_LONGEST_CELL: Final = 80
_LONGEST_NAME: Final = 60
_KEPT: Final = frozenset({"rows", "count"})
_TABLE: Final = frozenset({"columns", "rows", "more", "more_columns"})


def kept_rows(value: object) -> dict[str, JSON] | None:
    """What a table is made of: the first rows of a list of objects, and how many there are; None of anything else."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        return None
    if not any(value[:MOST_ROWS]):
        # A table without a column shows nothing.
        return None
    return {"rows": value[:MOST_ROWS], "count": len(value)}


def as_table(value: JSON) -> JSON:
    """A fact as it is kept: of `kept_rows` a table, else what it is.

    A table is {columns: [{name, number}], rows: [[text]], more, more_columns}: the keys in the order in which they come
    up; `number`: it has nothing but numbers; `more`, `more_columns`: how many are not shown. To be made of what secrets
    are masked in already, for of a part of one nobody knows that it is one.
    """
    if not isinstance(value, dict) or set(value) != _KEPT:
        return value
    rows: Any = value["rows"]
    count: Any = value["count"]
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = names[:MOST_COLUMNS]
    return {
        "columns": [{"name": _short(name, _LONGEST_NAME), "number": _is_number(rows, name)} for name in shown],
        "rows": [[_cell(row.get(name)) for name in shown] for row in rows],
        "more": count - len(rows),
        "more_columns": len(names) - len(shown),
    }


def table_of(value: object) -> Mapping[str, Any] | None:
    """The table that a kept fact is; None of texts, files, and of what was kept before there were tables."""
    return value if isinstance(value, Mapping) and set(value) == _TABLE else None


def _is_number(rows: list[Mapping[str, JSON]], name: str) -> bool:
    cells = [row[name] for row in rows if row.get(name) not in (None, "")]
    return bool(cells) and all(isinstance(one, int | Decimal) and not isinstance(one, bool) for one in cells)


def _cell(value: JSON) -> str:
    if is_file(value):
        assert isinstance(value, dict)
        return _short(str(value["name"]), _LONGEST_CELL)
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return _short(f"{as_text(value['amount'])} {as_text(value['currency'])}", _LONGEST_CELL)
    if isinstance(value, dict) and value and not any(isinstance(one, list | dict) for one in value.values()):
        return _short(", ".join(f"{name}: {_cell(one)}" for name, one in value.items()), _LONGEST_CELL)
    if isinstance(value, list) and not any(isinstance(one, list | dict) and not is_file(one) for one in value):
        return _short(", ".join(map(_cell, value)), _LONGEST_CELL)
    return _short(str(as_text(value)), _LONGEST_CELL)


def _short(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
