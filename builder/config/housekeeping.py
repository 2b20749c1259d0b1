"""What is over is swept away, once an hour, by every process that serves: sessions, stored answers, counted tries,
drafts of deleted workflows where a rule says so, and what people have seen of questions that are closed.

Once a minute sittings at drafts that are over go on record, secrets that are accepted no more are destroyed, and the
ends of the audit log are noted in a file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from builder.accounts import tries
from builder.accounts.sessions import SessionStore
from builder.api import repeats
from builder.audit import notes
from builder.connections import rotation
from builder.live.threads import DatabaseThreads
from builder.workflows import editing, old_drafts, seen

log = structlog.get_logger(__name__)

FIRST_SECONDS: Final = 60.0
EVERY_SECONDS: Final = 3600.0
RECORD_SECONDS: Final = 60.0


def sweep() -> None:
    """Remove what is over. Two at once do no harm."""
    now = datetime.now(UTC)
    repeats.sweep(now=now)
    tries.sweep(now=now)
    SessionStore.clear_expired()
    old_drafts.remove_old(now=now)
    seen.sweep()


def put_on_record() -> None:
    """Put on record what is over: sittings at drafts, secrets before the present ones. And note where the audit log
    ends. Two at once do no harm."""
    now = datetime.now(UTC)
    editing.close_over(now=now)
    rotation.end_over(now=now)
    notes.note_heads(now=int(now.timestamp() * 1000))


class Housekeeping:
    """Sweeps on the server's loop until it is told to stop."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads("housekeeping", 1)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [
            asyncio.create_task(self._repeat(sweep, EVERY_SECONDS), name="housekeeping"),
            asyncio.create_task(self._repeat(put_on_record, RECORD_SECONDS), name="putting on record"),
        ]

    async def stop(self) -> None:
        """End, and let the connection go."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._threads.let_go()

    async def _repeat(self, what: Callable[[], None], seconds: float) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self._threads.run(what)
            except Exception as error:
                log.warning("housekeeping failed; it is tried again", what=what.__name__, error=str(error))
            await asyncio.sleep(seconds)
