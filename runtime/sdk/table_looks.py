"""What a file with rows looks like to a workflow that expects some: found out from its beginning, nothing guessed.

Where the beginning can be read in two ways, such as 03/04 or 1.234, that is a question for people (`asks`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final, Literal

from runtime.engine.jsonprofile import JSON
from runtime.sdk.table_cells import OpenSheet, OpenText, Sheet, TableRefused
from runtime.sdk.table_columns import TableColumn, proposed
from runtime.sdk.table_fit import Wrong, filled, first_rows, headers_of, open_cells, plan_of
from runtime.sdk.table_guesses import delimiter_of, encoding_of, is_header
from runtime.sdk.table_value import MOST_BEFORE, TableFormat
from runtime.sdk.table_values import Order, Sign, date_of, is_empty, number_of, yes_no_of

__all__ = ["Ask", "Look", "Shown", "Taken", "look_at"]

PREVIEW_ROWS: Final = 20
_LONGEST_SHOWN: Final = 200
_SAMPLE_BYTES: Final = 2**20
_BOTH: Final[tuple[Sign, Sign]] = (",", ".")
_ORDERS: Final[tuple[Order, Order]] = ("dmy", "mdy")

Kind = Literal["empty", "text", "number", "date", "yes_no"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What can be read in two ways: `decimal` or `dates`. `cell`: an example; `readings`: both, as data has them."""

    kind: Literal["decimal", "dates"]
    column: str
    cell: str
    readings: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """A column of the file, and what it seems to hold."""

    name: str
    kind: Kind
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as it stands in the file, as it is understood, and what does not fit."""

    number: int
    cells: tuple[str, ...]
    values: Mapping[str, JSON]
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found out. `sources`: for each expected column the file's own; `layout`: a digest of the file's
    names."""

    form: TableFormat
    columns: tuple[TableColumn, ...]
    headers: tuple[str, ...]
    taken: tuple[Taken, ...]
    sources: Mapping[str, str]
    asks: tuple[Ask, ...]
    rows: tuple[Shown, ...]
    sheets: tuple[str, ...]
    layout: str


def look_at(
    file: BinaryIO,
    columns: Sequence[TableColumn],
    given: Mapping[str, Any] | None = None,
    sources: Mapping[str, str] | None = None,
) -> Look:
    """Look at the beginning of a file. `given`: parts of its format that are known (`TableFormat`); `sources`: which
    column is which, where that is known; what of it the file has not is left out. Raises TableRefused and Unusable."""
    given = dict(given or {})
    known = {"kind": "csv", "header": 0, "delimiter": ",", "encoding": "utf-8"}
    TableFormat.of({**known, **{name: value for name, value in given.items() if name != "kind"}})
    form, sheets, first = _opened(file, given)
    header = given["header"] if "header" in given else _header(first)
    headers = headers_of(first, header)
    if sources is None:
        chosen = proposed(columns, headers)
    else:
        chosen = {name: header for name, header in sources.items() if header in headers}
    body = [(number, cells) for number, cells in enumerate(first, 1) if number > header and filled(cells)]
    asked = _Asked(columns, chosen, headers, body)
    decimal, dates = given.get("decimal"), given.get("dates")
    asks = []
    if decimal is None:
        decimal, ask = asked.decimal("," if form.delimiter == ";" else ".")
        asks += [ask] if ask else []
    if dates is None:
        dates, ask = asked.dates()
        asks += [ask] if ask else []
    form = TableFormat.of({**form.as_json(), "header": header, "decimal": decimal, "dates": dates})
    plan = plan_of(form, columns, chosen, headers)
    return Look(
        form,
        tuple(columns),
        tuple(headers),
        tuple(_taken(name, [row[at] for _, row in body if at < len(row)]) for at, name in enumerate(headers)),
        chosen,
        tuple(asks),
        tuple(
            Shown(number, tuple(_text(cell) for cell in cells[: len(headers)]), values, tuple(wrong))
            for number, cells in body[:PREVIEW_ROWS]
            for values, wrong in [plan.fit(cells)]
        ),
        sheets,
        layout_of(headers),
    )


def layout_of(headers: Sequence[str]) -> str:
    """A digest of the names of a file's columns, in their order."""
    return hashlib.sha256(json.dumps(list(headers)).encode()).hexdigest()


def _opened(file: BinaryIO, given: Mapping[str, Any]) -> tuple[TableFormat, tuple[str, ...], list[list[Any]]]:
    """The format as far as the bytes tell, the sheets, and the first rows."""
    file.seek(0)
    if file.read(4).startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        form = TableFormat("xlsx", 0, sheet=given.get("sheet") or "")
        with Sheet(file, form.sheet) as found:
            return form, found.names, first_rows(iter(found))
    encoding = given.get("encoding") or encoding_of(file)
    form = TableFormat.of({"kind": "csv", "header": 0, "delimiter": ",", "encoding": encoding})
    file.seek(0)
    start = file.read(_SAMPLE_BYTES)
    text = start.decode(encoding, "ignore")
    # The last line may be cut.
    whole = text if len(start) < _SAMPLE_BYTES else text[: text.rfind("\n") + 1] or text
    form = replace(form, delimiter=given.get("delimiter") or delimiter_of(whole))
    raw: OpenSheet | OpenText = open_cells(file, form)
    try:
        return form, (), first_rows(raw.rows)
    finally:
        raw.close()


