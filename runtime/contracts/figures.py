"""What crosses about figures: what happened in a range of time, and how things stand now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

__all__ = [
    "LEAST_FOR_PERCENTILES",
    "Figures",
    "FiguresPoint",
    "Happened",
    "HourFigures",
    "PublishMarker",
    "Standing",
    "StandingPoint",
    "StuckRuns",
    "SystemErrors",
    "Took",
    "WorkerView",
    "WorkflowFigures",
]

#: Percentiles of fewer runs say little: they are not shown.
LEAST_FOR_PERCENTILES: Final = 50


@dataclass(frozen=True, slots=True)
class Took:
    """How long `count` runs took from their acceptance until they ended well, in milliseconds, one per cent off at
    most. None where there was none."""

    count: int = 0
    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """What was counted in a span of time. A run counts as started when it begins, and once for each time it ends: well,
    in failure, cancelled, or undone. `received`: first deliveries; `duplicates`, `conflicts`: those that came again
    with the same or with another body. `letters`: new dead letters."""

    started: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    undone: int = 0
    received: int = 0
    duplicates: int = 0
    conflicts: int = 0
    letters: int = 0

    @property
    def ended(self) -> int:
        """Ends of every sort."""
        return self.completed + self.failed + self.cancelled + self.undone

    @property
    def success(self) -> float | None:
        """The share of those that ended well among those that ended by themselves; None where none did."""
        told = self.completed + self.failed + self.undone
        return self.completed / told if told else None

    @property
    def deliveries(self) -> int:
        """All that was delivered, what came again too."""
        return self.received + self.duplicates + self.conflicts

    @property
    def repeated(self) -> int:
        """What had come before and started nothing."""
        return self.duplicates + self.conflicts


@dataclass(frozen=True, slots=True)
class FiguresPoint:
    """One step of a range, from `at` on."""

    at: int
    happened: Happened
    took: Took


@dataclass(frozen=True, slots=True)
class HourFigures:
    """How many runs began in an hour, and how many failed in it; `begin` and `end` in ms."""

    begin: int
    end: int
    started: int
    failed: int


@dataclass(frozen=True, slots=True)
class StandingPoint:
    """How things stood in one step of a range, at the worst."""

    at: int
    queue: int
    oldest_ms: int
    letters: int
    tasks: int


@dataclass(frozen=True, slots=True)
class WorkflowFigures:
    """A workflow's share. `trend`: runs that ended, in equal parts of the range."""

    workflow_id: UUID
    happened: Happened
    before: Happened
    took: Took
    trend: list[int]


@dataclass(frozen=True, slots=True)
class SystemErrors:
    """Failed calls by a connection; or by a step type, of steps without one."""

    connection_id: UUID | None
    step_type: str | None
    errors: int
    before: int


@dataclass(frozen=True, slots=True)
class PublishMarker:
    """A version that went live within the range."""

    at: int
    workflow_id: UUID
    number: int
    note: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A range of time in steps of `step_ms`, and the one before it, which is as long. `begin` and `end` are those that
    were asked for, widened to whole steps; the times of the points are spans' beginnings. `counted_at`: what was
    committed until then is counted in; `before` reaches as far into its range as time has into this one."""

    begin: int
    end: int
    before_begin: int
    step_ms: int
    happened: Happened
    before: Happened
    took: Took
    took_before: Took
    points: list[FiguresPoint]
    standing: list[StandingPoint]
    workflows: list[WorkflowFigures]
    systems: list[SystemErrors]
    markers: list[PublishMarker]
    now: int


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A process and its last sign of life. `running`: runs that it has in hand."""

    kind: str
    host: str
    pid: int
    started_at: int
    seen_at: int
    running: int
    alive: bool


@dataclass(frozen=True, slots=True)
class StuckRuns:
    """Runs that stand still for one reason; `text`: what they say of it themselves, where they do. `runs`: the first
    few of them, with their workflows."""

    reason: str
    text: str | None
    count: int
    since: int
    runs: list[tuple[UUID, UUID]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a workspace stands now. `queue`: runs that are due and that nobody has taken; `letters`: open dead letters;
    `tasks`: open questions, of which `tasks_late` should have been answered. `workers_alive` of `workers`, those of
    the last hour; `free_bytes`: room for files and, on SQLite, for rows; `database_bytes`: all rows
    of the installation."""

    at: int
    queue: int
    queue_since: int | None
    letters: int
    tasks: int
    tasks_late: int
    stuck: list[StuckRuns]
    workers: list[WorkerView]
    files: int
    files_bytes: int
    free_bytes: int
    database_bytes: int


@dataclass(frozen=True, slots=True)
class InLine:
    """A run that waits for a worker. `ahead`: runs of its workflow whose turn comes first; `more`: there are more than
    that. `seconds`: how long that takes as it went lately; None: nobody can say."""

    ahead: int
    more: bool
    seconds: int | None


@dataclass(frozen=True, slots=True)
class StuckRun:
    """A run that stands still though nobody means it to, and why: see `Standing`. `since`: its last sign of life, or
    when somebody should have taken it; within `expected_ms` somebody does. `workers`: how many are alive."""

    reason: str
    since: int
    expected_ms: int
    workers: int
    may_take_up: bool


@dataclass(frozen=True, slots=True)
class RunStands:
    """How an open run stands that nobody works on; both None where that is as it should be."""

    line: InLine | None = None
    stuck: StuckRun | None = None
