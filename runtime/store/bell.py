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
_PAUSE_IN_FLOOD_SECONDS: Final = 0.1


class Bell:
    """Collects run ids and passes them on in one call at a time, on a thread of its own.

    full     ids in one message. Who gets a full one knows that there may be more, and looks for them in the database:
             so a flood, which nobody could begin at once, is rung for with a full message now and then.
    """

    def __init__(self, ring: Callable[[Sequence[UUID]], None], *, full: int) -> None:
        self._ring = ring
        self._full = full
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
        flood = False
        while True:
            with self._condition:
                while not self._waiting and not self._stopping:
                    self._condition.wait()
                taken, self._waiting = self._waiting, []
                stopping = self._stopping
            much = len(taken) > self._full
            if much and flood:
                del taken[self._full :]
            if taken:
                try:
                    self._ring(taken)
                except Exception as error:
                    logger.warning("The doorbell was not rung for %d runs: %s", len(taken), error)
            if stopping:
                return
            if len(taken) >= _MANY:
                time.sleep(_PAUSE_IN_FLOOD_SECONDS if much and flood else _PAUSE_SECONDS)
            flood = much
