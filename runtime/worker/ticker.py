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
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections
from django.db.models import F, Q

from runtime import queue
from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.waiting import iso
from runtime.nodes.triggers.schedule import next_fires
from runtime.store import artifacts, signals
from runtime.store.brake import BRAKE
from runtime.store.cancels import ask_to_cancel
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Event, Leadership, Process, Run, Trigger
from runtime.store.records import AcceptRun, EventRow, RunRow
from runtime.store.statements import ENGINE
from runtime.store.writer import Writer

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
_DUTY: Final = "ticker"
_MOST_RINGS: Final = 1_000
_MOST_SCHEDULES: Final = 200
#: How far back a schedule looks for a run of its own that still runs.
_NEWEST_RUNS: Final = 1_000
#: Of the policy `all`: more missed ticks than this are not made up for.
_MOST_MISSED: Final = 100
#: Of the policy `skip`: a tick this late was missed, not merely delayed.
_LATE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class _Tick:
    trigger: Trigger
    due: list[int]
    previous: int | None
    missed: int
    next_at: int | None
    #: What becomes of a start while an earlier one still runs: allow, skip, cancel.
    overlap: str = "allow"


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
            await asyncio.sleep(self._period)

    async def _sweeps(self) -> None:
        """Now and then remove what crashes and repeats left in the artifact store."""
        await asyncio.sleep(FIRST_SWEEP_SECONDS)
        while True:
            try:
                if self._always_leads or await self._ask(self._lead):
                    removed = await self._ask(artifacts.sweep_orphans)
                    if removed:
                        logger.info("Removed %d artifacts that nothing names.", removed)
            except StoreUnavailable as error:
                logger.warning("The artifact store was not swept: %s", error)
            except Exception:
                logger.exception("Sweeping the artifact store failed; the next hour tries again.")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _tick(self) -> None:
        if not (BRAKE.held or BRAKE.full):
            for tick in await self._ask(_due_schedules):
                await self._fire(tick)
            moved = await self._ask(signals.settle_left)
            if moved:
                await self._ask(lambda: queue.ring(moved))
        if self._ring is not None:
            due = await self._ask(due_runs)
            if due:
                await self._ask(lambda: self._ring(due) if self._ring is not None else None)

    async def _fire(self, tick: _Tick) -> None:
        """One event for each instant, however often this is tried: the instant is the event's key (I33)."""
        now = self._writer.now_ms()
        previous = tick.previous
        for at in tick.due:
            starts = tick.overlap == "allow" or await self._ask(partial(_makes_room, tick, at))
            await self._writer.accept(_event_of(tick, at, previous, now, starts=starts))
            previous = at
        await self._ask(lambda: _schedule_next(tick.trigger, tick.next_at))

    # --- in a thread ----------------------------------------------------------------------------------------------

    async def _ask(self, query: Callable[[], T]) -> T:
        def asked() -> T:
            try:
                return query()
            except (DatabaseError, InterfaceError) as error:
                connections.close_all()
                raise StoreUnavailable(str(error)) from error

        return await asyncio.get_running_loop().run_in_executor(self._readers, asked)

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
        Run.objects.filter(wake_at__lte=now)
        .filter(Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now))
        .order_by("wake_at")
        .values_list("id", flat=True)[:_MOST_RINGS]
    )


def _due_schedules() -> list[_Tick]:
    now = database_now()
    found = list(
        Trigger.objects.select_related("version")
        .filter(next_fire_at__lte=now, enabled=True)
        .order_by("next_fire_at")[:_MOST_SCHEDULES]
    )
    if not found:
        return []
    live = set(
        Deployment.objects.filter(
            workflow_id__in=[trigger.workflow_id for trigger in found], enabled=True, retired=False
        ).values_list("workflow_id", flat=True)
    )
    return [_tick_of(trigger, now, live=trigger.workflow_id in live) for trigger in found]


def _tick_of(trigger: Trigger, now: int, *, live: bool) -> _Tick:
    """Which instants of a due schedule get an event, by its policy for missed ones."""
    config: Any = loads_stored(trigger.config)
    first = trigger.next_fire_at
    assert first is not None
    due = [first]
    while due[-1] <= now and len(due) <= 10 * _MOST_MISSED:
        further = next_fires(config, due[-1], 1)
        if not further:
            break
        due.extend(further)
    next_at = due.pop() if due[-1] > now else None
    if next_at is None:
        after = next_fires(config, now, 1)
        next_at = after[0] if after else None
    missed = len(due) - 1
    if not live:
        return _Tick(trigger, [], None, missed, next_at)
    match config.get("missed", "once"):
        case "all":
            due = due[-_MOST_MISSED:]
        case "skip":
            due = due[-1:] if now - due[-1] <= _LATE_MS else []
        case _:
            due = due[-1:]
    last = Event.objects.filter(trigger_id=trigger.pk, source="schedule").order_by("-id").first()
    previous = None if last is None else int(last.dedupe_key or 0)
    return _Tick(trigger, due, previous, missed, next_at, config.get("overlap", "allow"))


def _makes_room(tick: _Tick, at: int) -> bool:
    """Whether this instant may start a run, as the schedule says of earlier ones that still run; those are cancelled
    where it says so. A run that is set aside does not count, nor does that of this very instant, told of once more."""
    trigger = tick.trigger
    newest = Run.objects.filter(workflow_id=trigger.workflow_id).order_by("-id")[:_NEWEST_RUNS]
    going = [
        run_id
        for run_id, node, mode, status, finished_at, source, key in newest.values_list(
            "id", "trigger_node", "mode", "status", "finished_at", "event__source", "event__dedupe_key"
        )
        if (node, mode, finished_at) == (trigger.node_id, "live", None)
        and status != "parked"
        and (source, key) != ("schedule", str(at))
    ]
    if going and tick.overlap == "cancel":
        with commit("run.cancel"):
            ask_to_cancel(Run.objects.filter(pk__in=going), by="schedule", now=database_now())
        return True
    return not going


def _schedule_next(trigger: Trigger, next_at: int | None) -> None:
    with commit("schedule.tick"):
        # A publish meanwhile may have set another time: it knows better.
        Trigger.objects.filter(pk=trigger.pk, next_fire_at=trigger.next_fire_at).update(next_fire_at=next_at)


def _event_of(tick: _Tick, at: int, previous: int | None, now: int, *, starts: bool) -> AcceptRun:
    trigger = tick.trigger
    body = dumps(
        {"scheduled_at": iso(at), "previous": None if previous is None else iso(previous), "missed": tick.missed}
    ).encode()
    event = EventRow(
        id=uuid7(),
        workspace_id=trigger.workspace_id,
        workflow_id=trigger.workflow_id,
        trigger_id=trigger.id,
        source="schedule",
        received_at=now,
        method="",
        path="",
        query="",
        headers="[]",
        content_type="application/json",
        body=body,
        body_artifact_id=None,
        body_size=len(body),
        body_sha256=sha256(body).hexdigest(),
        dedupe_key=str(at),
        signature="none",
        verdict="accepted" if starts else "skipped",
        reason=None if starts else "An earlier start was still running.",
        parse_error=None,
    )
    run = RunRow(
        id=uuid7(),
        workspace_id=trigger.workspace_id,
        workflow_id=trigger.workflow_id,
        version_id=trigger.version_id,
        trigger_node=trigger.node_id,
        mode="live",
        started_by="schedule",
        accepted_at=now,
        min_engine=trigger.version.min_engine,
    )
    return AcceptRun(event, run if starts else None)
