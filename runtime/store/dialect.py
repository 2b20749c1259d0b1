"""What differs between PostgreSQL and SQLite, and nothing else.

The hot path speaks plain SQL over a `Link`: one dedicated connection with explicit transactions. Statements are
written once (`Statement`) and rendered for either database: a batch of rows arrives as the relation `u`, built from
`unnest` arrays on PostgreSQL and from multi-row VALUES on SQLite, so each statement is one call however many rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from django.db import connections

__all__ = [
    "CLOCK_SQL",
    "NOTHING_IS_NOT_WHOLE",
    "SILENCE_SECONDS",
    "STAMP_SQL",
    "ColumnKind",
    "FarLink",
    "Link",
    "LinkLost",
    "NotWhole",
    "Statement",
    "StoreFault",
    "database_bytes",
    "database_now",
    "durability_problems",
    "open_link",
    "queue_up",
    "vendor_of",
]

ColumnKind = Literal["uuid", "int", "text", "bytes"]

# Milliseconds since the epoch by the database's clock, as an SQL expression.
CLOCK_SQL = {
    "postgresql": "(extract(epoch FROM statement_timestamp()) * 1000)::bigint",
    "sqlite": "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
}
# Numbers the transaction that writes a row, as an SQL expression: so figures count each row once (`store.figures`).
# PostgreSQL has a number for each, and says below which all have ended. SQLite has one writer at a time: there it is
# how far was counted when the row came.
STAMP_SQL = {
    "postgresql": "(COALESCE((SELECT base FROM store_figuremark WHERE id = 1), 0)"
    " + CAST(CAST(pg_current_xact_id() AS text) AS bigint))",
    "sqlite": "COALESCE((SELECT upto FROM store_figuremark WHERE id = 1), 0)",
}

#: A server that says nothing for longer than its own time-outs allow is gone, whatever the network believes.
SILENCE_SECONDS: Final = 60.0

NOTHING_IS_NOT_WHOLE: Final = "SELECT RAISE(ABORT, 'not whole') WHERE changes() = 0"


class StoreFault(Exception):
    """The database could not do its work just now (locked, full, restarting, deadlock): try again (I19)."""


class LinkLost(StoreFault):
    """The connection is gone. If that happened inside COMMIT, nobody knows yet whether it took place (F25)."""


class NotWhole(StoreFault):
    """Not every row of a statement that goes all or nothing could be written: look which, with one that does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """SQL over a batch of rows, the relation `u`.

    `{now}` is the database's clock (one instant a statement), `{stamp}` numbers its transaction, `{key:column}` is a
    UUID column in the form that `Link.key` gives, `{skip_locked}` locks the rows of `r` that nobody else has.
    `returns` says whether rows come back.
    """

    columns: tuple[tuple[str, ColumnKind], ...]
    body: str
    returns: bool = False
    # Another body for PostgreSQL, where the common one would be planned badly.
    postgresql: str = ""
    # For SQLite: what the body is going to return, as one JSON list of lists, asked for just before it is run. In a
    # transaction that began by locking the database nobody comes between the two.
    asks: Statement | None = None
    # For PostgreSQL: divides by zero unless it wrote every row of `u`; raised as NotWhole.
    whole: bool = False
    # For SQLite: what is to be done for each row of `u`, in one call however many statements that takes. Nothing is
    # done at all, and NotWhole raised, where `NOTHING_IS_NOT_WHOLE` stands behind a statement that wrote nothing.
    each: tuple[str, ...] = ()
    # The columns of `u` that it then gives back, as `returns` would.
    echoes: tuple[str, ...] = ()
    cache: dict[object, str] = field(default_factory=dict, compare=False, repr=False)


