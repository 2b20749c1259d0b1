"""Moves what the embedded database logged into its file, beside those who write.

SQLite writes every change to a log first. Whoever commits when the log has grown long moves all of it into the file,
and everybody behind him waits for that: up to a tenth of a second where much is written. Nobody has to wait, since a
log can be moved while others add to it. Only it never ends that way: the log is begun anew when all of it was moved,
and by then there is more. So it is moved twice at leisure, and the little that is left while nobody writes.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from runtime.store.dialect import Link, open_link
from runtime.store.turn import at_turn

__all__ = ["LogMover"]

logger = logging.getLogger("millrace.store.writer")

_MOVE: Final = "PRAGMA wal_checkpoint(PASSIVE)"
_AT_LEISURE: Final = 2
_PATIENCE_SECONDS: Final = 5.0


class LogMover:
    """A thread and a connection of its own. Any method from any thread."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._asked = threading.Event()
        self._beginning = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """The log has grown long; returns at once."""
        with self._beginning:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="millrace-log", daemon=True)
                self._thread.start()
        self._asked.set()

    def close(self) -> None:
        """End, behind what is under way, and behind a disk that hangs after some seconds."""
        with self._beginning:
            self._closed = True
        self._asked.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_SECONDS)

    def _work(self) -> None:
        link: Link | None = None
        try:
            while self._asked.wait() and not self._closed:
                self._asked.clear()
                try:
                    if link is None:
                        link = open_link(self._alias)
                    move(link)
                except Exception as error:
                    # Those who commit do it themselves once the log is far too long.
                    logger.debug("The log could not be moved: %s", error)
                    if link is not None:
                        link.close()
                        link = None
        finally:
            if link is not None:
                link.close()


def move(link: Link) -> None:
    """Move all of the log into the file, so that whoever writes next begins it anew. Raises StoreFault.

    While somebody still reads what was there before, or moves it himself, some of it stays for the next time.
    """
    for _ in range(_AT_LEISURE):
        link.query(_MOVE)
    with at_turn():
        link.query(_MOVE)
