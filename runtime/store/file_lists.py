"""Files of a run and of all that it has begun: the statements of a list belong to the items that made them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, F, Func

from runtime.store import children

__all__ = ["Inside"]

_BELOW: Final = """IN (
    WITH RECURSIVE below (id) AS (
        SELECT id FROM store_run WHERE id = %s
        UNION ALL
        SELECT r.id FROM below JOIN store_run r ON r.parent_run_id = below.id WHERE NOT r.detached)
    SELECT id FROM below)"""


class Inside(Func):
    """For a filter: rows of this run, and of those that it has begun and waits for, at whatever depth."""

    output_field = BooleanField()

    def __init__(self, run_id: UUID) -> None:
        super().__init__(F("run_id"))
        self._run = children.key(run_id)

    def as_sql(self, compiler: Any, connection: Any, **_more: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        column, values = compiler.compile(self.source_expressions[0])
        return f"{column} {_BELOW}", [*values, self._run]
