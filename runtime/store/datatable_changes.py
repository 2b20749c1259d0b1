"""Changes of the rows of data tables: each in one transaction with the key that it is made under, and taken back.

A step's change carries the step's idempotency key. The same key is the same change: whoever asks again, after a crash,
gets what the first one did and changes nothing. A row's `stamp` names the state that it is in; whoever takes a change
back does so only while the row is in the state that the change left, and puts the earlier stamp back with the earlier
values. So changes of one row are taken back one after another, and never over what somebody else did.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from django.db import IntegrityError

from runtime.contracts.datatables import (
    MOST_ROWS,
    IfThere,
    RowChanged,
    RowExists,
    RowMissing,
    TableColumn,
    TableRefused,
)
from runtime.engine.expressions.arithmetic import add as exact_sum
from runtime.engine.expressions.arithmetic import subtract as exact_difference
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.values import Limits, Meter
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, number_text
from runtime.store import datatable_values as values
from runtime.store import datatables
from runtime.store.beside import tell_texts, unchanged
from runtime.store.commits import commit
from runtime.store.datatable_models import DataChange, DataRow, DataTable
from runtime.store.dialect import database_now

__all__ = ["Change", "Origin", "Saving", "add_to", "delete", "put_back", "room_for", "save"]

#: Somebody else added the same row, or made the same change, at this moment: look again.
_TRIES: Final = 20
#: How long a counted number of rows is believed, and by how many added ones.
_BELIEVED_SECONDS: Final = 60.0

What = Literal["added", "changed", "unchanged", "kept", "deleted", "put_back"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who makes a change. `key`: under which it is one, however often it is asked for; None: it is not asked again.

    `node_id`, `generation`: of the run's step that does.
    """

    workspace_id: UUID
    by: str
    key: str | None = None
    run_id: UUID | None = None
    node_id: str | None = None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """What a change did; the cells are by column name. See `runtime.sdk.datatables.ChangedRow`."""

    what: What
    row_id: UUID | None
    before: Mapping[str, JSON] | None = None
    after: Mapping[str, JSON] | None = None
    before_value: JSON = None
    after_value: JSON = None


@dataclass(frozen=True, slots=True)
class Saving:
    """How a row is saved. `row_id`: that one, in place of the one with its key; `stamp`: only while it is in this
    state."""

    row_id: UUID | None = None
    must_be_there: bool = False
    if_there: IfThere = "change"
    stamp: UUID | None = None


def save(origin: Origin, table_id: UUID, given: Mapping[str, JSON], how: Saving) -> Change:
    """Add a row or change one; see `runtime.sdk.datatables.Tables.save`. Raises TableRefused and its like."""
    return once(origin, lambda: save_now(origin, table_id, given, how))


def save_now(origin: Origin, table_id: UUID, given: Mapping[str, JSON], how: Saving) -> Change:
    """The same within a transaction of the caller's, who looks to the key."""
    table = datatables.held(origin.workspace_id, table_id)
    columns = datatables.columns_of(table)
    row = _meant(table, columns, given, how)
    if row is None:
        if how.must_be_there or how.row_id is not None:
            raise RowMissing("There is no such row in the table.", code="row_missing")
        cells = values.cells_of(columns, given, {})
        room_for(table.pk)
        return _kept(origin, columns, _Change("added", table.pk, None, _added(table, columns, cells, origin)))
    if how.stamp is not None and row.stamp != how.stamp:
        raise RowChanged("Somebody changed this row meanwhile. Look at it again, then make your change.")
    if how.if_there == "fail":
        raise RowExists(f"There is a row with {_key_words(columns, values.plain(row.cells))} already.")
    if how.if_there == "keep":
        return _kept(origin, columns, _Change("kept", table.pk, _State.of(row), row))
    before, cells = _State.of(row), values.cells_of(columns, given, values.plain(row.cells))
    if values.text_of(cells) == row.cells:
        return _kept(origin, columns, _Change("unchanged", table.pk, before, row))
    _write(row, columns, cells, origin.by)
    return _kept(origin, columns, _Change("changed", table.pk, before, row))


def add_to(origin: Origin, table_id: UUID, key: Mapping[str, JSON], column: str, amount: JSON) -> Change:
    """Add to a number; see `runtime.sdk.datatables.Tables.add`."""
    return once(origin, lambda: add_now(origin, table_id, key, column, amount))


