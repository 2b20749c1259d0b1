"""Requests that were not let in, written down so that the owner sees why; at a bounded rate, so that a flood of them
cannot fill the disk. And the pace of those that may come in, where the owner set one."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final
from uuid import UUID

__all__ = ["Allowance", "Pace"]

_MOST_KEPT: Final = 10_000


class Allowance:
    """A bucket for each webhook: `burst` at once, then `per_second`."""

    def __init__(self, *, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def take(self, trigger_id: UUID) -> bool:
        """Whether one more may be written down."""
        now = time.monotonic()
        level, at = self._buckets.pop(trigger_id, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._per_second)
        granted = level >= 1
        self._buckets[trigger_id] = (level - 1 if granted else level, now)
        if len(self._buckets) > _MOST_KEPT:
            self._buckets.popitem(last=False)
        return granted


class Pace:
    """How many deliveries a minute each webhook takes, in this process: a minute's worth at once, then evenly."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def wait(self, trigger_id: UUID, per_minute: int) -> float:
        """Take one delivery: 0 where it may pass, else the seconds until one may."""
        now = time.monotonic()
        level, at = self._buckets.pop(trigger_id, (float(per_minute), now))
        level = min(per_minute, level + (now - at) * per_minute / 60)
        passes = level >= 1
        self._buckets[trigger_id] = (level - 1 if passes else level, now)
        if len(self._buckets) > _MOST_KEPT:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1 - level) * 60 / per_minute
