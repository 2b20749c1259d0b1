"""The data tables of a workspace: made, changed and removed; their rows listed, saved and deleted."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from runtime.api.cursors import BadCursor, page_size
from runtime.contracts import Page
from runtime.contracts.datatables import ColumnDraft, IfThere, RowFilters, RowMissing, RowView, TableView
from runtime.engine.jsonprofile import JSON, JSONRefused, dumps_bytes, loads
from runtime.store import datatable_changes as changes
from runtime.store import datatable_queries as queries
from runtime.store import datatables as store
from runtime.store.datatable_changes import Origin, Saving
from runtime.store.datatable_models import DataRow


def tables(*, workspace_id: UUID) -> list[TableView]:
    """All tables, by name."""
    return store.views(workspace_id)


def table(*, workspace_id: UUID, table_id: UUID) -> TableView:
    """One table. Raises TableMissing."""
    return store.view(store.found(workspace_id, table_id))


def add_table(*, workspace_id: UUID, name: str, columns: Sequence[ColumnDraft], by: UUID | None) -> TableView:
    """A new table without rows. Raises TableRefused."""
    return store.view(store.add(workspace_id=workspace_id, name=name, columns=columns, by=by))


def change_table(
    *,
    workspace_id: UUID,
    table_id: UUID,
    revision: int,
    name: str | None = None,
    columns: Sequence[ColumnDraft] | None = None,
    by: UUID | None,
) -> TableView:
    """Another name or other columns; one that is not among them is removed with all that stands in it.

    `revision`: of the table as the caller knows it. Raises TableMissing, TableRefused.
    """
    changed = store.change(
        workspace_id=workspace_id, table_id=table_id, name=name, columns=columns, revision=revision, by=by
    )
    return store.view(changed)


def remove_table(*, workspace_id: UUID, table_id: UUID, by: UUID | None) -> None:
    """Remove a table and its rows for good. Raises TableMissing."""
    store.remove(workspace_id=workspace_id, table_id=table_id, by=by)


def table_rows(
    *,
    workspace_id: UUID,
    table_id: UUID,
    filters: RowFilters | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[RowView]:
    """Rows in their order. Raises TableMissing, TableRefused for conditions that do not fit, BadCursor."""
    found = store.found(workspace_id, table_id)
    wanted = filters or RowFilters()
    columns = store.columns_of(found)
    last = _decoded(after, 2 if wanted.sort else 1)
    size = page_size(limit)
    chosen = queries.ordered(queries.chosen(found.pk, columns, wanted), columns, wanted, last)
    rows = list(chosen[: size + 1])
    following = _encoded(queries.place_of(rows[size - 1], wanted)) if len(rows) > size else None
    return Page([queries.row_view(row, columns) for row in rows[:size]], following)


def count_table_rows(*, workspace_id: UUID, table_id: UUID, filters: RowFilters) -> int:
    """How many rows are meant. Raises as `table_rows`."""
    found = store.found(workspace_id, table_id)
    return queries.chosen(found.pk, store.columns_of(found), filters).count()


def table_row(*, workspace_id: UUID, table_id: UUID, row_id: UUID) -> RowView:
    """One row. Raises TableMissing, RowMissing."""
    found = store.found(workspace_id, table_id)
    row = DataRow.objects.filter(table_id=found.pk, pk=row_id).first()
    if row is None:
        raise RowMissing("There is no such row.")
    return queries.row_view(row, store.columns_of(found))


def save_table_row(
    *,
    workspace_id: UUID,
    table_id: UUID,
    values: Mapping[str, JSON],
    by: UUID,
    row_id: UUID | None = None,
    stamp: UUID | None = None,
    if_there: IfThere = "fail",
    key: str | None = None,
) -> RowView:
    """Add a row, or change the columns named in `values` of the row `row_id` while it is in the state of `stamp`.

    `key`: asked for again under it, nothing is done again. Raises TableMissing, RowMissing, TableRefused.
    """
    how = Saving(row_id=row_id, stamp=stamp, if_there="change" if row_id is not None else if_there)
    origin = Origin(workspace_id, f"user:{by}", own_key(by, table_id, key))
    made = changes.save(origin, table_id, values, how)
    assert made.row_id is not None
    return table_row(workspace_id=workspace_id, table_id=table_id, row_id=made.row_id)


def delete_table_row(
    *, workspace_id: UUID, table_id: UUID, row_id: UUID, by: UUID, stamp: UUID | None = None, key: str | None = None
) -> None:
    """Delete a row. Raises TableMissing, RowMissing, RowChanged."""
    origin = Origin(workspace_id, f"user:{by}", own_key(by, table_id, key))
    changes.delete(origin, table_id, {}, Saving(row_id=row_id, must_be_there=True, stamp=stamp))


def own_key(by: UUID, table_id: UUID, key: str | None) -> str | None:
    """The key of a person's change, which no step's can be."""
    return None if key is None else f"api:{hashlib.sha256(f'{by}/{table_id}/{key}'.encode()).hexdigest()}"


def _encoded(place: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(dumps_bytes(list(place))).decode().rstrip("=")


def _decoded(cursor: str | None, parts: int) -> list[Any] | None:
    if not cursor:
        return None
    try:
        found: Any = loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if len(found) != parts or not all(isinstance(one, str | None) for one in found):
            raise ValueError
        UUID(found[-1])
    except (ValueError, TypeError, AttributeError, binascii.Error, JSONRefused):
        raise BadCursor("This page marker is not one of ours. Start again from the first page.") from None
    return list(found)