def add_now(origin: Origin, table_id: UUID, key: Mapping[str, JSON], column: str, amount: JSON) -> Change:
    """The same within a transaction of the caller's, who looks to the key."""
    table = datatables.held(origin.workspace_id, table_id)
    columns = datatables.columns_of(table)
    chosen = next((one for one in columns if one.name == column), None)
    if chosen is None:
        raise values.unknown_column(columns, column)
    if chosen.type not in ("number", "amount") or chosen.key:
        raise TableRefused(f"“{column}” is no column that can be added to: it holds no numbers, or is the key.")
    added = values.typed(chosen, amount)
    if added is None:
        raise TableRefused(f"What is to be added to “{column}” came out empty.", code="amount_missing")
    row = _with_key(table, columns, key)
    before = None if row is None else _State.of(row)
    if row is None:
        cells = values.cells_of(columns, {**key, column: added}, {})
        room_for(table.pk)
        row = _added(table, columns, cells, origin)
    else:
        held = values.plain(row.cells)
        _write(row, columns, values.cells_of(columns, {column: _sum(held.get(chosen.id), added)}, held), origin.by)
    what: What = "added" if before is None else "changed"
    return _kept(origin, columns, _Change(what, table.pk, before, row, chosen.id, added))


def delete(origin: Origin, table_id: UUID, key: Mapping[str, JSON], how: Saving) -> Change:
    """Delete a row; see `runtime.sdk.datatables.Tables.delete`."""
    return once(origin, lambda: delete_now(origin, table_id, key, how))


def delete_now(origin: Origin, table_id: UUID, key: Mapping[str, JSON], how: Saving) -> Change:
    """The same within a transaction of the caller's, who looks to the key."""
    table = datatables.held(origin.workspace_id, table_id)
    columns = datatables.columns_of(table)
    row = _meant(table, columns, key, how)
    if row is None:
        if how.must_be_there:
            raise RowMissing("There is no such row in the table.", code="row_missing")
        return _kept(origin, columns, _Change("unchanged", table.pk, None, None))
    if how.stamp is not None and row.stamp != how.stamp:
        raise RowChanged("Somebody changed this row meanwhile. Look at it again, then delete it.")
    before = _State.of(row)
    row.delete()
    return _kept(origin, columns, _Change("deleted", table.pk, before, None))


def put_back(origin: Origin, node_id: str, key: str | None) -> Change:
    """Take back the last change of this step (`node_id`) of the run that was not taken back yet.

    Where it made none, nothing is done; what comes late under `key` changes nothing then. Raises RowChanged.
    """
    return once(origin, lambda: put_back_now(origin, node_id, key))


def put_back_now(origin: Origin, node_id: str, key: str | None) -> Change:
    """The same within a transaction of the caller's, who looks to the key."""
    made = (
        DataChange.objects.select_for_update()
        .filter(workspace_id=origin.workspace_id, run_id=origin.run_id, node_id=node_id, undone_by=None)
        .exclude(what="never")
        .order_by("-generation", "-made_at", "-key")
        .first()
    )
    if made is None:
        if key is not None and _known(origin.workspace_id, key) is None:
            _note(origin, _Change("never", None, None, None), key=key, node_id=node_id)
        return _kept(origin, (), _Change("unchanged", None, None, None))
    assert made.table_id is not None
    table = datatables.held(origin.workspace_id, made.table_id)
    columns = datatables.columns_of(table)
    done = _taken_back(origin, table, columns, made)
    DataChange.objects.filter(workspace_id=origin.workspace_id, key=made.key).update(undone_by=origin.key)
    return _kept(origin, columns, done)


def room_for(table_id: UUID, more: int = 1, counted: Callable[[], int] | None = None) -> None:
    """Refuse a row too many. Counted now and then only: a few more than that do no harm.

    `counted`: counts them for whoever does so another way.
    """
    now = time.monotonic()
    count, at, added = _COUNTS.get(table_id, (0, 0.0, 0))
    if table_id not in _COUNTS or now - at > _BELIEVED_SECONDS or count + added > MOST_ROWS - 1_000:
        count = counted() if counted is not None else DataRow.objects.filter(table_id=table_id).count()
        at, added = now, 0
    if count + added + more > MOST_ROWS:
        _COUNTS.pop(table_id, None)
        raise TableRefused(
            f"A table holds at most {MOST_ROWS:,} rows. Delete some, or begin another table.", code="table_full"
        )
    if len(_COUNTS) > 10_000:
        _COUNTS.clear()
    _COUNTS[table_id] = count, at, added + more


_COUNTS: Final[dict[UUID, tuple[int, float, int]]] = {}


# --- one change, once -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _State:
    """What a row was."""

    row_id: UUID
    cells: str
    stamp: UUID
    created_at: int

    @classmethod
    def of(cls, row: DataRow) -> _State:
        return cls(row.pk, row.cells, row.stamp, row.created_at)


@dataclass(frozen=True, slots=True)
class _Change:
    """A change as it is kept."""

    what: str
    table_id: UUID | None
    before: _State | None
    row: DataRow | None
    column: str | None = None
    amount: JSON = None


