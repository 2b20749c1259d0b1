"""The runs of a list step back behind all others: of each turn of the loop they have a small part.

Sixty-four of them that go on in the same turn keep everybody else waiting for as long as all of that takes, at every
await. So what they do goes through here: a little in each turn, one after another, and what is left waits for the next.
While nothing else runs there is nobody to keep waiting, and a turn may be longer.
"""

from __future__ import annotations

import asyncio
import time
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, TypeVar

from runtime.store.attention import ATTENTION

__all__ = ["Pacer"]

T = TypeVar("T")

#: Of a turn of the loop, while others are about, and while nobody is.
_SHARE_SECONDS: Final = 0.001
_ALONE_SECONDS: Final = 0.008
#: While somebody else goes on, and for so long behind that, all that steps back holds still: as long as a commit of the
#: embedded database takes, or one of a server. But never for so many times as long.
_STILL_SECONDS: Final = {True: 0.004, False: 0.01}
_LONGEST_TIMES: Final = 3
_AGAIN_SECONDS: Final = 0.001
_MADE_UP: Final = 3
#: Whoever began or ended so long ago is about: his next step may come any moment.
_ABOUT_SECONDS: Final = 3.0


class Pacer:
    """For one loop. `steps_back` of a coroutine may change while it runs: it is asked whenever it goes on.

    `embedded`: whether the database is.
    """

    def __init__(self, *, embedded: bool = True) -> None:
        self._still = _STILL_SECONDS[embedded]
        self._spent = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turning = False
        self._others_until = 0.0
        #: When somebody who does not step back went on, and when somebody who does.
        self._other_at = self._went_at = 0.0
        #: How long one goes on, on average. Seconds
        self._usual = 0.000_2

    def note_other(self) -> None:
        """Somebody who does not step back began, or ended."""
        self._others_until = time.monotonic() + _ABOUT_SECONDS

    def note_step(self) -> None:
        """Somebody who does not step back goes on."""
        self._other_at = time.monotonic()

    def task(self, work: Coroutine[Any, Any, T], steps_back: Callable[[], bool]) -> asyncio.Task[T]:
        """Do this work, in small parts where it steps back."""
        task = asyncio.create_task(self._pace(work, steps_back))
        # One that is cut off before its first turn has not come as far as to its work.
        task.add_done_callback(lambda _: work.close())
        return task

    async def _pace(self, work: Coroutine[Any, Any, T], steps_back: Callable[[], bool]) -> T:
        return await _paced(self, work, steps_back)

    def _may_go_on(self) -> bool:
        return not self._waiting and self._spent < self._share() and not self._holds_still(time.monotonic())

    @property
    def holds_still(self) -> bool:
        """Whether somebody who does not step back is being seen to."""
        return time.monotonic() - self._others_at() < self._still

    @property
    def is_among_others(self) -> bool:
        """Whether there is anybody who does not step back."""
        return time.monotonic() < self._others_until

    def _holds_still(self, now: float) -> bool:
        return now - self._others_at() < self._still and now - self._went_at < self._still * _LONGEST_TIMES

    def _others_at(self) -> float:
        return max(self._other_at, ATTENTION.at)

    def _share(self) -> float:
        return _SHARE_SECONDS if time.monotonic() < self._others_until else _ALONE_SECONDS

    def _queue(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        waiting = loop.create_future()
        self._waiting.append(waiting)
        self._see_to_turn(loop)
        return waiting

    def _note(self, seconds: float) -> None:
        self._spent += seconds
        self._usual += (seconds - self._usual) / 64
        self._see_to_turn(asyncio.get_running_loop())

    def _see_to_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn)

    def _turn(self) -> None:
        """The next turn of the loop: some of those that wait go on in it."""
        self._turning, self._spent = False, 0.0
        now = time.monotonic()
        if self._holds_still(now):
            self._turning = True
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._turn)
            return
        self._went_at = now
        # Where others are always about, it makes up a little for having held still so long.
        left = self._share() * (_MADE_UP if now - self._others_at() < self._still else 1)
        while self._waiting and left > 0:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                left -= self._usual
        if self._waiting:
            self._see_to_turn(asyncio.get_running_loop())


@types.coroutine
def _paced(pacer: Pacer, work: Coroutine[Any, Any, T], steps_back: Callable[[], bool]) -> Generator[Any, Any, T]:
    """Hand on what the work waits for, and let it go on when it may."""
    error: BaseException | None = None
    while True:
        back = steps_back()
        if back and not pacer._may_go_on():
            try:
                yield from pacer._queue()
            except GeneratorExit:
                work.close()
                raise
            except BaseException as cut_off:
                error = cut_off
        began = time.perf_counter()
        if not back:
            pacer.note_step()
        try:
            waits_for = work.send(None) if error is None else work.throw(error)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            if back:
                pacer._note(time.perf_counter() - began)
        error = None
        try:
            yield waits_for
        except GeneratorExit:
            work.close()
            raise
        except BaseException as cut_off:
            error = cut_off
