"""The rows of a file as a workflow expects them: read from a place on, each as typed values, or with what does not fit.

with Fitting(file, plan, place) as some:
    for number, row in some.rows(): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.table_cells import MOST_COLUMNS, START, OpenSheet, OpenText, Place, TableRefused
from runtime.sdk.table_columns import TableColumn
from runtime.sdk.table_guesses import names_of
from runtime.sdk.table_value import MOST_BEFORE, LeftOut, TableFormat
from runtime.sdk.table_values import Misfit, is_empty, typed

__all__ = [
    "Fitting",
    "Plan",
    "Wrong",
    "filled",
    "first_rows",
    "headers_of",
    "numbered",
    "open_cells",
    "plan_of",
    "said",
]

SAMPLE_ROWS: Final = 1_000
#: Characters.
_SAMPLE_SIZE: Final = 2**20
NONE_LEFT_OUT: Final = LeftOut()


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a row. `column`: the expected column's name, empty for the row as a whole."""

    column: str
    code: str
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of a file become the expected ones. `places`: for each column where it stands in the file, None
    where it does not; `width`: how many columns the file has."""

    form: TableFormat
    columns: tuple[TableColumn, ...]
    places: tuple[int | None, ...]
    width: int
    left_out: LeftOut = NONE_LEFT_OUT

    def fit(self, cells: Sequence[Any]) -> tuple[dict[str, JSON], list[Wrong]]:
        """The row's values by the columns' names, and what does not fit."""
        found: dict[str, JSON] = {}
        wrong: list[Wrong] = []
        if any(not is_empty(cell) for cell in cells[self.width :]):
            wrong.append(Wrong("", "cells"))
        for column, place in zip(self.columns, self.places, strict=True):
            cell = cells[place] if place is not None and place < len(cells) else None
            try:
                found[column.name] = typed(cell, column, self.form.decimal, self.form.dates)
            except Misfit as misfit:
                found[column.name] = None
                wrong.append(Wrong(column.name, misfit.code, "" if cell is None else str(cell)[:100]))
        return found, wrong


def open_cells(file: BinaryIO, form: TableFormat, start: Place = START) -> OpenSheet | OpenText:
    """The file, read as the format says, from a place on. Raises TableRefused."""
    if form.kind == "xlsx":
        return OpenSheet(file, form.sheet, start)
    return OpenText(file, form.encoding, form.delimiter, start)


def filled(cells: Sequence[Any]) -> int:
    """How many cells there are up to the last one that is not empty."""
    return max((at for at, cell in enumerate(cells, 1) if not is_empty(cell)), default=0)


def first_rows(rows: Iterator[list[Any]]) -> list[list[Any]]:
    """So many of them as are looked at to find out about all."""
    found: list[list[Any]] = []
    size = 0
    for cells in islice(rows, SAMPLE_ROWS + MOST_BEFORE):
        found.append(cells)
        size += sum(len(cell) for cell in cells if isinstance(cell, str))
        if size > _SAMPLE_SIZE:
            break
    return found


def headers_of(first: Sequence[Sequence[Any]], header: int) -> list[str]:
    """The names of the columns, from the first rows. Raises TableRefused."""
    named = filled(first[header - 1]) if 0 < header <= len(first) else 0
    # A row with more cells than there are names is told: where all have them, the columns are cut in another way.
    width = named or max((filled(cells) for cells in first[header:]), default=0)
    if width > MOST_COLUMNS:
        raise TableRefused(f"There are more than {MOST_COLUMNS} columns.")
    if header and not named:
        raise TableRefused(f"There are no names of columns in row {header}.")
    if width == 0:
        raise TableRefused("The file holds no rows.")
    return names_of(list(first[header - 1]) if named else [], width)


def plan_of(
    form: TableFormat, columns: Sequence[TableColumn], sources: Mapping[str, str], headers: Sequence[str],
    left_out: LeftOut | None = None,
) -> Plan:  # fmt: skip
    """How to read it. Raises TableRefused where a column that is meant is not there."""
    at = {name: place for place, name in enumerate(headers)}
    missing = [header for header in sources.values() if header not in at]
    if missing:
        raise TableRefused(f"There is no column “{missing[0]}”. There are: {', '.join(headers)}.")
    places = tuple(at[sources[column.name]] if column.name in sources else None for column in columns)
    return Plan(form, tuple(columns), places, len(headers), left_out or NONE_LEFT_OUT)


def numbered(raw: OpenSheet | OpenText, header: int, before: int = 0) -> Iterator[tuple[int, list[Any]]]:
    """The rows that are no header, and not empty, with their numbers as people count them."""
    for number, cells in enumerate(raw.rows, before + 1):
        if number > header and filled(cells):
            yield number, cells


class Fitting:
    """The rows of a file from a place on: `with Fitting(…) as some`. As `tables.Stretch`; those that were left out are
    passed over, and another one that does not fit raises TableRefused with its number."""

    def __init__(self, file: BinaryIO, plan: Plan, start: Place = START) -> None:
        self._plan, self._row = plan, start.row
        self._raw = open_cells(file, plan.form, start)

    def __enter__(self) -> Fitting:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def rows(self) -> Iterator[tuple[int, dict[str, JSON]]]:
        """Number and values by the expected names."""
        for number, cells in numbered(self._raw, self._plan.form.header, self._row):
            self._row = number
            if number in self._plan.left_out:
                continue
            values, wrong = self._plan.fit(cells)
            if wrong:
                raise TableRefused(f"Row {number}: {said(wrong[0], self._plan.columns)}.")
            yield number, values

    def count(self) -> int:
        """How many rows follow; reads them all."""
        return sum(1 for _ in self.rows())

    def place(self) -> Place:
        """Behind the row that was given last."""
        return self._raw.place(self._row)


_SAID: Final = {
    "empty": "“{label}” is empty",
    "no_number": "“{label}” is no number: {cell}",
    "currency": "“{label}” is in another currency than {currency}: {cell}",
    "places": "“{label}” has more decimal places than {currency} has: {cell}",
    "no_date": "“{label}” is no date: {cell}",
    "no_yes_no": "“{label}” is neither yes nor no: {cell}",
    "long": "“{label}” is too long",
    "unkept": "“{label}” holds signs that cannot be kept",
    "cells": "there are more cells than columns",
    "twice": "it is like row {cell}, which comes before",
}


def said(wrong: Wrong, columns: Sequence[TableColumn]) -> str:
    """What is wrong, in words, without a full stop."""
    column = next((one for one in columns if one.name == wrong.column), None)
    label, currency = ("", "") if column is None else (column.label, column.currency)
    return _SAID[wrong.code].format(label=label, currency=currency, cell=wrong.cell)
