"""What runs are found by: their business keys, and the fields that their workflows name.

A row is written once, with the step that says it, in the commit of that step; it does not change when its run goes on,
so that finding runs costs their steps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

from runtime.store.dialect import Statement
from runtime.store.records import RunWrite

__all__ = ["UPSERT_FIELDS", "field_rows"]

UPSERT_FIELDS: Final = Statement(
    columns=(
        ("u_workspace_id", "uuid"),
        ("u_name", "text"),
        ("u_run_id", "uuid"),
        ("u_shown", "text"),
        ("u_folded", "text"),
        ("u_number", "int"),
        ("u_currency", "text"),
    ),
    body="""
    INSERT INTO store_runfield (workspace_id, name, run_id, shown, folded, number, currency)
    SELECT u_workspace_id, u_name, u_run_id, u_shown, u_folded, u_number, u_currency FROM u WHERE true
    ON CONFLICT (workspace_id, name, run_id) DO UPDATE SET
        shown = excluded.shown, folded = excluded.folded, number = excluded.number, currency = excluded.currency""",
)


def field_rows(key: Callable[[UUID], Any], run_key: Any, unit: RunWrite) -> Iterable[tuple[Any, ...]]:
    """Of `UPSERT_FIELDS`."""
    workspace = key(unit.workspace_id)
    for worth in unit.worths:
        yield workspace, worth.name, run_key, *worth[1:]
