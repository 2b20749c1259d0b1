"""Ending tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from uuid import UUID

from runtime.store.records import Claimed

__all__ = ["cancel_all", "leases_of"]

logger = logging.getLogger("millrace.pump")


async def cancel_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel these tasks and wait for their end."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def leases_of(asking: Awaitable[list[Claimed]] | None) -> list[tuple[UUID, int]]:
    """The leases `(run, token)` that a cancelled claim brings all the same: the writer had the request already."""
    if asking is None:
        return []
    try:
        return [(claimed.run_id, claimed.token) for claimed in await asking]
    except Exception as error:
        logger.info("The last claim failed: %s", error)
        return []
