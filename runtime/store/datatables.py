"""Data tables: which there are, what columns they have, and what becomes of their rows when those change.

Over Django's connection of the calling thread. Faults of the database pass through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.models import Count

from runtime.contracts.datatables import (
    LONGEST_NAME,
    MOST_COLUMNS,
    MOST_TABLES,
    ColumnDraft,
    TableColumn,
    TableMissing,
    TableRefused,
    TableView,
)
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store import datatable_values as values
from runtime.store.beside import tell
from runtime.store.commits import commit
from runtime.store.datatable_models import DataChange, DataRow, DataTable
from runtime.store.dialect import database_now

__all__ = ["add", "change", "columns_of", "found", "held", "remove", "sweep", "view", "views"]

#: So many rows one transaction rewrites or removes.
_PAGE: Final = 1_000
#: With more rows the key is not changed any more: all of them would have to be looked at in one transaction.
MOST_ROWS_TO_KEY: Final = 100_000
#: What an import has kept of its pages is for its own repeats.
_IMPORTS_KEPT_MS: Final = 2 * 24 * 3_600_000


def columns_of(table: DataTable) -> tuple[TableColumn, ...]:
    """Its columns in their order."""
    stored: Any = loads_stored(table.columns)
    return tuple(TableColumn(**one) for one in stored)


def found(workspace_id: UUID, table_id: UUID) -> DataTable:
    """The table. Raises TableMissing."""
    row = DataTable.objects.filter(workspace_id=workspace_id, pk=table_id, removed_at=None).first()
    if row is None:
        raise TableMissing("There is no such table.")
    return row


def held(workspace_id: UUID, table_id: UUID) -> DataTable:
    """The table, whose columns nobody changes before this transaction has ended. Raises TableMissing."""
    if connection.vendor == "postgresql":
        # Django knows only locks that would make those who change rows wait for each other.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM store_datatable WHERE id = %s FOR SHARE", [table_id])
    return found(workspace_id, table_id)


def view(table: DataTable) -> TableView:
    """As it is shown, its rows counted."""
    return _view(table, DataRow.objects.filter(table_id=table.pk).count())


def views(workspace_id: UUID) -> list[TableView]:
    """All tables of a workspace, by name."""
    tables = list(DataTable.objects.filter(workspace_id=workspace_id, removed_at=None).order_by("name_folded"))
    counts = (
        DataRow.objects.filter(table_id__in=[table.pk for table in tables])
        .order_by()
        .values_list("table_id")
        .annotate(count=Count("pk"))
    )
    rows = dict(counts)
    return [_view(table, rows.get(table.pk, 0)) for table in tables]


def add(*, workspace_id: UUID, name: str, columns: Sequence[ColumnDraft], by: UUID | None) -> DataTable:
    """A new table. Raises TableRefused."""
    name = _name(name)
    made, following = _columns(columns, (), 1)
    with _NamedOnce(name), commit("table.columns"):
        count = DataTable.objects.filter(workspace_id=workspace_id, removed_at=None).count()
        if count >= MOST_TABLES:
            raise TableRefused(f"A workspace has at most {MOST_TABLES} tables.", code="too_many_tables")
        now = database_now()
        made_as = uuid7()
        tell(id=str(made_as))
        return DataTable.objects.create(
            id=made_as,
            workspace_id=workspace_id, name=name, name_folded=values.sort_text(name), columns=_written(made),
            next_column=following, created_at=now, created_by=by, changed_at=now, changed_by=by,
        )  # fmt: skip


def change(
    *,
    workspace_id: UUID,
    table_id: UUID,
    name: str | None,
    columns: Sequence[ColumnDraft] | None,
    revision: int,
    by: UUID | None,
) -> DataTable:
    """Another name, or other columns. Raises TableMissing and TableRefused, also where `revision` is not the newest."""
    with _NamedOnce(name or ""), commit("table.columns"):
        table = DataTable.objects.select_for_update().filter(workspace_id=workspace_id, pk=table_id, removed_at=None)
        row = table.first()
        if row is None:
            raise TableMissing("There is no such table.")
        if row.revision != revision:
            raise TableRefused(
                "Somebody changed the table meanwhile. Look at it again, then make your change.", code="table_changed"
            )
        if name is not None:
            row.name = _name(name)
            row.name_folded = values.sort_text(row.name)
        before = columns_of(row)
        after = before
        if columns is not None:
            after, row.next_column = _columns(columns, before, row.next_column)
            _fit(row, before, after)
            row.columns = _written(after)
        row.revision += 1
        row.changed_at, row.changed_by = database_now(), by
        row.save()
    gone = {column.id for column in before} - {column.id for column in after}
    if gone:
        _clear(row, after)
    return row


def remove(*, workspace_id: UUID, table_id: UUID, by: UUID | None) -> None:
    """Remove the table and its rows for good. Raises TableMissing."""
    with commit("table.columns"):
        chosen = DataTable.objects.filter(workspace_id=workspace_id, pk=table_id, removed_at=None)
        if not chosen.update(removed_at=database_now(), removed_by=by):
            raise TableMissing("There is no such table.")
    # What a crash leaves of its rows nobody sees, and the sweep takes.
    _remove_rows(table_id)


def sweep() -> int:
    """Remove the rows of removed tables, and what imports kept for their repeats; returns how many rows."""
    gone = DataTable.objects.filter(removed_at__isnull=False).values("pk")
    left = DataRow.objects.filter(table_id__in=gone).order_by().values_list("table_id", flat=True).distinct()
    removed = sum(_remove_rows(table_id) for table_id in list(left))
    old = DataChange.objects.filter(what="imported", made_at__lt=database_now() - _IMPORTS_KEPT_MS)
    if old.exists():
        with commit("retention.delete"):
            old.delete()
    return removed


# --- columns --------------------------------------------------------------------------------------------------------


class _NamedOnce:
    """Says whose name is taken, where the database only says that something is there twice."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            raise TableRefused(
                f"There is a table called “{self._name}” already. Choose another name.", code="name_taken"
            ) from error


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise TableRefused("Give the table a name.", code="name_missing")
    if len(name) > LONGEST_NAME:
        raise TableRefused(f"A name has at most {LONGEST_NAME} characters.", code="name_too_long")
    return name


