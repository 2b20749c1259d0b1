"""Files with rows before a run is started for them: looked at, and held against what a start expects."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from threading import BoundedSemaphore
from typing import Any, BinaryIO, Final
from uuid import UUID

from pydantic import ValidationError

from runtime.api.files import file
from runtime.api.rows import DataDamaged
from runtime.contracts.files import FileView
from runtime.contracts.uploads import (
    FileColumn,
    Misfit,
    RowsCause,
    SeenRow,
    TableCheck,
    TableLook,
    TwoReadings,
    UploadsBusy,
    UploadUnreadable,
)
from runtime.sdk.files import clean_name
from runtime.sdk.table_cells import TableRefused, guarded
from runtime.sdk.table_checks import LeftRow, check_rows
from runtime.sdk.table_columns import TableColumn
from runtime.sdk.table_fit import first_rows, headers_of, open_cells, plan_of
from runtime.sdk.table_guesses import names_of
from runtime.sdk.table_looks import layout_of, look_at
from runtime.sdk.table_value import MOST_GAPS, TableFormat, Unusable, accepted
from runtime.store import files as store
from runtime.store.artifacts import ArtifactDamaged

#: So many files are read at once, each with a thread of its own; a workbook takes a process beside it.
_AT_ONCE: Final = 2
_PATIENCE_SECONDS: Final = 5.0
_MOST_EXPECTED: Final = 100
_READING: Final = BoundedSemaphore(_AT_ONCE)


def look_at_upload(
    *,
    workspace_id: UUID,
    file_id: UUID,
    columns: Sequence[Mapping[str, Any]],
    format: Mapping[str, Any] | None = None,
    sources: Mapping[str, str] | None = None,
) -> TableLook:
    """What the file looks like to a start that expects these columns (`TableColumn`). `format`: what of it is known;
    `sources`: which column is which, None to have it proposed. Raises NotFound, UploadUnreadable, UploadsBusy."""
    expected = _expected(columns)
    with _opened(workspace_id, file_id) as (bytes_, view):
        found = look_at(bytes_, expected, format, sources)
    return TableLook(
        view,
        found.form.as_json(),
        found.sheets,
        tuple(FileColumn(one.name, one.kind, one.samples) for one in found.taken),
        found.sources,
        tuple(TwoReadings(ask.kind, ask.column, ask.cell, ask.readings) for ask in found.asks),
        tuple(
            SeenRow(row.number, row.cells, row.values, tuple(Misfit(one.column, one.code) for one in row.wrong))
            for row in found.rows
        ),
        found.layout,
    )


def check_upload(
    *,
    workspace_id: UUID,
    file_id: UUID,
    columns: Sequence[Mapping[str, Any]],
    format: Mapping[str, Any],
    sources: Mapping[str, str],
    keep_left_out: bool = False,
    by: UUID | None = None,
) -> TableCheck:
    """Hold every row against what the start expects; with `keep_left_out` those that do not fit become a file of their
    own, each with its number and the reason, and the start may go on without them. Raises NotFound, UploadUnreadable,
    UploadsBusy, FileTooLarge and StoreUnavailable."""
    expected = _expected(columns)
    with _opened(workspace_id, file_id) as (bytes_, view):
        form = TableFormat.of(format)
        raw = open_cells(bytes_, form)
        try:
            headers = headers_of(first_rows(raw.rows), form.header)
        finally:
            raw.close()
        plan = plan_of(form, expected, sources, headers)
        left = _LeftOut(view, form, headers) if keep_left_out else None
        try:
            checked = check_rows(bytes_, plan, left)
            kept = None if left is None or not checked.causes else left.kept(workspace_id=workspace_id, by=by)
        finally:
            if left is not None:
                left.close()
    scattered = left is not None and left.scattered
    value: dict[str, Any] = {
        "file": _reference(view),
        "format": form.as_json(),
        "columns": dict(sources),
        "rows": checked.fitting,
        "layout": layout_of(headers),
    }
    if left is not None and kept is not None:
        value["left_out"] = {"rows": left.spans, "file": _reference(kept)}
    may_start = checked.fitting > 0 and (not checked.causes or kept is not None) and not scattered
    return TableCheck(
        checked.total,
        checked.fitting,
        tuple(
            RowsCause(one.column, one.code, one.count, tuple(one.rows), tuple(one.samples)) for one in checked.causes
        ),
        kept,
        scattered,
        _started_with(expected, value) if may_start else None,
    )


def _started_with(columns: Sequence[TableColumn], value: dict[str, Any]) -> dict[str, Any]:
    """The value, once the start would take it. Raises Unusable."""
    accepted(columns, value)
    return value


def _expected(columns: Sequence[Mapping[str, Any]]) -> list[TableColumn]:
    if not 1 <= len(columns) <= _MOST_EXPECTED:
        raise UploadUnreadable(f"Say which columns are expected: from 1 to {_MOST_EXPECTED}.")
    try:
        return [TableColumn.model_validate(dict(one)) for one in columns]
    except ValidationError as error:
        raise UploadUnreadable("The columns that are expected are not described as they have to be.") from error


@contextmanager
def _opened(workspace_id: UUID, file_id: UUID) -> Iterator[tuple[BinaryIO, FileView]]:
    """The file, open for reading; what stands in its way becomes what the front door raises."""
    view = file(workspace_id=workspace_id, file_id=file_id)
    if not _READING.acquire(timeout=_PATIENCE_SECONDS):
        raise UploadsBusy("Other files are being checked. Try again in a minute.")
    try:
        with closing(store.opened(view.id, view.sha256, view.size)) as bytes_:
            yield bytes_, view
    except ArtifactDamaged as error:
        raise DataDamaged(str(error), artifact=str(view.id)) from error
    except TableRefused as refused:
        raise UploadUnreadable(str(refused)) from refused
    except Unusable as unusable:
        raise UploadUnreadable(f"“{view.name}” {unusable}.") from unusable
    finally:
        _READING.release()


def _reference(view: FileView) -> dict[str, Any]:
    return {"id": str(view.id), "name": view.name, "mime": view.mime, "size": view.size, "sha256": view.sha256}


class _LeftOut:
    """Writes the rows that do not fit into a file of their own while they are found: as they stand in the file, with
    their number and the reason behind them. It can be mended and uploaded again."""

    def __init__(self, of: FileView, form: TableFormat, headers: Sequence[str]) -> None:
        self._of, self._form = of, form
        self._width = len(headers)
        self._spans: list[list[int]] = []
        self.scattered = False
        self._saving: store.Saving | None = store.Saving()
        self._text = io.StringIO(newline="")
        self._text.write("\ufeff")
        self._writer = csv.writer(self._text, delimiter=form.delimiter or ",")
        self._write(names_of([*headers, "Row", "Reason"], self._width + 2))

    def __call__(self, row: LeftRow) -> None:
        cells = [*row.cells[: self._width], *[None] * (self._width - len(row.cells))]
        beyond = [cell for cell in row.cells[self._width :] if cell not in ("", None)]
        self._write([*cells, row.number, row.reason, *beyond])
        if self._spans and row.number == self._spans[-1][1] + 1:
            self._spans[-1][1] = row.number
        elif len(self._spans) < MOST_GAPS:
            self._spans.append([row.number, row.number])
        else:
            self.scattered = True

    @property
    def spans(self) -> str:
        """The numbers of the rows, as the start takes them."""
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self._spans)

    def kept(self, *, workspace_id: UUID, by: UUID | None) -> FileView:
        """The file, once all are written; it is durable when this returns."""
        saving = self._saving
        assert saving is not None
        self._flush(0)
        saving.finish()
        stem, dot, ending = self._of.name.rpartition(".")
        name = clean_name(f"{stem if dot and ending else self._of.name} (left out).csv")
        row = store.add(saving, workspace_id=workspace_id, name=name, mime="text/csv", by=by)
        self._saving = None
        return file(workspace_id=workspace_id, file_id=row.pk)

    def close(self) -> None:
        """Leave nothing behind of what was not kept."""
        if self._saving is not None:
            self._saving.abandon()
            self._saving = None

    def _write(self, cells: Sequence[Any]) -> None:
        self._writer.writerow([self._plain(cell) for cell in cells])
        self._flush(64 * 1024)

    def _plain(self, cell: Any) -> str:
        if cell is None:
            return ""
        if isinstance(cell, Decimal):
            return format(cell, "f").replace(".", self._form.decimal)
        return guarded(str(cell)) if isinstance(cell, str) else str(cell)

    def _flush(self, above: int) -> None:
        if self._saving is not None and self._text.tell() > above:
            self._saving.write(self._text.getvalue().encode("utf-8", "replace"))
            self._text.seek(0)
            self._text.truncate()
