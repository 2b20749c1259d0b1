"""The writer's connection to PostgreSQL.

A batch travels as one binary array a column, built here: the types of the parameters never change with their values,
so each statement is planned once. The connection stays in pipeline mode: what returns nothing is sent and not waited
for until the next result, or `flush`. Joins against the batch always go through the index, in the batch's order, which
also orders the row locks.
"""

from __future__ import annotations

import contextlib
import functools
import re
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper

from runtime.engine.ids import uuid7
from runtime.store.dialect import CLOCK_SQL, ColumnKind, LinkLost, Statement, StoreFault

_SESSION = (
    "SET lock_timeout = '2s'",
    "SET statement_timeout = '15s'",
    # A process that falls asleep inside a transaction holds its runs' rows no longer than their leases.
    "SET idle_in_transaction_session_timeout = '10s'",
    # The batch is the outer side, the table is reached by its index: whatever the statistics of a young table say.
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET jit = off",
    "SET client_encoding = 'UTF8'",
)
# What a COMMIT without an answer is asked by: a row of this connection, in the very transaction, says which one it was.
# The server's own number of a transaction would not do: after a crash it gives the numbers that it lost out again.
_CLOCK = CLOCK_SQL["postgresql"]
_MARK = f"""
    INSERT INTO store_commitmark AS m (link, number, at) VALUES (%s, %s::bigint, {_CLOCK})
    ON CONFLICT (link) DO UPDATE SET number = excluded.number, at = excluded.at
    RETURNING {_CLOCK}"""
_MARKED = "SELECT number FROM store_commitmark WHERE link = %s FOR UPDATE"
_NOT_TOO_LATE = f"SELECT 1 / ({_CLOCK.replace('statement', 'clock')} <= %s::bigint)::int"
_OLD_MARKS = f"DELETE FROM store_commitmark WHERE at < {_CLOCK} - 7 * 86400000"
_ARRAY = {"uuid": (2951, 2950), "int": (1016, 20), "text": (1009, 25), "bytes": (1001, 17)}
_SQL_TYPE = {"uuid": "uuid[]", "int": "bigint[]", "text": "text[]", "bytes": "bytea[]"}
_NULL = b"\xff\xff\xff\xff"
_UUID_SIZE = struct.pack(">i", 16)
_LENGTH = struct.Struct(">i").pack
_INT = struct.Struct(">iq").pack

# Faults of the installation, not of the data: connection, read-only standby, rollback, resources, locks, operator,
# system. An internal error (XX) is not among them: it may be the unit's own, and would stop all others for ever.
_FAULT_CLASSES = {"08", "25", "40", "53", "55", "57", "58"}

_GOES_DOWN = {"57P01", "57P02", "57P03", "57P04"}


class _Array:
    """A whole column in PostgreSQL's binary array format."""

    __slots__ = ("data", "oid")

    def __init__(self, kind: ColumnKind, values: Sequence[Any]) -> None:
        self.oid, element = _ARRAY[kind]
        head = struct.pack(">iiiii", 1, 1, element, len(values), 1)
        match kind:
            case "uuid":
                items = [_NULL if value is None else _UUID_SIZE + value for value in values]
            case "int":
                items = [_NULL if value is None else _INT(8, value) for value in values]
            case "text":
                items = []
                for value in values:
                    if value is None:
                        items.append(_NULL)
                    else:
                        raw = value.encode()
                        items.append(_LENGTH(len(raw)) + raw)
            case "bytes":
                items = [_NULL if value is None else _LENGTH(len(value)) + value for value in values]
        self.data = head + b"".join(items)


class _ArrayDumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: _Array) -> bytes:
        return obj.data


def _dumper(oid: int) -> type[_ArrayDumper]:
    return type(f"_ArrayDumper{oid}", (_ArrayDumper,), {"oid": oid})


class _UuidArray(_Array):
    __slots__ = ()


class _IntArray(_Array):
    __slots__ = ()


