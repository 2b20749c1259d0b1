"""What items of lists write waits a little for company.

Each commit keeps the disk, and a processor or the loop, to itself for a moment, and whoever comes next waits for that:
the commits of a list one by one are felt by everybody, the same units a few at a time are not. An item can wait for ten
milliseconds, since others are in hand meanwhile; somebody who waits for an answer cannot.

With the embedded database the loop itself commits, and all others wait for that. So there it also holds still while
somebody is being seen to, as all that steps back does (`pacer`), for a little longer than a commit takes.
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
#: So long at most somebody else is let go first, and how often it is looked whether he has gone.
LONGEST_SECONDS: Final = 0.025
_AGAIN_SECONDS: Final = 0.001


class Company:
    """For one loop.

    write   hands in a unit and who waits for it; what comes in one turn of the loop is one commit
    note    is told how long such a commit took, from when the units were handed in. Seconds
    holds   tells whether somebody is being seen to just now: then those who wait let him go first, for a little longer
    """

    def __init__(
        self,
        write: Callable[[RunWrite, asyncio.Future[Written]], object],
        *,
        note: Callable[[float], None],
        holds: Callable[[], bool] = lambda: False,
    ) -> None:
        self._write = write
        self._note = note
        self._holds = holds
        self._waiting: list[Callable[[], None]] = []
        self._since = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    def writing(self, unit: RunWrite, others: int) -> asyncio.Future[Written]:
        """Hand it in soon. `others`: so many may come; where there is nobody else, nobody is waited for."""
        future: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self.join(lambda: self._hand_in(unit, future), others)
        return future

    def join(self, act: Callable[[], None], others: int) -> None:
        """Do this in the turn of the loop in which those who wait are handed in. It must not raise."""
        self._waiting.append(act)
        if self._alarm is None:
            self._since = time.monotonic()
            self._alarm = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._over)
        if len(self._waiting) >= min(others, ENOUGH):
            self._over()

    def _over(self) -> None:
        assert self._alarm is not None
        self._alarm.cancel()
        if self._holds() and time.monotonic() - self._since < LONGEST_SECONDS:
            self._alarm = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._over)
            return
        self._alarm = None
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()

    def _hand_in(self, unit: RunWrite, future: asyncio.Future[Written]) -> None:
        # Whoever waited for it was cut off: as little of it is written as if it had never been handed in.
        if future.done():
            return
        began = time.monotonic()
        future.add_done_callback(lambda _: self._note(time.monotonic() - began))
        try:
            self._write(unit, future)
        except StoreUnavailable as refused:
            future.set_exception(refused)
