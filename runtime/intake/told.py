"""Callers that are answered by a function, without a coroutine of their own: most deliveries are small, come whole, and
wait for nothing but their commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Final

from runtime.contracts import StoreUnavailable
from runtime.store.records import Accepted

__all__ = ["Told"]

logger = logging.getLogger("millrace.intake")

Tell = Callable[[Accepted | BaseException], None]

_LOOK_SECONDS: Final = 0.1


class _Caller:
    """Stands in a ticket where a coroutine would have its future."""

    __slots__ = ("_tell", "_told", "until")

    def __init__(self, tell: Tell, told: Told, until: float) -> None:
        self._tell: Tell | None = tell
        self._told = told
        self.until = until

    def done(self) -> bool:
        return self._tell is None

    def set_result(self, result: Accepted, /) -> None:
        self._end(result)

    def set_exception(self, error: BaseException, /) -> None:
        self._end(error)

    def withdraw(self) -> None:
        """Nobody is to be told anything: the unit was not even handed in."""
        if self._tell is not None:
            self._tell = None
            self._told.waiting -= 1

    def _end(self, end: Accepted | BaseException) -> None:
        tell, self._tell = self._tell, None
        if tell is None:
            return
        self._told.waiting -= 1
        try:
            tell(end)
        except Exception:
            # Others are told by the same turn of the loop.
            logger.exception("A caller could not be answered.")


class Told:
    """The callers that wait, on one loop; nobody waits longer than the patience (seconds)."""

    def __init__(self, patience: float) -> None:
        self.waiting = 0
        self._patience = patience
        self._callers: deque[_Caller] = deque()
        self._watch: asyncio.TimerHandle | None = None

    def caller(self, tell: Tell) -> _Caller:
        """Somebody who is told once what was accepted, or why nothing was; StoreUnavailable when it takes too long."""
        caller = _Caller(tell, self, time.monotonic() + self._patience)
        self.waiting += 1
        self._callers.append(caller)
        if self._watch is None:
            self._look_later()
        return caller

    def _look(self) -> None:
        # One watch for all: a timer for each caller costs more than its share of the commit.
        now = time.monotonic()
        callers = self._callers
        while callers and (callers[0].done() or callers[0].until <= now):
            caller = callers.popleft()
            if not caller.done():
                caller.set_exception(StoreUnavailable("The database did not answer in time."))
        self._watch = None
        if callers:
            self._look_later()

    def _look_later(self) -> None:
        loop, seconds = asyncio.get_running_loop(), min(_LOOK_SECONDS, self._patience)
        # It is for all, not for whoever was first.
        self._watch = loop.call_later(seconds, self._look, context=Context())
