"""How many items of lists a process has in hand at a time: as many as its commits stay quick with.

What an item waits for elsewhere costs nothing here, and then there may be many. What takes this machine's own time
(drawing, writing, the database) gets no faster by being begun earlier: it only makes all others wait in the same lines.
So the number shrinks while commits are slow, and grows while they are quick.
"""

from __future__ import annotations

import time
from typing import Final

__all__ = ["Window"]

#: Each waits for company, so that fewer would leave a processor idle.
LEAST: Final = 8
_FIRST: Final = 16
_EACH: Final = 2
#: Commits that take longer than this are slow, from when they are handed in.
SLOW_SECONDS: Final = 0.004
#: How often the number changes.
_EVERY_SECONDS: Final = 0.25
_SMOOTH: Final = 16


class Window:
    """For one loop. `most`: there are never more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._least = min(LEAST, most)
        self._size = float(min(_FIRST, most))
        self._usual = 0.0
        self._noted_at = self._shrunk_at = self._grown_at = 0.0

    @property
    def size(self) -> int:
        """So many items may be in hand."""
        return int(self._size)

    def share(self, lists: int) -> int:
        """So many of one list, where there are so many lists: none stands still for the others."""
        return _share(self.size, lists)

    def share_among_others(self, lists: int, away: int) -> int:
        """The same where somebody else is about, who waits for all that this process does for lists: then it does so as
        little at a time as it may, beside what waits for other systems, which is `away`."""
        return min(self.share(lists), _share(self._least, lists) + away)

    def note(self, seconds: float) -> None:
        """A commit of an item took so long."""
        now = time.monotonic()
        self._usual += (seconds - self._usual) / _SMOOTH
        self._noted_at = now
        if self._usual > SLOW_SECONDS and now - self._shrunk_at >= _EVERY_SECONDS:
            self._shrunk_at = now
            self._size = max(self._least, self._size * 0.8)

    def grow(self) -> None:
        """There was no room left."""
        now = time.monotonic()
        if now - self._grown_at < _EVERY_SECONDS:
            return
        self._grown_at = now
        # Where nothing was committed for a while all that is in hand waits for others.
        if self._usual <= SLOW_SECONDS or now - self._noted_at > 2 * _EVERY_SECONDS:
            self._size = min(self._most, self._size * 1.1 + 1)


def _share(size: int, lists: int) -> int:
    return max(size // max(lists, 1), _EACH)
