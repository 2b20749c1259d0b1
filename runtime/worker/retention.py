"""What a workspace's rules let go is removed a little at a time, by the leading ticker. See `store.retention`."""

from __future__ import annotations

import logging
import time
from typing import Final
from uuid import UUID

from runtime.store.dialect import database_now
from runtime.store.retention import Outrun, Pass, due

__all__ = ["Sweeper"]

logger = logging.getLogger("millrace.retention")

#: So long one turn takes at most, or a page more.
TURN_SECONDS: Final = 0.5
#: How often it is looked whether a sweep is due, and how long it rests between two turns.
LOOK_SECONDS: Final = 5.0
REST_SECONDS: Final = 0.25
#: One that failed is tried again so much later, and keeps no other one waiting.
PATIENCE_SECONDS: Final = 60.0


class Sweeper:
    """Remembers how far it is; the rows say it too, for whoever goes on after it."""

    def __init__(self) -> None:
        self._under_way: Pass | None = None
        self._failed: dict[UUID, float] = {}

    def turn(self) -> bool:
        """Go on for a moment; whether there is more to do."""
        until = time.monotonic() + TURN_SECONDS
        workspace_id = self._next()
        if workspace_id is None:
            return False
        try:
            sweep = self._under_way = self._under_way or Pass(workspace_id)
            while sweep.step():
                if time.monotonic() >= until:
                    return True
            self._under_way = None
        except Outrun:
            self._under_way = None
            return False
        except BaseException:
            # The next turn takes it up where the rows say.
            self._under_way = None
            self._failed[workspace_id] = time.monotonic() + PATIENCE_SECONDS
            raise
        if sweep.removed:
            logger.info("Removed by the rules of workspace %s: %s.", sweep.workspace_id, dict(sweep.removed))
        return True

    def _next(self) -> UUID | None:
        """In which workspace; None: there is nothing to do."""
        if self._under_way is not None:
            return self._under_way.workspace_id
        now = time.monotonic()
        return next((one for one in due(database_now()) if self._failed.get(one, 0.0) <= now), None)
