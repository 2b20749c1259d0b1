"""Putting what an attempt gave where it is kept, however long that takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from runtime.contracts import StoreUnavailable
from runtime.interpreter.attempts import stored
from runtime.interpreter.outcomes import Ending
from runtime.interpreter.versions import Step

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

logger = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 1.0
_LONGEST_AGAIN_SECONDS: Final = 10.0


async def put_aside(driver: Driver, ending: Ending, step: Step) -> Ending:
    """The ending, with a large output put aside. Raises StoreUnavailable."""
    return await stored(ending, keep=driver.shell.keep, workspace_id=driver.claimed.workspace_id, node=step.node)


async def put_aside_at_length(driver: Driver, ending: Ending, step: Step) -> Ending | None:
    """Put a large result aside however long the store has no room for it: what has happened outside must not be
    made to happen again for that (I10). None when the process stops before there is room."""
    pause = _AGAIN_SECONDS
    while True:
        try:
            return await put_aside(driver, ending, step)
        except StoreUnavailable as fault:
            if driver.shell.stopping:
                return None
            logger.warning("Run %s: a result cannot be stored yet (%s).", driver.claimed.run_id, fault)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_AGAIN_SECONDS)
