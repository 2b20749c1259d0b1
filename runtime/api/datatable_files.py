"""Data tables from files and as files: what a file's columns fit, its rows taken in, and a table written out."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO, Final, Literal, cast
from uuid import UUID

from runtime.api.datatables import own_key
from runtime.api.rows import DataDamaged
from runtime.contracts import NotFound
from runtime.contracts.datatables import (
    MOST_COLUMNS,
    ColumnDraft,
    FileColumn,
    IfThere,
    Imported,
    RowFilters,
    TableBytes,
    TableColumn,
    TableRefused,
)
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON
from runtime.sdk import tables as sheets
from runtime.sdk.files import clean_name, disposition
from runtime.store import datatable_imports as imports
from runtime.store import datatable_queries as queries
from runtime.store import datatables as store
from runtime.store import files
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.datatable_changes import Origin
from runtime.store.datatable_models import DataTable
from runtime.store.datatable_values import sort_text, unknown_column

#: So many rows of a file are taken in at once; a longer one comes in parts.
MOST_IMPORTED: Final = 100_000
_PORTION: Final = 256 * 1024
_PAGE: Final = 1_000
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_YES: Final = {"ja": True, "y": True, "1": True, "nein": False, "n": False, "0": False}


def look_at_table_file(*, workspace_id: UUID, file_id: UUID, table_id: UUID | None = None) -> list[FileColumn]:
    """The columns of a file, and which of the table's each fits. Raises TableMissing, NotFound, TableRefused."""
    columns = () if table_id is None else store.columns_of(store.found(workspace_id, table_id))
    named = {sort_text(column.name): column.name for column in columns}
    with closing(_opened(workspace_id, file_id)) as file:
        layout = _layout(file)
    return [FileColumn(one.name, one.type, one.samples, named.get(sort_text(one.name))) for one in layout.columns]


def columns_like_file(*, workspace_id: UUID, file_id: UUID) -> list[ColumnDraft]:
    """Columns for a new table that a file's rows fit. Raises NotFound, TableRefused."""
    found = look_at_table_file(workspace_id=workspace_id, file_id=file_id)
    if len(found) > MOST_COLUMNS:
        raise TableRefused(f"The file has {len(found)} columns, and a table has at most {MOST_COLUMNS}.")
    return [ColumnDraft(re.sub(r"\A[_\s]+", "", one.name)[:100] or "Column", one.type) for one in found]


def import_rows(
    *,
    workspace_id: UUID,
    table_id: UUID,
    file_id: UUID,
    columns: Mapping[str, str],
    if_there: IfThere,
    by: UUID,
    key: str | None = None,
) -> Imported:
    """Take in the rows of a file, page by page. `columns`: the table's column of each of the file's that counts.

    A row that does not fit is left out and named. `key`: asked for again under it, after a crash too, the pages that
    were taken in are not taken in again. Raises TableMissing, NotFound, TableRefused (before any row is taken in, but
    for a table that becomes full).
    """
    there = {column.name: column for column in store.columns_of(store.found(workspace_id, table_id))}
    counts = imports.Counts()
    with closing(_opened(workspace_id, file_id)) as file:
        layout = _layout(file)
        _check(columns, there, [one.name for one in layout.columns])
        try:
            with sheets.Stretch(file, layout) as whole:
                total = whole.count()
            if total > MOST_IMPORTED:
                raise TableRefused(
                    f"The file has {total:,} rows, and {MOST_IMPORTED:,} are taken in at once. Split it.",
                    code="file_too_long",
                )
            # The file is part of the key: under the same one another file is another import.
            told = own_key(by, table_id, f"import:{key or uuid7()}:{file_id}")
            with sheets.Stretch(file, layout) as some:
                rows = some.rows()
                number = 0
                while page := list(islice(rows, imports.PAGE)):
                    read = [(place, _read(row, columns, there, layout.decimal)) for place, row in page]
                    origin = Origin(workspace_id, f"user:{by}", f"{told}:{number}")
                    counts.plus(imports.take_in(origin, table_id, read, if_there))
                    number += 1
        except sheets.TableRefused as refused:
            raise _unreadable(refused) from refused
    return Imported(counts.added, counts.changed, counts.unchanged, counts.refused, counts.reasons)


