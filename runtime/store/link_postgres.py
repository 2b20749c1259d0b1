"""The writer's connection to PostgreSQL.

A batch travels as one binary array a column, built here: the types of the parameters never change with their values,
so each statement is planned once. Joins against the batch always go through the index, in the batch's order, which also
orders the row locks.

Statements are gathered, and leave together when somebody wants to know what came of one. So a process that is stopped
leaves the server with half a transaction only if that happens while it sends; and the writer's thread lets go of the
interpreter once a journey, not at each call, which is most of what a batch used to wait for. That is why libpq is
spoken to directly here (`psycopg.pq`); psycopg itself opens connections, tells errors apart and reads values.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import select
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer

from runtime.engine.ids import uuid7
from runtime.store.dialect import (
    CLOCK_SQL,
    SILENCE_SECONDS,
    STAMP_SQL,
    ColumnKind,
    LinkLost,
    NotWhole,
    Statement,
    StoreFault,
)

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
    INSERT INTO store_commitmark AS m (link, number, at) VALUES ($1, $2, {_CLOCK})
    ON CONFLICT (link) DO UPDATE SET number = excluded.number, at = excluded.at
    RETURNING {_CLOCK}"""
_MARKED = "SELECT number FROM store_commitmark WHERE link = %s FOR UPDATE"
_NOT_TOO_LATE = f"SELECT 1 / ({_CLOCK.replace('statement', 'clock')} <= $1)::int"
_OLD_MARKS = f"DELETE FROM store_commitmark WHERE at < {_CLOCK} - 7 * 86400000"

_TEXT: Final = 25
_BIGINT: Final = 20
_ARRAY: Final[dict[ColumnKind, tuple[int, int]]] = {
    "uuid": (2951, 2950),
    "int": (1016, _BIGINT),
    "text": (1009, _TEXT),
    "bytes": (1001, 17),
}
_SQL_TYPE = {"uuid": "uuid[]", "int": "bigint[]", "text": "text[]", "bytes": "bytea[]"}
_NULL = b"\xff\xff\xff\xff"
_UUID_SIZE = struct.pack(">i", 16)
_HEAD = struct.Struct(">iiiii").pack
_LENGTH = struct.Struct(">i").pack
_INT = struct.Struct(">iq").pack
_LONG = struct.Struct(">q").pack
_BINARY: Final = pq.Format.BINARY

# What leaves at one go; of more, COMMIT is sent only when all else has been answered, and no event loop sends it.
_PACKET: Final = 60_000
# For how long its clock is believed to be known, and how old the answer may be that tells it.
_CLOCK_SECONDS: Final = 5.0
_PROMPT_SECONDS: Final = 1.0

# Faults of the installation, not of the data: connection, read-only standby, rollback, resources, locks, operator,
# system. An internal error (XX) is not among them: it may be the unit's own, and would stop all others for ever.
_FAULT_CLASSES = {"08", "25", "40", "53", "55", "57", "58"}
_GOES_DOWN = {"57P01", "57P02", "57P03", "57P04"}

_FAILED: Final = pq.ExecStatus.FATAL_ERROR
_PASSED_OVER: Final = pq.ExecStatus.PIPELINE_ABORTED
_END: Final = pq.ExecStatus.PIPELINE_SYNC


class _Errand:
    """A statement to be sent, and what the server said of it."""

    __slots__ = ("formats", "oids", "otherwise", "parameters", "prepares", "result", "sql")

    def __init__(
        self,
        sql: str,
        parameters: Sequence[bytes | None] = (),
        oids: Sequence[int] = (),
        *,
        formats: Sequence[pq.Format] | None = None,
        otherwise: type[StoreFault] | None = None,
        prepares: bool = False,
    ) -> None:
        self.sql = sql
        self.parameters = parameters
        self.oids = oids
        #: How the parameters of a statement are written that is run as it stands; None for those that are prepared.
        self.formats = formats
        #: What is raised where the statement divided by zero, which is how it says that a condition does not hold.
        self.otherwise = otherwise
        #: It only prepares a statement for those that follow.
        self.prepares = prepares
        self.result: pq.abc.PGresult | None = None


