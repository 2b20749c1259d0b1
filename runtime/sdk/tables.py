"""Tables in files: what a CSV file or spreadsheet looks like, its rows one after another, and a file made of rows.

    layout = look(file)                     delimiter, encoding, header, columns with types and samples, decimal
    for row in rows(file, layout): ...      {"Amount": Decimal("1234.5"), "Due": "2026-11-28", …}
    with Stretch(file, layout, place) as some:  the same from a place on, with the rows' numbers
    for chunk in csv_of(rows, columns): ...

Nothing is guessed where two readings are possible: such a column stays text. Rows are read while they are asked for;
spreadsheets in a process of their own with bounded memory and time (`sheet_child`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, Final, Literal

from runtime.engine.jsonprofile import JSON
from runtime.sdk.table_cells import (
    MOST_COLUMNS,
    START,
    OpenSheet,
    OpenText,
    Place,
    Sheet,
    TableRefused,
    guarded,
    unguarded,
)
from runtime.sdk.table_guesses import delimiter_of, encoding_of, is_header, names_of, split

__all__ = [
    "MOST_COLUMNS", "START", "Column", "Layout", "Place", "Stretch", "TableRefused", "csv_of", "guarded", "look",
    "meant", "rows", "unguarded", "xlsx_of",
]  # fmt: skip

Kind = Literal["text", "number", "date"]

MOST_ROWS: Final = 1_000_000
_SAMPLE_BYTES: Final = 256 * 1024
_SAMPLE_ROWS: Final = 200
_WITH: Final = {
    ",": re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"),
    ".": re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?"),
}
#: More digits are the number of something, not how many there are.
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `form`: of dates, the order of year, month and day, as `ymd`."""

    name: str
    type: Kind
    samples: tuple[JSON, ...] = ()
    form: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table stands in its file. `kind`: csv | xlsx; `sheets`: the names of a spreadsheet's sheets."""

    kind: Literal["csv", "xlsx"]
    header: bool
    columns: tuple[Column, ...]
    delimiter: str = ""
    encoding: str = ""
    decimal: str = "."
    sheet: str = ""
    sheets: tuple[str, ...] = ()


def look(file: BinaryIO, *, header: bool | None = None, sheet: str = "", delimiter: str = "") -> Layout:
    """What the file's beginning looks like; what is given is taken for granted. Raises TableRefused."""
    file.seek(0)
    start = file.read(_SAMPLE_BYTES)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        with Sheet(file, sheet) as found:
            first = list(islice(found, _SAMPLE_ROWS + 1))
            return _laid_out("xlsx", first, header, sheet=sheet, sheets=found.names)
    encoding = encoding_of(file)
    # The last line may be cut.
    text = start.decode(encoding, "ignore")
    whole = text if len(start) < _SAMPLE_BYTES else text[: text.rfind("\n") + 1] or text
    delimiter = delimiter or delimiter_of(whole)
    first = list(islice(split(whole, delimiter), _SAMPLE_ROWS + 1))
    return _laid_out("csv", first, header, delimiter=delimiter, encoding=encoding)


class Stretch:
    """The rows of a table from a place on, with their numbers as people count them: `with Stretch(…) as some`.

    Every method raises TableRefused, with the row's number where it has more cells than there are columns.
    """

    def __init__(self, file: BinaryIO, layout: Layout, start: Place = START) -> None:
        self._layout, self._start, self._row = layout, start, start.row
        self._raw: OpenSheet | OpenText
        if layout.kind == "xlsx":
            self._raw = OpenSheet(file, layout.sheet, start)
        else:
            self._raw = OpenText(file, layout.encoding, layout.delimiter, start)

    def __enter__(self) -> Stretch:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def rows(self) -> Iterator[tuple[int, dict[str, JSON]]]:
        """Number and row by the names of its columns, as of `tables.rows`."""
        columns, decimal = self._layout.columns, self._layout.decimal
        for number, cells in self._filled():
            padded = [*cells[: len(columns)], *[None] * (len(columns) - len(cells))]
            yield (
                number,
                {column.name: _value(cell, column, decimal) for column, cell in zip(columns, padded, strict=True)},
            )

    def count(self) -> int:
        """How many rows follow; reads them all."""
        return sum(1 for _ in self._filled())

    def place(self) -> Place:
        """Behind the row that was given last."""
        return self._raw.place(self._row)

    def _filled(self) -> Iterator[tuple[int, list[Any]]]:
        width = len(self._layout.columns)
        for cells in self._raw.rows:
            self._row += 1
            if (self._layout.header and self._row == 1) or not any(cell not in ("", None) for cell in cells):
                continue
            if any(cell not in ("", None) for cell in cells[width:]):
                raise TableRefused(f"Row {self._row} has {len(cells)} cells, but there are {width} columns.")
            yield self._row, cells


