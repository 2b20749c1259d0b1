"""What keeps this process from beginning anything: a disk that is nearly full (I38), a restored backup that nobody has
confirmed (I39).

Below the floor of free space no run is begun: what is left is for the results of those that are under way. Below half
of it no event is accepted either. Both end by themselves when there is room again. While a restored backup waits to be
confirmed events are accepted, and nothing is begun.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from runtime.contracts import StoreUnavailable

__all__ = ["BRAKE", "Brake", "free_bytes"]

_MIB: Final = 1024 * 1024


@dataclass(slots=True)
class Brake:
    """The state of one process, as `worker.ticker` last saw it. Reading it costs nothing."""

    #: There is too little room to begin runs.
    low: bool = False
    #: There is too little room to accept anything.
    full: bool = False
    #: The database is a restored backup, and nobody has said yet that its runs may go on.
    held: bool = False

    @property
    def is_on(self) -> bool:
        """Whether nothing is to be begun."""
        return self.low or self.held

    def look(self) -> None:
        """See how much room there is. A folder that cannot be asked is left to whoever writes there."""
        try:
            free = free_bytes()
        except OSError:
            return
        floor = settings.FREE_SPACE_FLOOR_MIB * _MIB
        self.low, self.full = free < floor, free < floor // 2

    def refuse_when_full(self) -> None:
        """Raise StoreUnavailable where nothing more may be accepted."""
        if self.full:
            raise StoreUnavailable("There is too little free disk space to accept anything.")


def free_bytes() -> int:
    """How much room there is in DATA_DIR."""
    return shutil.disk_usage(settings.DATA_DIR).free


#: This process's.
BRAKE: Final = Brake()
