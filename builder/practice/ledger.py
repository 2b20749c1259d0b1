"""The company's books: one SQLite file, one thread, many calls in one commit, on the disk before any answer.

Every call is a function of the open database that runs inside a savepoint of the shared transaction. Its answer
leaves only after COMMIT with `synchronous=FULL`, so what a caller was told is never forgotten.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
MOST_TOGETHER = 256

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
  key TEXT, body_sha256 TEXT NOT NULL, body BLOB NOT NULL, headers TEXT NOT NULL, behaviour TEXT NOT NULL,
  status INTEGER, applied INTEGER NOT NULL, replayed INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS calls_key ON calls (key);
CREATE INDEX IF NOT EXISTS calls_body ON calls (body_sha256);
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, method TEXT NOT NULL, path TEXT NOT NULL, body_sha256 TEXT NOT NULL,
  status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS behaviours (
  id INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT NOT NULL, path TEXT NOT NULL, behaviour TEXT NOT NULL,
  remaining INTEGER);
CREATE TABLE IF NOT EXISTS customers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, country TEXT NOT NULL,
  credit_limit TEXT NOT NULL, blocked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  number TEXT PRIMARY KEY, customer TEXT NOT NULL, total TEXT NOT NULL, currency TEXT NOT NULL, lines TEXT NOT NULL,
  created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS invoices (
  id TEXT PRIMARY KEY, order_number TEXT NOT NULL, customer TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
  status TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS payments (
  id TEXT PRIMARY KEY, invoice TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, method TEXT NOT NULL,
  created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
  id TEXT PRIMARY KEY, payment TEXT NOT NULL, invoice TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
  reason TEXT, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS credits (
  id TEXT PRIMARY KEY, order_number TEXT NOT NULL, customer TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
  reason TEXT, status TEXT NOT NULL, created_ms INTEGER NOT NULL, reference TEXT, cancelled_ms INTEGER);
CREATE INDEX IF NOT EXISTS credits_reference ON credits (reference);
CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, in_stock INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY, order_number TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, status TEXT NOT NULL,
  created_ms INTEGER NOT NULL, reference TEXT, cancelled_ms INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_reference ON deliveries (reference);
CREATE TABLE IF NOT EXISTS postings (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, sha256 TEXT NOT NULL,
  created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (
  id TEXT PRIMARY KEY, line TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, difference TEXT NOT NULL,
  invoices TEXT NOT NULL, note TEXT, status TEXT NOT NULL, created_ms INTEGER NOT NULL, reference TEXT);
CREATE INDEX IF NOT EXISTS receipts_reference ON receipts (reference);
CREATE TABLE IF NOT EXISTS receipt_items (invoice TEXT PRIMARY KEY, receipt TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS receipt_items_receipt ON receipt_items (receipt);
CREATE TABLE IF NOT EXISTS transfers (
  id TEXT PRIMARY KEY, supplier TEXT NOT NULL, name TEXT NOT NULL, iban TEXT NOT NULL, amount TEXT NOT NULL,
  currency TEXT NOT NULL, text TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL, reference TEXT,
  cancelled_ms INTEGER);
CREATE INDEX IF NOT EXISTS transfers_reference ON transfers (reference);
CREATE TABLE IF NOT EXISTS mails (
  id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, recipients TEXT NOT NULL,
  subject TEXT NOT NULL, text TEXT NOT NULL, raw BLOB NOT NULL, received_ms INTEGER NOT NULL,
  deliveries INTEGER NOT NULL);
INSERT OR IGNORE INTO customers VALUES
  ('C-100', 'Alba Bakery', 'orders@alba.example', 'DE', '5000', 0),
  ('C-200', 'Brightwater Hotels', 'accounts@brightwater.example', 'IE', '50000', 0),
  ('C-300', 'Corner Books', 'hello@corner.example', 'GB', '800', 0),
  ('C-400', 'Dunmore Timber', 'office@dunmore.example', 'US', '20000', 1);
INSERT OR IGNORE INTO products VALUES
  ('TOWEL-60', 'Bath towel, 60 × 110 cm', 800),
  ('ROBE-L', 'Bathrobe, size L', 60),
  ('SOAP-6', 'Hand soap, box of 6', 0);
"""
#: Columns that came later: books of an earlier version get them too.
ADDED_COLUMNS = (
    ("invoices", "reference", "TEXT"),
    ("invoices", "key", "TEXT"),
    ("invoices", "voided_ms", "INTEGER"),
    ("payments", "status", "TEXT NOT NULL DEFAULT 'taken'"),
    ("payments", "reference", "TEXT"),
)
ADDED_INDEXES = """
CREATE INDEX IF NOT EXISTS invoices_reference ON invoices (reference);
CREATE INDEX IF NOT EXISTS invoices_key ON invoices (key);
CREATE INDEX IF NOT EXISTS payments_reference ON payments (reference);
CREATE INDEX IF NOT EXISTS payments_invoice ON payments (invoice);
"""


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """One piece of work and the loop that waits for it."""

    work: Callable[[sqlite3.Connection], T]
    loop: asyncio.AbstractEventLoop
    result: asyncio.Future[T]


