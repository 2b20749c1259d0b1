"""Ringing the doorbell without waiting for it: the broker may be slow or away, the writer must not notice (I3)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

logger = logging.getLogger("millrace.store.bell")

# What does not fit is found by the sweeper: a bell that was not rung costs time, never a run.
_MOST_WAITING: Final = 20_000
# While so many come at a time, the next call waits until there are more: each costs both ends more than its ids do.
_MANY: Final = 12
_PAUSE_SECONDS: Final = 0.03
# More than so many at a time, twice in a row, are a flood: it begins at 2,000 a second, and goes on above 640. An
# ordinary message of the doorbell must not hold more.
_FLOOD: Final = 64
_PAUSE_IN_FLOOD_SECONDS: Final = 0.1

Ring = Callable[[Sequence[UUID]], None]


class Bell:
    """Collects run ids and passes them on in one call at a time, on a thread of its own.

    in_flood    called instead while more come than anybody could begin at once.
    """

    def __init__(self, ring: Ring, in_flood: Ring | None = None) -> None:
        self._ring = ring
        self._ring_in_flood = in_flood
        self._waiting: list[UUID] = []
        self._condition = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="millrace-bell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ring what waits, once, and end."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join(2)
            self._thread = None

    def ring(self, run_ids: Sequence[UUID]) -> None:
        """Pass these on soon. Never blocks."""
        with self._condition:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.extend(run_ids)
                self._condition.notify()

    def _work(self) -> None:
        many = False
        while True:
            with self._condition:
                while not self._waiting and not self._stopping:
                    self._condition.wait()
                taken, self._waiting = self._waiting, []
                stopping = self._stopping
            # One burst is no flood.
            before, many = many, len(taken) > _FLOOD
            flood = before and many
            if taken:
                try:
                    if flood and self._ring_in_flood is not None:
                        self._ring_in_flood(taken)
                    else:
                        self._ring(taken)
                except Exception as error:
                    logger.warning("The doorbell was not rung for %d runs: %s", len(taken), error)
            if stopping:
                return
            if len(taken) >= _MANY:
                time.sleep(_PAUSE_IN_FLOOD_SECONDS if flood else _PAUSE_SECONDS)
