"""What crosses about schedules: when they start next, what they started, and what people decided about their times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from runtime.contracts.refusals import RuntimeRefused

Fate = Literal["start", "skip", "paused"]


class StartPassed(RuntimeRefused):
    """This start is no longer to come, or never was one of the schedule."""

    code = "start_passed"


@dataclass(frozen=True, slots=True)
class ComingStart:
    """A start to come. `instant`: the time of the schedule that it is for, and by which it is named; `at`: when it
    comes, ms. `fate`: whether it starts, is left out by itself, or falls into the schedule's pause."""

    instant: int
    at: int
    fate: Fate
    moved: bool


@dataclass(frozen=True, slots=True)
class ClockNote:
    """A start that meets a change of the clocks: at `at`, on `day`. `asked`: the time of day that does not exist then,
    empty where it is one of several; None: the time comes twice. `starts`: the time of day at which it starts."""

    at: int
    day: date
    starts: str
    asked: str | None
    both: bool


@dataclass(frozen=True, slots=True)
class PastStart:
    """A start that came. `at`: its place in time, where it was moved that; `verdict` and `reason`: of its event;
    `status` and `outcome`: of its run, None where it started none."""

    schedule_id: UUID
    instant: int
    at: int
    received_at: int
    event_id: UUID
    verdict: str
    reason: str | None
    run_id: UUID | None
    status: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule of a live version. `enabled`: its workflow is switched on. `next`: what comes next. `last`: what came
    last. `words`: how often, in words. `delay_ms`: how much behind its time each start comes."""

    id: UUID
    workflow_id: UUID
    node_id: str
    node_key: str
    enabled: bool
    held: bool
    words: str
    time_zone: str
    missed: str
    overlap: str
    off_days: str
    calendar: str
    delay_ms: int
    paused_until: int | None
    paused_by: UUID | None
    next: list[ComingStart]
    clock_changes: list[ClockNote]
    last: PastStart | None


@dataclass(frozen=True, slots=True)
class DayOfStarts:
    """How the starts of a frequent schedule went on one day, by the status of their runs; `left_out` started none."""

    schedule_id: UUID
    day: date
    by_status: dict[str, int]
    left_out: int
    planned: int | None


@dataclass(frozen=True, slots=True)
class FreeDay:
    """A day on which nobody works, by the calendar of some schedules or of the workspace. `name` may be empty. `kind`:
    or the day on which a period is closed, on which people do work."""

    day: date
    name: str
    calendar: str
    kind: Literal["off", "close"] = "off"


@dataclass(frozen=True, slots=True)
class Collision:
    """So many schedules start in the same minute, first at `at`, and so many times in the coming week."""

    at: int
    schedules: list[UUID]
    times: int


@dataclass(frozen=True, slots=True)
class ScheduleCalendar:
    """What came and what comes between two moments. Of schedules that start often, `days` says how many."""

    now: int
    past: list[PastStart]
    planned: list[tuple[UUID, ComingStart]]
    days: list[DayOfStarts]
    free_days: list[FreeDay] = field(default_factory=list)