class TooLate(StoreFault):
    """The database's clock is past the moment by which the transaction had to be committed."""


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
            if self._connection.info.server_version >= 170000:
                # Also one that falls asleep while it sends: libpq sends every 8 KiB, and until a Sync has come the
                # server takes the session for busy.
                self._connection.execute("SET transaction_timeout = '25s'")
            self._pq = self._connection.pgconn
            self._pq.nonblocking = 1
            self._pq.enter_pipeline_mode()
        except psycopg.Error as error:
            raise LinkLost(str(error)) from error
        self._answers = select.poll()
        self._socket = self._pq.socket
        self._answers.register(self._socket, select.POLLIN)
        #: What has not left yet.
        self._gathered: list[_Errand] = []
        #: What the server has not answered yet, in the order in which it will, and how much of that it has.
        self._owed: list[_Errand] = []
        self._heard = 0
        #: What is prepared, and under which name.
        self._names: dict[str, bytes] = {}
        self._statements = 0
        self._reader = Transformer(self._connection)
        self._open = False
        self._now = 0
        self._now_at = 0.0
        self._name = uuid7().hex
        self._number = 0
        # What the server will say of the transaction that was begun last.
        self._begun: _Errand | None = None
        self._begun_at = 0.0

    def prepare(self) -> None:
        if self._number == 0:
            # It must be there to be waited for, should the first transaction be the one without an answer.
            self._gathered += [_Errand(_OLD_MARKS), self._mark()]
            self._hear()
            self._number = 1

    def begin(self) -> None:
        self.prepare()
        self._number += 1
        self._begun = self._mark()
        self._gathered += [_Errand("BEGIN"), self._begun]

    def commit(self) -> None:
        try:
            if not self._fits:
                # Were this process stopped in between, the server would wait for the rest, with all locks held.
                self._hear()
            self._gathered.append(_Errand("COMMIT"))
            self._hear()
        except LinkLost:
            raise
        except Exception:
            # A statement before it had failed: the server has not looked at COMMIT.
            self.rollback()
            raise
        self._open = False

    def leave(self) -> bool:
        if not self._fits:
            return False
        errands, self._gathered = [*self._gathered, _Errand("COMMIT")], []
        self._depart(errands)
        return True

    def retreat(self) -> None:
        self._begun = None
        self._depart([_Errand("ROLLBACK")])

    def arrived(self) -> bool:
        try:
            self._pq.consume_input()
            # Where nothing is owed it was news for everybody, such as a setting that was reloaded.
            if self._owed and not self._has_answered():
                return False
        except psycopg.Error as error:
            raise LinkLost(str(error)) from error
        self._conclude()
        self._open = False
        return True

    def wait(self, seconds: float) -> None:
        self._wait(select.POLLIN, int(seconds * 1000))

    def fileno(self) -> int:
        return self._socket

    def _depart(self, errands: list[_Errand]) -> None:
        try:
            self._send(errands)
        except psycopg.Error as error:
            raise LinkLost(str(error)) from error

    @property
    def _fits(self) -> bool:
        """Whether what was gathered leaves in one packet."""
        return sum(len(value) for errand in self._gathered for value in errand.parameters if value) <= _PACKET

    def rollback(self) -> None:
        self._begun = None
        self._gathered = []
        if self._open and not self._connection.closed:
            self._gathered = [_Errand("ROLLBACK")]
            with contextlib.suppress(Exception):
                self._hear()
        self._open = False

    def close(self) -> None:
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
        rows_of = self.batch_later(statement, rows)
        if not statement.returns:
            return []
        self._hear()
        return rows_of()

    def batch_later(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> Callable[[], list[tuple[Any, ...]]]:
        sql = statement.cache.get("postgresql") or self._render(statement)
        arrays = [
            _array(kind, values) for (_, kind), values in zip(statement.columns, zip(*rows, strict=True), strict=True)
        ]
        oids = [_ARRAY[kind][0] for _, kind in statement.columns]
        errand = _Errand(sql, arrays, oids, otherwise=NotWhole if statement.whole else None)
        self._gathered.append(errand)
        return lambda: self._rows(errand)

    def commit_by(self, at_ms: int) -> None:
        self._gathered.append(_Errand(_NOT_TOO_LATE, [_LONG(at_ms)], [_BIGINT], otherwise=TooLate))

    def count(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> int:
        if not rows:
            return 0
        self.batch_later(statement, rows)
        errand = self._gathered[-1]
        self._hear()
        return 0 if errand.result is None else errand.result.command_tuples or 0

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        transformer = Transformer(self._connection)
        values = transformer.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        raw = [None if value is None else bytes(value) for value in values]
        errand = _Errand(_translated(sql), raw, transformer.types or (), formats=transformer.formats or ())
        self._gathered.append(errand)
        self._hear()
        return self._rows(errand)

    def now(self) -> int:
        known = self.told_now()
        if known is None:
            self._now = known = int(self.query("SELECT {now}")[0][0])
            self._now_at = time.monotonic()
        return known

    def told_now(self) -> int | None:
        self._hear_of_begin()
        passed = time.monotonic() - self._now_at
        return self._now + int(passed * 1000) if self._now_at and passed <= _CLOCK_SECONDS else None

    def transaction_id(self) -> str | None:
        return f"{self._name}:{self._number}"

    def was_committed(self, transaction_id: str) -> bool | None:
        name, _, number = transaction_id.partition(":")
        # The lock waits until the server has made up its mind about a transaction that is still under way.
        rows = self.query(_MARKED, [name])
        return bool(rows) and rows[0][0] == int(number)

    def _mark(self) -> _Errand:
        return _Errand(_MARK, [self._name.encode(), _LONG(self._number)], [_TEXT, _BIGINT])

    def _hear_of_begin(self) -> None:
        """The clock, as the server told it when the transaction began."""
        if self._begun is not None and self._begun.result is not None:
            begun, self._begun = self._begun, None
            if time.monotonic() - self._begun_at > _PROMPT_SECONDS:
                return  # who knows when the server heard of it
            [(self._now,)] = self._rows(begun)
            # When it was asked, not when the answer was read: a statement may have waited for a lock in between.
            self._now_at = self._begun_at

    # --- one journey ----------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Send what was gathered, hear what the server says of all of it, and raise the first thing that went wrong."""
        errands, self._gathered = self._gathered, []
        if not errands:
            return
        try:
            self._send(errands)
            while not self._has_answered():
                self._wait(select.POLLIN)
                self._pq.consume_input()
        except psycopg.Error as error:
            raise LinkLost(str(error)) from error
        self._conclude()

    def _conclude(self) -> None:
        """Raise the first thing that went wrong."""
        owed, self._owed = self._owed, []
        refused = [
            errand for errand in owed if errand.result is None or errand.result.status in (_FAILED, _PASSED_OVER)
        ]
        for errand in refused:
            if errand.prepares:
                self._names.pop(errand.sql, None)
        if refused:
            raise self._meaning(refused[0])

    def _send(self, errands: Sequence[_Errand]) -> None:
        """Send these, and what has to be prepared for them."""
        libpq = self._pq
        owed: list[_Errand] = []
        self._owed, self._heard = owed, 0
        for errand in errands:
            sql, values = errand.sql, errand.parameters
            if errand.formats is not None:
                libpq.send_query_params(sql.encode(), values, errand.oids, errand.formats, _BINARY)
            else:
                name = self._names.get(sql)
                if name is None:
                    self._statements += 1
                    name = self._names[sql] = b"m%d" % self._statements
                    libpq.send_prepare(name, sql.encode(), errand.oids)
                    owed.append(_Errand(sql, prepares=True))
                libpq.send_query_prepared(name, values, [_BINARY] * len(values), _BINARY)
            if sql == "BEGIN":
                self._open, self._begun_at = True, time.monotonic()
            owed.append(errand)
        libpq.pipeline_sync()
        while libpq.flush():
            self._wait(select.POLLIN | select.POLLOUT)
            libpq.consume_input()

    def _has_answered(self) -> bool:
        """Take in what has come; whether that is all the server had to say. Raises LinkLost when it says no more."""
        libpq, owed = self._pq, self._owed
        while not libpq.is_busy():
            result = libpq.get_result()
            if result is None:
                self._heard += 1
            elif result.status == _END:
                if self._heard != len(owed):
                    raise LinkLost("the server did not answer every statement")
                return True
            elif self._heard < len(owed):
                owed[self._heard].result = result
            if self._heard > len(owed):
                raise LinkLost("the server ended the connection")
        return False

    def _wait(self, events: int, milliseconds: int = int(SILENCE_SECONDS * 1000)) -> None:
        self._answers.modify(self._socket, events)
        if not self._answers.poll(milliseconds):
            self.close()
            raise LinkLost("the server has fallen silent")

    def _meaning(self, errand: _Errand) -> Exception:
        if errand.result is None:
            return LinkLost("the server did not answer every statement")
        error = errors.error_from_result(errand.result, encoding="utf-8")
        if errand.otherwise is not None and isinstance(error, errors.DivisionByZero):
            if errand.otherwise is TooLate:
                # Or its clock was put forward: ask for it anew.
                self._now_at = 0.0
            return errand.otherwise(str(errand.otherwise.__doc__))
        return _classified(error, self._connection)

    def _rows(self, errand: _Errand) -> list[tuple[Any, ...]]:
        """What a statement gave back; where that has not come, nothing can be known of this connection any more."""
        result = errand.result
        if result is None:
            raise LinkLost("there is no answer")
        if result.status != pq.ExecStatus.TUPLES_OK:
            return []
        self._reader.set_pgresult(result, set_loaders=True, format=_BINARY)
        return self._reader.load_rows(0, result.ntuples, tuple)

    @staticmethod
    def _render(statement: Statement) -> str:
        names = ",".join(name for name, _ in statement.columns)
        types = ",".join(f"${place}::{_SQL_TYPE[kind]}" for place, (_, kind) in enumerate(statement.columns, 1))
        body = _translated(statement.postgresql or statement.body)
        sql = f"WITH u({names}) AS (SELECT * FROM unnest({types})) {body}"
        statement.cache["postgresql"] = sql
        return sql


def _array(kind: ColumnKind, values: Sequence[Any]) -> bytes:
    """A whole column in PostgreSQL's binary array format."""
    if values.count(None) == len(values):
        return _nothing(kind, len(values))
    match kind:
        case "uuid":
            items = [_NULL if value is None else _UUID_SIZE + value for value in values]
        case "int":
            items = [_NULL if value is None else _INT(8, value) for value in values]
        case "text":
            items = [_NULL if value is None else value.encode() for value in values]
            items = [raw if raw is _NULL else _LENGTH(len(raw)) + raw for raw in items]
        case "bytes":
            items = [_NULL if value is None else _LENGTH(len(value)) + value for value in values]
    return _HEAD(1, 1, _ARRAY[kind][1], len(values), 1) + b"".join(items)


@functools.lru_cache(maxsize=4096)
def _nothing(kind: ColumnKind, count: int) -> bytes:
    """A column of which no row has a value."""
    return _HEAD(1, 1, _ARRAY[kind][1], count, 1) + _NULL * count


def _classified(error: psycopg.Error, connection: psycopg.Connection[Any]) -> Exception:
    state = error.sqlstate or ""
    # A server that goes down says so in place of the answers it still owed: what was committed may be among them.
    if connection.closed or state in _GOES_DOWN:
        return LinkLost(str(error))
    if state[:2] in _FAULT_CLASSES or (not state and isinstance(error, psycopg.OperationalError)):
        return StoreFault(str(error))
    return error


@functools.cache
def _translated(sql: str) -> str:
    sql = sql.replace("{now}", CLOCK_SQL["postgresql"]).replace("{stamp}", STAMP_SQL["postgresql"])
    sql = sql.replace("{skip_locked}", "FOR UPDATE OF r SKIP LOCKED")
    place = itertools.count(1)
    sql = re.sub("%s", lambda _: f"${next(place)}", sql)
    return re.sub(r"\{key:(\w+)\}", r"uuid_send(\1)", sql)
