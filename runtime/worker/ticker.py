"""Time: schedules that are due, runs that nobody took, signs of life, and the hourly sweep of the artifact store. Only
this module and the pump read a clock.

Every process shows its sign of life. The rest is done by the embedded process, or by the one ticker that holds the
leadership, a lease in the database. All of it is idempotent, so two leaders for a moment do no harm.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from django.db.models import F, Q

from runtime import queue
from runtime.contracts import StoreUnavailable
from runtime.store import alerts, artifacts, datatables, figure_rows, files, restores, signals
from runtime.store.brake import BRAKE
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Leadership, Process, Run
from runtime.store.statements import ENGINE, HELD
from runtime.store.writer import Writer
from runtime.worker import bulk_retries, holds, notices, overlap, pending_answers, queued, schedules
from runtime.worker.alerts import Watch
from runtime.worker.asking import ask_in
from runtime.worker.breaker import Breaker
from runtime.worker.digests import Digests
from runtime.worker.figures import Roller
from runtime.worker.recounts import Recounts
from runtime.worker.retention import LOOK_SECONDS, REST_SECONDS, Sweeper
from runtime.worker.sendings import Sendings
from runtime.worker.traced import Sweep

logger = logging.getLogger("millrace.ticker")

T = TypeVar("T")

HOST: Final = socket.gethostname()[:255]
SIGN_SECONDS: Final = 5.0
#: A process that has not signed for this long counts as gone.
GONE_MS: Final = 20_000
#: The artifact store is swept a minute after the start, when everything else has begun, and then every hour.
FIRST_SWEEP_SECONDS: Final = 60.0
SWEEP_SECONDS: Final = 3600.0
LEAD_MS: Final = 10_000
#: How often runs are let go while a workflow is drained.
_DRAINING_SECONDS: Final = 0.1
_DUTY: Final = "ticker"
_MOST_RINGS: Final = 1_000


class Ticker:
    """Ticks on the loop it is started on; the database is asked in a thread."""

    def __init__(
        self,
        *,
        writer: Writer,
        kind: str,
        leads: bool,
        readers: Executor,
        ring: Callable[[Sequence[UUID]], None] | None,
        running: Callable[[], int],
        period_seconds: float = 0.5,
    ) -> None:
        self._writer = writer
        self._kind = kind
        self._always_leads = leads
        self._readers = readers
        self._ring = ring
        self._running = running
        self._period = period_seconds
        self._leads_until = 0
        self._breaker = Breaker()
        self._recounts = Recounts()
        self._roller = Roller()
        self._watch = Watch()
        self._digests = Digests()
        self._sendings = Sendings()
        self._draining = False
        #: Whether a process that takes in events works on this machine, as far as its signs of life tell.
        self.beside_door = True
        #: How many workers live.
        self.workers = 1
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._signs(), name="millrace-signs")]
        if self._kind != "web" and self._kind != "worker":
            self._tasks.append(asyncio.create_task(self._ticks(), name="millrace-ticks"))
            self._tasks.append(asyncio.create_task(self._sweeps(), name="millrace-artifacts"))
            self._tasks.append(asyncio.create_task(self._retains(), name="millrace-retention"))

    async def stop(self) -> None:
        """Stop ticking, sign off, give the leadership away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._ask(self._sign_off)
        except StoreUnavailable:
            logger.warning("The process could not sign off; it will be seen as gone in a moment.")

    async def _signs(self) -> None:
        started = await self._patiently(lambda: self._sign(None))
        while True:
            await asyncio.sleep(SIGN_SECONDS)
            await self._patiently(lambda: self._sign(started))

    async def _ticks(self) -> None:
        while True:
            try:
                if self._always_leads or await self._ask(self._lead):
                    await self._tick()
            except StoreUnavailable as error:
                logger.warning("No tick: %s", error)
            except Exception:
                logger.exception("A tick failed; the next one tries again.")
            await asyncio.sleep(min(self._period, _DRAINING_SECONDS) if self._draining else self._period)

    async def _sweeps(self) -> None:
        """Now and then remove what crashes and repeats left in the artifact store."""
        await asyncio.sleep(FIRST_SWEEP_SECONDS)
        while True:
            try:
                if self._always_leads or await self._ask(self._lead):
                    with Sweep("ticker.artifacts") as sweep:
                        removed = await self._ask(artifacts.sweep_orphans) + await self._ask(files.sweep)
                        sweep.did(removed=removed)
                        if removed:
                            logger.info("Removed %d artifacts that nothing names.", removed)
                        await self._ask(figure_rows.remove_old)
                        await self._ask(lambda: alerts.remove_old(database_now()))
                        if rows := await self._ask(datatables.sweep):
                            logger.info("Removed %d rows of deleted data tables.", rows)
            except StoreUnavailable as error:
                logger.warning("The artifact store was not swept: %s", error)
            except Exception:
                logger.exception("Sweeping the artifact store failed; the next hour tries again.")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _retains(self) -> None:
        """Remove what the rules of workspaces let go; of a restored backup nothing before somebody has looked."""
        sweeper = Sweeper()
        await asyncio.sleep(LOOK_SECONDS)
        while True:
            more = False
            try:
                if not BRAKE.held and (self._always_leads or await self._ask(self._lead)):
                    with Sweep("ticker.retention") as sweep:
                        more = await self._ask(sweeper.turn)
                        sweep.did(more=int(more))
            except StoreUnavailable as error:
                logger.warning("Retention waits: %s", error)
            except Exception:
                logger.exception("Retention failed; it is tried again.")
            await asyncio.sleep(REST_SECONDS if more else LOOK_SECONDS)

    async def _tick(self) -> None:
        with Sweep("ticker.tick") as sweep:
            await self._see_to(sweep)

    async def _see_to(self, sweep: Sweep) -> None:
        if not (BRAKE.held or BRAKE.full):
            soon = await self._ask(queued.release)
            await self._ask(self._breaker.look)
            let_go, draining = await self._ask(holds.tend)
            sweep.did(let_go=len(let_go))
            self._draining = draining or soon
            if let_go:
                await self._ask(lambda: queue.ring(let_go))
            epoch = await self._ask(restores.epoch)
            for tick in await self._ask(schedules.due):
                # A start that was due before a backup was restored may have been confirmed as one to be left out.
                if epoch is not None and epoch == await self._ask(restores.epoch):
                    await self._fire(tick)
                    sweep.did(fired=len(tick.due))
            moved = await self._ask(signals.settle_left)
            sweep.did(moved=len(moved))
            if moved:
                await self._ask(lambda: queue.ring(moved))
            await self._ask(notices.carry_out_due)
            decided = await self._ask(pending_answers.settle)
            sweep.did(decided=len(decided))
            if decided:
                await self._ask(partial(queue.ring, decided))
            settled = await self._ask(self._recounts.look)
            if settled:
                await self._ask(lambda: queue.ring(settled))
            self._draining |= await self._ask(bulk_retries.tend)
            await self._ask(self._roller.look)
            await self._ask(self._watch.look)
            await self._ask(self._digests.look)
            await self._ask(self._sendings.look)
        if self._ring is not None:
            due = await self._ask(due_runs)
            sweep.did(rung=len(due))
            if due:
                await self._ask(lambda: self._ring(due) if self._ring is not None else None)

    async def _fire(self, tick: schedules.Tick) -> None:
        """One event for each instant, however often this is tried: the instant is the event's key (I33)."""
        now = self._writer.now_ms()
        previous = tick.previous
        for one in tick.due:
            admission = None
            if one.fate == "start":
                admit = partial(overlap.admit, tick.trigger, one.instant, late=tick.late, previous=previous)
                admission = await self._ask(admit)
            await self._writer.accept(schedules.event_of(tick, one, previous, now, admission))
            previous = one.instant
        await self._ask(lambda: schedules.set_next(tick))

    # --- in a thread ----------------------------------------------------------------------------------------------

    async def _ask(self, query: Callable[[], T]) -> T:
        return await ask_in(self._readers, query)

    async def _patiently(self, query: Callable[[], T]) -> T:
        while True:
            try:
                return await self._ask(query)
            except StoreUnavailable:
                await asyncio.sleep(1.0)

    def _sign(self, started: int | None) -> int:
        with commit("process.sign"):
            now = database_now()
            Process.objects.update_or_create(
                boot_id=self._writer.owner,
                defaults={
                    "kind": self._kind,
                    "host": HOST,
                    "pid": os.getpid(),
                    "engine": ENGINE,
                    "started_at": started or now,
                    "seen_at": now,
                    "running": self._running(),
                },
            )
        if self._kind == "worker":
            living = Process.objects.filter(stopped_at__isnull=True, seen_at__gt=now - GONE_MS)
            hosts = set(living.filter(kind="web").values_list("host", flat=True))
            self.beside_door = not hosts or HOST in hosts
            self.workers = max(1, living.filter(kind="worker").count())
        return started or now

    def _sign_off(self) -> None:
        with commit("process.sign"):
            now = database_now()
            Process.objects.filter(boot_id=self._writer.owner).update(stopped_at=now, seen_at=now, running=0)
            Leadership.objects.filter(owner=self._writer.owner).update(expires_at=now)

    def _lead(self) -> bool:
        """Take or keep the leadership; true while it is ours."""
        now = database_now()
        if now < self._leads_until - LEAD_MS // 2:
            return True
        mine = self._writer.owner
        with commit("leadership.take"):
            now = database_now()
            taken = Leadership.objects.filter(Q(owner=mine) | Q(expires_at__lte=now), duty=_DUTY).update(
                owner=mine, token=F("token") + 1, expires_at=now + LEAD_MS
            )
            if not taken:
                _, taken = Leadership.objects.get_or_create(
                    duty=_DUTY, defaults={"owner": mine, "token": 1, "expires_at": now + LEAD_MS}
                )
        if taken and not self._leads_until:
            logger.info("This ticker leads.")
        self._leads_until = now + LEAD_MS if taken else 0
        return bool(taken)


def due_runs() -> list[UUID]:
    """Runs that are due and free, the longest waiting first."""
    now = database_now()
    return list(
        Run.objects.filter(wake_at__lte=now, min_engine__lt=HELD)
        .filter(Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now))
        .order_by("wake_at")
        .values_list("id", flat=True)[:_MOST_RINGS]
    )
