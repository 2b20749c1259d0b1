"""The writer's connection to SQLite.

Rows of a batch are bound to one statement with multi-row VALUES: SQLite then works through all of them without the
interpreter lock, so the event loop runs on meanwhile. Batches are cut into powers of two, so that a handful of
prepared statements serves every size.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
import time
from collections.abc import Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from runtime.store.dialect import CLOCK_SQL, LinkLost, Statement, StoreFault

# Below the three seconds that an accepting request may wait (I2).
LOCK_WAIT_MS = 2_000
_MOST_ROWS = 64
# Faults of the installation, not of the data: busy, out of memory, read-only, interrupted, disk, full, no file.
_FAULTS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class SqliteLink:
    """See `dialect.Link`."""

    vendor = "sqlite"

    def __init__(self, parameters: dict[str, Any]) -> None:
        try:
            self._connection = sqlite3.connect(
                parameters["database"],
                timeout=LOCK_WAIT_MS / 1000,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
                uri=bool(parameters.get("uri", False)),
            )
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "temp_store=MEMORY",
                "cache_size=-16000",
                "wal_autocheckpoint=4000",
                "journal_size_limit=67108864",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise LinkLost(str(error)) from error
        self._cursor = self._connection.cursor()

    def begin(self) -> None:
        self.query("BEGIN IMMEDIATE")

    def commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # SQLite tells the truth: after a failed COMMIT the transaction is still open or was undone.
            self.rollback()
            raise StoreFault(str(error)) from error

    def rollback(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def key(self, value: UUID) -> str:
        return value.hex

    def unkey(self, value: str) -> UUID:
        return UUID(value)

    def batch(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        result: list[tuple[Any, ...]] = []
        start, left = 0, len(rows)
        while left:
            size = min(_MOST_ROWS, 1 << (left.bit_length() - 1))
            sql = statement.cache.get(size) or self._render(statement, size)
            result += self._run(sql, tuple(chain.from_iterable(rows[start : start + size])))
            start += size
            left -= size
        return result

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._run(_translated(sql), parameters)

    def flush(self) -> None:
        return None

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def transaction_id(self) -> str | None:
        return None

    def was_committed(self, transaction_id: str) -> bool | None:
        return False

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._cursor.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _FAULTS:
                raise StoreFault(str(error)) from error
            raise

    @staticmethod
    def _render(statement: Statement, size: int) -> str:
        names = [name for name, _ in statement.columns]
        row = f"({','.join('?' * len(names))})"
        body = _translated(statement.body)
        sql = f"WITH u({','.join(names)}) AS (VALUES {','.join([row] * size)}) {body}"
        statement.cache[size] = sql
        return sql


@functools.cache
def _translated(sql: str) -> str:
    sql = sql.replace("{now}", CLOCK_SQL["sqlite"]).replace("{skip_locked}", "").replace("%s", "?")
    return re.sub(r"\{key:(\w+)\}", r"\1", sql)
