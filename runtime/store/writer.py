"""The writer commits for everybody in a process (group commit).

Coroutines and threads hand in units (`records.py`) and wait; the writer takes all that wait, writes them with a few
multi-row statements in one transaction through `commit(...)`, and then wakes every waiter, publishes the news and rings
the doorbell. Most batches of a loop go the short way (`shortcut.py`), all others through the writer's thread. Nobody is
answered before COMMIT came back (I1). A unit whose lease was lost fails alone (`Fenced`); so does one that the database
refuses. When the database is away the units wait: writes for as long as it takes, accepted events for
`ACCEPT_PATIENCE` seconds, then `StoreUnavailable` (I2).
"""

from __future__ import annotations

import asyncio
import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future as SyncFuture
from contextvars import Context
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError

from runtime.contracts import StoreUnavailable
from runtime.ports import PORTS, LiveSink
from runtime.store import claims, units
from runtime.store.bell import Bell, Ring
from runtime.store.brake import BRAKE
from runtime.store.commits import Transaction, commit
from runtime.store.delivery import Watchers, deliver_all, expire, publish, still_waiting
from runtime.store.dialect import Link, LinkLost, NotWhole, StoreFault, open_link, vendor_of
from runtime.store.records import Accepted, AcceptRun, Claimed, RunWrite, Written
from runtime.store.shortcut import ShortWay
from runtime.store.tickets import CancelPending, Fenced, Ticket, Waiting, Wanted, Work, earliest, has_beside, has_time

__all__ = ["ACCEPT_PATIENCE", "CancelPending", "Fenced", "Writer"]

logger = logging.getLogger("millrace.store.writer")

ACCEPT_PATIENCE: Final = 2.5
_MOST_TICKETS: Final = 512
#: What is sent to a server at a time while a turn of the loop goes on.
_PORTION: Final = 24


