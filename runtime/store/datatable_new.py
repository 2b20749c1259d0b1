"""New rows of data tables, many at a time, in plain SQL: what thousands of items add in a batch.

Only what is no more than a new row is made here. Whatever was asked before, changes a row, or is to be refused, is left
to `datatable_changes`, which looks at it closely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from runtime.contracts.datatables import TableColumn, TableRefused
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, loads_stored
from runtime.store import datatable_values as values
from runtime.store.commits import Transaction, commit
from runtime.store.datatable_changes import Change, Origin, room_for
from runtime.store.dialect import Link, Statement

__all__ = ["WAIT_SHORTLY", "NewRow", "add"]

#: How long a group of changes waits on a server for rows that somebody else is at. Then they are made one by one: two
#: groups that wait for each other would wait for longer.
WAIT_SHORTLY: Final = "SET LOCAL lock_timeout = '100ms'"


@dataclass(frozen=True, slots=True)
class NewRow:
    """What is to be saved under its key, by column name, in a table that has no such row yet, as far as is known."""

    origin: Origin
    table_id: UUID
    given: Mapping[str, JSON]


_INSERT_ROWS: Final = Statement(
    columns=(
        ("u_id", "uuid"), ("u_table_id", "uuid"), ("u_cells", "text"), ("u_sought", "text"), ("u_key_digest", "text"),
        ("u_stamp", "uuid"), ("u_by", "text"),
    ),
    body="""
    INSERT INTO store_datarow (id, table_id, cells, sought, key_digest, stamp, created_at, changed_at, by)
    SELECT u_id, u_table_id, u_cells, u_sought, u_key_digest, u_stamp, {now}, {now}, u_by FROM u WHERE true""",
)  # fmt: skip
_INSERT_CHANGES: Final = Statement(
    columns=(
        ("u_workspace_id", "uuid"), ("u_key", "text"), ("u_table_id", "uuid"), ("u_row_id", "uuid"),
        ("u_run_id", "uuid"), ("u_node_id", "text"), ("u_generation", "int"), ("u_after", "text"), ("u_stamp", "uuid"),
    ),
    body="""
    INSERT INTO store_datachange (workspace_id, key, table_id, row_id, run_id, node_id, generation, what, after,
        stamp_after, made_at)
    SELECT u_workspace_id, u_key, u_table_id, u_row_id, u_run_id, u_node_id, u_generation, 'added', u_after, u_stamp,
        {now} FROM u WHERE true""",
)  # fmt: skip
#: `?`: an id, given as hexadecimal digits.
_AN_ID: Final = {"postgresql": "CAST(%s AS uuid)", "sqlite": "%s"}
_COLUMNS: Final = "SELECT columns FROM store_datatable WHERE id = ? AND workspace_id = ? AND removed_at IS NULL"
_COUNT: Final = "SELECT count(*) FROM store_datarow WHERE table_id = ?"


def add(link: Link, wanted: Sequence[NewRow]) -> dict[int, Change]:
    """Add these rows; what was done, by their place. Whatever is missing in it has to go the long way.

    Raises StoreFault, and whatever the database does not take: then nothing was added.
    """
    made: dict[int, Change] = {}
    by_table: dict[tuple[UUID, UUID], list[int]] = {}
    for number, one in enumerate(wanted):
        by_table.setdefault((one.origin.workspace_id, one.table_id), []).append(number)
    with commit(*["table.change"] * len(wanted), on=Transaction(link)):
        if link.vendor == "postgresql":
            link.query(WAIT_SHORTLY)
        # In the order of the tables, and of the keys within them: two that add the same do not wait for each other.
        for (workspace_id, table_id), numbers in sorted(by_table.items()):
            made |= _added(link, workspace_id, table_id, {number: wanted[number] for number in numbers})
    return made


def _added(link: Link, workspace_id: UUID, table_id: UUID, wanted: Mapping[int, NewRow]) -> dict[int, Change]:
    share = " FOR SHARE" if link.vendor == "postgresql" else ""
    found = _asked(link, _COLUMNS + share, table_id.hex, workspace_id.hex)
    if not found:
        return {}
    columns = _columns(str(found[0][0]))
    fresh = _fresh(link, workspace_id, table_id, columns, wanted)
    if not fresh:
        return {}
    try:
        room_for(table_id, len(fresh), lambda: int(_asked(link, _COUNT, table_id.hex)[0][0]))
    except TableRefused:
        return {}
    rows: list[tuple[Any, ...]] = []
    changes: list[tuple[Any, ...]] = []
    made: dict[int, Change] = {}
    for number, (digest, cells) in sorted(fresh.items(), key=lambda one: one[1][0] or ""):
        origin, row_id, stamp, text = wanted[number].origin, uuid7(), uuid7(), values.text_of(cells)
        key, table = link.key(row_id), link.key(table_id)
        rows.append((key, table, text, values.sought_of(cells), digest, link.key(stamp), origin.by))
        run = None if origin.run_id is None else link.key(origin.run_id)
        changes.append(
            (link.key(workspace_id), origin.key, table, key, run, origin.node_id, origin.generation, text,
             link.key(stamp))
        )  # fmt: skip
        made[number] = Change("added", row_id, None, values.values_of(columns, cells))
    link.batch(_INSERT_ROWS, rows)
    link.batch(_INSERT_CHANGES, changes)
    return made


def _fresh(
    link: Link, workspace_id: UUID, table_id: UUID, columns: tuple[TableColumn, ...], wanted: Mapping[int, NewRow]
) -> dict[int, tuple[str | None, dict[str, JSON]]]:
    """Those that are neither there nor asked for already, each with the digest of its key and its cells."""
    keys = [one.origin.key for one in wanted.values()]
    known = {
        str(key)
        for (key,) in _asked(
            link, f"SELECT key FROM store_datachange WHERE workspace_id = ? AND key IN ({_marks(keys)})",
            workspace_id.hex, *keys,
        )
    }  # fmt: skip
    fresh: dict[int, tuple[str | None, dict[str, JSON]]] = {}
    digests: set[str] = set()
    for number, one in wanted.items():
        if one.origin.key in known:
            continue
        try:
            cells = values.cells_of(columns, one.given, {})
        except TableRefused:
            # What lacks a cell may be a change of a row that has it.
            continue
        digest = values.digest_of(columns, cells)
        if digest is None or digest not in digests:
            fresh[number] = digest, cells
            digests |= {digest} - {None}  # type: ignore[arg-type]
    if digests:
        there = {
            digest
            for (digest,) in _asked(
                link, f"SELECT key_digest FROM store_datarow WHERE table_id = ? AND key_digest IN ({_marks(digests)})",
                table_id.hex, *digests,
            )
        }  # fmt: skip
        fresh = {number: one for number, one in fresh.items() if one[0] not in there}
    return fresh


def _asked(link: Link, sql: str, *given: Any) -> list[tuple[Any, ...]]:
    return link.query(sql.replace("?", _AN_ID[link.vendor]), given)


def _marks(values: Any) -> str:
    return ",".join(["%s"] * len(values))


@lru_cache(maxsize=256)
def _columns(text: str) -> tuple[TableColumn, ...]:
    stored: Any = loads_stored(text)
    return tuple(TableColumn(**one) for one in stored)
