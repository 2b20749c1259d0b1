"""What this machine does without a product, in the very minute: two bare programs to put the product's figures beside.

    python -m tests.benchmarks.bare intake FOLDER        a bare ASGI app that stores each body; prints its port
    python -m tests.benchmarks.bare steps FOLDER|URL     64 coroutines, each waiting for its own commits; prints how
                                                         many of them a second

Both commit in groups, fsynced, on a thread of its own, as the product does; nothing is decided, checked or interpreted.
Shared machines halve and double their speed within minutes: the ratio of two figures of one run says more than either.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import uvicorn
import uvloop

RUNS = 64
WARM_SECONDS = 1.0
SECONDS = 3.0
MOST = 512

Batch = list[tuple[Any, asyncio.Future[None]]]
Message = MutableMapping[str, Any]


class Group:
    """A thread that stores whatever waits with one commit."""

    def __init__(self, store: Callable[[list[Any]], None]) -> None:
        self._store = store
        self._waiting: queue.SimpleQueue[tuple[Any, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def put(self, value: Any) -> asyncio.Future[None]:
        """Store this; done once it is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put((value, future))
        return future

    def _work(self) -> None:
        while True:
            batch: Batch = [self._waiting.get()]
            while len(batch) < MOST and not self._waiting.empty():
                batch.append(self._waiting.get())
            self._store([value for value, _ in batch])
            batch[0][1].get_loop().call_soon_threadsafe(_tell, batch)


def _tell(batch: Batch) -> None:
    for _, future in batch:
        if not future.done():
            future.set_result(None)


def embedded(folder: Path) -> sqlite3.Connection:
    """A database as the embedded product has it."""
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(
        """
        CREATE TABLE IF NOT EXISTS body (id INTEGER PRIMARY KEY, body BLOB);
        CREATE TABLE IF NOT EXISTS run (id BLOB PRIMARY KEY, epoch INTEGER, seq INTEGER, status TEXT);
        CREATE TABLE IF NOT EXISTS step (run BLOB, number INTEGER, data TEXT, PRIMARY KEY (run, number))
        """
    )
    return connection


def into_sqlite(connection: sqlite3.Connection, *statements: str) -> Callable[[list[Any]], None]:
    """Carry out each statement for each row, with one commit."""

    def store(rows: list[Any]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.executemany(statement, rows)
        connection.execute("COMMIT")

    return store


def into_postgres(url: str) -> tuple[Callable[[list[Any]], None], psycopg.Connection]:
    """Check each run's epoch, write each step, then each run, with one commit."""
    connection = psycopg.connect(url)
    connection.execute(
        """
        DROP TABLE IF EXISTS bare_step; DROP TABLE IF EXISTS bare_run;
        CREATE TABLE bare_run (id uuid PRIMARY KEY, epoch int, seq int, status text);
        CREATE TABLE bare_step (run uuid, number int, data text, PRIMARY KEY (run, number))
        """
    )
    connection.commit()

    def store(rows: list[Any]) -> None:
        runs, numbers, data = ([row[name] for row in rows] for name in ("run", "number", "data"))
        with connection.transaction():
            connection.execute("SELECT id, epoch FROM bare_run WHERE id = ANY(%s) FOR UPDATE", [runs])
            connection.execute(
                "INSERT INTO bare_step SELECT * FROM unnest(%s::uuid[], %s::int[], %s::text[])", [runs, numbers, data]
            )
            connection.execute(
                "UPDATE bare_run SET seq = u.seq FROM unnest(%s::uuid[], %s::int[]) AS u (id, seq) "
                "WHERE bare_run.id = u.id",
                [runs, numbers],
            )

    return store, connection


def intake(folder: Path) -> None:
    """Serve on a free port, print it, and store each body before answering."""
    group = Group(into_sqlite(embedded(folder), "INSERT INTO body (body) VALUES (?)"))

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            raise RuntimeError("This serves nothing but HTTP.")
        message = await receive()
        await group.put((message["body"],))
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(
        app, port=0, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="warning"
    )
    listening = config.bind_socket()
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    uvicorn.Server(config).run(sockets=[listening])


def steps(where: str) -> None:
    """Print how many commits a second 64 coroutines are answered."""
    runs = [uuid4() for _ in range(RUNS)]
    if where.startswith("postgresql://"):
        store, connection = into_postgres(where)
        connection.cursor().executemany("INSERT INTO bare_run VALUES (%s, 1, 0, 'running')", [(run,) for run in runs])
        connection.commit()
    else:
        database = embedded(Path(where))
        database.executemany("INSERT INTO run VALUES (?, 1, 0, 'running')", [(run.bytes,) for run in runs])
        store = into_sqlite(
            database,
            "INSERT INTO step VALUES (:key, :number, :data)",
            "UPDATE run SET seq = :number WHERE id = :key AND epoch = 1",
        )
    group = Group(store)
    print(json.dumps({"per_second": round(uvloop.run(_stepping(group, runs)), 1)}), flush=True)


async def _stepping(group: Group, runs: list[UUID]) -> float:
    done = 0
    data = json.dumps({"id": 1, "total": 120.5, "customer": "Practice company"})

    async def one(run: UUID) -> None:
        nonlocal done
        number = 0
        while True:
            number += 1
            await group.put({"run": run, "key": run.bytes, "number": number, "data": data})
            done += 1

    tasks = [asyncio.create_task(one(run)) for run in runs]
    await asyncio.sleep(WARM_SECONDS)
    before, began = done, time.monotonic()
    await asyncio.sleep(SECONDS)
    per_second = (done - before) / (time.monotonic() - began)
    for task in tasks:
        task.cancel()
    return per_second


if __name__ == "__main__":
    {"intake": lambda: intake(Path(sys.argv[2])), "steps": lambda: steps(sys.argv[2])}[sys.argv[1]]()
