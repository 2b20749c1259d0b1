"""What items of lists write to a server waits a little for company.

Each commit keeps the server's disk and a processor to itself for a moment, and whoever comes next waits for that: the
commits of a list one by one are felt by everybody, the same units a few at a time are not. An item can wait for ten
milliseconds, since others are in hand meanwhile; somebody who waits for an answer cannot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from runtime.contracts import StoreUnavailable
from runtime.store.records import RunWrite, Written

__all__ = ["Company"]

PAUSE_SECONDS: Final = 0.01
#: No more are waited for: they make a commit of their own.
ENOUGH: Final = 24


class Company:
    """For one loop.

    write   hands in a unit and who waits for it; what comes in one turn of the loop is one commit
    note    is told how long such a commit took, from when the units were handed in. Seconds
    """

    def __init__(
        self, write: Callable[[RunWrite, asyncio.Future[Written]], object], *, note: Callable[[float], None]
    ) -> None:
        self._write = write
        self._note = note
        self._waiting: list[tuple[RunWrite, asyncio.Future[Written]]] = []
        self._alarm: asyncio.TimerHandle | None = None

    def writing(self, unit: RunWrite, others: int) -> asyncio.Future[Written]:
        """Hand it in soon. `others`: so many may come; where there is nobody else, nobody is waited for."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Written] = loop.create_future()
        self._waiting.append((unit, future))
        if len(self._waiting) >= min(others, ENOUGH):
            self._hand_in()
        elif self._alarm is None:
            self._alarm = loop.call_later(PAUSE_SECONDS, self._hand_in)
        return future

    def _hand_in(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        waiting, self._waiting = self._waiting, []
        began = time.monotonic()
        for unit, future in waiting:
            # Whoever waited for it was cut off: as little of it is written as if it had never been handed in.
            if future.done():
                continue
            future.add_done_callback(lambda _: self._note(time.monotonic() - began))
            try:
                self._write(unit, future)
            except StoreUnavailable as refused:
                future.set_exception(refused)
