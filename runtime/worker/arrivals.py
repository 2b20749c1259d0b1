"""How many runs arrive, and what that means for those that wait to begin."""

from __future__ import annotations

import time
from typing import Final

#: Accepting comes first: while more events than this arrive in a second, runs begin in small portions only, with a
#: pause between them that grows with what arrives. Callers that wait for their runs do not bring so many.
PRESSED_PER_SECOND: Final = 1_000
PORTION: Final = 6
PAUSE_SECONDS: Final = 0.03  # while 1,000 arrive in a second
_WINDOW_SECONDS: Final = 0.1


class Arrivals:
    """How many runs came lately."""

    __slots__ = ("_at", "_count", "_per_second")

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._count = 0
        self._per_second = 0.0

    def note(self, count: int) -> None:
        """So many came just now."""
        self._count += count
        elapsed = time.monotonic() - self._at
        if elapsed >= _WINDOW_SECONDS:
            self._per_second = self._count / elapsed
            self._at += elapsed
            self._count = 0

    def pressed(self) -> float:
        """How many come in a second, where they are so many that accepting them needs this process; else 0."""
        lately = time.monotonic() - self._at < 3 * _WINDOW_SECONDS
        return self._per_second if lately and self._per_second > PRESSED_PER_SECOND else 0.0
