"""How many calls count within a period that moves on with time: pure, and never fewer than there were.

Calls are counted in slices of time, a sixtieth of the period each (of a second a twentieth). One counts until the
whole slice it ended in is a period old: so of any period, wherever it begins, at most so many are let through as the
budget says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["Window", "slice_ms"]

_SLICES: Final = 60
_LEAST_MS: Final = 50


def slice_ms(period_ms: int) -> int:
    """How long a slice of this period is."""
    return max(_LEAST_MS, period_ms // _SLICES)


@dataclass(slots=True)
class Window:
    """The calls that count: by slice, how many. `calls`: at most so many within `period_ms`."""

    calls: int
    period_ms: int
    slices: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, calls: int, period_ms: int, text: str) -> Window:
        """As `text` wrote it."""
        pairs = (part.split(":") for part in text.split(",") if part)
        return cls(calls, period_ms, {int(number): int(count) for number, count in pairs})

    def text(self) -> str:
        """As its row keeps it."""
        return ",".join(f"{number}:{count}" for number, count in sorted(self.slices.items()))

    def moved_to(self, calls: int, period_ms: int, now_ms: int) -> Window:
        """The same calls, by other limits. Each has ended by now at the latest: of a day a slice goes on for minutes,
        and by limits for a second they would count all that time."""
        moved = Window(calls, period_ms)
        for number, count in self.slices.items():
            moved.add(min((number + 1) * slice_ms(self.period_ms) - 1, now_ms), count)
        return moved

    def add(self, at_ms: int, count: int = 1) -> None:
        """So many calls have arrived there by this moment."""
        number = at_ms // slice_ms(self.period_ms)
        self.slices[number] = self.slices.get(number, 0) + count

    def forget(self, now_ms: int) -> None:
        """Leave out what counts no more."""
        self.slices = {number: count for number, count in self.slices.items() if self._leaves(number) > now_ms}

    def used(self, now_ms: int) -> int:
        """How many of those that have ended still count."""
        return sum(count for number, count in self.slices.items() if self._leaves(number) > now_ms)

    def room(self, now_ms: int, under_way: int) -> int:
        """How many more may begin now."""
        return max(0, self.calls - self.used(now_ms) - under_way)

    def room_at(self, position: int, now_ms: int, under_way: int) -> int:
        """About when the `position`-th of those that wait, from 1, may begin; not before `now_ms`. Those under way are
        taken to end at once."""
        longest = self.period_ms + slice_ms(self.period_ms)
        leaves = [
            self._leaves(number)
            for number in sorted(self.slices)
            if self._leaves(number) > now_ms
            for _ in range(self.slices[number])
        ]
        leaves += [now_ms + longest] * under_way
        rounds, place = divmod(position - 1, self.calls)
        needed = len(leaves) + place + 1 - self.calls
        return (now_ms if needed <= 0 else leaves[needed - 1]) + rounds * longest

    def _leaves(self, number: int) -> int:
        return (number + 1) * slice_ms(self.period_ms) + self.period_ms
