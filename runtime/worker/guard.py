"""What a process keeps an eye on all the time: how much room there is, and whether its database went back in time.

What it sees stands in `store.brake.BRAKE`, which the door, the pump and the ticker go by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

from django.db import DatabaseError, InterfaceError, connections

from runtime.store import restores
from runtime.store.brake import BRAKE

logger = logging.getLogger("millrace.guard")

LOOK_SECONDS: Final = 1.0
#: The database is looked at every so many looks.
_LOOKS: Final = 5


class Guard:
    """Looks on the loop it is started on; the disk and the database are asked in a thread.

    beats   whether this process counts on what tells a backup from the present.
    """

    def __init__(self, *, readers: Executor, beats: bool) -> None:
        self._readers = readers
        self._beats = beats
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, before anything is begun, and go on looking. Raises what the database raises."""
        await self._in_thread(first_look)
        self._task = asyncio.create_task(self._watch(), name="millrace-guard")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _watch(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            was = (BRAKE.low, BRAKE.full)
            await self._in_thread(BRAKE.look)
            if (BRAKE.low, BRAKE.full) != was:
                _tell()
            if looks % _LOOKS == 0:
                try:
                    await self._in_thread(self._look_at_the_database)
                except Exception:
                    logger.exception("It could not be seen whether the database is a restored backup.")

    def _look_at_the_database(self) -> None:
        try:
            restores.look(beats=self._beats)
        except (DatabaseError, InterfaceError) as error:
            connections.close_all()
            logger.info("The database could not be looked at: %s", error)

    async def _in_thread(self, look: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._readers, look)


def first_look() -> None:
    """How things stand when a process starts."""
    BRAKE.look()
    _tell()
    restores.look()


def _tell() -> None:
    if BRAKE.full:
        logger.error("FULL: there is hardly any room in DATA_DIR. Nothing is accepted and nothing is begun.")
    elif BRAKE.low:
        logger.error("LOW: there is little room in DATA_DIR. No run is begun until there is more.")
