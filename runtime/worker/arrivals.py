"""How many runs arrive, and what that means for those that wait to begin."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from runtime import queue
from runtime.engine.ids import uuid7_ms

#: Accepting comes first: while more events than this arrive in a second, runs begin in small portions only, with a
#: pause between them that grows with what arrives. Callers that wait for their runs do not bring so many.
PRESSED_PER_SECOND: Final = 1_000
PORTION: Final = 6
PAUSE_SECONDS: Final = 0.03  # while 1,000 arrive in a second
_WINDOW_MS: Final = 100
#: What came longer ago says nothing about now.
_LATELY_MS: Final = 1_000


class Arrivals:
    """How many runs came lately.

    A run that was rung for came when its id was made: how fast this process takes in what the doorbell says has
    nothing to do with how fast the doors are knocked at.

    matters     whether this process shares its machine with a door, and so takes the time of those who knock.
    """

    __slots__ = ("_at", "_count", "_matters", "_per_second")

    def __init__(self, matters: Callable[[], bool] = lambda: True) -> None:
        self._matters = matters
        self._at = 0
        self._count = 0
        self._per_second = 0.0

    def note(self, count: int) -> None:
        """So many came just now."""
        self._note(count, _now_ms())

    def note_rung(self, run_ids: Sequence[UUID]) -> None:
        """The doorbell told of these."""
        moments = [uuid7_ms(run_id) for run_id in run_ids if run_id.version == 7]
        newest = max(moments, default=0)
        # The sweeper rings too, for what came long ago.
        if _now_ms() - newest > _LATELY_MS:
            return
        if len(run_ids) > queue.MOST_IDS:
            # In a flood not all of them are rung for: what counts is how closely they follow each other.
            self._per_second = len(run_ids) * 1_000 / max(newest - min(moments), 1)
            self._at, self._count = newest, 0
        else:
            self._note(len(run_ids), newest)

    def _note(self, count: int, at: int) -> None:
        self._count += count
        elapsed = at - self._at
        if elapsed >= _WINDOW_MS:
            self._per_second = self._count * 1_000 / elapsed
            self._at, self._count = at, 0
        elif elapsed < -_LATELY_MS:
            # The clock was set back.
            self._at, self._count, self._per_second = at, 0, 0.0

    def pressed(self) -> float:
        """How many come in a second, where they are so many that accepting them needs this process's time; else 0."""
        if self._per_second <= PRESSED_PER_SECOND or _now_ms() - self._at > _LATELY_MS or not self._matters():
            return 0.0
        return self._per_second


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