def export_table(
    *,
    workspace_id: UUID,
    table_id: UUID,
    format: Literal["csv", "csv_comma", "xlsx"],
    filters: RowFilters | None = None,
) -> TableBytes:
    """The table as a file; text in it never becomes a formula. `csv_comma`: with semicolons and decimal commas, as
    offices in much of Europe write it. Raises TableMissing, TableRefused."""
    table = store.found(workspace_id, table_id)
    columns = store.columns_of(table)
    names = [column.name for column in columns]
    wanted = filters or RowFilters()
    # What cannot be asked is said before the first byte.
    queries.ordered(queries.chosen(table.pk, columns, wanted), columns, wanted, None)
    rows = _rows(table, columns, wanted)
    if format == "xlsx":
        name = clean_name(f"{table.name}.xlsx")
        return TableBytes(disposition(name), _XLSX, _workbook(rows, names, table.name))
    delimiter, decimal = (";", ",") if format == "csv_comma" else (",", ".")
    name = clean_name(f"{table.name}.csv")
    portions = sheets.csv_of(rows, names, delimiter=delimiter, decimal=decimal)
    return TableBytes(disposition(name), "text/csv; charset=utf-8", portions)


def _rows(table: DataTable, columns: tuple[TableColumn, ...], filters: RowFilters) -> Iterator[dict[str, JSON]]:
    """All rows in their order, in pages: a caller who reads slowly holds no cursor open."""
    after: list[Any] | None = None
    while True:
        chosen = queries.chosen(table.pk, columns, filters)
        page = list(queries.ordered(chosen, columns, filters, after)[:_PAGE])
        for row in page:
            yield dict(queries.row_view(row, columns).values)
        if len(page) < _PAGE:
            return
        after = queries.place_of(page[-1], filters)


def _workbook(rows: Iterator[dict[str, JSON]], columns: list[str], sheet: str) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        sheets.xlsx_of(rows, columns, cast("Any", file), sheet=sheet)
        file.seek(0)
        while portion := file.read(_PORTION):
            yield portion


def _opened(workspace_id: UUID, file_id: UUID) -> BinaryIO:
    row = files.found(workspace_id, file_id)
    if row is None:
        raise NotFound("There is no such file.", code="file_not_found")
    try:
        return files.opened(row.pk, row.sha256, row.size)
    except ArtifactDamaged as error:
        raise DataDamaged(str(error), artifact=str(row.pk)) from error


def _layout(file: BinaryIO) -> sheets.Layout:
    try:
        return sheets.look(file, header=True)
    except sheets.TableRefused as refused:
        raise _unreadable(refused) from refused


def _unreadable(refused: sheets.TableRefused) -> TableRefused:
    return TableRefused(f"The file cannot be read as a table. {refused}", code="file_unreadable")


def _check(columns: Mapping[str, str], there: Mapping[str, TableColumn], named: list[str]) -> None:
    if not columns:
        raise TableRefused("No column of the file belongs to one of the table. Say which do.", code="nothing_matched")
    for name, column in columns.items():
        if name not in named:
            raise TableRefused(f"The file has no column “{name}”. It has: {', '.join(named)}.", code="column_missing")
        if column not in there:
            raise unknown_column(list(there.values()), column)
    twice = [column for column in there if list(columns.values()).count(column) > 1]
    if twice:
        raise TableRefused(f"Two columns of the file go into “{twice[0]}”. Choose one.", code="column_twice")
    without = [one.name for one in there.values() if one.key and one.name not in columns.values()]
    if without:
        raise TableRefused(
            f"“{without[0]}” tells the rows of the table apart, and no column of the file belongs to it.",
            code="key_missing",
        )


def _read(
    row: Mapping[str, JSON], columns: Mapping[str, str], there: Mapping[str, TableColumn], decimal: str
) -> dict[str, JSON]:
    """The values of a row as the table's columns take them, where there is only one way to read them."""
    found: dict[str, JSON] = {}
    for name, column in columns.items():
        value = row.get(name)
        match there[column].type:
            case "number" | "amount":
                value = sheets.meant(value, "number", decimal)
            case "date":
                value = sheets.meant(value, "date", decimal)
            case "yes_no" if not isinstance(value, bool) and value is not None:
                value = _YES.get(str(value).strip().lower(), value)
        found[column] = value
    return found
