"""Many rows at once: a page of a file in one transaction, with what became of it under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError

from runtime.contracts.datatables import IfThere, RowRefused, TableColumn, TableRefused
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, dumps, loads_stored
from runtime.store import datatable_values as values
from runtime.store import datatables
from runtime.store.beside import unchanged
from runtime.store.commits import commit
from runtime.store.datatable_changes import Origin, room_for
from runtime.store.datatable_models import DataChange, DataRow
from runtime.store.dialect import database_now

__all__ = ["PAGE", "Counts", "take_in"]

PAGE: Final = 500
_TRIES: Final = 20
_MOST_REASONS: Final = 100


@dataclass(slots=True)
class Counts:
    """What became of the rows of a file. `reasons`: of the first ones that were refused."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    reasons: list[RowRefused] = field(default_factory=list)

    def plus(self, other: Counts) -> None:
        """Count those of another page too."""
        self.added += other.added
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.refused += other.refused
        self.reasons = [*self.reasons, *other.reasons][:_MOST_REASONS]

    def refuse(self, row: int, reason: str) -> None:
        self.refused += 1
        if len(self.reasons) < _MOST_REASONS:
            self.reasons.append(RowRefused(row, reason))


def take_in(
    origin: Origin, table_id: UUID, page: Sequence[tuple[int, Mapping[str, JSON]]], if_there: IfThere
) -> Counts:
    """Save these rows (number in the file, values by column), each for itself, in the order of the file.

    The same key is the same page: what became of it is told, and nothing is done. Raises TableMissing, and TableRefused
    where the table is full.
    """
    assert origin.key is not None
    for turn in range(_TRIES):
        try:
            with commit("table.change"):
                known = DataChange.objects.filter(workspace_id=origin.workspace_id, key=origin.key).first()
                if known is not None:
                    unchanged()
                    return _told(known)
                counts = _Page(origin, table_id, if_there).save(page)
                _keep(origin, table_id, counts)
                return counts
        except IntegrityError:
            # Somebody added one of these rows at this moment: now it is there.
            if turn == _TRIES - 1:
                raise
    raise AssertionError


class _Page:
    """The rows of one page: those that are there are read at once, and written at once."""

    def __init__(self, origin: Origin, table_id: UUID, if_there: IfThere) -> None:
        table = datatables.held(origin.workspace_id, table_id)
        self._table_id, self._by, self._if_there = table_id, origin.by, if_there
        self._columns = datatables.columns_of(table)
        self._keys: tuple[TableColumn, ...] = tuple(column for column in self._columns if column.key)
        self._there: dict[str, DataRow] = {}
        self._new: list[DataRow] = []
        self._changed: dict[UUID, DataRow] = {}
        self._now = database_now()

    def save(self, page: Sequence[tuple[int, Mapping[str, JSON]]]) -> Counts:
        counts = Counts()
        given: list[tuple[int, str | None, Mapping[str, JSON]]] = []
        for number, row in page:
            try:
                given.append((number, self._digest(row), row))
            except TableRefused as refused:
                counts.refuse(number, refused.message)
        wanted = {digest for _, digest, _ in given if digest is not None}
        there = (
            DataRow.objects.select_for_update().filter(table_id=self._table_id, key_digest__in=wanted).order_by("pk")
        )
        self._there = {str(row.key_digest): row for row in there}
        for number, digest, row in given:
            try:
                self._take(counts, digest, row)
            except TableRefused as refused:
                counts.refuse(number, refused.message)
        if self._new:
            room_for(self._table_id, len(self._new))
        DataRow.objects.bulk_create(self._new)
        DataRow.objects.bulk_update(
            self._changed.values(), ["cells", "sought", "stamp", "changed_at", "by"], batch_size=100
        )
        return counts

    def _digest(self, row: Mapping[str, JSON]) -> str | None:
        cells = {column.id: values.typed(column, row.get(column.name)) for column in self._keys}
        empty = [column.name for column in self._keys if cells[column.id] is None]
        if empty:
            raise TableRefused(f"The column “{empty[0]}” must be filled in.", code="value_missing")
        return values.digest_of(self._columns, cells)

    def _take(self, counts: Counts, digest: str | None, row: Mapping[str, JSON]) -> None:
        found = None if digest is None else self._there.get(digest)
        if found is None:
            self._add(digest, values.cells_of(self._columns, row, {}))
            counts.added += 1
            return
        if self._if_there == "fail":
            shown = ", ".join(f"{column.name} “{row.get(column.name)}”" for column in self._keys)
            raise TableRefused(f"There is a row with {shown} already.", code="row_exists")
        cells = values.cells_of(self._columns, row, values.plain(found.cells))
        if self._if_there == "keep" or values.text_of(cells) == found.cells:
            counts.unchanged += 1
            return
        self._write(found, cells)
        if not found._state.adding:
            self._changed[found.pk] = found
        counts.changed += 1

    def _add(self, digest: str | None, cells: dict[str, JSON]) -> None:
        row = DataRow(table_id=self._table_id, key_digest=digest, created_at=self._now)
        self._write(row, cells)
        self._new.append(row)
        if digest is not None:
            self._there[digest] = row

    def _write(self, row: DataRow, cells: dict[str, JSON]) -> None:
        row.cells, row.sought = values.text_of(cells), values.sought_of(cells)
        row.stamp, row.changed_at, row.by = uuid7(), self._now, self._by


def _keep(origin: Origin, table_id: UUID, counts: Counts) -> None:
    assert origin.key is not None
    told = {
        "added": counts.added, "changed": counts.changed, "unchanged": counts.unchanged, "refused": counts.refused,
        "reasons": [[one.row, one.reason] for one in counts.reasons],
    }  # fmt: skip
    DataChange.objects.create(
        workspace_id=origin.workspace_id, key=origin.key, table_id=table_id, what="imported", counts=dumps(told),
        made_at=database_now(),
    )  # fmt: skip


def _told(known: DataChange) -> Counts:
    told: Any = loads_stored(known.counts or "{}")
    return Counts(**{**told, "reasons": [RowRefused(row, reason) for row, reason in told["reasons"]]})
