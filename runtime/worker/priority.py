"""How a worker steps back while it goes through a list, so that whoever waits for an answer comes first.

`nice` orders processes of one session only: Linux shares the processors among sessions first (autogroups), and every
service, and every connection of PostgreSQL, has one of its own. What counts there is the weight of the session. In a
container or a unit of systemd it is the weight of that (docs/operations.md).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

__all__ = ["Priority"]

logger = logging.getLogger("millrace.priority")

#: As of `nice`: a session at 10 has a ninth of the weight of one at 0.
STEP_BACK: Final = 10
_OWN: Final = Path("/proc/self/autogroup")


class Priority:
    """Of this process's session. Nothing happens where it shares that with others, or where there is no such thing."""

    def __init__(self, own: Path = _OWN) -> None:
        self._own = own
        self._stepped_back = False

    def step_back(self, behind_others: bool) -> None:
        """Come behind others from now on, or beside them. Never raises, never blocks."""
        if behind_others == self._stepped_back or not _leads_its_session():
            return
        try:
            self._own.write_text(str(STEP_BACK if behind_others else 0))
        except BlockingIOError:
            return  # it may be said ten times a second, by all of a machine together: next time
        except OSError as error:
            logger.debug("This session's priority stays as it is: %s", error)
        self._stepped_back = behind_others


def _leads_its_session() -> bool:
    return os.getsid(0) == os.getpid()
