"""The short way to the database: batches of new events, results and claims, committed from the event loop's own thread.

Handing a batch to the writer's thread and its answers back costs more than most batches do: the two threads take the
interpreter from each other, and everything they share moves from one core's cache to the other's and back.

SQLite does a batch in one call of a millisecond, and the loop does it itself (`NearShortcut`). A loop must not stand
still, though: so that connection never waits for a lock, and after one commit that took its time it rests for a while.
To PostgreSQL a batch is sent, and its answer is read when it has come (`FarShortcut`); two are on their way at a time.
Whatever is more, or goes wrong, is left to the writer's thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from runtime.store import units
from runtime.store.commits import Transaction, commit, set_out
from runtime.store.delivery import current_loop
from runtime.store.dialect import SILENCE_SECONDS, FarLink, Link, LinkLost, open_link
from runtime.store.log_mover import LogMover
from runtime.store.tickets import Ticket, Work, earliest, has_time

__all__ = ["FarShortcut", "NearShortcut", "Road", "ShortWay"]

logger = logging.getLogger("millrace.store.writer")

#: A commit that takes longer than this says that the disk is slow, or busy.
_SLOW_SECONDS: Final = 0.05
#: How long the loop is then spared; twice as long each time until a commit is quick again.
_SPARED_SECONDS: Final = 0.5
_SPARED_AT_MOST: Final = 30.0
#: After so many units, or pages of bodies, what was logged is moved into the database file.
_LOGGED_AT_MOST: Final = 400
_PAGE: Final = 4096
#: How many batches are on their way to a server at a time.
_LANES: Final = 2
#: How long a process that ends waits for what is on its way.
_FINISH_SECONDS: Final = 5.0
#: How long after it left the answer to a batch is looked for, whatever the loop says.
_LOOK_SECONDS: Final = 0.5
#: How long after a failure the short way is tried again.
_MEND_SECONDS: Final = 2.0


class Road(Protocol):
    """What a shortcut needs of the writer that it belongs to."""

    owner: str

    @property
    def quiet(self) -> bool:
        """Whether the writer's thread has nothing to do."""
        ...

    def now_ms(self) -> int:
        """The database's clock."""
        ...

    def settle(self, batch: units.Batch, link: Link) -> None:
        """Tell everybody of a batch that was committed."""
        ...

    def hand_over(self, tickets: list[Ticket]) -> None:
        """Leave these to the thread: nothing of them was written."""
        ...

    def look_into(self, batch: units.Batch, transaction: str) -> None:
        """Have the thread find out whether this was committed, and go on from there."""
        ...


class Shortcut(Protocol):
    """A way to the database that a loop goes by itself."""

    def take(self, tickets: list[Ticket], loop: asyncio.AbstractEventLoop) -> bool:
        """Commit these tickets and answer them; False where the thread has to do it."""
        ...

    @property
    def is_done_with(self) -> bool:
        """Whether it takes no more and nothing is under way by it, so that another one may be opened."""
        ...

    def close(self) -> None:
        """End it; what is under way is finished first. From any thread."""
        ...


class ShortWay:
    """The shortcut of this database that is open now, if one is."""

    def __init__(self, alias: str, road: Road) -> None:
        self._alias = alias
        self._road = road
        self._changing = threading.Lock()
        self._ended = True
        self._shortcut: Shortcut | None = None
        self._not_before = 0.0

    def open(self) -> None:
        """Begin; not from a loop's thread."""
        self._ended = False
        self._replace()

    def take(self, tickets: list[Ticket], loop: asyncio.AbstractEventLoop) -> bool:
        """Commit these tickets and answer them; False where the writer's thread has to do it."""
        shortcut = self._shortcut
        return shortcut is not None and shortcut.take(tickets, loop)

    def mend(self) -> None:
        """Open another one for one that broke, or that could not be opened; not from a loop's thread. Never raises."""
        shortcut = self._shortcut
        if (shortcut is not None and not shortcut.is_done_with) or time.monotonic() < self._not_before:
            return
        try:
            if shortcut is not None:
                shortcut.close()
            self._replace()
        except Exception:
            logger.exception("The short way to the database could not be mended.")

    def _replace(self) -> None:
        self._not_before = time.monotonic() + _MEND_SECONDS
        opened = _open(self._alias, self._road)
        with self._changing:
            if not self._ended:
                self._shortcut, opened = opened, None
        if opened is not None:
            opened.close()

    def close(self) -> None:
        """Take no more, finish what is under way, and end. From any thread."""
        with self._changing:
            self._ended = True
            shortcut, self._shortcut = self._shortcut, None
        if shortcut is not None:
            shortcut.close()


def _open(alias: str, road: Road) -> Shortcut | None:
    opened: list[Link] = []
    try:
        opened.append(open_link(alias, patient=False))
        if opened[0].far is None:
            return NearShortcut(opened[0], road, LogMover(alias))
        while len(opened) < _LANES:
            opened.append(open_link(alias))
        links = [link.far for link in opened if link.far is not None]
        for link in links:
            link.prepare()
        return FarShortcut(links, road)
    except Exception as fault:
        logger.warning("There is no short way to the database (%s).", fault)
        for one in opened:
            one.close()
        return None