class Writer:
    """The process's only hot connection to the database. Every method may be called from any thread or loop.

    owner    what leases are owned by: this process's boot id.
    ring     told, on a thread of its own, the ids of runs that anybody may claim; it may block and may fail.
             `ring_in_flood` is told instead while more come than anybody could begin.
    take     told, on the writer's thread, of runs that were accepted already leased to `owner`; must not block.
    most_held   leases this process holds at most by taking; what is accepted beyond stays free for claims.
    more     told, on the writer's thread, how many runs were accepted beyond that, in place of ringing for each: this
             process is the only one that could come, and finds them once it has room. Must not block.
    """

    def __init__(
        self,
        *,
        owner: str,
        alias: str = "default",
        sink: LiveSink | None = None,
        ring: Ring | None = None,
        take: Callable[[list[Claimed]], None] | None = None,
        most_held: int = 256,
        more: Callable[[int], None] | None = None,
        ring_in_flood: Ring | None = None,
    ) -> None:
        self.owner = owner
        self._alias = alias
        self._sink = sink
        self._take = take
        self._most_held = most_held
        self._more = more
        self._held = 0
        self._bell = Bell(ring, ring_in_flood) if ring is not None else None
        self._queue: queue.SimpleQueue[list[Ticket] | None] = queue.SimpleQueue()
        # What each loop's coroutines handed in during this turn of it.
        self._gathered: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
        self._accepting = 0
        self._closed = True
        self._closing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._link: Link | None = None
        self._short_way = ShortWay(alias, self)
        # A server works at one portion while the loop makes the next: all at once, each would wait for the other.
        self._portion = _MOST_TICKETS if vendor_of(alias) == "sqlite" else _PORTION
        self._idle = True  # the thread has nothing to do
        self._lost: deque[tuple[units.Batch, str]] = deque()  # sent the short way and never answered
        self._stopping = False
        self._clock = (0, 0.0)
        self._watchers = Watchers()
        self.watch = self._watchers.watch
        self.unwatch = self._watchers.unwatch

    # --- life -------------------------------------------------------------------------------------------------

    @property
    def takes(self) -> bool:
        """Whether the next accepted run may be leased to this process in the accepting commit (`RunRow.lease_owner`).

        Not when it holds enough, or may begin nothing: a lease that nobody works under would have to be renewed, or be
        claimed again and again until the run looked like one that kills its workers.
        """
        return self._take is not None and self._held < self._most_held and not BRAKE.is_on

    @property
    def works_here(self) -> bool:
        """Whether this process advances runs that it accepts, so that it hears of their end itself."""
        return self._take is not None

    @property
    def running(self) -> bool:
        return self._thread is not None and not self._stopping

    @property
    def backlog(self) -> int:
        """How many events of coroutines wait for their commit."""
        return self._accepting

    def start(self, *, void_foreign_leases: bool = False) -> None:
        """Start the thread. `void_foreign_leases` only where no other process works on this database (I16)."""
        if self._thread is not None:
            raise RuntimeError("The writer is running already.")
        self._stopping = False
        if void_foreign_leases:
            link = open_link(self._alias)
            try:
                with commit("run.release", on=link):
                    count = claims.void_foreign_leases(link, self.owner)
            finally:
                link.close()
            if count:
                logger.info("Took back %d runs from an earlier process.", count)
        if self._bell is not None:
            self._bell.start()
        self._closed = False
        self._short_way.open()
        self._thread = threading.Thread(target=self._work, name="millrace-writer", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Commit what was handed in, refuse what comes later, and end. Idempotent."""
        thread = self._thread
        if thread is None:
            return
        self._stopping = True
        for loop in list(self._gathered):
            self.hand_over(self._gathered_on(loop))
        # What it cannot finish comes to the thread.
        self._short_way.close()
        self._queue.put(None)
        thread.join(timeout)
        self._thread = None
        if self._bell is not None:
            self._bell.stop()

    # --- the five kinds of work -------------------------------------------------------------------------------

    async def accept(self, unit: AcceptRun) -> Accepted:
        """Store an event and its run; returns once both are durable. Raises StoreUnavailable within 2.5 s."""
        self._accepting += 1
        try:
            result: Accepted = await self._hand_in(Work.ACCEPT, unit, ACCEPT_PATIENCE)
            return result
        finally:
            self._accepting -= 1

    def accept_told(self, unit: AcceptRun, caller: Waiting) -> None:
        """`accept` without a coroutine: the caller, on this loop, is told like a future. It looks after its patience
        itself. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        self._gather(Ticket(Work.ACCEPT, unit, caller, loop, time.monotonic() + ACCEPT_PATIENCE), loop)

    def accept_sync(self, unit: AcceptRun) -> Accepted:
        """`accept` for a thread without a loop."""
        result: Accepted = self._hand_in_sync(Work.ACCEPT, unit, ACCEPT_PATIENCE)
        return result

    async def write(self, unit: RunWrite) -> Written:
        """Commit one engine transaction. Raises Fenced when the lease is another's, CancelPending or PausePending when
        the unit's `unless` says so and somebody asked for that, StoreUnavailable only when the writer stops."""
        return await self.writing(unit)

    def writing(self, unit: RunWrite, told: asyncio.Future[Written] | None = None) -> asyncio.Future[Written]:
        """`write`, as what is awaited: one coroutine less on the way. `told`: who waits already, on this loop."""
        return self._hand_over(Work.WRITE, unit, None, told)

    def write_sync(self, unit: RunWrite) -> Written:
        """`write` for a thread without a loop."""
        result: Written = self._hand_in_sync(Work.WRITE, unit, None)
        return result

    async def claim(
        self,
        run_ids: Sequence[UUID] | None = None,
        *,
        limit: int = 64,
        owner: str | None = None,
        held: Sequence[tuple[UUID, int]] = (),
    ) -> list[Claimed]:
        """Lease runs that are due and free for 15 s: these, or the longest waiting ones. Raises StoreUnavailable.

        `held`: the leases `(run, token)` of the caller. Those that ran out unnoticed, since the database was away or
        its clock was put forward, are prolonged first: nobody takes a run from a worker that lives by its own hand.
        """
        return await self.claiming(Wanted(run_ids, limit, owner or self.owner, tuple(held)))

    def claiming(self, wanted: Wanted) -> asyncio.Future[list[Claimed]]:
        """`claim`, as what is awaited."""
        return self._hand_in(Work.CLAIM, wanted, ACCEPT_PATIENCE)

    async def renew(self, leases: Sequence[tuple[UUID, int]]) -> set[UUID]:
        """Prolong all leases `(run, token)` of this process to 15 s from now; returns the runs whose lease is lost."""
        if not leases:
            return set()
        result: set[UUID] = await self._hand_in(Work.RENEW, tuple(leases), ACCEPT_PATIENCE)
        return result

    async def release(
        self, leases: Sequence[tuple[UUID, int]], *, wake_at: int | None = None, counts: bool = False
    ) -> None:
        """Hand leases back without a change; the runs are due at `wake_at`, or at once. Lost leases are passed over.

        `counts`: the claim counts as one without progress (I20).
        """
        if leases:
            await self._hand_in(Work.RELEASE, (tuple(leases), wake_at, counts), ACCEPT_PATIENCE)

    def now_ms(self) -> int:
        """The database's clock, carried on by this machine's monotonic one since the last commit."""
        now, at = self._clock
        return now + int((time.monotonic() - at) * 1000) if now else time.time_ns() // 1_000_000

    # --- handing in -------------------------------------------------------------------------------------------

    def _hand_in(self, work: Work, unit: Any, patience: float) -> asyncio.Future[Any]:
        future = self._hand_over(work, unit, time.monotonic() + patience)
        handle = future.get_loop().call_later(patience, expire, future)
        future.add_done_callback(lambda _: handle.cancel())
        return future

    def _hand_over(self, work: Work, unit: Any, deadline: float | None, told: Any = None) -> asyncio.Future[Any]:
        """Give a unit to the writer; the future tells what became of it. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future() if told is None else told
        self._gather(Ticket(work, unit, future, loop, deadline), loop)
        return future

    def _gather(self, ticket: Ticket, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread is None or self._stopping:
            raise StoreUnavailable("The writer is not running.")
        with self._closing:
            gathered = self._gathered.get(loop)
            if gathered is None:
                self._gathered[loop] = [ticket]
            else:
                gathered.append(ticket)
        if gathered is None:
            loop.call_soon(self._pass_on, loop, context=Context())  # it is for all, not for whoever was first
        elif len(gathered) >= self._portion:
            Context().run(self._pass_on, loop)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Pass on what this turn of the loop brought. One by one, each would wake the writer, and the two would quarrel
        over the interpreter; together they make one batch."""
        tickets = [ticket for ticket in self._gathered_on(loop) if not ticket.future.done()]
        if tickets and not (self._clock[0] and self._short_way.take(tickets, loop)):
            self.hand_over(tickets)

    def _gathered_on(self, loop: asyncio.AbstractEventLoop) -> list[Ticket]:
        with self._closing:
            return self._gathered.pop(loop, [])

    def hand_over(self, tickets: list[Ticket]) -> None:
        """Leave these to the thread; refused where that has ended."""
        with self._closing:
            if not self._closed:
                self._idle = False
                self._queue.put(tickets)
                return
        deliver_all([ticket.failed(StoreUnavailable("The writer is not running.")) for ticket in tickets])

    def _hand_in_sync(self, work: Work, unit: Any, patience: float | None) -> Any:
        if not self.running:
            raise StoreUnavailable("The writer is not running.")
        future: SyncFuture[Any] = SyncFuture()
        self.hand_over([Ticket(work, unit, future, None, None if patience is None else time.monotonic() + patience)])
        try:
            return future.result(patience)
        except TimeoutError:
            future.cancel()
            raise StoreUnavailable("The database did not answer in time.") from None

    # --- for the short way (`shortcut.Road`) ------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        """Whether the thread has nothing to do."""
        return self._idle and self._queue.empty()

    def settle(self, batch: units.Batch, link: Link) -> None:
        """Tell everybody of a batch that was committed; what has to be written once more comes to the thread."""
        if again := self._settle(batch, link.told_now):
            self.hand_over(again)

    def look_into(self, batch: units.Batch, transaction: str) -> None:
        """Have the thread find out whether this batch was committed, and go on from there."""
        if self._closed:
            self.hand_over(list(batch.tickets))
            return
        self._lost.append((batch, transaction))
        self.hand_over([])

    # --- the thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        stopping = False
        while not stopping:
            with self._closing:
                self._idle = self._queue.empty()
            first = self._queue.get()
            stopping = first is None
            pending = first or []
            while len(pending) < _MOST_TICKETS and not self._queue.empty():
                further = self._queue.get()
                stopping |= further is None
                pending += further or []
            if stopping:
                with self._closing:
                    # Unless nobody waited for this thread, and another one writes by now.
                    self._closed |= self._thread in (None, threading.current_thread())
                while not self._queue.empty():
                    pending += self._queue.get() or []
            pending += self._found_out()
            for start in range(0, len(pending), _MOST_TICKETS):
                some = pending[start : start + _MOST_TICKETS]
                try:
                    self._see_through(some)
                except Exception:
                    logger.exception("The writer met a fault it does not know.")
                    deliver_all([t.failed(StoreUnavailable("The writer met an unknown fault.")) for t in some])
            if self._link is not None:
                self._short_way.mend()
        self._drop_link()

    def _found_out(self) -> list[Ticket]:
        """Ask what became of what the short way lost; returns the tickets of what was not committed."""
        again: list[Ticket] = []
        while self._lost:
            batch, transaction = self._lost.popleft()
            try:
                if not self._was_committed(transaction):
                    again += batch.tickets
                    continue
                assert self._link is not None
                batch.look_up(self._link)
            except Exception as error:
                if isinstance(error, StoreFault) and not self._stopping:
                    self._lost.appendleft((batch, transaction))
                    continue
                logger.warning("Nobody can tell whether %d units were committed: %s", len(batch.tickets), error)
                deliver_all([t.failed(StoreUnavailable("The database did not tell.")) for t in batch.tickets])
                continue
            again += self._settle(batch, self._clock_of_link)
        return again

    def _see_through(self, tickets: list[Ticket]) -> None:
        """Commit these tickets however long the database is away; those whose time is up are answered meanwhile."""
        failures, in_one_go = 0, True
        while tickets:
            tickets = [ticket for ticket in tickets if not ticket.future.done()]
            if not tickets:
                return
            try:
                tickets = self._commit(tickets, in_one_go=in_one_go)
                in_one_go = False
                continue
            except NotWhole:
                # A lease was lost, or a cancel came: one by one the units tell which.
                in_one_go = False
                continue
            except StoreFault as fault:
                in_one_go = False
                failures += 1
                if failures == 1 or failures % 20 == 0:
                    logger.warning("The database could not commit %d units (%s); trying again.", len(tickets), fault)
            except Exception as error:
                if len(tickets) == 1:
                    deliver_all([tickets[0].failed(error)])
                    return
                # One of them broke the batch. Alone, each either commits or fails for itself.
                for ticket in tickets:
                    self._see_through([ticket])
                return
            tickets = still_waiting(tickets)
            if self._stopping and failures > 3:
                deliver_all([t.failed(StoreUnavailable("The process is stopping.")) for t in tickets])
                return
            if tickets:
                time.sleep(min(0.5, 0.01 * 2 ** min(failures, 6)) * random.uniform(0.5, 1.0))

    def _commit(self, tickets: list[Ticket], *, in_one_go: bool) -> list[Ticket]:
        """Commit a batch and tell everybody; returns the tickets that have to be written once more, not in one go."""
        if self._link is None:
            self._link = open_link(self._alias)
        transaction = Transaction(self._link)
        late = earliest(tickets)
        # A deadline goes by the clock that is known: to ask for it now would be a journey more.
        at_once = in_one_go and self._clock[0] > 0 and has_time(tickets) and not any(map(has_beside, tickets))
        batch = units.Batch(self._link, tickets, self.owner, in_one_go=at_once, clock=self.now_ms if at_once else None)
        try:
            with commit(*batch.points(), on=transaction):
                batch.write()
                far = self._link.far
                if far is not None and late is not None and (left := late - time.monotonic()) > 0:
                    far.commit_by((self.now_ms() if at_once else far.now()) + int(left * 1000))
                # Who was told "later" while a lock was awaited must not find the event stored all the same.
                if late is not None and late <= time.monotonic():
                    raise StoreFault("somebody stopped waiting")
        except (LinkLost, OperationalError) as error:
            if not transaction.took_place and not self._took_place_after_all(transaction, error):
                if isinstance(error, OperationalError):
                    raise StoreFault(str(error)) from error
                raise
            if not transaction.took_place and self._link is not None:
                # What came of each event got lost with the answer.
                batch.look_up(self._link)
        return self._settle(batch, self._clock_of_link)

    def _settle(self, batch: units.Batch, now: Callable[[], int | None]) -> list[Ticket]:
        """Behind a COMMIT: tell everybody. Returns what has to be written once more. Never raises: it took place."""
        again: list[Ticket] = []
        try:
            again = batch.learn()
        except Exception:
            logger.exception("Nobody knows what a commit brought; runs are looked up anew.")
            for ticket in batch.tickets:
                if ticket.result is None and ticket.error is None:
                    ticket.failed(StoreUnavailable("It was committed, and what came of it is not known."))
        try:
            if (told := now()) is not None:
                self._clock = (told, time.monotonic())
        except Exception as error:
            logger.info("The database's clock could not be read: %s", error)
        try:
            self._tell(batch)
        except Exception:
            logger.exception("Not everybody was told of a commit; the sweep finds what was missed.")
        return again

    def _took_place_after_all(self, transaction: Transaction, error: Exception) -> bool:
        """Whether the transaction whose COMMIT got no answer was committed: ask the database before acting (F25)."""
        if isinstance(error, LinkLost):
            self._drop_link()
        if not transaction.committing or transaction.identity is None:
            return False
        return self._was_committed(transaction.identity)

    def _was_committed(self, transaction: str) -> bool:
        """Ask until there is an answer. Raises StoreFault when the process stops and there was none for a minute."""
        deadline = time.monotonic() + 60
        while not self._stopping or time.monotonic() < deadline:
            try:
                if self._link is None:
                    self._link = open_link(self._alias)
                answer = self._link.was_committed(transaction)
                if answer is not None:
                    return answer
            except StoreFault:
                self._drop_link()
            time.sleep(0.1)
        raise StoreFault("Nobody can tell whether the transaction was committed.")

    def _clock_of_link(self) -> int | None:
        return None if self._link is None else self._link.now()

    def _drop_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _tell(self, batch: units.Batch) -> None:
        with self._closing:
            self._held = max(0, batch.held_now if batch.held_now is not None else self._held + batch.held_more)
        deliver_all(batch.tickets)
        self._watchers.tell(batch.answered)
        if batch.leased and self._take is not None:
            self._take(batch.leased)
        if batch.free:
            if self._more is not None and self._held >= self._most_held:
                self._more(len(batch.free))
            elif self._bell is not None:
                self._bell.ring(batch.free)
        publish(self._sink or PORTS.live, batch)
