"""Whose turn it is to write to the embedded database, among the threads of this process.

SQLite takes one writer at a time. Whoever finds it taken looks again after a sleep that grows to a tenth of a second,
though most transactions are over within a few milliseconds. Here the next one begins the moment the last one ends.
It is a help and no lock: SQLite itself decides, also between processes, and who has waited long enough asks it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["Turn", "at_turn"]

_LOCK: Final = threading.Lock()
#: As long as SQLite itself would be asked.
_PATIENCE_SECONDS: Final = 2.0


class Turn:
    """One connection's. Taken and given back on whatever thread uses the connection."""

    __slots__ = ("_patience", "_taken")

    def __init__(self, patience: float = _PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._taken = False

    def take(self) -> None:
        """Wait for it, for so long at most."""
        if not self._taken:
            self._taken = _LOCK.acquire(timeout=self._patience)

    def give_back(self) -> None:
        """Where it was taken. Idempotent."""
        if self._taken:
            self._taken = False
            _LOCK.release()


@contextmanager
def at_turn() -> Iterator[None]:
    """Whatever is done here is one transaction."""
    turn = Turn()
    turn.take()
    try:
        yield
    finally:
        turn.give_back()
