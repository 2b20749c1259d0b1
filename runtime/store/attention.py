"""When somebody last knocked at a door of this process: what steps back holds still while he is seen to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

__all__ = ["ATTENTION"]


@dataclass(slots=True)
class _Attention:
    #: By the monotonic clock.
    at: float = 0.0

    def call(self) -> None:
        """Somebody knocks."""
        self.at = time.monotonic()


ATTENTION: Final = _Attention()
