"""What tests of data tables share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from runtime import api
from runtime.contracts.datatables import ColumnDraft, Condition, RowFilters, RowView, TableView
from runtime.engine.ids import uuid7
from tests.runtime.machine import WORKSPACE

ME = uuid7()
CUSTOMERS = (
    ColumnDraft("Customer", "text", key=True),
    ColumnDraft("Owes", "amount"),
    ColumnDraft("Orders", "number"),
    ColumnDraft("Since", "date"),
    ColumnDraft("Blocked", "yes_no"),
)


def made(name: str = "Customers", columns: tuple[ColumnDraft, ...] = CUSTOMERS) -> TableView:
    return api.add_table(workspace_id=WORKSPACE, name=name, columns=columns, by=ME)


def put(table: TableView, **values: Any) -> RowView:
    """Add a row, or change the one with this key."""
    return api.save_table_row(workspace_id=WORKSPACE, table_id=table.id, values=values, by=ME, if_there="change")


def rows(table: TableView | UUID, **filters: Any) -> list[RowView]:
    """All of them, page by page."""
    found: list[RowView] = []
    after: str | None = None
    table_id = table if isinstance(table, UUID) else table.id
    while True:
        page = api.table_rows(
            workspace_id=WORKSPACE, table_id=table_id, filters=RowFilters(**filters), after=after, limit=2
        )
        found += page.items
        after = page.next_cursor
        if after is None:
            return found


def values(table: TableView, **filters: Any) -> list[Mapping[str, Any]]:
    return [row.values for row in rows(table, **filters)]


def column(table: TableView, name: str, **filters: Any) -> list[Any]:
    return [row.values[name] for row in rows(table, **filters)]


def where(column: str, operator: Any = "eq", value: Any = None) -> Condition:
    return Condition(column, operator, value)
