"""The writer's connection to SQLite.

Rows of a batch are bound to one statement with multi-row VALUES: SQLite then works through all of them without the
interpreter lock, so the event loop runs on meanwhile. Every call into SQLite gives that lock away and must win it back
from the loop, which can take longer than the work itself: so a batch is filled up with empty rows to one of a few
sizes, for which a statement stands prepared, and what a statement returns is asked for in one row (`Statement.asks`).

Most batches are a single call, transaction and all: the rows are inserted into a temporary view, whose trigger does for
each of them what is to be done (`Statement.each`). Such a statement needs no BEGIN and no COMMIT.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
import time
import zlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson

from runtime.store.dialect import CLOCK_SQL, STAMP_SQL, LinkLost, NotWhole, Statement, StoreFault
from runtime.store.turn import Turn

# Below the three seconds that an accepting request may wait (I2).
LOCK_WAIT_MS = 2_000
# Whoever does not wait for a lock waits so long for another thread of this process, whose transaction ends in a moment.
_SHORT_SECONDS = 0.01
# Of 4 KiB; SQLite then moves them as part of the commit.
_LOG_PAGES_AT_MOST = 8_000
# What a batch is filled up to; longer ones are cut.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
# What stands for None. SQLite takes a number that is none for NULL; None itself is first offered to adapters, and that
# nobody adapts it is found out by an exception, which costs more than all else that becomes of a column.
_NULL = float("nan")
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
    far = None

    def __init__(self, parameters: dict[str, Any], *, patient: bool = True) -> None:
        try:
            self._connection = sqlite3.connect(
                parameters["database"],
                timeout=LOCK_WAIT_MS / 1000 if patient else 0,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
                uri=bool(parameters.get("uri", False)),
            )
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "temp_store=MEMORY",
                "cache_size=-16000",
                # `log_mover` moves what was logged into the database file, and others only where it cannot keep up.
                f"wal_autocheckpoint={_LOG_PAGES_AT_MOST if patient else 0}",
                "journal_size_limit=67108864",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise LinkLost(str(error)) from error
        self._cursor = self._connection.cursor()
        #: A transaction was asked for, and nothing needed it yet.
        self._asked_for = False
        self._gathered: list[tuple[Statement, Sequence[tuple[Any, ...]]]] = []
        self._turn = Turn() if patient else Turn(_SHORT_SECONDS)
        self._views: set[str] = set()

    def begin(self) -> None:
        self.rollback()
        self._asked_for = True

    def _enter(self) -> None:
        """Lock the database for the transaction that was asked for, and do what was gathered for it."""
        if not self._asked_for:
            return
        # The next lines would commit what stands open, which can only be what could not be undone.
        if self._connection.in_transaction:
            raise LinkLost("an earlier transaction can neither be committed nor undone")
        self._turn.take()
        try:
            self._connection.executescript("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _classified(error) from error
        self._asked_for = False
        gathered, self._gathered = self._gathered, []
        for statement, rows in gathered:
            self.batch(statement, rows)

    def commit(self) -> None:
        try:
            if self._is_one_call():
                [(statement, rows)] = self._gathered
                self._asked_for, self._gathered = False, []
                self._turn.take()
                self._write(statement, rows)
                return
            self._enter()
            self._connection.commit()
        except sqlite3.Error as error:
            # SQLite tells the truth: after a failed COMMIT the transaction is still open or was undone.
            self.rollback()
            raise StoreFault(str(error)) from error
        except Exception:
            self.rollback()
            raise
        finally:
            self._turn.give_back()

    def _is_one_call(self) -> bool:
        """Whether what was gathered is a transaction by itself, without BEGIN and COMMIT."""
        if len(self._gathered) != 1 or self._connection.in_transaction:
            return False
        return len(self._gathered[0][1]) <= _SIZES[-1]

    def rollback(self) -> None:
        self._asked_for, self._gathered = False, []
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        self._turn.give_back()

    def close(self) -> None:
        self._turn.give_back()
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def key(self, value: UUID) -> str:
        return value.hex

    def unkey(self, value: str) -> UUID:
        return UUID(value)

    def batch_later(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> Callable[[], list[tuple[Any, ...]]]:
        if self._asked_for:
            self._gathered.append((statement, rows))
        else:
            self.batch(statement, rows)
        names = [name for name, _ in statement.columns]
        places = [names.index(name) for name in statement.echoes]
        return lambda: [tuple(row[place] for place in places) for row in rows]

    def batch(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        self._enter()
        result: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), _SIZES[-1]):
            some = rows[start : start + _SIZES[-1]]
            if statement.asks is None:
                result += self._write(statement, some)
            elif answer := self._ask(statement, statement.asks, some):
                self._write(statement, some)
                result += answer
        return result

    def count(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> int:
        before = self._connection.total_changes
        self.batch(statement, rows)
        return self._connection.total_changes - before

    def _ask(self, statement: Statement, asks: Statement, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        places = _places(statement, asks)
        [[answer]] = self._write(asks, [places(row) for row in rows])
        return [tuple(row) for row in orjson.loads(answer)]

    def _write(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if statement.each:
            self._see_to_view(statement)
        size = _SIZES[bisect_left(_SIZES, len(rows))]
        sql = statement.cache.get(size) or self._render(statement, size)
        parameters = [_NULL if value is None else value for value in chain.from_iterable(rows)]
        parameters += (_NULL,) * (len(statement.columns) * (size - len(rows)))
        if statement.returns and statement.asks is None and not statement.each:
            return self._run(sql, parameters)
        try:
            # The same as `execute`, but that it does not ask for the number of the last row.
            self._cursor.executemany(sql, (parameters,))
        except sqlite3.Error as error:
            raise _classified(error) from error
        return []

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._enter()
        return self._run(_translated(sql), parameters)

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def told_now(self) -> int:
        return self.now()

    def transaction_id(self) -> str | None:
        return None

    def was_committed(self, transaction_id: str) -> bool | None:
        return False

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._cursor.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _classified(error) from error

    def _see_to_view(self, statement: Statement) -> None:
        """Make the view whose rows are carried out one by one, unless this connection has it."""
        view = _name_of_view(statement)
        if view in self._views:
            return
        columns = ",".join(name for name, _ in statement.columns)
        empty = ",".join(["NULL"] * len(statement.columns))
        steps = ";".join(_for_one_row(body) for body in statement.each)
        try:
            self._cursor.execute(f"CREATE TEMP VIEW IF NOT EXISTS {view} ({columns}) AS SELECT {empty}")
            self._cursor.execute(
                f"CREATE TEMP TRIGGER IF NOT EXISTS {view}_each INSTEAD OF INSERT ON {view} BEGIN {steps}; END"
            )
        except sqlite3.Error as error:
            raise _classified(error) from error
        if not self._connection.in_transaction:
            # Otherwise a rollback would take it away again.
            self._views.add(view)

    @staticmethod
    def _render(statement: Statement, size: int) -> str:
        names = [name for name, _ in statement.columns]
        row = f"({','.join('?' * len(names))})"
        named = ",".join(f"column{number} AS {name}" for number, name in enumerate(names, 1))
        batch = f"(SELECT {named} FROM (VALUES {','.join([row] * size)}) WHERE column1 IS NOT NULL)"
        body = statement.body.strip()
        if statement.each:
            statement.cache[size] = sql = f"INSERT INTO {_name_of_view(statement)} SELECT * FROM {batch}"
            return sql
        if statement.asks is not None:
            body = body[: body.index("RETURNING")]
        if statement.returns and statement.asks is None:
            sql = f"WITH u AS {batch} {_translated(body)}"
        else:
            # The driver takes a statement for one that writes by its first word.
            sql = re.sub(r"\bFROM u\b", f"FROM {batch} AS u", _translated(body))
        statement.cache[size] = sql
        return sql


def _name_of_view(statement: Statement) -> str:
    return statement.cache.setdefault("view", f"each_{zlib.crc32(''.join(statement.each).encode()):08x}")


def _for_one_row(body: str) -> str:
    """A statement over the batch as a trigger says it: of the row at hand, and without a name for the table."""
    found = re.search(r"(?:INTO|UPDATE)\s+\w+( AS (\w+))", body)
    if found is not None:
        body = re.sub(rf"\b{found[2]}\.", "", body.replace(found[1], "", 1))
    return re.sub(r"\b([uv]_\w+)", r"NEW.\1", _translated(body))


def _classified(error: sqlite3.Error) -> Exception:
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_TRIGGER and "not whole" in str(error):
        return NotWhole(str(error))
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _FAULTS:
        return StoreFault(str(error))
    return error


@functools.cache
def _places(statement: Statement, asks: Statement) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Picks the columns that the question needs."""
    names = [name for name, _ in statement.columns]
    return itemgetter(*(names.index(name) for name, _ in asks.columns))


@functools.cache
def _translated(sql: str) -> str:
    sql = sql.replace("{now}", CLOCK_SQL["sqlite"]).replace("{stamp}", STAMP_SQL["sqlite"])
    sql = sql.replace("{skip_locked}", "").replace("%s", "?")
    return re.sub(r"\{key:(\w+)\}", r"\1", sql)