def _header(first: Sequence[list[Any]]) -> int:
    """In which row the names stand: the first one that is as wide as most and looks like names; 0 where none does."""
    widths = Counter(width for cells in first if (width := filled(cells)))
    if not widths:
        raise TableRefused("The file holds no rows.")
    usual = widths.most_common(1)[0][0]
    # Rows with empty last cells are narrower, so the names may be wider than most.
    wanted = max(2, usual) if usual > 1 else 1
    for number, cells in enumerate(first[:MOST_BEFORE], 1):
        width = filled(cells)
        if width == 0:
            continue
        if is_header(cells[:width]) and width >= wanted:
            return number
        if width >= wanted:
            # Names with a gap or twice among them are names all the same where what follows differs from them.
            return number if _unlike(cells, first[number : number + 20]) else 0
    return 0


def _unlike(cells: Sequence[Any], body: Iterable[Sequence[Any]]) -> bool:
    """Whether these are all text over a column that holds something else."""
    if not all(is_empty(cell) or _kind([cell]) == "text" for cell in cells):
        return False
    return any(
        at < len(row) and not is_empty(row[at]) and _kind([row[at]]) in ("number", "date")
        for row in body
        for at, cell in enumerate(cells)
        if not is_empty(cell)
    )


class _Asked:
    """What the cells of the columns that are meant say about how numbers and dates are written."""

    def __init__(
        self,
        columns: Sequence[TableColumn],
        sources: Mapping[str, str],
        headers: Sequence[str],
        body: Sequence[tuple[int, list[Any]]],
    ) -> None:
        self._cells = [
            (column, cell)
            for column in columns
            if column.name in sources
            for at in [list(headers).index(sources[column.name])]
            for _, row in body
            if at < len(row) and isinstance(cell := row[at], str) and cell.strip()
        ]

    def decimal(self, usual: Sign) -> tuple[Sign, Ask | None]:
        """What stands before the cents, or the question."""
        only = Counter[Sign]()
        open_: Ask | None = None
        for column, cell in self._cells:
            if column.type not in ("number", "amount"):
                continue
            readings = [number_of(cell, sign) for sign in _BOTH]
            fits = [sign for sign, number in zip(_BOTH, readings, strict=True) if number is not None]
            if len(fits) == 1:
                only[fits[0]] += 1
            elif fits and readings[0] != readings[1] and open_ is None:
                open_ = Ask("decimal", column.name, cell.strip(), (str(readings[0]), str(readings[1])))
        if only:
            return only.most_common(1)[0][0], None
        return usual, open_

    def dates(self) -> tuple[Order, Ask | None]:
        """What the first of two numbers in a date is, or the question."""
        only = Counter[Order]()
        open_: Ask | None = None
        for column, cell in self._cells:
            if column.type != "date":
                continue
            readings = [date_of(cell, order) for order in _ORDERS]
            fits = [order for order, day in zip(_ORDERS, readings, strict=True) if day is not None]
            if len(fits) == 1:
                only[fits[0]] += 1
            elif fits and readings[0] != readings[1] and open_ is None:
                open_ = Ask("dates", column.name, cell.strip(), (str(readings[0]), str(readings[1])))
        if only:
            return only.most_common(1)[0][0], None
        return "dmy", open_


def _taken(name: str, cells: Sequence[Any]) -> Taken:
    there = [cell for cell in cells if not is_empty(cell)]
    return Taken(name, _kind(there), tuple(dict.fromkeys(_text(cell) for cell in there[:50]))[:3])


def _kind(cells: Sequence[Any]) -> Kind:
    if not cells:
        return "empty"
    if all(_is_date(cell) for cell in cells):
        return "date"
    if all(_is_number(cell) for cell in cells):
        return "number"
    if all(yes_no_of(cell) is not None for cell in cells):
        return "yes_no"
    return "text"


def _is_date(cell: Any) -> bool:
    # Eight digits may be a day in the one column and an account in the other.
    return isinstance(cell, str) and not cell.strip().isdigit() and any(date_of(cell, order) for order in _ORDERS)


def _is_number(cell: Any) -> bool:
    if not isinstance(cell, str):
        return not isinstance(cell, bool)
    digits = cell.strip().lstrip("+-")
    leads = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return not leads and any(number_of(cell, sign) is not None for sign in _BOTH)


def _text(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
