"""The rows of a CSV file or spreadsheet, a page at a time: none but those of the page are ever in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context
from runtime.sdk.errors import PermanentError
from runtime.sdk.sources import Page
from runtime.sdk.tables import Column, Layout, Place, Stretch, TableRefused, look

__all__ = ["PAGE_ROWS", "TablePages"]

PAGE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class TablePages:
    """See `sources.Source`. The first page is given once the whole file was gone through: so what cannot be read is
    said before anything is begun for a row, and how many there are is known.

    The cursor holds what was found out about the file, so that all pages are read alike, and the place behind the page.
    """

    #: As data refers to it.
    file: JSON
    #: None: find out.
    header: bool | None = None
    sheet: str = ""
    delimiter: str = ""
    most_rows: int = 10_000
    #: A column that has to be there.
    key_column: str = ""

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        file = await context.files.reading(self._reference())
        try:
            return await asyncio.to_thread(self._read, file, cursor)
        except TableRefused as refused:
            raise PermanentError("The file cannot be read as a table", str(refused), "table_refused") from refused

    def all_rows(self, file: BinaryIO) -> Generator[tuple[int, dict[str, JSON]], None, None]:
        """Number and row of every row, in one go. Raises TableRefused."""
        layout = self._look(file)
        with self._open(file, layout, Place()) as some:
            yield from some.rows()

    def _read(self, file: BinaryIO, cursor: Any) -> Page:
        with closing(file):
            if cursor is None:
                layout = self._look(file)
                self._check_key(self._names(layout))
                start, before, total = Place(), 0, None
            else:
                self._check_file(cursor)
                layout, start = self._again(cursor["layout"]), Place(**cursor["place"])
                before, total = cursor["before"], cursor["total"]
            with self._open(file, layout, start) as some:
                numbered = list(islice(some.rows(), PAGE_ROWS))
                place = some.place()
                before += len(numbered)
                if total is None:
                    total = before + some.count()
                    self._check_total(total)
        following: JSON = {
            "file": self._digest(),
            "layout": self._kept(layout),
            "place": {"row": place.row, "line": place.line, "at": place.at},
            "before": before,
            "total": total,
        }
        # What is counted and what is read are the same bytes; a file that gave fewer must not go round for ever.
        is_last = before >= total or not numbered
        return Page(
            tuple(row for _, row in numbered),
            None if is_last else following,
            total,
            tuple(f"row {number}" for number, _ in numbered),
        )

    # What another kind of table does otherwise (`prepared_pages`).

    def _reference(self) -> JSON:
        return self.file

    def _look(self, file: BinaryIO) -> Any:
        return look(file, header=self.header, sheet=self.sheet, delimiter=self.delimiter)

    def _names(self, layout: Any) -> list[str]:
        return [column.name for column in layout.columns]

    def _kept(self, layout: Any) -> JSON:
        return _written(layout)

    def _again(self, kept: Any) -> Any:
        return _layout(kept)

    def _open(self, file: BinaryIO, layout: Any, start: Place) -> Any:
        return Stretch(file, layout, start)

    def _check_key(self, names: list[str]) -> None:
        if self.key_column and self.key_column not in names:
            raise TableRefused(f"There is no column “{self.key_column}”. There are: {', '.join(names)}.")

    def _check_total(self, total: int) -> None:
        if total > self.most_rows:
            raise PermanentError(
                "The file is too long",
                f"It has {total:,} rows, and this step takes at most {self.most_rows:,}. Allow more, or split it.",
                "too_many_items",
            )

    def _check_file(self, cursor: Mapping[str, Any]) -> None:
        if cursor["file"] != self._digest():
            raise PermanentError(
                "It is not the same file as before",
                "Some rows of another file are done already. Start a new run for this one.",
                "file_changed",
            )

    def _digest(self) -> JSON:
        return self.file.get("sha256") if isinstance(self.file, dict) else None


def _written(layout: Layout) -> JSON:
    return {
        "kind": layout.kind,
        "header": layout.header,
        "columns": [[column.name, column.type, column.form] for column in layout.columns],
        "delimiter": layout.delimiter,
        "encoding": layout.encoding,
        "decimal": layout.decimal,
        "sheet": layout.sheet,
    }


def _layout(written: Mapping[str, Any]) -> Layout:
    columns = tuple(Column(name, type_, (), form) for name, type_, form in written["columns"])
    return Layout(**{**written, "columns": columns})
