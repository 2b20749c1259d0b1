"""The rows of a file as data: which file, how it is to be read, and which of its columns are the expected ones.

    {"file": {…}, "format": {…}, "columns": [{"name", "label", "type", "from", …}], "rows": 11788,
     "left_out": {"count": 212, "rows": "3,7-19", "file": {…}}}

`format` is null, and `from` with it, where nobody looked at the file before the start: then the reader finds out, and
refuses what could be read two ways. `left_out` names the rows that do not fit and that somebody went on without.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast

from runtime.engine.jsonprofile import JSON
from runtime.sdk.files import is_file
from runtime.sdk.table_cells import MOST_COLUMNS
from runtime.sdk.table_columns import TableColumn
from runtime.sdk.table_guesses import DELIMITERS, ENCODINGS
from runtime.sdk.table_values import Order, Sign

__all__ = [
    "MOST_BEFORE",
    "MOST_GAPS",
    "LeftOut",
    "TableFormat",
    "Unusable",
    "accepted",
    "is_table",
    "spans",
]

#: So many stretches of rows may be left out. Where there are more, it is another kind of file.
MOST_GAPS: Final = 10_000
#: So far down the names of the columns may stand: banks write a letter-head first.
MOST_BEFORE: Final = 50
_SPANS: Final = re.compile(r"(\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*)?")


class Unusable(Exception):
    """What came is no file with rows; the text goes on after the question's name."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a table stands in its file. `header`: the row with the names of the columns, counted from 1; 0: there is
    none. `delimiter` and `encoding`: of a CSV file; `sheet`: empty for the first one."""

    kind: Literal["csv", "xlsx"]
    header: int
    delimiter: str = ""
    encoding: str = ""
    decimal: Sign = "."
    dates: Order = "dmy"
    sheet: str = ""

    def as_json(self) -> dict[str, JSON]:
        """As it stands in data."""
        return asdict(self)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> TableFormat:
        """What `as_json` gave. Raises Unusable."""
        try:
            found = cls(**given)
        except TypeError:
            raise Unusable("is not described as a file is read") from None
        # Whoever starts a run wrote it: nothing is what its type says.
        header: object = found.header
        texts: list[object] = [found.kind, found.delimiter, found.encoding, found.decimal, found.dates, found.sheet]
        fits = (
            all(isinstance(text, str) and len(text) <= 100 for text in texts)
            and found.kind in ("csv", "xlsx")
            and isinstance(header, int)
            and not isinstance(header, bool)
            and 0 <= header <= MOST_BEFORE
            and found.decimal in (",", ".")
            and found.dates in ("dmy", "mdy")
            and (found.kind == "xlsx" or (found.delimiter in DELIMITERS and found.encoding in ENCODINGS))
        )
        if not fits:
            raise Unusable("is not described as a file is read")
        return found


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The numbers of rows that are passed over, as spans in their order."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def __contains__(self, row: object) -> bool:
        at = bisect_left(self.ends, cast("int", row))
        return at < len(self.ends) and self.starts[at] <= cast("int", row)


def spans(text: str) -> LeftOut:
    """Numbers of rows, in their order, as `3,7-19`. Raises Unusable."""
    if not _SPANS.fullmatch(text) or text.count(",") >= MOST_GAPS:
        raise Unusable("does not say which rows are left out")
    pairs = [part.partition("-") for part in text.split(",") if part]
    starts = tuple(int(first) for first, _, _ in pairs)
    ends = tuple(int(last or first) for first, _, last in pairs)
    edges = [edge for pair in zip(starts, ends, strict=True) for edge in pair]
    if edges != sorted(edges):
        raise Unusable("does not say which rows are left out")
    return LeftOut(starts, ends)


def is_table(value: object) -> bool:
    """Whether it is a reference to the rows of a file."""
    return isinstance(value, dict) and is_file(value.get("file")) and isinstance(value.get("columns"), list)


def accepted(columns: Sequence[TableColumn], raw: object) -> dict[str, JSON]:
    """What came for a question about rows, as it stands in data. Raises Unusable.

    Taken are a file alone; a file with its format and, under `columns`, which header is meant by each name; and what
    this function gave, from another workflow.
    """
    if is_file(raw):
        raw = {"file": raw}
    if not isinstance(raw, Mapping) or not is_file(raw.get("file")):
        raise Unusable("needs a file with rows")
    if unknown := set(raw) - {"file", "format", "columns", "rows", "left_out", "layout"}:
        raise Unusable(f"has no “{str(min(map(str, unknown)))[:40]}”")
    given = raw.get("format")
    if given is None:
        return _value(raw["file"], columns, None, {}, None, None)
    if not isinstance(given, Mapping):
        raise Unusable("is not described as a file is read")
    sources = _sources(raw.get("columns") or {})
    for column in columns:
        if (column.required or column.key) and not sources.get(column.name):
            raise Unusable(f"needs a column for “{column.label}”")
    rows = raw.get("rows")
    counted = rows if isinstance(rows, int) and not isinstance(rows, bool) and rows >= 0 else None
    return _value(raw["file"], columns, TableFormat.of(given), sources, counted, _left_out(raw.get("left_out")))


def _sources(given: object) -> dict[str, str]:
    if isinstance(given, list):
        given = {str(one.get("name")): one.get("from") for one in given if isinstance(one, Mapping)}
    if not isinstance(given, Mapping) or len(given) > MOST_COLUMNS:
        raise Unusable("does not say which column is which")
    chosen = {str(name): header for name, header in given.items() if header}
    if not all(isinstance(header, str) and len(header) <= 2_000 for header in chosen.values()):
        raise Unusable("does not say which column is which")
    if len(set(chosen.values())) < len(chosen):
        raise Unusable("takes one column of the file for two")
    return chosen


def _left_out(given: object) -> dict[str, JSON] | None:
    if given is None:
        return None
    rows = given.get("rows") if isinstance(given, Mapping) else None
    file = given.get("file") if isinstance(given, Mapping) else None
    if not isinstance(rows, str) or not (file is None or is_file(file)):
        raise Unusable("does not say which rows are left out")
    found = spans(rows)
    count = sum(last - first + 1 for first, last in zip(found.starts, found.ends, strict=True))
    return {"count": count, "rows": rows, "file": file} if count else None


def _value(
    file: JSON,
    columns: Sequence[TableColumn],
    form: TableFormat | None,
    sources: Mapping[str, str],
    rows: int | None,
    left_out: dict[str, JSON] | None,
) -> dict[str, JSON]:
    told: list[JSON] = [
        {
            "name": column.name,
            "label": column.label,
            "type": column.type,
            "from": sources.get(column.name),
            "required": column.required,
            "key": column.key,
            "currency": column.currency,
        }
        for column in columns
    ]
    if form is None:
        for one, column in zip(told, columns, strict=True):
            cast("dict[str, JSON]", one)["also"] = [*column.also]
    return {
        "file": file,
        "format": None if form is None else form.as_json(),
        "columns": told,
        "rows": rows,
        "left_out": left_out,
    }
