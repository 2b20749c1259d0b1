"""The heart of a process that advances runs: it claims them, drives many at once on one event loop, and keeps leases.

Runs arrive in three ways: the doorbell names them, the process accepted them itself (already leased), or the sweep
finds them in the database. At most `most` are in flight; what does not fit stays due in the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextvars import Context
from typing import Final
from uuid import UUID

from runtime import queue
from runtime.contracts import StoreUnavailable
from runtime.interpreter import Driver, Version, Versions, loaded, own_runs
from runtime.interpreter.attempts import StepContext as StepContextLike
from runtime.interpreter.records import Asked
from runtime.store.brake import BRAKE
from runtime.store.records import Claimed, RunWrite, Written
from runtime.store.tickets import Wanted
from runtime.store.turns import Turns
from runtime.store.units import Fenced
from runtime.store.writer import Writer
from runtime.worker import loads, news
from runtime.worker.alarms import Alarms
from runtime.worker.arrivals import PAUSE_SECONDS, PORTION, Arrivals
from runtime.worker.context import Doors, context_of
from runtime.worker.ending import cancel_all, leases_of
from runtime.worker.inside import Inside
from runtime.worker.suspects import Suspects

logger = logging.getLogger("millrace.pump")

#: How often leases are renewed; they last 15 s.
HEARTBEAT_SECONDS: Final = 4.0
#: Ids remembered from the doorbell; more are found by the sweep.
_MOST_RUNG: Final = 10_000
_CLAIM_AT_ONCE: Final = 128
#: Batches being loaded while the next is claimed.
_MOST_BEGINNINGS: Final = 2
_AGAIN_MS: Final = 1_000
#: How long a stop waits for what is looked up or handed back on the side.
_CHECK_SECONDS: Final = 3.0


class Pump(Inside):
    """Drives runs on the loop it was started on. Only `rung`, `taken` and `admit` are for others, on that loop."""

    def __init__(
        self,
        *,
        writer: Writer,
        doors: Doors,
        key_secret: bytes,
        pool: Executor,
        readers: Executor,
        most: int = 256,
        sweep_seconds: float = 0.5,
        reloads: bool = False,
        beside_door: Callable[[], bool] = lambda: True,
        workers: Callable[[], int] = lambda: 1,
        alone: bool = False,
    ) -> None:
        super().__init__(readers, writer, doors.http, most=most * 3 // 4, workers=workers, alone=alone)
        self.worker = writer.owner
        self.reloads = reloads
        self.key_secret = key_secret
        self.pool = pool
        self.stopping = False
        self.lost = 0
        self._doors = doors
        self._most = most
        self._sweep_seconds = sweep_seconds
        self._versions = Versions(0 if reloads else 256)
        self._rung: dict[UUID, None] = {}
        self._taken: deque[Claimed] = deque()
        self._sweep = True
        #: Whether the last sweep left some behind.
        self._congested = False
        self._turns = Turns()
        self._suspects = Suspects()
        #: Whether a sweep has let others go before it.
        self._passed_over = False
        self._alarms = Alarms(self.rung, self.now_ms)
        self._wanted = asyncio.Event()
        self._room = asyncio.Event()
        self._arrivals = Arrivals(beside_door, workers)
        #: Leases of runs that are claimed and being loaded.
        self._beginning: dict[UUID, int] = {}
        self._beginnings: set[asyncio.Task[None]] = set()
        #: The claim that is under way.
        self._asking: asyncio.Future[list[Claimed]] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._checks: set[asyncio.Task[None]] = set()

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to claim, to renew leases and to sweep."""
        self._tasks = [
            asyncio.create_task(self._claim(), name="millrace-claim"),
            asyncio.create_task(self._renew(), name="millrace-renew"),
            asyncio.create_task(self._sweeps(), name="millrace-sweep"),
        ]

    async def stop(self, grace_seconds: float) -> None:
        """Claim nothing more, let steps that run finish within the grace, hand the rest back (I31)."""
        self.stopping = True
        self._alarms.forget()
        await cancel_all((self._tasks[0], self._tasks[2], *self._beginnings))
        await self._give_back(await leases_of(self._asking))
        for driver, _, _ in self._driving.values():
            if driver is not None:
                driver.wake()
        waiting = [task for _, task, _ in self._driving.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=grace_seconds)
        left = [(run_id, token, task) for run_id, (_, task, token) in self._driving.items()]
        await cancel_all(task for _, _, task in left)
        if self._checks:
            # Some of them hand leases back.
            await asyncio.wait(self._checks, timeout=_CHECK_SECONDS)
        await cancel_all((self._tasks[1], *self._checks))
        leases = [(run_id, token) for run_id, token, _ in left]
        # Also what was claimed and then cancelled before it began.
        leases += self._beginning.items()
        leases += [(claimed.run_id, claimed.token) for claimed in self._taken]
        self._taken.clear()
        await self._give_back(leases)

    # --- arrivals, on the loop ------------------------------------------------------------------------------------

    def rung(self, run_ids: Iterable[UUID]) -> None:
        """The doorbell: somebody should look at these runs."""
        if self.stopping:
            return
        known: list[UUID] = []
        for run_id in run_ids:
            if run_id in self._driving:
                known.append(run_id)
            elif len(self._rung) < _MOST_RUNG:
                self._rung[run_id] = None
            else:
                self._sweep = True
        if known:
            self._keep_check(asyncio.create_task(self._look_for_news(known)))
        if self._rung or self._sweep:
            self._wanted.set()

    def taken(self, claimed: Sequence[Claimed]) -> None:
        """Runs that this process accepted and leased in one commit."""
        self._arrivals.note(len(claimed))
        self._taken.extend(claimed)
        self._wanted.set()

    def more(self, count: int) -> None:
        """So many runs were accepted beyond what this process may hold: they lie in the database, and nobody rings."""
        self._arrivals.note(count)
        self._look_around()

    async def admit(self, run_ids: Sequence[UUID]) -> None:
        """Like `rung`, but waits until there is room for them. Whatever is not waited for is left to the sweep: when
        nobody waits any longer, or while so many come that it matters more to hear how many they are."""
        self._arrivals.note_rung(run_ids)
        if len(run_ids) > queue.MOST_IDS:
            self._look_around()  # there are more
        try:
            while len(self._driving) + len(self._rung) >= self._most and not self.stopping:
                if self._arrivals.pressed():
                    self._look_around()
                    return
                self._room.clear()
                await self._room.wait()
        except asyncio.CancelledError:
            self._look_around()
            raise
        self.rung(run_ids)

    def _look_around(self) -> None:
        """Ask the database what is due as soon as there is room."""
        self._sweep = True
        self._wanted.set()

    @property
    def running(self) -> int:
        """Runs in flight."""
        return len(self._driving)

    @property
    def full(self) -> bool:
        """Whether further runs had better stay in the database for now."""
        return self.stopping or len(self._driving) + len(self._beginning) + len(self._taken) >= self._most

    # --- the shell of the drivers (runtime.interpreter.Shell) --------------------------------------------------------

    def now_ms(self) -> int:
        return self._writer.now_ms()

    def write(self, unit: RunWrite) -> Awaitable[Written]:
        if unit.release and unit.wake_at is not None:
            return self._write_and_remember(unit, unit.wake_at)
        return self._writing(unit)

    async def _write_and_remember(self, unit: RunWrite, wake_at: int) -> Written:
        written = await self._writer.write(unit)
        if not self.stopping:
            self._alarms.remember(unit.run_id, wake_at)
        return written

    def nudge(self, run_id: UUID) -> None:
        if self._alone and not self.full:
            self.rung([run_id])
        else:
            queue.ring([run_id])

    def hears(self, run_id: UUID, ended: tuple[str, UUID, bool] | None) -> bool:
        entry = self._driving.get(run_id)
        return entry is not None and entry[0] is not None and own_runs.hear(entry[0], ended)

    def room(self) -> int:
        # A part is left for others, or what a few runs begin would keep everything else from beginning.
        if self.stopping or self.reloads or BRAKE.is_on or self._congested or self._arrivals.pressed():
            return 0
        return self._most * 3 // 4 - len(self._driving) - len(self._beginning) - len(self._taken)

    def set_out(self, claimed: Sequence[Claimed]) -> None:
        self._take_up(list(claimed))

    @property
    def is_full(self) -> bool:
        return self.full

    def context(self, driver: Driver, asked: Asked) -> StepContextLike:
        return context_of(driver, asked, self._doors)

    # --- claiming -------------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._taken or self._rung or self._sweep:
                if BRAKE.is_on:
                    # What was rung for stays due; what was taken was taken before.
                    self._rung.clear()
                    self._sweep = True
                    if not self._taken:
                        await asyncio.sleep(_AGAIN_MS / 1000)
                        continue
                room = self._most - len(self._driving) - len(self._beginning)
                if room <= 0 or len(self._beginnings) >= _MOST_BEGINNINGS:
                    self._room.clear()
                    await self._room.wait()
                    continue
                pressed = self._arrivals.pressed()
                try:
                    await self._next(min(room, PORTION if pressed else _CLAIM_AT_ONCE))
                except StoreUnavailable:
                    self._sweep = True
                    await asyncio.sleep(0.5)
                    continue
                except Exception:
                    # This task must not end: nothing would run any more, and nobody would see why.
                    logger.exception("Runs could not be claimed.")
                    self._sweep = True
                    await asyncio.sleep(_AGAIN_MS / 1000)
                    continue
                if pressed:
                    await asyncio.sleep(PAUSE_SECONDS * pressed / 1_000)

    async def _next(self, room: int) -> None:
        """Take up to so many runs and begin them. What is named and what is found take turns: neither waits for the
        other to be done with (I21)."""
        if self._sweep and self._passed_over:
            await self._look(room)
            return
        self._passed_over = self._sweep
        if self._taken:
            self._take_up([self._taken.popleft() for _ in range(min(room, len(self._taken)))])
            await asyncio.sleep(0)  # for what was begun before
            return
        if self._rung:
            wanted = list(self._rung)[:room]
            for run_id in wanted:
                del self._rung[run_id]
            # What has begun since it was rung for is not claimed: were its lease to lapse, we would take it from us.
            free = [run_id for run_id in wanted if run_id not in self._driving and run_id not in self._beginning]
            begun = [run_id for run_id in wanted if run_id in self._driving]
            if begun:
                self._keep_check(asyncio.create_task(self._look_for_news(begun)))
            if free:
                await self._ask(Wanted(free, len(free), self.worker))
            return
        await self._look(room)

    async def _look(self, room: int) -> None:
        """Claim what is due, whoever rang or did not."""
        self._sweep = self._passed_over = False
        turns = self._turns if self._congested else None
        suspects = self._suspects.wanted((self._driving, self._beginning))
        wanted = Wanted(None, room, self.worker, tuple(self._held()), turns, suspects)
        self._congested = await self._ask(wanted) >= room
        if self._congested:
            self._sweep = True  # there may be more

    async def _ask(self, wanted: Wanted) -> int:
        """Claim, and begin what comes; returns how many that were. Where this is cancelled meanwhile, the leases are
        taken nevertheless: `stop` hands them back."""
        self._asking = asking = self._writer.claiming(wanted)
        asking.add_done_callback(self._answered)
        await asyncio.wait([asking])
        return len(asking.result())

    def _answered(self, asking: asyncio.Future[list[Claimed]]) -> None:
        """Begin what was claimed, a few turns of the loop before whoever asked hears of it."""
        if self._asking is asking and not self.stopping:
            self._asking = None
            # Whatever came, there may be room for those who wait to ring.
            self._room.set()
            if not asking.cancelled() and asking.exception() is None:
                self._suspects.note(asking.result())
                self._take_up(asking.result())

    def _take_up(self, claimed: list[Claimed]) -> None:
        """Begin these runs: here and now, unless something of them has to be read."""
        # A stray message may have led to a run that is being driven here: the new lease has fenced the old driver.
        claimed = [one for one in claimed if not self._is_driving(one)]
        if not claimed:
            return
        if not loads.needs_reading(claimed) and all(self._versions.get(one.version_id) for one in claimed):
            try:
                self._begin_with(loads.at_hand(claimed), claimed)
                return
            except Exception as fault:
                logger.debug("These runs are begun one by one: %s", fault)
                claimed = [one for one in claimed if one.run_id not in self._driving]
        self._beginning.update((one.run_id, one.token) for one in claimed)
        task = asyncio.create_task(self._begin_all(claimed), context=Context())
        self._beginnings.add(task)
        task.add_done_callback(self._beginnings.discard)

    def _held(self) -> list[tuple[UUID, int]]:
        """Every lease this process works under, or is about to."""
        held = [(run_id, token) for run_id, (_, _, token) in self._driving.items()]
        held += self._beginning.items()
        held += [(claimed.run_id, claimed.token) for claimed in self._taken]
        return held

    async def _begin_all(self, claimed: list[Claimed]) -> None:
        try:
            await self._begin_together(claimed)
        except asyncio.CancelledError:
            await self._give_back([(one.run_id, one.token) for one in claimed if one.run_id not in self._driving])
            raise
        except StoreUnavailable:
            self._sweep = True
        finally:
            for one in claimed:
                self._beginning.pop(one.run_id, None)
            # Before it is said that there is room: whoever waits looks before this task has come to its end.
            if (task := asyncio.current_task()) is not None:
                self._beginnings.discard(task)
            self._room.set()

    async def _begin_together(self, claimed: list[Claimed]) -> None:
        """Begin these runs; where one of them makes that fail, the others begin nevertheless (I20)."""
        try:
            await self._begin(claimed)
        except StoreUnavailable:
            raise
        except Exception:
            if len(claimed) > 1:
                for one in claimed:
                    if one.run_id not in self._driving:
                        await self._begin_together([one])
                return
            logger.exception("Run %s could not be begun.", claimed[0].run_id)
            await self._give_back([(claimed[0].run_id, claimed[0].token)], after_ms=_AGAIN_MS, counts=True)

    async def _begin(self, claimed: list[Claimed]) -> None:
        """Load these runs with a few queries and drive each."""
        missing = [one.version_id for one in claimed if self._versions.get(one.version_id) is None]
        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._readers, loads.load, claimed, missing)
        except StoreUnavailable:
            await self._give_back([(one.run_id, one.token) for one in claimed])
            raise
        self._begin_with(rows, claimed)

    def _begin_with(self, rows: loads.Batch, claimed: list[Claimed]) -> None:
        """Drive each of these runs, of which this was read."""
        fresh = {version_id: Version(version_id, *found) for version_id, found in rows.versions.items()}
        for version in fresh.values():
            self._versions.add(version)
        for one in claimed:
            version_of = fresh.get(one.version_id) or self._versions.get(one.version_id)
            if version_of is None:
                raise LookupError(f"The version {one.version_id} of run {one.run_id} is not there.")
            run_id = one.run_id
            version_of = version_of.of_run(one.trigger_node)
            start = loaded(
                version_of, one, rows.runs[run_id], rows.events.get(run_id), rows.damaged.get(run_id),
                rows.outers.get(run_id),
            )  # fmt: skip
            driver = Driver(self, version_of, one, start)
            task = self.task(driver, self._drive(driver))
            self._driving[run_id] = (driver, task, one.token)
            self._note_part(driver)

    def _is_driving(self, claimed: Claimed) -> bool:
        entry = self._driving.get(claimed.run_id)
        if entry is None:
            return False
        entry[1].cancel()
        # Its lease is ours again in a moment: the sweep finds the run once the old driver is gone.
        self._keep_check(asyncio.create_task(self._give_back([(claimed.run_id, claimed.token)])))
        return True

    async def _drive(self, driver: Driver) -> None:
        claimed = driver.claimed
        again, counts = True, False
        try:
            await driver.drive()
            again = False
        except Fenced:
            again = False
            self.lost += 1
            logger.info("Run %s was taken over by another worker.", claimed.run_id)
        except StoreUnavailable:
            logger.info("Run %s is left as it stands: the writer has stopped.", claimed.run_id)
        except asyncio.CancelledError:
            again = False
            raise
        except Exception:
            counts = True
            logger.exception("Run %s could not be advanced.", claimed.run_id)
        finally:
            self._forget_part(driver)
            entry = self._driving.get(claimed.run_id)
            if entry is not None and entry[0] is driver:
                del self._driving[claimed.run_id]
            self._room.set()
            if self._suspects.ended(claimed.run_id):
                self._look_around()
            if again:
                # A run that cannot be advanced is set aside after a few claims without progress (I20).
                lease = (claimed.run_id, claimed.token)
                self._keep_check(asyncio.create_task(self._give_back([lease], after_ms=_AGAIN_MS, counts=counts)))

    async def _give_back(self, leases: Sequence[tuple[UUID, int]], *, after_ms: int = 0, counts: bool = False) -> None:
        if not leases:
            return
        wake_at = self.now_ms() + after_ms if after_ms else None
        try:
            await self._writer.release(leases, wake_at=wake_at, counts=counts)
        except StoreUnavailable:
            logger.warning("%d leases could not be handed back; they run out by themselves.", len(leases))

    # --- leases, the sweep, alarms --------------------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            leases = self._held()
            try:
                lost = await self._writer.renew(leases)
            except StoreUnavailable:
                continue
            except Exception:
                logger.exception("Leases could not be renewed.")
                continue
            for run_id in lost:
                entry = self._driving.get(run_id)
                if entry is not None and (run_id, entry[2]) in leases:
                    self.lost += 1
                    entry[1].cancel()
            if self._driving:
                # The bell that tells of a cancel may have been lost.
                await self._look_for_news(list(self._driving))

    async def _sweeps(self) -> None:
        while True:
            self._look_around()
            self._step_back_for_lists()
            # Should anybody have missed that there is room again, he looks once more.
            self._room.set()
            await asyncio.sleep(self._sweep_seconds)

    async def _look_for_news(self, run_ids: list[UUID]) -> None:
        """A bell for runs that are driven here: somebody may have cancelled one, or answered its question."""
        await news.look(self._driving, run_ids, self._readers)

    def _keep_check(self, task: asyncio.Task[None]) -> None:
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)