def _columns(
    drafts: Sequence[ColumnDraft], before: Sequence[TableColumn], following: int
) -> tuple[tuple[TableColumn, ...], int]:
    """The columns as they are to be, and the number of the next new one."""
    if not drafts:
        raise TableRefused("A table needs at least one column.", code="columns_missing")
    if len(drafts) > MOST_COLUMNS:
        raise TableRefused(f"A table has at most {MOST_COLUMNS} columns.", code="too_many_columns")
    there = {column.id: column for column in before}
    made: list[TableColumn] = []
    names: set[str] = set()
    for draft in drafts:
        name = _name(draft.name)
        if name.startswith("_"):
            raise TableRefused(f"“{name}”: the name of a column does not begin with “_”.", code="column_name")
        folded = values.sort_text(name)
        if folded in names:
            raise TableRefused(f"Two columns are called “{name}”. Give each a name of its own.", code="column_twice")
        names.add(folded)
        if draft.id is None:
            column_id, following = f"c{following}", following + 1
        elif draft.id in there:
            column_id = draft.id
            del there[draft.id]
        else:
            raise TableRefused(f"“{name}”: there is no such column any more.", code="column_missing")
        made.append(TableColumn(column_id, name, draft.type, draft.required, draft.key))
    return tuple(made), following


