"""How many runs arrive, and what that means for those that wait to begin."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from runtime.engine.ids import uuid7_ms

#: Accepting comes first: while more events than this arrive in a second, runs begin in small portions only, with a
#: pause between them that grows with what arrives. Callers that wait for their runs do not bring so many.
PRESSED_PER_SECOND: Final = 1_000
PORTION: Final = 6
PAUSE_SECONDS: Final = 0.03  # while 1,000 arrive in a second
_MOST_PER_SECOND: Final = 10_000
_WINDOW_SECONDS: Final = 0.1
#: What came longer ago says nothing about now.
_LATELY_SECONDS: Final = 1.0


class Arrivals:
    """How many runs came lately.

    A run that was rung for came when its id was made: how fast this process takes in what the doorbell says has
    nothing to do with how fast the doors are knocked at.

    matters     whether this process shares its machine with a door, and so takes the time of those who knock.
    hearers     among how many processes the doorbell's messages are shared out.
    """

    __slots__ = ("_at", "_count", "_hearers", "_matters", "_per_second")

    def __init__(self, matters: Callable[[], bool] = lambda: True, hearers: Callable[[], int] = lambda: 1) -> None:
        self._matters = matters
        self._hearers = hearers
        self._at = 0.0
        self._count = 0
        self._per_second = 0.0

    def note(self, count: int) -> None:
        """So many came just now."""
        self._note(count, time.monotonic())

    def note_rung(self, run_ids: Sequence[UUID]) -> None:
        """The doorbell told of these."""
        newest = max((uuid7_ms(run_id) for run_id in run_ids if run_id.version == 7), default=0)
        ago = time.time() - newest / 1_000
        # The sweeper rings too, for what came long ago; and clocks differ.
        if abs(ago) <= _LATELY_SECONDS:
            self._note(len(run_ids) * self._hearers(), time.monotonic() - max(ago, 0.0))

    def _note(self, count: int, at: float) -> None:
        elapsed = at - self._at
        if elapsed < -_WINDOW_SECONDS:
            return  # it was counted in its time
        self._count += count
        if elapsed >= _WINDOW_SECONDS:
            self._per_second = min(self._count / elapsed, _MOST_PER_SECOND)
            self._at, self._count = at, 0

    def pressed(self) -> float:
        """How many come in a second, where they are so many that accepting them needs this process's time; else 0."""
        lately = time.monotonic() - self._at <= _LATELY_SECONDS
        return self._per_second if lately and self._per_second > PRESSED_PER_SECOND and self._matters() else 0.0
