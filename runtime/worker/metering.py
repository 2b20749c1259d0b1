"""Counting what one attempt calls: the call that it had its turn for, and those behind it.

A step may call more than once: pages, parts of a file, a look-up. Each of these calls has its turn. The step waits for
it where it is; its time stands still meanwhile, and it holds neither a thread nor the place of the call before.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from uuid import UUID

from runtime.interpreter import turns
from runtime.interpreter.outcomes import NotYet
from runtime.interpreter.turn_words import in_turn
from runtime.sdk import HttpClient
from runtime.sdk.context import HttpAnswer
from runtime.store.budgets import End, Limits
from runtime.worker.egress_rules import ON_LEAVING

if TYPE_CHECKING:
    from runtime.interpreter import Driver
    from runtime.interpreter.records import Asked
    from runtime.worker.budgets import Budgets

#: How long at most nobody looks whether the turn has come: it may have been given by another process.
_LOOK_SECONDS: Final = 1.0
_LATER: Final = 1


def meter_of(driver: Driver, asked: Asked) -> Meter | None:
    """What counts the calls of this attempt; None while no connection is limited."""
    budgets = driver.shell.budgets
    if budgets is None or not budgets.known:
        return None
    return Meter(driver, asked, cast("Budgets", budgets))


class Turns(Protocol):
    """By which the calls of a step have their turns: of an attempt, which waits for them (`Meter`), or of a look-up for
    somebody who waits, which has them at once or not at all (`asked_now`)."""

    #: What ends the step; it stands still while a turn is waited for.
    limit: asyncio.Timeout | None

    @property
    def waited_seconds(self) -> float:
        """For how long turns were waited for so far."""

    @property
    def counts(self) -> bool:
        """Whether the calls go by a connection that gives turns."""

    async def opened(self, connection_id: UUID) -> None:
        """The step is about to call by this connection. What is raised ends it."""

    async def call(self) -> None:
        """One more call; what is raised ends the step before it is made."""

    def leaves(self) -> None:
        """The call begins to leave: the time that its connection took is no part of its way."""


class Meter:
    """Of one attempt."""

    __slots__ = ("_asked", "_budgets", "_driver", "_limits", "_ready", "limit", "waited_seconds")

    def __init__(self, driver: Driver, asked: Asked, budgets: Budgets) -> None:
        self._driver = driver
        self._asked = asked
        self._budgets = budgets
        self._limits: Limits | None = None
        #: The next call has had its turn.
        self._ready = False
        #: What ends the attempt.
        self.limit: asyncio.Timeout | None = None
        self.waited_seconds = 0.0

    @property
    def counts(self) -> bool:
        """Whether the calls go by a connection that is limited."""
        return self._limits is not None

    async def opened(self, connection_id: UUID) -> None:
        """The step is about to call by this connection. Raises NotYet where it does not wait for that."""
        limits = self._budgets.known.get(connection_id)
        if limits is None or not limits.limited:
            return
        if self._limits is not None and self._limits.connection_id == connection_id:
            # Opened once more, to sign in anew: its next call has a turn of its own.
            return
        self._limits = limits
        had = self._driver.turns.get(self._asked.step.node.id)
        if had is None or had[0] != connection_id:
            await self._have_turn(limits)
        self._ready = True

    async def call(self) -> None:
        """One more call."""
        if self._limits is None:
            return
        if self._ready:
            self._ready = False
            self._sets_out()
            return
        turns.ended(self._driver, self._asked.step.node.id, self._driver.shell.now_ms())
        await self._have_turn(self._limits)

    def leaves(self) -> None:
        """The call begins to leave: the time that its connection took is no part of its way."""
        self._sets_out()

    def _sets_out(self) -> None:
        """It is sent only now: the time that was taken to get ready for it is no part of its way."""
        node = self._asked.step.node.id
        if (had := self._driver.turns.get(node)) is not None:
            turns.take(self._driver, node, had[0], had[1], self._driver.shell.now_ms())

    async def _have_turn(self, limits: Limits) -> None:
        driver, node = self._driver, self._asked.step.node.id
        ask = turns.ask_for(driver, limits.connection_id, node, _LATER)
        began = time.monotonic()
        left = self._stop_the_clock()
        try:
            while True:
                answer = await self._budgets.ask(ask)
                if answer.goes:
                    turns.take(driver, node, limits.connection_id, answer.turn_id, driver.shell.now_ms())
                    return
                if not self._asked.patient:
                    raise NotYet(answer.due_at, in_turn(limits, answer.paused_until, answer.broken))
                if answer.broken is not None:
                    # It is refused, and then waits without holding anything, as whatever begins does.
                    turns.take(driver, node, limits.connection_id, answer.turn_id, driver.shell.now_ms())
                    return
                assert answer.turn_id is not None
                seconds = min(_LOOK_SECONDS, max(0.01, (answer.due_at - driver.shell.now_ms()) / 1000))
                try:
                    await self._budgets.turn(answer.turn_id, seconds)
                except asyncio.CancelledError:
                    self._budgets.end(End(limits.connection_id, answer.turn_id, driver.shell.now_ms(), None))
                    raise
        finally:
            self.waited_seconds += time.monotonic() - began
            if self.limit is not None and left is not None:
                self.limit.reschedule(asyncio.get_running_loop().time() + left)

    def _stop_the_clock(self) -> float | None:
        """How long the attempt still has."""
        if self.limit is None or (when := self.limit.when()) is None or self.limit.expired():
            return None
        self.limit.reschedule(None)
        return when - asyncio.get_running_loop().time()


class MeteredHttp:
    """The door to the network, each call in its turn."""

    __slots__ = ("_http", "_meter")

    def __init__(self, http: HttpClient, meter: Turns) -> None:
        self._http = http
        self._meter = meter

    async def request(self, method: str, url: str, **more: Any) -> HttpAnswer:
        await self._meter.call()
        token = ON_LEAVING.set(self._meter.leaves if self._meter.counts else None)
        try:
            return await self._http.request(method, url, **more)
        finally:
            ON_LEAVING.reset(token)