def _fit(table: DataTable, before: Sequence[TableColumn], after: Sequence[TableColumn]) -> None:
    """Refuse columns that the rows do not fit, and bring the rows into line with a new key."""
    known = {column.id: column for column in before}
    rows = DataRow.objects.filter(table_id=table.pk)
    for column in after:
        was = known.get(column.id)
        numbers = {"number", "amount"}
        if was is not None and was.type != column.type and not {was.type, column.type} <= numbers and rows.exists():
            raise TableRefused(
                f"“{column.name}” holds values already, so its type stays. Add another column with the new type.",
                code="type_in_use",
            )
        needed, was_needed = column.required or column.key, was is not None and (was.required or was.key)
        if needed and not was_needed and (count := _without(table, column)):
            raise TableRefused(
                f"“{column.name}” is empty in {count:,} {'row' if count == 1 else 'rows'}. Fill it in there first.",
                code="column_empty",
            )
    if [column.id for column in before if column.key] != [column.id for column in after if column.key]:
        _rekey(table, after)


def _without(table: DataTable, column: TableColumn) -> int:
    from runtime.store.datatable_queries import Sought

    rows = DataRow.objects.filter(table_id=table.pk).alias(cell=Sought(column.id))
    return rows.filter(cell__isnull=True).count()


def _rekey(table: DataTable, columns: Sequence[TableColumn]) -> None:
    rows = DataRow.objects.filter(table_id=table.pk)
    if rows.count() > MOST_ROWS_TO_KEY:
        raise TableRefused(
            f"With more than {MOST_ROWS_TO_KEY:,} rows the key stays as it is. Export the table, and import it into a "
            "new one.",
            code="too_many_rows",
        )
    rows.update(key_digest=None)
    if not any(column.key for column in columns):
        return
    seen: set[str] = set()
    for page in _pages(table.pk):
        for row in page:
            cells = values.plain(row.cells)
            row.key_digest = values.digest_of(columns, cells)
            assert row.key_digest is not None
            if row.key_digest in seen:
                shown = ", ".join(str(cells[column.id]) for column in columns if column.key)
                raise TableRefused(
                    f"Several rows have “{shown}”, so this cannot tell rows apart. Change or delete them first.",
                    code="key_twice",
                )
            seen.add(row.key_digest)
        DataRow.objects.bulk_update(page, ["key_digest"], batch_size=200)


def _clear(table: DataTable, columns: Sequence[TableColumn]) -> None:
    """Take what stood in removed columns out of the rows, a few at a time: from now on nobody sees it."""
    kept = {column.id for column in columns}
    after: UUID | None = None
    while True:
        with commit("table.change"):
            chosen = DataRow.objects.select_for_update().filter(table_id=table.pk)
            page = list((chosen if after is None else chosen.filter(pk__gt=after)).order_by("pk")[:_PAGE])
            for row in page:
                cells = {name: value for name, value in values.plain(row.cells).items() if name in kept}
                row.cells, row.sought = values.text_of(cells), values.sought_of(cells)
            DataRow.objects.bulk_update(page, ["cells", "sought"], batch_size=200)
        if len(page) < _PAGE:
            return
        after = page[-1].pk


def _pages(table_id: UUID) -> Iterator[list[DataRow]]:
    after: UUID | None = None
    while True:
        chosen = DataRow.objects.filter(table_id=table_id)
        page = list((chosen if after is None else chosen.filter(pk__gt=after)).order_by("pk")[:_PAGE])
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].pk


def _remove_rows(table_id: UUID) -> int:
    removed = 0
    while True:
        ids = list(DataRow.objects.filter(table_id=table_id).values_list("pk", flat=True)[:_PAGE])
        if not ids:
            return removed
        with commit("retention.delete"):
            removed += DataRow.objects.filter(pk__in=ids).delete()[0]


def _written(columns: Sequence[TableColumn]) -> str:
    return dumps(
        [
            {"id": one.id, "name": one.name, "type": one.type, "required": one.required, "key": one.key}
            for one in columns
        ]
    )


def _view(table: DataTable, rows: int) -> TableView:
    return TableView(
        table.pk, table.name, columns_of(table), rows, table.revision, table.created_at, table.created_by,
        table.changed_at,
    )  # fmt: skip
