"""Lists of runs as files: walked page by page, and written so that no spreadsheet takes a text for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from runtime.api.rows import RUN_COLUMNS, run_views
from runtime.api.searching import runs
from runtime.contracts import RunFilters, RunView
from runtime.sdk import tables as sheets
from runtime.store.models import Run

__all__ = ["csv_portions", "walk_named_runs", "walk_runs"]

_PAGE: Final = 200


def walk_runs(*, workspace_id: UUID, filters: RunFilters, most: int) -> Iterator[list[RunView]]:
    """The runs that match, in their order, in pages; at most so many in all, and one more where there are more."""
    after: str | None = None
    left = most + 1
    while left > 0:
        page = runs(workspace_id=workspace_id, filters=filters, after=after, limit=min(_PAGE, left))
        if page.items:
            yield page.items
        left -= len(page.items)
        if (after := page.next_cursor) is None:
            return


def walk_named_runs(*, workspace_id: UUID, run_ids: Sequence[UUID]) -> Iterator[list[RunView]]:
    """These runs in this order, in pages; those that are gone are left out."""
    for start in range(0, len(run_ids), _PAGE):
        portion = run_ids[start : start + _PAGE]
        found = Run.objects.filter(workspace_id=workspace_id, pk__in=portion).values(*RUN_COLUMNS)
        rows = {row["id"]: row for row in found}
        if page := run_views([rows[run_id] for run_id in dict.fromkeys(portion) if run_id in rows]):
            yield page


def csv_portions(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, comma: bool) -> Iterator[bytes]:
    """A CSV file in UTF-8 with a mark, in portions; text in it never becomes a formula. `comma`: with semicolons and
    decimal commas, as offices in much of Europe write it."""
    delimiter, decimal = (";", ",") if comma else (",", ".")
    return sheets.csv_of(rows, columns, delimiter=delimiter, decimal=decimal)
