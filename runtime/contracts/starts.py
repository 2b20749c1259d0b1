"""What crosses about starts: those of past instants of a schedule, and deliveries that came again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BackfillInstant:
    """An instant of a schedule; `known`: it has its run, or waits for it, and is not started again."""

    at: int
    known: bool


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What starting a schedule's past instants would do. `too_many`: there are more than are listed, and than may be
    started at a time. `time_zone`: of the schedule, in which its days are meant."""

    trigger_id: UUID
    instants: list[BackfillInstant]
    too_many: bool = False
    time_zone: str = "UTC"

    @property
    def starts(self) -> int:
        """How many would be started."""
        return sum(not instant.known for instant in self.instants)


@dataclass(frozen=True, slots=True)
class BackfillView:
    """Starts of past instants that somebody asked for. `waiting`: how many of them have not begun. `time_zone`: of the
    schedule, in which its days are meant."""

    id: UUID
    workflow_id: UUID
    trigger_id: UUID
    at: int
    by: UUID | None
    range_from: int
    range_to: int
    together: bool
    starts: int
    known: int
    waiting: int
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class RepeatView:
    """A delivery whose key had come before; `conflict`: with another body."""

    id: UUID
    workflow_id: UUID
    received_at: int
    conflict: bool
    key: str | None
    body_sha256: str
    event_id: UUID
    first_received_at: int
    source: str
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class RepeatFigures:
    """How often what senders delivered to a workflow had come before."""

    workflow_id: UUID
    events: int = 0
    duplicates: int = 0
    conflicts: int = 0

    @property
    def received(self) -> int:
        """All deliveries, the repeated ones too."""
        return self.events + self.duplicates + self.conflicts