class _TextArray(_Array):
    __slots__ = ()


class _BytesArray(_Array):
    __slots__ = ()


_CLASSES: dict[str, type[_Array]] = {"uuid": _UuidArray, "int": _IntArray, "text": _TextArray, "bytes": _BytesArray}


def _register(context: AdaptContext) -> None:
    for kind, cls in _CLASSES.items():
        context.adapters.register_dumper(cls, _dumper(_ARRAY[kind][0]))


class PostgresLink:
    """See `dialect.Link`."""

    vendor = "postgresql"

    def __init__(self, parameters: dict[str, Any]) -> None:
        own = {name: value for name, value in parameters.items() if name not in ("context", "cursor_factory")}
        own["connect_timeout"] = 2
        try:
            self._connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(**own, autocommit=True)
            for statement in _SESSION:
                self._connection.execute(statement)
        except psycopg.Error as error:
            raise LinkLost(str(error)) from error
        self._connection.prepare_threshold = 0
        self._connection.prepared_max = 200
        _register(self._connection)
        self._now = 0
        self._now_at = 0.0
        self._name = uuid7().hex
        self._number = 0
        # Whether the server has not told yet what became of something that was sent.
        self._unheard = False
        # What the server will say of the transaction that was begun last.
        self._begun: psycopg.Cursor[tuple[Any, ...]] | None = None
        self._begun_at = 0.0
        self._pipeline_mode = self._connection.pipeline()
        self._pipeline = self._pipeline_mode.__enter__()

    def begin(self) -> None:
        try:
            if self._number == 0:
                # It must be there to be waited for, should the first transaction be the one without an answer.
                self._connection.execute(_OLD_MARKS, prepare=False)
                self._connection.execute(_MARK, (self._name, 0), prepare=False)
                self._pipeline.sync()
            self._number += 1
            self._connection.execute("BEGIN", prepare=False)
            self._begun = self._connection.execute(_MARK, (self._name, self._number))
            self._unheard = True
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error
        self._begun_at = time.monotonic()

    def commit(self) -> None:
        try:
            self._connection.execute("COMMIT", prepare=False)
            self._pipeline.sync()
        except psycopg.Error as error:
            fault = _classified(error, self._connection)
            if not isinstance(fault, LinkLost):
                # A statement before it had failed: the server has not looked at COMMIT.
                self.rollback()
            if isinstance(error, psycopg.errors.DivisionByZero):
                # Or its clock was put forward: ask for it anew.
                self._now_at = 0.0
                raise StoreFault("it got too late to commit") from error
            raise fault from error

    def rollback(self) -> None:
        self._begun = None
        if self._connection.closed:
            return
        with contextlib.suppress(psycopg.Error):
            self._pipeline.sync()  # after an error, the server listens again from here
        with contextlib.suppress(psycopg.Error):
            self._connection.execute("ROLLBACK", prepare=False)
            self._pipeline.sync()

    def close(self) -> None:
        if not (self._connection.closed or self._connection.broken):
            with contextlib.suppress(psycopg.Error):
                self._pipeline_mode.__exit__(None, None, None)
        with contextlib.suppress(psycopg.Error):
            self._connection.close()

    def key(self, value: UUID) -> bytes:
        return value.bytes

    def unkey(self, value: bytes) -> UUID:
        return UUID(bytes=bytes(value))

    @property
    def far(self) -> PostgresLink:
        return self

    def batch(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if not rows:
            return []
        if statement.returns:
            return self.batch_together(statement, rows)
        self.batch_later(statement, rows)
        return []

    def batch_together(self, statement: Statement, *rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        try:
            cursor = self._send(statement, *rows)
            # A mere flush would bring the rows, too, but leave the session busy in the server's eyes: were this process
            # stopped now, nobody would end its transaction, and its locks would stay.
            self._sync()
            return _rows(cursor)
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error

    def batch_later(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> Callable[[], list[tuple[Any, ...]]]:
        self._unheard = True
        try:
            cursor = self._send(statement, rows)
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error
        return lambda: _rows(cursor)

    def commit_by(self, at_ms: int) -> None:
        self._unheard = True
        try:
            self._connection.execute(_NOT_TOO_LATE, (at_ms,))
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error

    def count(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> int:
        if not rows:
            return 0
        try:
            cursor = self._send(statement, rows)
            self._sync()
            return cursor.rowcount
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            cursor = self._connection.cursor(binary=True).execute(_translated(sql), parameters)
            self._sync()
            return _rows(cursor) if cursor.description is not None else []
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error

    def flush(self) -> None:
        if not self._unheard:
            return
        try:
            self._sync()
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error

    def now(self) -> int:
        self._hear_of_begin()
        if not self._now_at or time.monotonic() - self._now_at > 5:
            self._now = int(self.query("SELECT {now}")[0][0])
            self._now_at = time.monotonic()
        return self._now + int((time.monotonic() - self._now_at) * 1000)

    def transaction_id(self) -> str | None:
        return f"{self._name}:{self._number}"

    def was_committed(self, transaction_id: str) -> bool | None:
        name, _, number = transaction_id.partition(":")
        # The lock waits until the server has made up its mind about a transaction that is still under way.
        rows = self.query(_MARKED, [name])
        return bool(rows) and rows[0][0] == int(number)

    def _hear_of_begin(self) -> None:
        """What the server said when the transaction began; with the results of later statements it is here already."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        try:
            [(self._now,)] = _rows(begun)
        except psycopg.Error as error:
            raise _classified(error, self._connection) from error
        # When it was asked, not when the answer was read: a statement may have waited for a lock in between.
        self._now_at = self._begun_at

    def _sync(self) -> None:
        self._pipeline.sync()
        self._unheard = False

    def _send(self, statement: Statement, *rows: Sequence[tuple[Any, ...]]) -> psycopg.Cursor[tuple[Any, ...]]:
        sql = statement.cache.get("postgresql") or self._render(statement)
        arrays = [
            _CLASSES[kind](kind, values)
            for columns, some in zip(
                (statement.columns, *(columns for _, columns in statement.more)), rows, strict=True
            )
            for (_, kind), values in zip(columns, zip(*some, strict=True), strict=True)
        ]
        return self._connection.cursor(binary=True).execute(sql, arrays)

    @staticmethod
    def _render(statement: Statement) -> str:
        relations = []
        for relation, columns in (("u", statement.columns), *statement.more):
            names = ",".join(name for name, _ in columns)
            types = ",".join(f"%s::{_SQL_TYPE[kind]}" for _, kind in columns)
            relations.append(f"{relation}({names}) AS (SELECT * FROM unnest({types}))")
        sql = f"WITH {', '.join(relations)} {_translated(statement.postgresql or statement.body)}"
        statement.cache["postgresql"] = sql
        return sql


def _rows(cursor: psycopg.Cursor[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What a statement gave back; where that has not come, nothing can be known of this connection any more."""
    try:
        return cursor.fetchall()
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise LinkLost(str(error)) from error
        raise


def _classified(error: psycopg.Error, connection: psycopg.Connection[Any]) -> Exception:
    state = error.sqlstate or ""
    # A server that goes down says so in place of the answers it still owed: what was committed may be among them.
    if connection.closed or connection.broken or state in _GOES_DOWN:
        return LinkLost(str(error))
    if state[:2] in _FAULT_CLASSES or (not state and isinstance(error, psycopg.OperationalError)):
        return StoreFault(str(error))
    return error


@functools.cache
def _translated(sql: str) -> str:
    sql = sql.replace("{now}", CLOCK_SQL["postgresql"]).replace("{skip_locked}", "FOR UPDATE OF r SKIP LOCKED")
    return re.sub(r"\{key:(\w+)\}", r"uuid_send(\1)", sql)