def once(origin: Origin, change: Callable[[], Change]) -> Change:
    """Make a change in a transaction of its own, or tell what it did when it was asked for before."""
    for turn in range(_TRIES):
        try:
            with commit("table.change"):
                return known_or(origin, change)
        except IntegrityError:
            if turn == _TRIES - 1:
                raise
    raise AssertionError


def known_or(origin: Origin, change: Callable[[], Change]) -> Change:
    """Within a transaction of the caller's: what was done under this key before, or else this change."""
    if origin.key is not None and (known := _known(origin.workspace_id, origin.key)) is not None:
        unchanged()
        return told(known)
    return change()


def _known(workspace_id: UUID, key: str) -> DataChange | None:
    return DataChange.objects.filter(workspace_id=workspace_id, key=key).first()


def told(made: DataChange) -> Change:
    """What an earlier try did."""
    if made.what == "never":
        raise TableRefused(
            "The run was undone before this came, so it does not change the table any more.", code="undone_before"
        )
    table = None if made.table_id is None else DataTable.objects.filter(pk=made.table_id).first()
    columns = () if table is None else datatables.columns_of(table)
    return _shown(columns, made.what, made.row_id, made.before, made.after, made.column)


def _kept(origin: Origin, columns: tuple[TableColumn, ...], made: _Change) -> Change:
    if origin.key is not None:
        _note(origin, made, key=origin.key, node_id=origin.node_id)
    before = None if made.before is None else made.before.cells
    after = None if made.row is None else made.row.cells
    row_id = made.row.pk if made.row is not None else None if made.before is None else made.before.row_id
    if made.what in ("unchanged", "kept"):
        unchanged()
    tell_texts(before, after, row=row_id)
    return _shown(columns, made.what, row_id, before, after, made.column)


def _note(origin: Origin, made: _Change, *, key: str, node_id: str | None) -> None:
    before, row = made.before, made.row
    DataChange.objects.create(
        workspace_id=origin.workspace_id, key=key, table_id=made.table_id, run_id=origin.run_id, node_id=node_id,
        generation=origin.generation, what=made.what,
        row_id=row.pk if row is not None else None if before is None else before.row_id,
        before=None if before is None else before.cells, stamp_before=None if before is None else before.stamp,
        row_created_at=None if before is None else before.created_at,
        after=None if row is None else row.cells, stamp_after=None if row is None else row.stamp,
        column=made.column, amount=None if made.amount is None else _text(made.amount), made_at=database_now(),
    )  # fmt: skip


def _shown(
    columns: tuple[TableColumn, ...],
    what: Any,
    row_id: UUID | None,
    before: str | None,
    after: str | None,
    column: str | None,
) -> Change:
    was, now = (None if text is None else values.plain(text) for text in (before, after))
    return Change(
        what,
        row_id,
        None if was is None else values.values_of(columns, was),
        None if now is None else values.values_of(columns, now),
        None if column is None else ((was or {}).get(column) or 0),
        None if column is None or now is None else now.get(column),
    )


# --- rows -----------------------------------------------------------------------------------------------------------


def _meant(
    table: DataTable, columns: tuple[TableColumn, ...], given: Mapping[str, JSON], how: Saving
) -> DataRow | None:
    """The row that is meant, locked: the one that is named, else the one with this key."""
    if how.row_id is not None:
        return DataRow.objects.select_for_update().filter(table_id=table.pk, pk=how.row_id).first()
    if not any(column.key for column in columns):
        if how.must_be_there:
            raise _no_key()
        return None
    keys = {column.name: given[column.name] for column in columns if column.key and column.name in given}
    return _with_key(table, columns, keys)


def _with_key(table: DataTable, columns: tuple[TableColumn, ...], key: Mapping[str, JSON]) -> DataRow | None:
    keys = {column.name: column for column in columns if column.key}
    if not keys:
        raise _no_key()
    for name in key:
        if name not in keys:
            raise TableRefused(f"“{name}” is not part of the key. The key is: {', '.join(keys)}.", code="not_the_key")
    cells = {column.id: values.typed(column, key.get(name)) for name, column in keys.items()}
    missing = [name for name, column in keys.items() if cells[column.id] is None]
    if missing:
        raise TableRefused(
            f"The key column “{missing[0]}” came out empty. It says which row is meant.",
            code="key_missing",
            fields={missing[0]: "must be filled in"},
        )
    digest = values.digest_of(columns, cells)
    return DataRow.objects.select_for_update().filter(table_id=table.pk, key_digest=digest).first()


def _no_key() -> TableRefused:
    return TableRefused(
        "The table has no key column, so nothing says which row is meant. Mark a column as the key, or name the row.",
        code="no_key",
    )


def _added(table: DataTable, columns: tuple[TableColumn, ...], cells: dict[str, JSON], origin: Origin) -> DataRow:
    now = database_now()
    return DataRow.objects.create(
        table_id=table.pk, cells=values.text_of(cells), sought=values.sought_of(cells),
        key_digest=values.digest_of(columns, cells), stamp=uuid7(), created_at=now, changed_at=now, by=origin.by,
    )  # fmt: skip


