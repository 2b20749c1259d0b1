"""A step's door to the data tables of its workspace, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from runtime.contracts import StoreUnavailable
from runtime.contracts.datatables import (
    IfThere,
    RowChanged,
    RowExists,
    RowFilters,
    RowMissing,
    TableMissing,
    TableRefused,
)
from runtime.engine.jsonprofile import JSON
from runtime.sdk.datatables import ROW_ID, ChangedRow, FoundRows, table_id
from runtime.sdk.errors import PermanentError
from runtime.store import datatable_changes as changes
from runtime.store import datatable_queries as queries
from runtime.store import datatables
from runtime.store.datatable_changes import Change, Origin, Saving
from runtime.store.datatable_groups import Deed, Groups, NewRow

R = TypeVar("R")

_TITLES: Final = {
    RowMissing: "There is no such row",
    RowExists: "The row exists already",
    RowChanged: "The row was changed since",
}


class StepTables:
    """See `runtime.sdk.datatables.Tables`. `undoes`: the step that this one undoes, and the key of what it did."""

    def __init__(self, origin: Origin, pool: Executor, groups: Groups, undoes: tuple[str, str] | None) -> None:
        self._origin = origin
        self._pool = pool
        self._groups = groups
        self._undoes = undoes

    async def find(
        self, table: str, filters: RowFilters, *, most: int, after: JSON = None, with_total: bool = False
    ) -> FoundRows:
        wanted = table_id(table)

        def find() -> FoundRows:
            row = datatables.found(self._origin.workspace_id, wanted)
            return _found(row, filters, most, after, with_total)

        return await self._ask(find)

    async def save(
        self,
        table: str,
        values: Mapping[str, JSON],
        *,
        must_be_there: bool = False,
        if_there: IfThere = "change",
    ) -> ChangedRow:
        wanted, (row_id, given) = table_id(table), _named(values)
        how = Saving(row_id=row_id, must_be_there=must_be_there, if_there=if_there)
        saves = NewRow(self._origin, wanted, given) if row_id is None and not must_be_there else None
        return await self._change(lambda: changes.save_now(self._origin, wanted, given, how), saves)

    async def add(self, table: str, key: Mapping[str, JSON], column: str, amount: JSON) -> ChangedRow:
        wanted, (_, given) = table_id(table), _named(key)
        return await self._change(lambda: changes.add_now(self._origin, wanted, given, column, amount))

    async def delete(self, table: str, key: Mapping[str, JSON], *, must_be_there: bool = False) -> ChangedRow:
        wanted, (row_id, given) = table_id(table), _named(key)
        how = Saving(row_id=row_id, must_be_there=must_be_there)
        return await self._change(lambda: changes.delete_now(self._origin, wanted, given, how))

    async def put_back(self) -> ChangedRow:
        if self._undoes is None:
            raise PermanentError(
                "This step undoes nothing",
                "“Put a row back” belongs behind the Undo way out of a step that changes a table. Draw it there.",
                "undoes_nothing",
            )
        node, key = self._undoes
        return await self._change(lambda: changes.put_back_now(self._origin, node, key))

    async def _change(self, make: Callable[[], Change], saves: NewRow | None = None) -> ChangedRow:
        with _in_words():
            return _changed(await self._groups.ask(Deed(self._origin, make, saves)))

    async def _ask(self, call: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: _asked(call))


def _asked(call: Callable[[], R]) -> R:
    with _in_words():
        try:
            return call()
        except (OperationalError, InterfaceError):
            connections.close_all()
            raise


@contextmanager
def _in_words() -> Iterator[None]:
    """What a step fails with."""
    try:
        yield
    except TableMissing:
        raise PermanentError(
            "The table is not there",
            "The data table was deleted, or never belonged to this workspace. Choose another one in the step.",
            "table_missing",
        ) from None
    except (RowMissing, TableRefused) as refused:
        title = _TITLES.get(type(refused), "The table does not take this")
        raise PermanentError(title, refused.message, refused.code) from None
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(str(error)) from error


def _found(table: Any, filters: RowFilters, most: int, after: Any, with_total: bool) -> FoundRows:
    """A page. What is added while pages are read does not belong to them: `after` says up to which row they go."""
    columns = datatables.columns_of(table)
    rows = queries.chosen(table.pk, columns, filters)
    until, last = (None, None) if after is None else (after["until"], after["last"])
    total: int | None = None
    if with_total:
        if after is None:
            until = queries.newest(table.pk)
        if until is not None:
            rows = rows.filter(pk__lte=UUID(until))
        total = rows.count() if after is None else after["total"]
    page = list(queries.ordered(rows, columns, filters, last)[: most + 1])
    shown = page[:most]
    more = len(page) > most
    following: JSON = None
    if more:
        following = {"last": queries.place_of(shown[-1], filters), "until": until, "total": total}
    return FoundRows(tuple(queries.row_view(one, columns) for one in shown), more, following, total)


def _named(values: Mapping[str, JSON]) -> tuple[UUID | None, Mapping[str, JSON]]:
    """The row that is named by its id, and the other values."""
    rest = {name: value for name, value in values.items() if name != ROW_ID}
    if not values.get(ROW_ID):
        return None, rest
    try:
        return UUID(str(values[ROW_ID])), rest
    except ValueError:
        raise PermanentError(
            "This is not a row", f"“{ROW_ID}” must be the id of a row, as “Find rows” gives it.", "not_a_row"
        ) from None


def _changed(made: Change) -> ChangedRow:
    return ChangedRow(made.what, made.row_id, made.before, made.after, made.before_value, made.after_value)
