"""Starting and stopping the runtime of one process.

    embedded   writer, pump, ticker: everything, beside the web server, alone on its database
    web        writer: accepts events and starts, rings for others
    worker     writer, pump, and the threads that listen to the broker
    ticker     writer, ticker: schedules, timers, runs that nobody took; tells of alerts

`await runtime.start()` on the loop that shall do the work, `await runtime.stop()` before it ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import secrets
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Final, Literal, Protocol
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from runtime import queue
from runtime.documents.processes import Drawing
from runtime.engine.ids import uuid7
from runtime.sdk.context import Ways
from runtime.store import current, failpoints, figures
from runtime.store.blobs import PLACE
from runtime.store.commits import commit
from runtime.store.dialect import database_now, durability_problems
from runtime.store.models import Instance
from runtime.store.records import Claimed
from runtime.store.writer import Writer
from runtime.worker.actors import Doorman
from runtime.worker.alert_courier import AlertCourier
from runtime.worker.asked_now import Inquirer
from runtime.worker.budgets import Budgets
from runtime.worker.context import Doors
from runtime.worker.egress import Egress
from runtime.worker.guard import Guard
from runtime.worker.post import Postman
from runtime.worker.pump import Pump
from runtime.worker.ticker import Ticker

logger = logging.getLogger("millrace.boot")

Kind = Literal["embedded", "web", "worker", "ticker"]

#: Runs in flight in one process.
MOST_RUNS: Final = 256
#: How often a process that advances runs looks for them in the database, whatever the doorbell says.
_SWEEP_SECONDS: Final[dict[Kind, float]] = {"embedded": 0.5, "worker": 2.0}
GRACE_SECONDS: Final = 8.0
_STEP_BACK: Final = 15


class Outside(Ways, Protocol):
    """The doors of a process to the world."""

    async def aclose(self) -> None: ...


class Runtime:
    """One process's share of the runtime."""

    def __init__(
        self,
        *,
        kind: Kind,
        most_runs: int = MOST_RUNS,
        reloads: bool = False,
        sweep_seconds: float | None = None,
        outside: Outside | None = None,
    ) -> None:
        """`outside`: what steps reach instead of the network."""
        self.kind: Kind = kind
        self.boot_id = f"{kind}-{os.getpid()}-{uuid7().hex[-12:]}"
        self.pump: Pump | None = None
        self.ticker: Ticker | None = None
        self.writer: Writer | None = None
        self._most_runs = most_runs
        self._reloads = reloads
        self._sweep_seconds = sweep_seconds or _SWEEP_SECONDS.get(kind, 2.0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pools: list[ThreadPoolExecutor] = []
        self._connections: list[BaseDatabaseWrapper] = []
        self._egress: Outside | None = None
        self._outside = outside
        self._doorman: Doorman | None = None
        self._guard: Guard | None = None
        self._drawing: Drawing | None = None
        self._doors: Doors | None = None
        self._postman: Postman | None = None
        self._courier: AlertCourier | None = None
        self._budgets: Budgets | None = None
        self._inquirer: Inquirer | None = None

    async def start(self) -> None:
        """Check the database, start the writer and what this kind of process does. Raises ImproperlyConfigured."""
        try:
            await self._start()
        except BaseException:
            await self.stop(0)
            raise

    async def _start(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        readers = self._pool("reads", 2)
        key_secret = await loop.run_in_executor(readers, _prepare)
        self._guard = Guard(readers=readers, beats=self.kind in ("embedded", "ticker"))
        await self._guard.start()
        advances = self.kind in ("embedded", "worker")
        takes = self.kind == "embedded" and not queue.is_off()
        self.writer = Writer(
            owner=self.boot_id,
            ring=_ring,
            ring_in_flood=queue.ring_in_flood,
            take=self._take if takes else None,
            most_held=self._most_runs,
            more=self._more if takes else None,
        )
        await loop.run_in_executor(readers, lambda: self._start_writer())
        if advances:
            self._egress = self._outside or Egress.from_settings()
            pool = self._pool("steps", 8)
            self._drawing = Drawing(settings.DOCUMENT_PROCESSES, steps_back=True)
            doors = self._doors = Doors(self._egress, pool=pool, drawing=self._drawing)
            await loop.run_in_executor(readers, doors.groups.open)
            self.pump = Pump(
                writer=self.writer,
                doors=doors,
                key_secret=key_secret,
                pool=pool,
                readers=readers,
                most=self._most_runs,
                sweep_seconds=self._sweep_seconds,
                reloads=self._reloads,
                beside_door=lambda: self.ticker is None or self.ticker.beside_door,
                workers=lambda: 1 if self.ticker is None else self.ticker.workers,
                alone=self.kind == "embedded",
            )
            doors.groups.joins = self.pump.joins
            self.pump.budgets = self._budgets = Budgets(
                ask=self._pool("budgets", 1), came=self.pump.turn_came, nudge=self.pump.nudge
            )
            await self._budgets.start()
            self.pump.start()
            self._doorman = Doorman(self.pump, loop)
            self._doorman.start()
            self._postman = Postman(mail=self._egress.mail, readers=readers)
            self._postman.start()
        if self.kind in ("embedded", "ticker"):
            # Beside the ticker: that no worker is alive must be said without one.
            self._egress = self._egress or self._outside or Egress.from_settings()
            self._courier = AlertCourier(ways=self._egress, readers=readers)
            self._courier.start()
        if self.kind in ("embedded", "web"):
            self._egress = self._egress or self._outside or Egress.from_settings()
            self._inquirer = Inquirer(self._egress, self._pool("look-ups", 2), self.boot_id)
        pump = self.pump
        self.ticker = Ticker(
            writer=self.writer,
            kind=self.kind,
            leads=self.kind == "embedded",
            readers=readers,
            # The embedded process sweeps for itself.
            ring=None if self.kind == "embedded" else queue.ring,
            running=(lambda: pump.running) if pump is not None else (lambda: 0),
        )
        self.ticker.start()
        current.install(self.writer)
        logger.info("Runtime %s started.", self.boot_id)

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop claiming, let steps finish within the grace, hand everything else back (I31). Idempotent."""
        loop = asyncio.get_running_loop()
        await self.rest(grace_seconds)
        if self._inquirer is not None:
            self._inquirer.stop()
            self._inquirer = None
        if self._guard is not None:
            await self._guard.stop()
            self._guard = None
        if self._postman is not None:
            await self._postman.stop()
            self._postman = None
        if self._courier is not None:
            await self._courier.stop()
            self._courier = None
        if self.ticker is not None:
            await self.ticker.stop()
            self.ticker = None
        if self.writer is not None:
            current.remove(self.writer)
            await loop.run_in_executor(None, self.writer.stop)
            self.writer = None
        await self.let_go()
        logger.info("Runtime %s stopped.", self.boot_id)

    async def rest(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Advance no more runs; everything else goes on, so what steps in flight call in this process still answers.
        Idempotent."""
        await self.fall_deaf()
        pump, self.pump = self.pump, None
        if pump is not None:
            await pump.stop(grace_seconds)
        budgets, self._budgets = self._budgets, None
        if budgets is not None:
            await budgets.stop()

    async def fall_deaf(self) -> None:
        """Listen to the doorbell no more."""
        doorman, self._doorman = self._doorman, None
        if doorman is not None:
            await asyncio.get_running_loop().run_in_executor(None, doorman.stop)

    async def let_go(self) -> None:
        """End the threads and close the connections that are left. Nothing is said to the database."""
        if self._drawing is not None:
            await asyncio.to_thread(self._drawing.close)
            self._drawing = None
        if self._doors is not None:
            await asyncio.to_thread(self._doors.groups.close)
            self._doors = None
        if self._egress is not None:
            await self._egress.aclose()
            self._egress = None
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        threads = [thread for pool in self._pools for thread in pool._threads]
        self._pools.clear()
        await asyncio.get_running_loop().run_in_executor(None, _end, threads, self._connections)

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT: the whole life of a `worker` or `ticker` process."""
        if self.kind == "worker":
            # Where processes share a machine, accepting and showing come before advancing.
            os.nice(_STEP_BACK)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await self.start()
        try:
            await stop.wait()
        finally:
            await self.stop()

    def _start_writer(self) -> None:
        assert self.writer is not None
        self.writer.start(void_foreign_leases=self.kind == "embedded")

    def _take(self, claimed: list[Claimed]) -> None:
        """On the writer's thread: runs accepted for this process."""
        assert self._loop is not None
        if self.pump is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: so has this process's work
                self._loop.call_soon_threadsafe(self.pump.taken, claimed)

    def _more(self, count: int) -> None:
        """On the writer's thread: runs accepted that this process has no room for yet."""
        assert self._loop is not None
        if self.pump is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.pump.more, count)

    def _pool(self, name: str, threads: int) -> ThreadPoolExecutor:
        pool = ThreadPoolExecutor(threads, thread_name_prefix=f"millrace-{name}", initializer=self._know_connection)
        self._pools.append(pool)
        return pool

    def _know_connection(self) -> None:
        """In a new thread: remember its database connection, which `stop` closes when the thread is gone."""
        wrapper = connections[DEFAULT_DB_ALIAS]
        wrapper.inc_thread_sharing()
        self._connections.append(wrapper)


def _end(threads: Sequence[Thread], left: list[BaseDatabaseWrapper]) -> None:
    """Wait for threads that are bound to end, not for ever (a step that computes cannot be interrupted), and close
    their connections."""
    deadline = time.monotonic() + 2.0
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    while left:
        left.pop().close()


def _ring(run_ids: Sequence[UUID]) -> None:
    failpoints.hit("nudge.publish:before")
    queue.ring(run_ids)
    failpoints.hit("nudge.publish:after")


def _prepare() -> bytes:
    """Refuse a database that forgets, and get the secret that effect keys are made with."""
    problems = durability_problems()
    if problems and not getattr(settings, "ALLOW_UNSAFE_DATABASE", False):
        raise ImproperlyConfigured(" ".join(problems))
    for problem in problems:
        logger.error("UNSAFE: %s", problem)
    if PLACE.storage is not None and (away := PLACE.storage.problem()):
        # It may be back before anybody needs it, as Redis may.
        logger.error("STORAGE: files and large values cannot be kept now. %s", away)
    figures.follow_transactions()
    return base64.b32decode(instance().key_secret)


def instance() -> Instance:
    """This installation's facts, made on first use."""
    found = Instance.objects.filter(pk=1).first()
    if found is not None:
        return found
    try:
        with commit("instance.create"):
            return Instance.objects.create(
                pk=1,
                key_secret=base64.b32encode(secrets.token_bytes(35)).decode(),
                created_at=database_now(),
            )
    except IntegrityError:
        return Instance.objects.get(pk=1)  # another process was first
