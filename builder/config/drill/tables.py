"""The data tables of a drill: copies, laid anew before each round, so that every round finds what the first one did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from runtime.contracts.datatables import TableColumn
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store import datatable_values as values
from runtime.store.dialect import database_now
from runtime.store.models import DataRow, DataTable

__all__ = ["lay"]


def lay(workspace_id: UUID, tables: Sequence[dict[str, Any]]) -> None:
    """Put these tables in the place of all that are there."""
    DataRow.objects.all().delete()
    DataTable.objects.all().delete()
    now = database_now()
    for table in tables:
        columns = [TableColumn(**one) for one in table["columns"]]
        DataTable.objects.create(
            id=UUID(table["id"]), workspace_id=workspace_id, name=table["name"], name_folded=table["id"],
            columns=dumps(table["columns"]), next_column=1_000, created_at=now, changed_at=now,
        )  # fmt: skip
        rows = []
        for given in table["rows"]:
            cells = values.cells_of(columns, given, {})
            rows.append(
                DataRow(
                    table_id=UUID(table["id"]), cells=values.text_of(cells), sought=values.sought_of(cells),
                    key_digest=values.digest_of(columns, cells), stamp=uuid7(), created_at=now, changed_at=now,
                    by="drill",
                )
            )  # fmt: skip
        DataRow.objects.bulk_create(rows)