class Ledger:
    """The open books. `do` may be awaited from any event loop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="practice-ledger", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work and return its result once it is on the disk; what the work raises is raised here."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._jobs.put(Job(work, loop, result))
        return await result

    def close(self) -> None:
        """Finish what was asked for and close the file."""
        self._jobs.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        try:
            database = sqlite3.connect(self._path, isolation_level=None)
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute("PRAGMA busy_timeout=10000")
            prepare(database)
        except BaseException as error:
            self._failed = error
            self._ready.set()
            return
        self._ready.set()
        open_ = True
        while open_:
            jobs, open_ = self._next_jobs()
            if jobs:
                settle(commit_together(database, jobs))
        database.close()

    def _next_jobs(self) -> tuple[list[Job[Any]], bool]:
        """Wait for one job, take what came with it; False once the books are to be closed."""
        jobs: list[Job[Any]] = []
        first = self._jobs.get()
        if first is None:
            return jobs, False
        jobs.append(first)
        while len(jobs) < MOST_TOGETHER:
            try:
                further = self._jobs.get_nowait()
            except queue.Empty:
                break
            if further is None:
                return jobs, False
            jobs.append(further)
        return jobs, True


def prepare(database: sqlite3.Connection) -> None:
    """Make what is missing in new books, and in those of an earlier version."""
    database.executescript(SCHEMA)
    for table, column, kind in ADDED_COLUMNS:
        known = {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}
        if column not in known:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    database.executescript(ADDED_INDEXES)


Outcome = tuple[Job[Any], Any, BaseException | None]


def commit_together(database: sqlite3.Connection, jobs: list[Job[Any]]) -> list[Outcome]:
    """Run all jobs in one transaction, each in its own savepoint."""
    outcomes: list[Outcome] = []
    try:
        database.execute("BEGIN IMMEDIATE")
        for job in jobs:
            database.execute("SAVEPOINT job")
            try:
                outcomes.append((job, job.work(database), None))
            except Exception as error:
                database.execute("ROLLBACK TO job")
                outcomes.append((job, None, error))
            database.execute("RELEASE job")
        database.execute("COMMIT")
    except sqlite3.Error as error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        return [(job, None, error) for job in jobs]
    return outcomes


def settle(outcomes: list[Outcome]) -> None:
    """Hand each result to its loop, with one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].loop, []).append(outcome)
    for loop, own in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(hand_over, own)


def hand_over(outcomes: list[Outcome]) -> None:
    """Resolve the futures; a caller that gave up meanwhile is passed over."""
    for job, result, error in outcomes:
        if job.result.done():
            continue
        if error is not None:
            job.result.set_exception(error)
        else:
            job.result.set_result(result)
