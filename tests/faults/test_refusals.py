"""F26, F27: a database that is there and refuses: read only, too slow, locked, crowded, ending sessions."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear
from tests.faults.outside import Company
from tests.faults.plant import Plant
from tests.faults.senders import Answer
from tests.faults.servers import BreakablePostgres, BreakableRedis

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600), figures.only_in_full]

SENDERS = 4


@contextlib.contextmanager
def callers(plant: Plant, prefix: str) -> Iterator[list[Answer]]:
    """Threads that send one event after the other while the block runs, and insist on each."""
    stop = threading.Event()
    answers: list[Answer] = []

    def send(number: int) -> None:
        paths = [published.path for published in plant.published.values()]
        count = 0
        while not stop.wait(0.3):
            count += 1
            answers.append(
                plant.senders.insist(paths[count % len(paths)], f"{prefix}{number}-{count:05d}", seconds=120)
            )

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)


def settled(plant: Plant, prefix: str, fault: str, database: str, began: float, seed: int, times: int) -> None:
    """It becomes quiet, no rule is broken, every refusal was a 503 in time."""
    deadline = time.monotonic() + 120
    while (left := plant.unfinished(prefix)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == [], f"seed {seed:x}: not quiet after 120 s"
    seconds = time.monotonic() - began
    violations = plant.check(prefix, outage_ms=int(seconds * 1000))
    refused = [one for one in plant.senders.refused if one.key.startswith(prefix)]
    unknown = [one for one in plant.senders.unknown if one.key.startswith(prefix)]
    figures.tell(
        fault,
        database,
        seed=f"{seed:x}",
        times=times,
        events=sum(key.startswith(prefix) for key in plant.senders.sent),
        refused_503=len(refused),
        unanswered=len(unknown),
        slowest_refusal=round(max([one.seconds for one in refused], default=0), 2),
        violations=len(violations),
        seconds=round(seconds),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert unknown == []
    assert all(one.seconds < 5.5 for one in refused)
    assert all(not child.is_dead() for child in plant.children)
    assert plant.complaints() == []


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[BreakablePostgres]:
    opened = BreakablePostgres()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, company: Company, server: BreakablePostgres) -> Iterator[Plant]:
    """One installation that must outlive all of it."""
    redis = BreakableRedis()
    directory = tmp_path_factory.mktemp("refusals") / "plant"
    with Plant(directory, company, database_url=server.url, redis_url=redis.url, workers=1) as made:
        made.start(linear(respond="immediately"), branching())
        yield made
    redis.close()


def setting(admin: psycopg.Connection[object], name: str, value: str | None) -> None:
    """Change a setting of the running server for every session."""
    admin.execute((f"ALTER SYSTEM RESET {name}" if value is None else f"ALTER SYSTEM SET {name} = '{value}'").encode())
    admin.execute("SELECT pg_reload_conf()")


def read_only(admin: psycopg.Connection[object], server: BreakablePostgres) -> None:
    """As a standby that has taken over and cannot write."""
    setting(admin, "default_transaction_read_only", "on")
    time.sleep(4)
    admin.execute("SET default_transaction_read_only = off")
    setting(admin, "default_transaction_read_only", None)


def too_slow(admin: psycopg.Connection[object], server: BreakablePostgres) -> None:
    """Each statement is cut off after a millisecond."""
    admin.execute("SET statement_timeout = 0")
    setting(admin, "statement_timeout", "1ms")
    time.sleep(4)
    setting(admin, "statement_timeout", None)


def locked(admin: psycopg.Connection[object], server: BreakablePostgres) -> None:
    """Somebody holds the tables for longer than an event may wait."""
    while True:
        # One of the two may come first at the product's hands, and then it is not always the product that gives way.
        with contextlib.suppress(psycopg.errors.DeadlockDetected), psycopg.connect(server.url) as other:
            other.execute("LOCK TABLE store_run, store_event IN ACCESS EXCLUSIVE MODE")
            time.sleep(4)
            return


def killed(admin: psycopg.Connection[object], server: BreakablePostgres) -> None:
    """Every session is ended, again and again."""
    for _ in range(10):
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        time.sleep(0.2)


def crowded(admin: psycopg.Connection[object], server: BreakablePostgres) -> None:
    """No connection is left, and the old ones are ended."""
    taken: list[psycopg.Connection[object]] = []
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(server.url, connect_timeout=5))
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'millrace' AND backend_type = 'client backend'"
    )
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(server.url, connect_timeout=5))
    time.sleep(2)
    for one in taken:
        one.close()


def deadlocked(admin: psycopg.Connection[object], server: BreakablePostgres) -> None:
    """Somebody locks runs in an order of his own, so that now and then one of the two is ended."""
    setting(admin, "deadlock_timeout", "50ms")
    until = time.monotonic() + 3
    while time.monotonic() < until:
        with psycopg.connect(server.url) as other, contextlib.suppress(psycopg.OperationalError):
            for order in ("ASC", "DESC"):
                some = f"WHERE finished_at IS NULL ORDER BY id {order} LIMIT 20 FOR UPDATE"
                other.execute(f"SELECT id FROM store_run {some}".encode())
                time.sleep(0.1)
    setting(admin, "deadlock_timeout", None)


REFUSALS: tuple[Callable[[psycopg.Connection[object], BreakablePostgres], None], ...] = (
    read_only, too_slow, locked, killed, crowded, deadlocked,
)  # fmt: skip


@pytest.mark.parametrize("refuse", REFUSALS, ids=lambda one: one.__name__)
def test_a_database_that_refuses_costs_503s_and_nothing_else(
    refuse: Callable[[psycopg.Connection[object], BreakablePostgres], None], plant: Plant, server: BreakablePostgres
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"e{seed:x}-"
    times = figures.number("REFUSALS", 1, 5)
    with callers(plant, prefix), psycopg.connect(server.url, autocommit=True) as admin:
        for _ in range(times):
            time.sleep(chance.uniform(0.5, 1.5))
            refuse(admin, server)
    settled(plant, prefix, f"a database that refuses: {refuse.__name__}", "postgres", began, seed, times)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_a_locked_file_costs_503s_and_nothing_else(make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"l{seed:x}-"
    plant = make_plant("sqlite")
    plant.start(linear(respond="immediately"), branching())
    path = plant.data / "millrace.sqlite3"
    times = figures.number("LOCKS", 1, 8)
    with callers(plant, prefix):
        for _ in range(times):
            for seconds in (1, 2, 4, 10):
                time.sleep(chance.uniform(0.5, 1.5))
                lock(path, seconds)
        read_at_length(path, 5)
    settled(plant, prefix, "a locked file", "sqlite", began, seed, 4 * times)
    # What was logged while somebody read is moved into the file again.
    wal = Path(f"{path}-wal")
    assert wal.stat().st_size < 64 * 1024 * 1024


def lock(path: Path, seconds: float) -> None:
    """Another program holds the file for itself."""
    other = sqlite3.connect(path, timeout=30, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    other.execute("ROLLBACK")
    other.close()


def read_at_length(path: Path, seconds: float) -> None:
    """Another program reads for so long, which keeps the log from being moved into the file."""
    other = sqlite3.connect(path, timeout=30, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM store_run").fetchone()
    time.sleep(seconds)
    other.execute("ROLLBACK")
    other.close()
