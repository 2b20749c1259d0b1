"""When a run was at work, for a drawing of it: its tries, and how many of a step's own runs were at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Density", "RunTimes", "Slice", "StepTry"]


class StepTry(NamedTuple):
    """One try of a step that was tried more than once: when it began, and what it ended with, if anything."""

    node: str
    generation: int
    attempt: int
    at: int
    status: str
    error: Mapping[str, Any] | None


class Slice(NamedTuple):
    """What a step's own runs did in a stretch of time: so many were at work on average, so many ended well, and so many
    otherwise."""

    busy: float
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class Density:
    """How many of a step's own runs were at work. `first` and `last`: when the first of them began and the last ended
    (now, while one is open); `from_` and `width` (ms): the slices, one after the other, cover the part that was asked
    for."""

    node: str
    runs: int
    first: int
    last: int
    from_: int
    width: int
    slices: Sequence[Slice]


@dataclass(frozen=True, slots=True)
class RunTimes:
    """`tries`: by step and number; `items`: of each step that has runs of its own, in slices where it has many."""

    tries: Sequence[StepTry]
    items: Sequence[Density]
