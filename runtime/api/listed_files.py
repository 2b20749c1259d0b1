"""Lists of runs as files: walked page by page, and written so that no spreadsheet takes a text for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from runtime.api.searching import markers, views_of
from runtime.contracts import RunFilters, RunView
from runtime.sdk import tables as sheets
from runtime.store.run_queries import Marker

__all__ = ["csv_portions", "walk_named_runs", "walk_runs"]

_PAGE: Final = 200
#: So many are looked for by one statement: to find all that hold a word takes as long, however few are wanted.
_AT_ONCE: Final = 5_000


def walk_runs(*, workspace_id: UUID, filters: RunFilters, most: int) -> Iterator[list[RunView]]:
    """The runs that match, in their order, in pages; at most so many in all, and one more where there are more. Words
    are looked for in keys and in fields, as they are where runs are counted."""
    last: Marker | None = None
    left = most + 1
    while left > 0:
        size = min(_AT_ONCE, left)
        found = markers(workspace_id, filters, last, size, keys_first=False)
        yield from walk_named_runs(workspace_id=workspace_id, run_ids=[run_id for _, run_id in found])
        if len(found) < size:
            return
        left -= size
        last = found[-1]


def walk_named_runs(*, workspace_id: UUID, run_ids: Sequence[UUID]) -> Iterator[list[RunView]]:
    """These runs in this order, in pages; those that are gone are left out."""
    each = list(dict.fromkeys(run_ids))
    for start in range(0, len(each), _PAGE):
        if page := views_of(workspace_id, each[start : start + _PAGE]):
            yield page


def csv_portions(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, comma: bool) -> Iterator[bytes]:
    """A CSV file in UTF-8 with a mark, in portions; text in it never becomes a formula. `comma`: with semicolons and
    decimal commas, as offices in much of Europe write it."""
    delimiter, decimal = (";", ",") if comma else (",", ".")
    return sheets.csv_of(rows, columns, delimiter=delimiter, decimal=decimal)
