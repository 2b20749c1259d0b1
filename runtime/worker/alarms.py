"""Runs whose next look is near: remembered, so that they go on to the moment. The sweep would find them too, a little
later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

_NEAR_MS: Final = 60_000
_MOST: Final = 20_000


class Alarms:
    """Rings for runs when their time comes. Only on the loop."""

    def __init__(self, ring: Callable[[list[UUID]], None], now_ms: Callable[[], int]) -> None:
        self._ring = ring
        self._now_ms = now_ms
        self._set: dict[UUID, asyncio.TimerHandle] = {}

    def remember(self, run_id: UUID, wake_at: int) -> None:
        """Ring for this run then, and no earlier."""
        delay = wake_at - self._now_ms()
        if delay > _NEAR_MS or len(self._set) >= _MOST:
            return
        earlier = self._set.pop(run_id, None)
        if earlier is not None:
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self._set[run_id] = loop.call_later(max(delay, 0) / 1000 + 0.003, self._alarm, run_id)

    def forget(self) -> None:
        """Ring for nobody any more."""
        for alarm in self._set.values():
            alarm.cancel()
        self._set.clear()

    def _alarm(self, run_id: UUID) -> None:
        self._set.pop(run_id, None)
        self._ring([run_id])
