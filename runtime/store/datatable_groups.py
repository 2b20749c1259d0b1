"""Changes of data tables that many steps make at the same time share transactions.

Each for itself, they would wait for one another: SQLite takes one writer at a time, and every commit waits for the
disk. New rows of the embedded database the loop adds itself, as it commits results: a millisecond, and no thread that
takes the interpreter from it. All else goes to one thread, which takes whatever has come and commits it together. Where
one of them cannot be made, or something else is at the same rows, each is made for itself: what it is refused for is
its own.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, connections

from runtime.store import datatable_changes as changes
from runtime.store import datatable_new
from runtime.store.commits import commit
from runtime.store.datatable_changes import Change, Origin
from runtime.store.datatable_new import NewRow
from runtime.store.dialect import Link, LinkLost, open_link, vendor_of

__all__ = ["Deed", "Groups", "NewRow"]

logger = logging.getLogger("millrace.store.tables")

#: So many changes share a transaction at most; so many new rows of a turn of the loop.
_MOST: Final = 64
_MOST_NEAR: Final = 16
#: After a transaction that took so long the loop is spared for a while.
_SLOW_SECONDS: Final = 0.05
_SPARED_SECONDS: Final = 0.5

_Made: TypeAlias = Change | BaseException


@dataclass(frozen=True, slots=True)
class Deed:
    """A change that is asked for. `make`: makes it within a transaction; `saves`: where it may be no more than a new
    row under its key, that."""

    origin: Origin
    make: Callable[[], Change]
    saves: NewRow | None = None

    def alone(self) -> _Made:
        """The change, in a transaction of its own; or what it was refused for."""
        try:
            return changes.once(self.origin, self.make)
        except (OperationalError, InterfaceError) as error:
            connections.close_all()
            return error
        except Exception as error:
            return error


@dataclass(frozen=True, slots=True)
class _Asked:
    deed: Deed
    future: asyncio.Future[Change]
    loop: asyncio.AbstractEventLoop


class Groups:
    """For one loop, between `open` and `close`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        #: New rows that this turn of the loop brought.
        self._new: list[_Asked] = []
        self._near: Link | None = None
        self._far: Link | None = None
        self._not_before = 0.0
        #: Does something for this run later, with others; False, and it is not done, where the run is not to wait.
        self.joins: Callable[[UUID | None, Callable[[], None]], bool] = lambda run_id, act: False

    def open(self) -> None:
        """Not from a loop's thread."""
        if vendor_of() == "sqlite":
            self._near = open_link(patient=False)

    def ask(self, deed: Deed) -> asyncio.Future[Change]:
        """Make a change; on the loop. Raises what the change was refused for."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Change] = loop.create_future()
        asked = _Asked(deed, future, loop)
        if not self.joins(deed.origin.run_id, lambda: self._take(asked)):
            self._take(asked)
        return future

    def _take(self, asked: _Asked) -> None:
        deed, loop = asked.deed, asked.loop
        if deed.saves is None or self._near is None or time.monotonic() < self._not_before:
            self._leave_to_thread([asked])
            return
        if not self._new:
            loop.call_soon(self._pass_on, context=Context())
        self._new.append(asked)

    def close(self) -> None:
        """Make what was asked for, and end; not from the loop's thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._near is not None:
            self._near.close()
            self._near = None

    # --- on the loop ----------------------------------------------------------------------------------------------

    def _pass_on(self) -> None:
        asked, self._new = self._new[:_MOST_NEAR], self._new[_MOST_NEAR:]
        if self._new:
            asyncio.get_running_loop().call_soon(self._pass_on, context=Context())
        asked = [one for one in asked if not one.future.done()]
        if self._near is None or not asked:
            self._leave_to_thread(asked)
            return
        began = time.monotonic()
        made = _new_rows(self._near, asked) or {}
        if time.monotonic() - began > _SLOW_SECONDS:
            self._not_before = time.monotonic() + _SPARED_SECONDS
        _answer([(asked[number].future, change) for number, change in made.items()])
        self._leave_to_thread([one for number, one in enumerate(asked) if number not in made])

    def _leave_to_thread(self, asked: Sequence[_Asked]) -> None:
        if asked and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="millrace-tables", daemon=True)
            self._thread.start()
        for one in asked:
            self._queue.put(one)

    # --- the thread -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                asked = [first]
                while len(asked) < _MOST and not self._queue.empty():
                    if (further := self._queue.get()) is None:
                        self._queue.put(None)
                        break
                    asked.append(further)
                self._make([one for one in asked if not one.future.done()])
        finally:
            connections.close_all()
            if self._far is not None:
                self._far.close()

    def _make(self, asked: Sequence[_Asked]) -> None:
        if vendor_of() == "postgresql":
            new = [one for one in asked if one.deed.saves is not None]
            made = self._new_rows_far(new) if new else {}
            _tell([(new[number], change) for number, change in made.items()])
            done = {id(new[number]) for number in made}
            asked = [one for one in asked if id(one) not in done]
        _tell(list(zip(asked, _made([one.deed for one in asked]), strict=True)))

    def _new_rows_far(self, asked: Sequence[_Asked]) -> dict[int, Change]:
        try:
            if self._far is None:
                self._far = open_link()
        except LinkLost as lost:
            logger.debug("There is no connection for new rows: %s", lost)
            return {}
        made = _new_rows(self._far, asked)
        if made is None:
            # It may be broken, and nobody is the worse for a new one.
            self._far.close()
            self._far = None
        return made or {}


def _new_rows(link: Link, asked: Sequence[_Asked]) -> dict[int, Change] | None:
    """What could be added, by its place; None where something went wrong. That is gone into by whoever makes the change
    otherwise."""
    try:
        return datatable_new.add(link, [one.deed.saves for one in asked if one.deed.saves is not None])
    except Exception as error:
        logger.debug("New rows go the long way: %s", error)
        return None


def _tell(made: Sequence[tuple[_Asked, _Made]]) -> None:
    """Answer everybody with one call into each loop."""
    for loop in {asked.loop for asked, _ in made}:
        theirs = [(asked.future, what) for asked, what in made if asked.loop is loop]
        try:
            loop.call_soon_threadsafe(_answer, theirs)
        except RuntimeError:  # it has ended: what was made stands, under its key
            continue


def _answer(made: Sequence[tuple[asyncio.Future[Change], _Made]]) -> None:
    for future, what in made:
        if future.done():
            continue
        if isinstance(what, BaseException):
            future.set_exception(what)
        else:
            future.set_result(what)


def _made(deeds: Sequence[Deed]) -> Sequence[_Made]:
    if len(deeds) > 1:
        try:
            with commit(*["table.change"] * len(deeds)):
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute(datatable_new.WAIT_SHORTLY)
                return [changes.known_or(deed.origin, deed.make) for deed in deeds]
        except Exception as error:
            # One of them was refused, or met somebody. Which one, and what for, each finds out for itself.
            logger.debug("Changes of tables are made one by one: %s", error)
            if isinstance(error, OperationalError | InterfaceError):
                connections.close_all()
    return [deed.alone() for deed in deeds]
