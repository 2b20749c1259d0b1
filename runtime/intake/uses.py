"""By which of two secrets senders are let in, while a secret is being changed: counted in memory, written now and then.

A delivery waits for none of it: it leaves a time in a dictionary, and the first one after a pause sets a clock.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import Context
from typing import Final
from uuid import UUID

from runtime.intake.threads import Threads
from runtime.ports import PORTS

__all__ = ["Uses"]

logger = logging.getLogger("millrace.intake.uses")

_KEPT_SECONDS: Final = 5.0


class Uses:
    """Notes of one process, from its event loop."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._at: dict[tuple[UUID, UUID], list[float | None]] = {}
        self._clock: asyncio.TimerHandle | None = None

    def note(self, workspace_id: UUID, connection_id: UUID, which: int) -> None:
        """Somebody was let in now, by the present secret (0) or by the one before (1)."""
        at = self._at.get((workspace_id, connection_id))
        if at is None:
            at = self._at[(workspace_id, connection_id)] = [None, None]
        at[which] = time.time()
        if self._clock is None:
            # It is for all, not for whoever was first.
            loop = asyncio.get_running_loop()
            self._clock = loop.call_later(_KEPT_SECONDS, self._hand_over, context=Context())

    def close(self) -> None:
        """Hand over what is left; the threads finish it."""
        if self._clock is not None:
            self._hand_over()

    def _hand_over(self) -> None:
        clock, self._clock = self._clock, None
        if clock is not None:
            clock.cancel()
        noted, self._at = self._at, {}
        if noted:
            self._threads.submit(_keep, noted)


def _keep(noted: dict[tuple[UUID, UUID], list[float | None]]) -> None:
    for (workspace_id, connection_id), (current, previous) in noted.items():
        try:
            PORTS.vault.note_secrets(
                workspace_id=workspace_id, connection_id=connection_id, current=current, previous=previous
            )
        except Exception as error:
            # It is told on a page; no delivery depends on it.
            logger.warning("When a secret was last used could not be noted: %s", error)
