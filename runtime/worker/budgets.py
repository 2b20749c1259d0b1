"""Rate budgets in one process: who calls asks here, and hears when it is his turn.

Asks and ends that come together share a transaction (`store.budgets`), under the lock of their budgets. What is limited
is read once a second, so that a process without budgets does nothing else about them. Who waits is looked after by
every process that advances runs, each whenever there may be room again: none of them is needed for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Final, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections

from runtime.contracts import StoreUnavailable
from runtime.store import budgets as store
from runtime.store.budgets import Answer, Ask, End, Limits
from runtime.store.commits import listen
from runtime.store.dialect import database_now

logger = logging.getLogger("millrace.budgets")

T = TypeVar("T")

#: How soon a changed limit is known everywhere.
_LOOK_SECONDS: Final = 1.0
_LEAST_SECONDS: Final = 0.02
_TIDY_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 0.5
#: Asks that share one transaction.
_TOGETHER: Final = 200


class Budgets:
    """See `runtime.interpreter.shell.Budgets`. Only on the loop it is started on; the database is asked in a thread of
    its own.

    came    told which step of which run may have its turn; whether the run is driven here and waited for that
    nudge   rings for a run that is driven nowhere
    """

    def __init__(self, *, ask: Executor, came: Callable[[UUID, str], bool], nudge: Callable[[UUID], None]) -> None:
        self._thread = ask
        self._came = came
        self._nudge = nudge
        self._known: dict[UUID, Limits] = {}
        self._asks: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._ends: list[End] = []
        self._looks: set[UUID] = set()
        self._waiters: dict[UUID, asyncio.Event] = {}
        #: When to look at which budget again, by the monotonic clock.
        self._next: dict[UUID, float] = {}
        self._tidied: dict[UUID, float] = {}
        #: When to read again what is limited.
        self._read_at = 0.0
        self._work = asyncio.Event()
        self._stir = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._deaf: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Read what is limited, then begin to answer and to look. Nothing may call before. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        await self._read()

        def read_anew() -> None:
            self._read_at = 0.0
            self._stir.set()

        def changed() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(read_anew)

        self._deaf = listen("budget.change", changed)
        self._tasks = [
            asyncio.create_task(self._answer(), name="millrace-budgets"),
            asyncio.create_task(self._look(), name="millrace-budget-looks"),
        ]

    async def stop(self) -> None:
        """Tell the database what has ended here; whatever is not told, others find."""
        self._deaf()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, answer in self._asks:
            answer.cancel()
        if self._ends:
            with contextlib.suppress(StoreUnavailable):
                await self._in_thread(lambda: store.settle((), self._ends))

    @property
    def known(self) -> Mapping[UUID, Limits]:
        return self._known

    async def ask(self, ask: Ask) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asks.append((ask, answer))
        self._work.set()
        return await answer

    def end(self, end: End) -> None:
        self._ends.append(end)
        self._work.set()

    async def turn(self, turn_id: UUID, seconds: float) -> None:
        """Wait here until this turn is given, at most so long."""
        event = self._waiters.setdefault(turn_id, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiters.pop(turn_id, None)

    # --- answering ------------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            # What is asked for within one turn of the loop goes together.
            await asyncio.sleep(0)
            while self._asks or self._ends or self._looks:
                await self._settle()

    async def _settle(self) -> None:
        asks, self._asks = self._asks[:_TOGETHER], self._asks[_TOGETHER:]
        ends, self._ends = self._ends, []
        looks, self._looks = self._looks, set()
        asked = [ask for ask, answer in asks if not answer.done()]
        waiting = [answer for _, answer in asks if not answer.done()]
        try:
            settled = await self._in_thread(lambda: store.settle(asked, ends, looks))
        except StoreUnavailable as error:
            self._ends = ends + self._ends
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(StoreUnavailable(str(error)))
            await asyncio.sleep(_AGAIN_SECONDS)
            return
        except Exception as error:
            # This task must not end, or nobody would have a turn any more.
            logger.exception("Turns could not be given.")
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(StoreUnavailable(str(error)))
            await asyncio.sleep(_AGAIN_SECONDS)
            return
        for asks_for, given in zip(asked, settled.answers, strict=True):
            # Whatever begins here from now on asks before it calls; other processes hear of it within a second.
            known = self._known.get(asks_for.connection_id)
            if given.broken is not None and known is not None and known.broken_at is None:
                self._known[asks_for.connection_id] = replace(known, broken_at=settled.now)
        for answer, given in zip(waiting, settled.answers, strict=True):
            if not answer.done():
                answer.set_result(given)
        self._remember(settled.next_at, settled.now)
        for run_id, node, turn_id in settled.given:
            if (event := self._waiters.get(turn_id)) is not None:
                event.set()
            elif not self._came(run_id, node):
                try:
                    self._nudge(run_id)
                except Exception as error:
                    # It is due in the database: whoever looks there finds it.
                    logger.info("Run %s was not rung for: %s", run_id, error)

    def _remember(self, next_at: Mapping[UUID, int | None], now: int) -> None:
        for connection_id, at in next_at.items():
            if at is None:
                self._next.pop(connection_id, None)
            else:
                self._next[connection_id] = time.monotonic() + max(_LEAST_SECONDS, (at - now) / 1000)
        if self._next:
            self._stir.set()

    # --- looking --------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            if (now := time.monotonic()) >= self._read_at:
                self._read_at = now + _LOOK_SECONDS
                try:
                    await self._read()
                except StoreUnavailable:
                    self._read_at = now + _AGAIN_SECONDS
                except Exception:
                    logger.exception("The budgets could not be read.")
            due = [connection_id for connection_id, at in self._next.items() if at <= time.monotonic()]
            for connection_id in due:
                del self._next[connection_id]
                await self._tidy(connection_id)
            if due:
                self._looks.update(due)
                self._work.set()
            at = min([self._read_at, *self._next.values()])
            self._stir.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(_LEAST_SECONDS, at - time.monotonic())):
                    await self._stir.wait()

    async def _read(self) -> None:
        limits, due, now = await self._in_thread(_all)
        self._known = {one.connection_id: one for one in limits}
        for connection_id, at in due.items():
            soon = time.monotonic() + max(0.0, (at - now) / 1000)
            self._next[connection_id] = min(soon, self._next.get(connection_id, soon))

    async def _tidy(self, connection_id: UUID) -> None:
        now = time.monotonic()
        if self._tidied.get(connection_id, 0.0) > now - _TIDY_SECONDS:
            return
        self._tidied[connection_id] = now
        with contextlib.suppress(StoreUnavailable):
            await self._in_thread(lambda: store.tidy(connection_id))

    async def _in_thread(self, query: Callable[[], T]) -> T:
        def asked() -> T:
            try:
                return query()
            except (DatabaseError, InterfaceError) as error:
                connections.close_all()
                raise StoreUnavailable(str(error)) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, asked)


def _all() -> tuple[Sequence[Limits], Mapping[UUID, int], int]:
    return store.limits(), store.due(), database_now()
