"""What is over is swept away, once an hour, by every process that serves: sessions, stored answers, counted tries."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

import structlog

from builder.accounts import tries
from builder.accounts.sessions import SessionStore
from builder.api import repeats
from builder.live.threads import DatabaseThreads

log = structlog.get_logger(__name__)

FIRST_SECONDS: Final = 60.0
EVERY_SECONDS: Final = 3600.0


def sweep() -> None:
    """Remove what is over. Two at once do no harm."""
    now = datetime.now(UTC)
    repeats.sweep(now=now)
    tries.sweep(now=now)
    SessionStore.clear_expired()


class Housekeeping:
    """Sweeps on the server's loop until it is told to stop."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads("housekeeping", 1)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._sweep(), name="housekeeping")

    async def stop(self) -> None:
        """End, and let the connection go."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._threads.let_go()

    async def _sweep(self) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self._threads.run(sweep)
            except Exception as error:
                log.warning("sweeping failed; the next hour tries again", error=str(error))
            await asyncio.sleep(EVERY_SECONDS)
