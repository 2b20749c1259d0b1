"""How many runs this process tries at a time of those that may have killed a process before (I20).

Whoever was in flight beside a run that kills its worker has as many claims without progress as that run has. So they
are tried a few at a time, and twice as many whenever all of them have lived; a process that was killed begins with one
again. What has been tried so and made no progress is claimed alone (`store.claims.claim_suspects`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Container, Iterable
from typing import Final
from uuid import UUID

from runtime.store.records import Claimed
from runtime.store.statements import SUSPECT_CLAIMS

__all__ = ["Suspects"]

#: Who has lived for so long is no reason to keep others waiting.
_LIVES_SECONDS: Final = 5.0
#: Looking for them means to look through everything that is due.
_LOOK_SECONDS: Final = 2.0
_MOST: Final = 64


class Suspects:
    """Belongs to one pump, and is used on its loop."""

    def __init__(self) -> None:
        self._trust = 1
        self._tried: list[UUID] = []
        self._since = 0.0
        self._look_at = 0.0

    def wanted(self, in_flight: Collection[Container[UUID]]) -> int:
        """How many the next claim may bring; 0 while it is not known whether the last ones live."""
        now = time.monotonic()
        if self._tried:
            if now < self._since + _LIVES_SECONDS and any(
                run_id in some for some in in_flight for run_id in self._tried
            ):
                return 0
            self._tried = []
            self._trust = min(2 * self._trust, _MOST)
        elif now < self._look_at:
            return 0
        self._look_at = now + _LOOK_SECONDS
        return self._trust

    def note(self, claimed: Iterable[Claimed]) -> None:
        """What a claim has brought."""
        tried = [one.run_id for one in claimed if one.claims > SUSPECT_CLAIMS]
        if tried:
            self._tried = tried
            self._since = time.monotonic()

    def ended(self, run_id: UUID) -> bool:
        """Whether this was the last that was waited for: the next ones may be tried at once."""
        if run_id not in self._tried:
            return False
        if len(self._tried) == 1:
            return True
        self._tried.remove(run_id)
        return False