def rows(file: BinaryIO, layout: Layout, *, most: int = MOST_ROWS) -> Iterator[dict[str, JSON]]:
    """The rows by the names of their columns; an empty cell is None. What does not fit its column's type stays text.

    Raises TableRefused: with the row's number where it has more cells than there are columns, and after `most` rows.
    """
    with Stretch(file, layout) as whole:
        for count, (_, row) in enumerate(whole.rows(), 1):
            if count > most:
                raise TableRefused(f"There are more than {most} rows. Split the file.")
            yield row


def meant(value: JSON, kind: Kind, decimal: str) -> JSON:
    """A cell that stayed text because of others in its column: as the number or date that it can only be."""
    if not isinstance(value, str):
        return value
    forms = _forms(value) if kind == "date" else set()
    if kind == "number" or len(forms) == 1:
        return _value(value, Column("", kind, (), next(iter(forms), "")), decimal)
    return value


def csv_of(
    found: Iterable[Mapping[str, Any]], columns: Sequence[str], *, delimiter: str = ",", decimal: str = "."
) -> Iterator[bytes]:
    """A CSV file in UTF-8 with a mark by which spreadsheets know that, in portions."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    out.write("\ufeff")
    writer.writerow([guarded(name) for name in columns])
    for row in found:
        writer.writerow([_written(row.get(name), decimal) for name in columns])
        if out.tell() > 64 * 1024:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def xlsx_of(
    found: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    file: BinaryIO,
    *,
    sheet: str = "",
    made: datetime | None = None,
) -> None:
    """Write a spreadsheet, row by row, with little memory. Text stays text: nothing becomes a formula or a link.

    `made`: when it says that it was made, so that the same rows give the same bytes; None: now.
    """
    from xlsxwriter import Workbook

    book = Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    try:
        if made is not None:
            book.set_properties({"created": made})
        page = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", "_", sheet)[:31] or "Sheet1")
        bold = book.add_format({"bold": True})
        for place, name in enumerate(columns):
            page.write_string(0, place, name[:32_767], bold)
        for number, row in enumerate(found, 1):
            if number >= 1_048_576:
                raise TableRefused("A spreadsheet has room for 1,048,575 rows. Write a CSV file instead.")
            for place, name in enumerate(columns):
                _write_cell(page, number, place, row.get(name))
    finally:
        book.close()


# --- what columns hold --------------------------------------------------------------------------------------------


def _laid_out(kind: Literal["csv", "xlsx"], first: list[list[Any]], header: bool | None, **how: Any) -> Layout:
    filled = [row for row in first if any(cell not in ("", None) for cell in row)]
    if not filled:
        raise TableRefused("The file holds no rows.")
    titled = is_header(filled[0]) if header is None else header
    # A header stands in the first line, whatever is empty before the first row.
    titled = titled and filled[0] is first[0]
    body = filled[1:] if titled else filled
    width = max(len(row) for row in filled)
    if width > MOST_COLUMNS:
        raise TableRefused(f"There are more than {MOST_COLUMNS} columns.")
    names = names_of(filled[0] if titled else [], width)
    cells = [
        [row[place] for row in body if place < len(row) and row[place] not in ("", None)] for place in range(width)
    ]
    decimal = _decimal([cell for column in cells for cell in column], how.get("delimiter", ""))
    columns = []
    for name, column in zip(names, cells, strict=True):
        type_, form = _type(column, decimal)
        plain = Column(name, type_, (), form)
        columns.append(Column(name, type_, tuple(_value(cell, plain, decimal) for cell in column[:3]), form))
    return Layout(kind, titled, tuple(columns), decimal=decimal, **how)


def _decimal(cells: list[Any], delimiter: str) -> str:
    """What stands before the cents: as it is in numbers that can be read one way only."""
    only = Counter[str]()
    for cell in cells:
        if isinstance(cell, str):
            fits = [mark for mark, pattern in _WITH.items() if pattern.fullmatch(cell.strip())]
            if len(fits) == 1:
                only[fits[0]] += 1
    if only:
        return only.most_common(1)[0][0]
    return "," if delimiter == ";" else "."


def _type(cells: list[Any], decimal: str) -> tuple[Kind, str]:
    if not cells:
        return "text", ""
    if all(_is_number(cell, decimal) for cell in cells):
        return "number", ""
    forms = {"ymd", "dmy", "mdy"}
    for cell in cells:
        forms &= _forms(cell) if isinstance(cell, str) else set()
    # Where days and months could be either, a wrong guess would go unnoticed.
    return ("date", next(iter(forms))) if len(forms) == 1 else ("text", "")


def _is_number(cell: Any, decimal: str) -> bool:
    if isinstance(cell, bool):
        return False
    if isinstance(cell, int | Decimal):
        return True
    if not isinstance(cell, str) or not _WITH[decimal].fullmatch(cell := cell.strip()):
        return False
    digits = cell.lstrip("+-")
    # 01067 is a place and 00123 an account.
    leads = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return not leads and sum(one.isdigit() for one in digits) <= _MOST_DIGITS


_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_OTHER: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")


def _forms(text: str) -> set[str]:
    """The orders in which this is a date."""
    text = text.strip()
    if found := _ISO.fullmatch(text):
        return {"ymd"} if _date(*found.groups()) else set()
    if (found := _OTHER.fullmatch(text)) is None:
        return set()
    first, mark, second, year = found.groups()
    forms = {"dmy"} if _date(year, second, first) else set()
    # With dots the day stands first, everywhere.
    return forms | {"mdy"} if mark != "." and _date(year, first, second) else forms


def _date(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _value(cell: Any, column: Column, decimal: str) -> JSON:
    if cell is None or cell == "":
        return None
    if not isinstance(cell, str):
        return cell if column.type != "text" or isinstance(cell, bool) else str(cell)
    if column.type == "number" and _is_number(cell, decimal):
        plain = cell.strip().replace("." if decimal == "," else ",", "").replace(decimal, ".")
        return Decimal(plain) if "." in plain else int(plain)
    if column.type == "date" and column.form in _forms(cell):
        found = _ISO.fullmatch(cell.strip())
        if found is not None:
            return _date(*found.groups())
        first, _, second, year = _OTHER.fullmatch(cell.strip()).groups()  # type: ignore[union-attr]
        return _date(year, second, first) if column.form == "dmy" else _date(year, first, second)
    return cell


# --- writing ------------------------------------------------------------------------------------------------------


def _written(value: Any, decimal: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            text = format(value, "f") if isinstance(value, Decimal) else str(value)
            return text.replace(".", decimal)
        case str():
            return guarded(value)
        case _:
            return guarded(json.dumps(value, ensure_ascii=False, default=str))


def _write_cell(page: Any, row: int, place: int, value: Any) -> None:
    match value:
        case None:
            pass
        case bool():
            page.write_boolean(row, place, value)
        case int() | float() | Decimal() if len(str(value).strip("-").replace(".", "")) <= _MOST_DIGITS:
            page.write_number(row, place, value)
        case str():
            page.write_string(row, place, value[:32_767])
        case _:
            text = (
                str(value) if isinstance(value, int | Decimal) else json.dumps(value, ensure_ascii=False, default=str)
            )
            page.write_string(row, place, text[:32_767])
