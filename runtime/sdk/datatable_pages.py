"""The rows of a data table, a page at a time, in the order in which they were added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.contracts.datatables import RowFilters
from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context
from runtime.sdk.datatables import row_json
from runtime.sdk.errors import PermanentError
from runtime.sdk.sources import Page

__all__ = ["DataTablePages"]

PAGE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class DataTablePages:
    """See `sources.Source`. A page goes on behind the last row of the one before, and none goes beyond the row that was
    the last when the first was read: what is added, changed or deleted meanwhile shifts nothing.
    """

    table: str
    filters: RowFilters = RowFilters()  # noqa: RUF009 - frozen
    most_rows: int = 10_000

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        found = await context.tables.find(self.table, self.filters, most=PAGE_ROWS, after=cursor, with_total=True)
        if cursor is None and found.total is not None and found.total > self.most_rows:
            raise PermanentError(
                "The table is too long",
                f"These are {found.total:,} rows, and this step takes at most {self.most_rows:,}. Allow more, or name "
                "conditions.",
                "too_many_items",
            )
        return Page(tuple(row_json(row) for row in found.rows), found.next, found.total)
