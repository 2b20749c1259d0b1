"""What is told of a run that is looked back on: how it stood at each moment, and how it differs from another run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = [
    "CardSource", "FieldDifference", "ItemsPoint", "PlaybackFrame", "PlaybackStep", "RunPlayback", "StepDifference",
]  # fmt: skip


class CardSource(NamedTuple):
    """What a line on a step's card is made of. `kind`: value (of which the step decided: at `path` in `output`, another
    step's) · people · http · mail (of its own `output`); `took_ms`: from its beginning to its end."""

    node: str
    generation: int
    kind: str
    output: Any
    path: tuple[str | int, ...]
    took_ms: int | None


class PlaybackStep(NamedTuple):
    """How a step stood after a change. `wait`: what it waits for, `until` when."""

    node: str
    generation: int
    attempt: int
    status: str
    ports: Sequence[str]
    wait: str | None
    until: int | None


class PlaybackFrame(NamedTuple):
    """A moment at which something changed, and how the run and these steps stood from then on.

    `kind` and `by` are those of the trail's entry; `started` is a step that began, told from its own row.
    """

    at: int
    generation: int
    status: str
    kind: str
    by: str | None
    steps: Sequence[PlaybackStep]


class ItemsPoint(NamedTuple):
    """How many of a step's own runs had started, were done and had failed, from this moment on."""

    at: int
    started: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class RunPlayback:
    """A run as a film. `items`: by the id of a step that has runs of its own. `whole`: False where what came first was
    drawn together into the first frame, since there is too much of it."""

    frames: Sequence[PlaybackFrame]
    items: Mapping[str, Sequence[ItemsPoint]]
    whole: bool


class FieldDifference(NamedTuple):
    """A value that two documents do not share. `change`: added (only the first has it) · removed · changed.

    `path`: the names and numbers that lead to it.
    """

    path: tuple[str | int, ...]
    change: str
    here: Any
    there: Any


class StepDifference(NamedTuple):
    """In what a step of two runs differs: status · way (the ports it left by) · duration · input · output · error."""

    node: str
    differs: tuple[str, ...]