class Link(Protocol):
    """One open connection. Not thread-safe: it belongs to the writer's thread."""

    vendor: str

    @property
    def far(self) -> FarLink | None:
        """This link, where it leads to a server."""
        ...

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...

    def key(self, value: UUID) -> Any:
        """A UUID in the form that parameters take and results give."""
        ...

    def unkey(self, value: Any) -> UUID:
        """The UUID of a key."""
        ...

    def batch(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Run a statement over these rows; whatever it returns, in no particular order."""
        ...

    def batch_later(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> Callable[[], list[tuple[Any, ...]]]:
        """Like `batch`, not later than with `commit`; what it returned may be asked for behind that. To a server it
        saves a journey, and on SQLite it makes a whole transaction one call."""
        ...

    def count(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run a statement that returns nothing over these rows; how many rows of the table it wrote."""
        ...

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run any SQL (parameters as `%s`; UUIDs as keys)."""
        ...

    def now(self) -> int:
        """The database's clock in milliseconds, as of this transaction or a moment ago."""
        ...

    def told_now(self) -> int | None:
        """The same, if it is known without asking."""
        ...

    def transaction_id(self) -> str | None:
        """What the database calls the transaction begun last, where a lost answer to COMMIT is possible."""
        ...

    def was_committed(self, transaction_id: str) -> bool | None:
        """Asked on a new link about the transaction of a lost one (F25); None while the server is still at it."""
        ...


class FarLink(Link, Protocol):
    """A link to a server that goes on by itself.

    `leave` and `arrived` are `commit` for somebody who does not wait, but watches `fileno`.
    """

    def prepare(self) -> None:
        """Do now what the first transaction would wait for."""
        ...

    def fileno(self) -> int:
        """What becomes readable when the server says something."""
        ...

    def leave(self) -> bool:
        """Send the transaction, its COMMIT with it. False, and nothing sent, where that takes more than one packet."""
        ...

    def arrived(self) -> bool:
        """Read what the server has said; whether the transaction is committed. Raises as `commit` does; what was open
        then stays so until `retreat`."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until the server says something. Raises LinkLost when it does not within this time."""
        ...

    def retreat(self) -> None:
        """Send a ROLLBACK, whose answer `arrived` reads too."""
        ...

    def commit_by(self, at_ms: int) -> None:
        """Let `commit` raise StoreFault when the database's clock is past this by then."""
        ...


def vendor_of(alias: str = "default") -> str:
    """`postgresql` or `sqlite`."""
    return connections[alias].vendor


def open_link(alias: str = "default", *, patient: bool = True) -> Link:
    """A dedicated connection to the database that Django's settings name; raises LinkLost where it cannot be had.

    `patient`: on SQLite, wait a little for a lock that somebody else has.
    """
    wrapper = connections[alias]
    parameters = wrapper.get_connection_params()
    match wrapper.vendor:
        case "postgresql":
            from runtime.store.link_postgres import PostgresLink

            return PostgresLink(parameters)
        case "sqlite":
            from runtime.store.link_sqlite import SqliteLink

            return SqliteLink(parameters, patient=patient)
        case other:
            raise RuntimeError(f"Millrace runs on PostgreSQL and SQLite, not on {other}.")


def database_now(alias: str = "default") -> int:
    """The database's clock in milliseconds, asked over Django's connection of this thread."""
    wrapper = connections[alias]
    if wrapper.vendor == "sqlite":
        # The embedded database has no clock of its own: it reads this machine's.
        return time.time_ns() // 1_000_000
    with wrapper.cursor() as cursor:
        cursor.execute(f"SELECT {CLOCK_SQL[wrapper.vendor]}")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def queue_up(of: UUID) -> None:
    """Wait until no other transaction that has called this for the same workflow or workspace is open; before any row
    of it is locked. The caller holds the transaction: on SQLite that itself is the queue."""
    if connections["default"].vendor == "postgresql":
        with connections["default"].cursor() as cursor:
            key = of.int & (2**64 - 1)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key - 2**63])


def database_bytes(alias: str = "default") -> int:
    """How much room the rows and their indexes take, those of the whole installation."""
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def durability_problems(alias: str = "default") -> list[str]:
    """Settings under which "accepted" would not mean "durable" (I1); empty when there are none. Each names itself."""
    wrapper = connections[alias]
    problems: list[str] = []
    with wrapper.cursor() as cursor:
        if wrapper.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            if (level := int(cursor.fetchone()[0])) < 2:
                problems.append(f"SQLite synchronous={level}: use FULL, or a power cut loses accepted events.")
            cursor.execute("PRAGMA journal_mode")
            if (mode := str(cursor.fetchone()[0]).lower()) not in ("wal", "delete", "truncate", "persist"):
                problems.append(f"SQLite journal_mode={mode}: use WAL, or a crash damages the database.")
        else:
            for name, bad in (
                ("fsync", ("off",)),
                ("synchronous_commit", ("off",)),
                ("full_page_writes", ("off",)),
            ):
                cursor.execute("SELECT current_setting(%s)", [name])
                if (value := str(cursor.fetchone()[0])) in bad:
                    problems.append(f"PostgreSQL {name}={value}: turn it on, or a power cut loses accepted events.")
    return problems
