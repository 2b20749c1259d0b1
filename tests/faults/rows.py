"""What the product has committed, read from its database behind its back: runs, steps, attempts, events."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import psycopg

from runtime.engine.state import StepKey
from runtime.engine.trail import Entry, Rebuilt, Stood

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """How a run stood at some moment."""

    run: str
    status: str
    token: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run and the key of the event that caused it."""

    id: str
    key: str
    workflow: str
    status: str
    outcome: str | None
    claims: int
    lease_owner: str | None
    lease_token: int
    lease_expires_at: int | None
    wake_at: int | None
    accepted_at: int
    finished_at: int | None
    error: str | None

    @property
    def glimpse(self) -> Glimpse:
        return Glimpse(self.id, self.status, self.lease_token)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a run."""

    run: str
    node: str
    generation: int
    status: str
    attempt: int
    seq: int
    commit_seq: int | None
    due_at: int | None
    started_at: int | None
    finished_at: int | None
    output: str | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try that touches the world."""

    run: str
    node: str
    generation: int
    attempt: int
    status: str
    effect_class: str
    effect_key: str | None
    request_digest: str | None
    worker: str
    started_at: int
    finished_at: int | None
    #: What it failed of, as JSON.
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One stored event."""

    id: str
    key: str
    run: str | None
    duplicates: int
    received_at: int


@dataclass(frozen=True, slots=True)
class Trail:
    """What is on record of a run, and how it is stored."""

    key: str
    stored: Rebuilt
    entries: list[Entry] = field(default_factory=list)
    steps: list[Stood] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Export:
    """Everything about the events whose keys begin alike."""

    runs: list[RunRow] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    #: Run and step of what a person wanted to be sent again.
    again: set[tuple[str, str]] = field(default_factory=set)
    trails: list[Trail] = field(default_factory=list)


_EVENTS = "SELECT e.id, e.dedupe_key, e.run_id, e.duplicates, e.received_at FROM store_event e WHERE {mine}"
_RUNS = """SELECT r.id, e.dedupe_key, r.workflow_id, r.status, r.outcome, r.claims, r.lease_owner, r.lease_token,
    r.lease_expires_at, r.wake_at, r.accepted_at, r.finished_at, r.error
    FROM store_run r JOIN store_event e ON e.id = r.event_id WHERE {mine}"""
_STEPS = """SELECT s.run_id, s.node_id, s.generation, s.status, s.attempt, s.seq, s.commit_seq, s.due_at, s.started_at,
    s.finished_at, s.output
    FROM store_steprun s JOIN store_run r ON r.id = s.run_id JOIN store_event e ON e.id = r.event_id WHERE {mine}"""
_ATTEMPTS = """SELECT a.run_id, a.node_id, a.generation, a.attempt, a.status, a.effect_class, a.effect_key,
    a.request_digest, a.worker, a.started_at, a.finished_at, a.error
    FROM store_attempt a JOIN store_run r ON r.id = a.run_id JOIN store_event e ON e.id = r.event_id WHERE {mine}"""
_REPLAYS = """SELECT p.run_id, p.decisions FROM store_replay p JOIN store_run r ON r.id = p.run_id
    JOIN store_event e ON e.id = r.event_id WHERE {mine}"""
_ASKED = """SELECT t.run_id, t.node_id FROM store_humantask t JOIN store_run r ON r.id = t.run_id
    JOIN store_event e ON e.id = r.event_id WHERE {mine} AND t.kind = 'exception' AND t.outcome = 'retry'"""
_OF_MINE = "JOIN store_run r ON r.id = x.run_id JOIN store_event e ON e.id = r.event_id WHERE {mine}"
_STORED = """SELECT r.id, e.dedupe_key, r.status, r.outcome, r.generation, r.seq, r.lease_token
    FROM store_run r JOIN store_event e ON e.id = r.event_id WHERE {mine}"""
_ENTRIES = f"""SELECT x.run_id, x.number, x.seq, x.token, x.generation, x.status_before, x.status, x.outcome, x.detail
    FROM store_transition x {_OF_MINE} ORDER BY x.run_id, x.number"""
_STOOD = f"""SELECT x.run_id, x.node_id, x.generation, x.status, x.attempt, x.ports, x.due_at, x.commit_seq,
    x.started_at, x.wait, x.seq, x.token FROM store_steprun x {_OF_MINE}"""
_TRIED = f"SELECT x.run_id, x.node_id, x.generation, x.attempt, x.status FROM store_attempt x {_OF_MINE}"
_MINE = "e.dedupe_key >= {0} AND e.dedupe_key < {0} || '~'"


class Database(Protocol):
    """A way to the rows of one installation."""

    def close(self) -> None:
        """Look no more."""
        ...

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a statement with `?` for parameters; ids as dashed text."""
        ...

    def export(self, prefix: str) -> Export:
        """The rows of all events whose keys begin so."""
        ...

    def change(self, sql: str) -> None:
        """Move a time on, in place of waiting for it."""
        ...

    def let_leases_run_out(self, owner: str) -> int:
        """Make it so late that the leases of owners named so (`worker-123-%`) have expired; returns how many."""
        ...


