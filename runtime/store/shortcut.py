"""The short way to an embedded database: a small batch is committed on the event loop's own thread.

SQLite does such a batch in one call of a millisecond. Handing it to another thread would cost more than that: the two
take the interpreter from each other, and everything they share moves from one core's cache to the other's and back. A
loop must not stand still, though. So this connection never waits for a lock, it leaves the writer's thread whatever is
more than new events and results, and after one commit that took its time it is not used for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from runtime.store import failpoints, units
from runtime.store.commits import Transaction, commit
from runtime.store.dialect import Link, StoreFault, open_link, vendor_of
from runtime.store.tickets import Ticket, Work

__all__ = ["Shortcut"]

logger = logging.getLogger("millrace.store.writer")

#: A commit that takes longer than this says that the disk is slow, or busy.
_SLOW_SECONDS: Final = 0.02
#: How long the loop is then spared.
_SPARED_SECONDS: Final = 5.0
#: After so many commits one goes to the writer's thread, which moves what was logged into the database file.
_MOST_IN_A_ROW: Final = 256
_SHORT: Final = frozenset({Work.ACCEPT, Work.WRITE})


class Shortcut:
    """A second connection of the writer, for one event loop."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._closed = False
        self._using = threading.Lock()
        self._left = _MOST_IN_A_ROW
        self._not_before = 0.0

    @classmethod
    def where_possible(cls, alias: str) -> Shortcut | None:
        """One for this database; None where that is on a server, or cannot be opened just now."""
        if vendor_of(alias) != "sqlite":
            return None
        try:
            return cls(open_link(alias, patient=False))
        except StoreFault as fault:
            logger.warning("The database could not be opened a second time (%s).", fault)
            return None

    def commit(self, tickets: Sequence[Ticket], owner: str) -> units.Batch | None:
        """Commit these tickets; None where nothing was written, so that the writer's thread has to do it."""
        began = time.monotonic()
        if began < self._not_before or not all(ticket.work in _SHORT for ticket in tickets):
            return None
        self._left -= 1
        if self._left <= 0:
            self._left = _MOST_IN_A_ROW
            return None
        with self._using:
            if self._closed:
                return None
            batch = units.Batch(self.link, tickets, owner, in_one_go=True)
            points = batch.points() if failpoints.armed() else batch.distinct_points()
            transaction = Transaction(self.link)
            try:
                with commit(*points, on=transaction):
                    batch.write()
            except Exception as error:
                # The writer's thread finds out what it means, and whose it is.
                if not transaction.took_place:
                    logger.debug("A batch goes to the writer's thread: %s", error)
                    return None
        if time.monotonic() - began > _SLOW_SECONDS:
            self._not_before = time.monotonic() + _SPARED_SECONDS
        return batch

    def close(self) -> None:
        """End it; what is under way is finished first."""
        with self._using:
            self._closed = True
            self.link.close()