def _write(
    row: DataRow, columns: tuple[TableColumn, ...], cells: dict[str, JSON], by: str, stamp: UUID | None = None
) -> None:
    row.cells, row.sought = values.text_of(cells), values.sought_of(cells)
    digest = values.digest_of(columns, cells)
    others = DataRow.objects.filter(table_id=row.table_id, key_digest=digest).exclude(pk=row.pk)
    if digest is not None and digest != row.key_digest and others.exists():
        raise RowExists(f"There is another row with {_key_words(columns, cells)} already.")
    row.key_digest, row.stamp, row.changed_at, row.by = digest, stamp or uuid7(), database_now(), by
    row.save()


def _key_words(columns: tuple[TableColumn, ...], cells: Mapping[str, JSON]) -> str:
    return ", ".join(f"{column.name} “{_text(cells.get(column.id))}”" for column in columns if column.key)


# --- back -----------------------------------------------------------------------------------------------------------


def _taken_back(origin: Origin, table: DataTable, columns: tuple[TableColumn, ...], made: DataChange) -> _Change:
    if made.what in ("unchanged", "kept", "put_back"):
        return _Change("unchanged", table.pk, None, None)
    assert made.row_id is not None
    row = DataRow.objects.select_for_update().filter(table_id=table.pk, pk=made.row_id).first()
    if made.what == "deleted":
        return _given_back(origin, table, columns, made, row)
    if row is None:
        if made.before is None:
            return _Change("unchanged", table.pk, None, None)
        raise RowChanged("Somebody deleted this row since, so what it was before is not put back. Look at the table.")
    was = _State.of(row)
    if row.stamp == made.stamp_after:
        if made.before is None:
            row.delete()
            return _Change("put_back", table.pk, was, None)
        _write(row, columns, _still(columns, made.before), origin.by, made.stamp_before)
        return _Change("put_back", table.pk, was, row)
    if made.column is None:
        raise RowChanged(
            f"Somebody changed the row {_key_words(columns, values.plain(row.cells))} since, so it stays as it is. "
            "Look at the table and put it right there."
        )
    # What others have added stays: only this step's part goes.
    cells = values.plain(row.cells)
    assert made.amount is not None
    if made.column in {column.id for column in columns}:
        cells[made.column] = _difference(cells.get(made.column), Decimal(made.amount))
        _write(row, columns, cells, origin.by)
    return _Change("put_back", table.pk, was, row, made.column)


def _given_back(
    origin: Origin, table: DataTable, columns: tuple[TableColumn, ...], made: DataChange, row: DataRow | None
) -> _Change:
    """A deleted row comes back."""
    assert made.before is not None
    assert made.row_id is not None
    assert made.stamp_before is not None
    cells = _still(columns, made.before)
    digest = values.digest_of(columns, cells)
    same_key = DataRow.objects.filter(table_id=table.pk, key_digest=digest) if digest else DataRow.objects.none()
    if row is not None or same_key.exists():
        raise RowChanged(
            f"There is a new row with {_key_words(columns, cells)} since, so the old one does not come back."
        )
    now = database_now()
    back = DataRow.objects.create(
        id=made.row_id, table_id=table.pk, cells=values.text_of(cells), sought=values.sought_of(cells),
        key_digest=digest, stamp=made.stamp_before, created_at=made.row_created_at or now, changed_at=now, by=origin.by,
    )  # fmt: skip
    return _Change("put_back", table.pk, None, back)


def _still(columns: tuple[TableColumn, ...], text: str) -> dict[str, JSON]:
    """Earlier cells, of the columns that are still there."""
    there = {column.id for column in columns}
    return {name: value for name, value in values.plain(text).items() if name in there}


# --- sums -----------------------------------------------------------------------------------------------------------


def _sum(held: JSON, added: JSON) -> JSON:
    return _calculated(exact_sum, held, added)


def _difference(held: JSON, taken: Decimal) -> JSON:
    # Whole numbers stay whole.
    plain = int(taken) if taken == taken.to_integral_value() and isinstance(held, int) else taken
    return _calculated(exact_difference, held, plain)


def _calculated(how: Callable[[Any, Any, Meter], Any], left: JSON, right: JSON) -> JSON:
    try:
        found: JSON = how(0 if left is None else left, right, Meter(Limits()))
    except ExpressionError as error:
        raise TableRefused(f"The sum cannot be kept: {error.message}", code="sum_too_long") from error
    return found


def _text(value: JSON) -> str:
    match value:
        case Decimal():
            return number_text(value)
        case bool():
            return "yes" if value else "no"
        case None:
            return ""
        case _:
            return str(value)