def read(database: Database, prefix: str) -> Export:
    """The rows of all events whose keys begin so."""
    mine = _MINE.format("?")

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return database.query(sql.format(mine=mine), (prefix, prefix))

    # Events last: what came in between must not look like a run of nobody.
    runs = [RunRow(*row) for row in rows(_RUNS)]
    steps = [StepRow(*row) for row in rows(_STEPS)]
    attempts = [AttemptRow(*row) for row in rows(_ATTEMPTS)]
    again = {(row[0], row[1]) for row in rows(_ASKED)}
    for run, decisions in rows(_REPLAYS):
        again |= {(run, node) for node, said in json.loads(decisions).items() if not said["happened"]}
    return Export(runs, steps, attempts, [EventRow(*row) for row in rows(_EVENTS)], again, _trails(rows))


def _trails(rows: Callable[[str], list[tuple[Any, ...]]]) -> list[Trail]:
    found = {run: Trail(key, Rebuilt(*stored)) for run, key, *stored in rows(_STORED)}
    for run, *entry, detail in rows(_ENTRIES):
        if run in found:
            found[run].entries.append(Entry._make((*entry, json.loads(detail or "{}"))))
    for run, *step, seq, token in rows(_STOOD):
        if run in found:
            said = (*step[:4], json.loads(step[4]), *step[5:8], json.loads(step[8] or "null"))
            found[run].steps.append(Stood(said, seq, token))
            found[run].stored.steps[StepKey(said[0], said[1])] = said
    for run, node, generation, attempt, status in rows(_TRIED):
        if run in found:
            found[run].stored.attempts[node, generation, attempt] = status
    return list(found.values())


_EXPIRE = """UPDATE store_run SET
    wake_at = CASE WHEN wake_at = lease_expires_at THEN wake_at - 60000 ELSE wake_at END,
    lease_expires_at = lease_expires_at - 60000
    WHERE lease_owner LIKE ? AND finished_at IS NULL"""


class SqliteRows:
    """The embedded database. While no process has it open a copy is read: its journal is the product's to mend."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        # A copy must not be taken while a process opens the file, nor while another reader closes it.
        self._lock = threading.Lock()

    def close(self) -> None:
        """Nothing is kept open."""

    def opens(self) -> None:
        """A process is about to open the file."""
        with self._lock:
            self._closed = False

    def closed(self) -> None:
        """The last process that had the file open is dead."""
        with self._lock:
            self._closed = True

    def is_sound(self) -> bool:
        """Whether SQLite finds nothing wrong with the file."""
        return self.query("PRAGMA integrity_check") == [("ok",)]

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock, tempfile.TemporaryDirectory(prefix="millrace-rows-") as copies:
            path = self._path
            if self._closed:
                for suffix in ("", "-wal"):
                    original = Path(f"{self._path}{suffix}")
                    if original.exists():
                        shutil.copyfile(original, Path(copies) / f"copy{suffix}")
                path = Path(copies) / "copy"
            connection = sqlite3.connect(path, timeout=20)
            try:
                return [tuple(map(_plain, row)) for row in connection.execute(sql, tuple(parameters))]
            finally:
                connection.close()

    def export(self, prefix: str) -> Export:
        return read(self, prefix)

    def change(self, sql: str) -> None:
        connection = sqlite3.connect(self._path, timeout=20)
        with connection:
            connection.execute(sql)
        connection.close()

    def let_leases_run_out(self, owner: str) -> int:
        return 0  # a restart voids them


class PostgresRows:
    """The database of a scaled installation."""

    def __init__(self, url: str) -> None:
        self._url = url
        # Tests look many times a second; each new connection is a new process of the server.
        self._kept: psycopg.Connection[tuple[Any, ...]] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the server."""
        with self._lock:
            self._drop()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        found = self._execute(sql, parameters, lambda cursor: cursor.fetchall())
        return [tuple(map(_plain, row)) for row in found]

    def export(self, prefix: str) -> Export:
        return read(self, prefix)

    def change(self, sql: str) -> None:
        self._execute(sql, (), lambda _: None)

    def let_leases_run_out(self, owner: str) -> int:
        return self._execute(_EXPIRE, (owner,), lambda cursor: cursor.rowcount)

    def _execute(
        self, sql: str, parameters: Sequence[object], take: Callable[[psycopg.Cursor[tuple[Any, ...]]], T]
    ) -> T:
        with self._lock:
            if self._kept is not None:
                try:
                    return take(self._kept.execute(sql.replace("?", "%s").encode(), parameters))
                except psycopg.OperationalError:
                    # The server was killed since. Everything that is asked here may be asked twice.
                    self._drop()
            self._kept = psycopg.connect(self._url, autocommit=True)
            return take(self._kept.execute(sql.replace("?", "%s").encode(), parameters))

    def _drop(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()


def _plain(value: Any) -> Any:
    """Ids of both databases in one form."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and len(value) == 32 and all(letter in "0123456789abcdef" for letter in value):
        return str(UUID(value))
    return value
