"""How long things took, as counts of buckets whose bounds grow by two per cent: small, and exact to merge.

A bucket holds whatever lies within one per cent of its middle. Adding two sketches adds their counts, so a percentile
of any range of time is the same whether it is read from minutes, hours or days, and is at most one per cent off.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import orjson

__all__ = ["RELATIVE_ERROR", "Sketch"]

RELATIVE_ERROR: Final = 0.01
_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA: Final = math.log(_GAMMA)
#: Milliseconds below one count as none: nothing here is measured more closely.
_NONE: Final = -1


class Sketch:
    """Counts by bucket."""

    __slots__ = ("counts",)

    def __init__(self, text: str | None = None) -> None:
        """`text`: as `text()` gave it."""
        self.counts: dict[int, int] = {}
        if text:
            self.add_text(text)

    def add(self, milliseconds: int, count: int = 1) -> None:
        """Count a duration; one below zero (two clocks) counts as zero."""
        bucket = math.ceil(math.log(milliseconds) / _LOG_GAMMA) if milliseconds >= 1 else _NONE
        self.counts[bucket] = self.counts.get(bucket, 0) + count

    def add_text(self, text: str) -> None:
        """Merge one that was kept as text."""
        counts, numbers = self.counts, iter(orjson.loads(text))
        for bucket, count in zip(numbers, numbers, strict=True):
            counts[bucket] = counts.get(bucket, 0) + count

    def merge(self, other: Sketch) -> None:
        """Add what another one has counted."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self.counts.values())

    def quantiles(self, shares: Iterable[float]) -> list[int | None]:
        """The durations below which these shares of all lie, in milliseconds: of n the one at rank share × (n - 1),
        from 0. None where nothing was counted."""
        total = self.total
        if not total:
            return [None for _ in shares]
        ordered = sorted(self.counts.items())
        found: list[int | None] = []
        for share in shares:
            left = math.floor(share * (total - 1))
            for bucket, count in ordered:
                if left < count:
                    found.append(_middle(bucket))
                    break
                left -= count
        return found

    def at_most(self, milliseconds: int) -> int:
        """How many took at most so long, as exactly as the buckets tell: two per cent more may be among them."""
        last = math.ceil(math.log(milliseconds) / _LOG_GAMMA) if milliseconds >= 1 else _NONE
        return sum(count for bucket, count in self.counts.items() if bucket <= last)

    def text(self) -> str:
        """For a row: bucket and count in turn, as JSON; empty for none."""
        if not self.counts:
            return ""
        return orjson.dumps([number for pair in sorted(self.counts.items()) for number in pair]).decode()


def _middle(bucket: int) -> int:
    return 0 if bucket == _NONE else round(2 * _GAMMA**bucket / (_GAMMA + 1))
