"""Holding callers until their runs answer or end. This process's writer tells at once of the runs it works on; for runs
that other processes work on, one question to the database serves all callers that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from typing import Final
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.store.reads import RunEnd
from runtime.store.writer import Writer

__all__ = ["Held"]

Look = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, RunEnd]]]

#: Where other processes do the work, a caller learns of the end this much late at most.
_POLL_ELSEWHERE: Final = 0.02
#: Where this process does it, asking is only for runs that it has handed on.
_POLL_HERE: Final = 0.5


class _Caller:
    __slots__ = ("for_response", "future", "run_id")

    def __init__(self, run_id: UUID, for_response: bool, future: asyncio.Future[RunEnd]) -> None:
        self.run_id = run_id
        self.for_response = for_response
        self.future = future

    def take(self, end: RunEnd) -> None:
        """Answer the caller if this is what it waits for."""
        if not self.future.done() and (end.finished_at is not None or (self.for_response and end.response is not None)):
            self.future.set_result(end)


class Held:
    """The callers that are held. `look` reads how far runs are, leaving out those with neither an end nor an answer."""

    def __init__(self, *, writer: Writer, look: Look, seconds: float = 30.0, most: int = 2_000) -> None:
        self._writer = writer
        self._look = look
        self._seconds = seconds
        self._most = most
        self._callers: dict[UUID, list[_Caller]] = {}
        self._count = 0
        self._told: set[UUID] = set()
        self._news = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    async def until_end(self, run_id: UUID, *, for_response: bool, begun_earlier: bool) -> RunEnd | None:
        """The run once it has ended (or, `for_response`, has answered); None when it takes longer than the patience.

        `begun_earlier`: the run may have ended before anybody waited for it.
        """
        if self._count >= self._most:
            return None
        loop = asyncio.get_running_loop()
        caller = _Caller(run_id, for_response, loop.create_future())

        def told(end: RunEnd | None) -> None:
            loop.call_soon_threadsafe(self._hear, run_id, end)

        self._callers.setdefault(run_id, []).append(caller)
        self._count += 1
        self._writer.watch(run_id, told)
        if begun_earlier:
            self._hear(run_id, None)
        if self._asking is None:
            # It is for all, not for whoever was first.
            self._asking = asyncio.create_task(self._ask(), context=Context())
        try:
            async with asyncio.timeout(self._seconds):
                return await caller.future
        except TimeoutError:
            return None
        finally:
            self._writer.unwatch(run_id, told)
            self._count -= 1
            of_run = self._callers[run_id]
            of_run.remove(caller)
            if not of_run:
                del self._callers[run_id]

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _hear(self, run_id: UUID, end: RunEnd | None) -> None:
        if end is None:
            self._told.add(run_id)
            self._news.set()
            return
        for caller in self._callers.get(run_id, ()):
            caller.take(end)

    async def _ask(self) -> None:
        """As long as somebody waits: look at the runs that were told of, and at all of them now and then."""
        clock = asyncio.get_running_loop().time
        all_at = 0.0
        try:
            while self._callers:
                await self._pause()
                told, self._told = self._told, set()
                self._news.clear()
                callers = [caller for of_run in self._callers.values() for caller in of_run]
                # News of some runs must not keep others from being looked at.
                everybody = not told or clock() >= all_at
                if everybody:
                    all_at = clock() + self._period
                wanted = [caller.run_id for caller in callers if everybody or caller.run_id in told]
                try:
                    ends = await self._look(wanted) if wanted else {}
                except StoreUnavailable:
                    ends = {}
                for caller in callers:
                    end = ends.get(caller.run_id)
                    if end is not None:
                        caller.take(end)
        finally:
            self._asking = None

    @property
    def _period(self) -> float:
        return _POLL_HERE if self._writer.works_here else _POLL_ELSEWHERE

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._period):
                await self._news.wait()
        except TimeoutError:
            return