def _is_short(ticket: Ticket, *, claims: bool) -> bool:
    """Whether this is a new event, a result or, where they may go along, a claim of runs that are named."""
    match ticket.work:
        case Work.ACCEPT | Work.WRITE:
            return True
        case Work.CLAIM:
            return claims and ticket.unit.run_ids is not None
    return False


def _all_short(tickets: Sequence[Ticket], *, claims: bool) -> bool:
    """Whether these are such tickets only, with time enough for the longest wait."""
    return has_time(tickets) and all(_is_short(ticket, claims=claims) for ticket in tickets)


def _pages(ticket: Ticket) -> int:
    """About how much of the log it takes."""
    return 1 + (ticket.unit.event.body_size // _PAGE if ticket.work is Work.ACCEPT else 0)


class NearShortcut:
    """To the embedded database."""

    def __init__(self, link: Link, road: Road, mover: LogMover) -> None:
        self._link = link
        self._road = road
        self._mover = mover
        self._closed = False
        # Whoever is answered may hand in more at once.
        self._using = threading.RLock()
        self._left = _LOGGED_AT_MOST
        self._not_before = 0.0
        self._spared = _SPARED_SECONDS

    def take(self, tickets: list[Ticket], loop: asyncio.AbstractEventLoop) -> bool:
        began = time.monotonic()
        if began < self._not_before or not self._road.quiet or not _all_short(tickets, claims=False):
            return False
        self._left -= sum(_pages(ticket) for ticket in tickets)
        if self._left <= 0:
            self._left = _LOGGED_AT_MOST
            self._mover.ask()
        with self._using:
            if self._closed:
                return False
            batch = units.Batch(self._link, tickets, self._road.owner, in_one_go=True, clock=self._road.now_ms)
            transaction = Transaction(self._link)
            try:
                with commit(*batch.points(), on=transaction):
                    batch.write()
            except Exception as error:
                # The writer's thread finds out what it means, and whose it is.
                if not transaction.took_place:
                    logger.debug("A batch goes to the writer's thread: %s", error)
                    return False
            self._note(time.monotonic() - began)
            self._road.settle(batch, self._link)
        return True

    def _note(self, seconds: float) -> None:
        """A commit took so long: a disk that hesitates once costs little, a slow one is left to the thread."""
        if seconds <= _SLOW_SECONDS:
            self._spared = _SPARED_SECONDS
            return
        self._not_before = time.monotonic() + self._spared
        self._spared = min(2 * self._spared, _SPARED_AT_MOST)

    @property
    def is_done_with(self) -> bool:
        return False

    def close(self) -> None:
        with self._using:
            self._closed = True
            self._link.close()
        self._mover.close()


class FarShortcut:
    """To a server, for the first loop that comes."""

    def __init__(self, links: Sequence[FarLink], road: Road) -> None:
        self.road = road
        self.loop: asyncio.AbstractEventLoop | None = None
        self.is_broken = False
        self._waiting: list[Ticket] = []
        # Whoever closes it may be another thread than the loop's.
        self._using = threading.RLock()
        self._lanes = [_Lane(link, self) for link in links]

    @property
    def is_done_with(self) -> bool:
        return self.is_broken and not any(lane.is_under_way for lane in self._lanes)

    def take(self, tickets: list[Ticket], loop: asyncio.AbstractEventLoop) -> bool:
        # Whoever holds the lock of a broken one may wait for a server.
        if not self._is_open():
            return False
        with self._using:
            if not self._is_open() or not _all_short(tickets, claims=True) or not self._is_for(loop):
                return False
            self._waiting += tickets
            self._go_on()
        return True

    def look(self, lane: _Lane) -> None:
        """A lane can be read from, on the loop."""
        with self._using:
            try:
                lane.read()
            finally:
                self._go_on()

    def look_again(self, lane: _Lane, until: float) -> None:
        """Nothing was heard of a lane for a while: uvloop says nothing of a connection that ended in an error."""
        with self._using:
            try:
                lane.look_again(until)
            finally:
                self._go_on()

    def close(self) -> None:
        with self._using:
            self.is_broken = True
            self._go_on()
            for lane in self._lanes:
                lane.finish()
                lane.close()

    def _is_open(self) -> bool:
        return not self.is_broken

    def _is_for(self, loop: asyncio.AbstractEventLoop) -> bool:
        if self.loop is None or self.loop.is_closed():
            for lane in self._lanes:
                lane.finish()
            self.loop = loop
        return self.loop is loop

    def _go_on(self) -> None:
        """Send what waits, as long as there is a lane free."""
        for lane in self._lanes:
            if not self._waiting or (not self.is_broken and lane.is_under_way):
                continue
            tickets, self._waiting = self._waiting, []
            if self.is_broken or not lane.set_out(tickets):
                self.road.hand_over(tickets)


class _Lane:
    """One connection, and the batch that is on its way by it."""

    def __init__(self, link: FarLink, shortcut: FarShortcut) -> None:
        self._link = link
        self._shortcut = shortcut
        self._batch: units.Batch | None = None
        #: Tells whether what is on its way has arrived; None where nothing is.
        self._arrived: Callable[[], bool] | None = None
        self._watched_by: asyncio.AbstractEventLoop | None = None
        #: The socket once more, under a number of its own: that of the connection is given to somebody else as soon as
        #: libpq has closed it, and a loop that then let go of it would let go of theirs.
        self._eye: int | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def is_under_way(self) -> bool:
        return self._arrived is not None

    def set_out(self, tickets: list[Ticket]) -> bool:
        """Send a batch; False, with nothing sent, where it has to go the other way."""
        tickets = [ticket for ticket in tickets if not ticket.future.done()]
        if not tickets:
            return True
        road, link = self._shortcut.road, self._link
        batch = units.Batch(link, tickets, road.owner, in_one_go=True, clock=road.now_ms)

        def write() -> None:
            batch.write()
            if (late := earliest(tickets)) is not None:
                link.commit_by(road.now_ms() + int((late - time.monotonic()) * 1000))

        try:
            self._watch()
            self._arrived = set_out(*batch.points(), on=link, write=write)
        except LinkLost as lost:
            # Some of it may have been sent.
            self._batch = batch
            self.lose(lost)
            return True
        except Exception as error:
            logger.debug("A batch goes to the writer's thread: %s", error)
            return False
        if self._arrived is None:
            return False
        self._batch = batch
        self._set_alarm()
        return True

    def read(self) -> None:
        """Take in what has come."""
        try:
            if self._arrived is None:
                # Nothing is expected: the server says that it goes.
                self._link.arrived()
                return
            if not self._arrived():
                return
        except LinkLost as lost:
            self.lose(lost)
            return
        except Exception as error:
            self._refused(error)
            return
        self._arrived = None
        self._unset_alarm()
        batch, self._batch = self._batch, None
        if batch is not None:
            self._shortcut.road.settle(batch, self._link)

    def _refused(self, error: Exception) -> None:
        """Nothing was written: the writer's thread finds out what that means, and whose it is."""
        logger.debug("A batch goes to the writer's thread: %s", error)
        batch, self._batch = self._batch, None
        self._arrived = self._link.arrived
        try:
            self._link.retreat()
            self._set_alarm()
        except LinkLost as lost:
            self.lose(lost)
        if batch is not None:
            self._shortcut.road.hand_over(list(batch.tickets))

    def lose(self, error: Exception) -> None:
        """The connection is gone: nobody knows what became of the batch."""
        logger.info("A connection of the short way was lost: %s", error)
        transaction = self._link.transaction_id()
        batch, self._batch, self._arrived = self._batch, None, None
        self._unset_alarm()
        self._shortcut.is_broken = True
        self.close()
        if batch is not None and transaction is not None:
            self._shortcut.road.look_into(batch, transaction)

    def finish(self) -> None:
        """Wait for what is on its way, on whatever thread, and not for long."""
        until = time.monotonic() + _FINISH_SECONDS
        while self._arrived is not None:
            try:
                self._link.wait(max(0.0, until - time.monotonic()))
            except LinkLost as lost:
                self.lose(lost)
            else:
                self.read()

    def close(self) -> None:
        """End the connection, once its loop watches it no more."""
        if self._closed:
            return
        self._closed = True
        loop, self._watched_by = self._watched_by, None
        if loop is None or loop.is_closed():
            self._end()
        elif loop is current_loop() or not loop.is_running():
            self._shut(loop)
        else:
            try:
                loop.call_soon_threadsafe(self._shut, loop)
            except RuntimeError:  # it ended this moment
                self._end()

    def _shut(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._eye is not None:
            loop.remove_reader(self._eye)
        self._end()

    def _end(self) -> None:
        eye, self._eye = self._eye, None
        if eye is not None:
            os.close(eye)
        self._link.close()

    def _watch(self) -> None:
        loop = self._shortcut.loop
        if loop is not None and self._watched_by is not loop:
            if self._eye is None:
                self._eye = os.dup(self._link.fileno())
            loop.add_reader(self._eye, self._shortcut.look, self)
            self._watched_by = loop

    def look_again(self, until: float) -> None:
        """Read what may have come unnoticed; give it up when nothing was heard for so long that nothing will be."""
        self._alarm = None
        if self.is_under_way:
            self.read()
        if self.is_under_way and self._alarm is None:
            if time.monotonic() >= until:
                self.lose(LinkLost("the server has fallen silent"))
            else:
                self._set_alarm(until)

    def _set_alarm(self, until: float | None = None) -> None:
        self._unset_alarm()
        loop = self._shortcut.loop
        if loop is not None and loop is current_loop():
            until = until or time.monotonic() + SILENCE_SECONDS
            self._alarm = loop.call_later(_LOOK_SECONDS, self._shortcut.look_again, self, until)

    def _unset_alarm(self) -> None:
        alarm, self._alarm = self._alarm, None
        # On another thread it is left alone: it finds nothing under way.
        if alarm is not None and self._shortcut.loop is current_loop():
            alarm.cancel()
