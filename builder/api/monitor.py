"""The monitor: what happened in a range of time, and how things stand now. For admins."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, ms_of, stamp
from builder.api.connection_marks import ConnectionMark, connection_marks
from builder.api.operation import ApiView, Call, Query, View, operation
from builder.api.problems import Refusal
from builder.connections.models import Connection
from builder.workflows.models import Workflow
from runtime import api as runtime_api
from runtime.contracts.figures import LEAST_FOR_PERCENTILES, Figures, Happened, StuckRuns, SystemErrors, Took

_MOST_MINUTES = 400 * 24 * 60


class MonitorQuery(Query):
    """Which range: the last `minutes`, or from `begin` until `end`. Of which workflow, null for all. `people`: how long
    runs took is told with the time in which people were waited for."""

    minutes: Annotated[int, Field(ge=15, le=_MOST_MINUTES)] = 60
    begin: AwareDatetime | None = None
    end: AwareDatetime | None = None
    workflow: UUID | None = None
    people: bool = False


class StandingQuery(Query):
    """Of which workflow, null for all: what is due, dead letters, and what is stuck. The rest is of all."""

    workflow: UUID | None = None


class HappenedShape(View):
    """What was counted. `success`: the share of runs that ended well, of those that ended by themselves; null: none
    did. `deliveries`: all that came, of which `repeated` had come before and started nothing."""

    started: int
    ended: int
    completed: int
    failed: int
    cancelled: int
    undone: int
    success: float | None
    deliveries: int
    repeated: int
    letters: int


class TookShape(View):
    """How long `count` runs took that ended well, in milliseconds, one per cent off at most; null where there are fewer
    than 50."""

    count: int
    p50: int | None
    p95: int | None
    p99: int | None


class PointShape(View):
    """One step of the range, and how things stood in it at the worst: `queue` runs were due that nobody had taken, the
    first of them for `oldest_ms`."""

    at: str
    happened: HappenedShape
    took: TookShape
    queue: int
    oldest_ms: int
    open_letters: int
    open_tasks: int


class WorkflowLine(View):
    """A workflow's share of it. `trend`: runs that ended, in 24 equal parts of the range."""

    workflow_id: UUID
    name: str
    happened: HappenedShape
    before: HappenedShape
    took: TookShape
    trend: list[int]


class SystemLine(View):
    """Calls that failed by a connection; or by a step type, of steps without one."""

    connection_id: UUID | None
    step_type: str | None
    name: str | None
    kind: str | None
    errors: int
    before: int


class MarkerShape(View):
    """A version that went live."""

    at: str
    workflow_id: UUID
    name: str
    number: int
    note: str
    by: str | None


class MonitorShape(View):
    """What happened from `begin` until `end`, in steps of `step_seconds`, and from `before_begin` until `begin`. A
    range that is not over is compared with as much of the one before."""

    begin: str
    end: str
    before_begin: str
    step_seconds: int
    now: str
    happened: HappenedShape
    before: HappenedShape
    took: TookShape
    took_before: TookShape
    percentiles_from: int
    points: list[PointShape]
    workflows: list[WorkflowLine]
    systems: list[SystemLine]
    markers: list[MarkerShape]
    connection_changes: list[ConnectionMark]


class StuckShape(View):
    """Runs that stand still, and why: `set_aside` (with what the runs say of it), `not_taken`, `lease_over`, or
    `nobody_can_decide`, or `connection_broken` (with which one). `runs`: the first few."""

    reason: str
    text: str | None
    count: int
    since: str
    runs: list[StuckRun]


class StuckRun(View):
    """One of them."""

    run_id: UUID
    workflow_id: UUID
    workflow_name: str


class WorkerShape(View):
    """A process and its last sign of life. `running`: runs that it has in hand."""

    kind: str
    host: str
    started_at: str
    seen_at: str
    running: int
    alive: bool


class StandingShape(View):
    """How things stand now. `tasks_late`: questions that should have been answered."""

    at: str
    queue: int
    queue_since: str | None
    letters: int
    tasks: int
    tasks_late: int
    stuck: list[StuckShape]
    workers: list[WorkerShape]
    files: int
    files_bytes: int
    free_bytes: int
    database_bytes: int


class Monitor(ApiView):
    @operation(Action.MONITOR_SEE, query=MonitorQuery, answer=MonitorShape)
    def get(self, call: Call, *, query: MonitorQuery) -> MonitorShape:
        """What happened in a range of time, compared with the one before."""
        end = query.end or call.now
        begin = query.begin or end - timedelta(minutes=query.minutes)
        try:
            found = runtime_api.figures(
                workspace_id=call.workspace.id,
                begin=ms_of(begin),
                end=ms_of(end),
                workflow_id=query.workflow,
                people=query.people,
            )
        except ValueError as error:
            raise Refusal(
                400, "invalid_parameters", "Some parameters will not do.", fields={"begin": [str(error)]}
            ) from None
        return _monitor(call, found, query.workflow)


class MonitorNow(ApiView):
    @operation(Action.MONITOR_SEE, query=StandingQuery, answer=StandingShape)
    def get(self, call: Call, *, query: StandingQuery) -> StandingShape:
        """How things stand now: what waits, what is stuck and why, who is alive."""
        found = runtime_api.standing(workspace_id=call.workspace.id, workflow_id=query.workflow)
        names = _workflow_names(call)
        return StandingShape(
            at=stamp(found.at),
            queue=found.queue,
            queue_since=maybe(found.queue_since),
            letters=found.letters,
            tasks=found.tasks,
            tasks_late=found.tasks_late,
            stuck=[_stuck(one, names) for one in found.stuck],
            workers=[
                WorkerShape(
                    kind=one.kind,
                    host=one.host,
                    started_at=stamp(one.started_at),
                    seen_at=stamp(one.seen_at),
                    running=one.running,
                    alive=one.alive,
                )
                for one in found.workers
            ],
            files=found.files,
            files_bytes=found.files_bytes,
            free_bytes=found.free_bytes,
            database_bytes=found.database_bytes,
        )


def _monitor(call: Call, found: Figures, workflow_id: UUID | None) -> MonitorShape:
    names = _workflow_names(call)
    people = names_of({marker.by for marker in found.markers if marker.by is not None})
    enough = found.took.count >= LEAST_FOR_PERCENTILES
    return MonitorShape(
        begin=stamp(found.begin),
        end=stamp(found.end),
        before_begin=stamp(found.before_begin),
        step_seconds=found.step_ms // 1000,
        now=stamp(found.now),
        happened=_happened(found.happened),
        before=_happened(found.before),
        took=_took(found.took),
        took_before=_took(found.took_before),
        percentiles_from=LEAST_FOR_PERCENTILES,
        points=[
            PointShape(
                at=stamp(point.at),
                happened=_happened(point.happened),
                # A line through few runs each is one picture of all of them.
                took=_took(point.took, least=1 if enough else LEAST_FOR_PERCENTILES),
                queue=stood.queue,
                oldest_ms=stood.oldest_ms,
                open_letters=stood.letters,
                open_tasks=stood.tasks,
            )
            for point, stood in zip(found.points, found.standing, strict=True)
        ],
        workflows=sorted(
            (
                WorkflowLine(
                    workflow_id=one.workflow_id,
                    name=names[one.workflow_id],
                    happened=_happened(one.happened),
                    before=_happened(one.before),
                    took=_took(one.took),
                    trend=one.trend,
                )
                for one in found.workflows
                if one.workflow_id in names
            ),
            key=lambda line: (-line.happened.ended, -line.happened.started, line.name),
        ),
        systems=_systems(call, found.systems),
        connection_changes=connection_marks(call, begin=found.begin, end=found.end, workflow_id=workflow_id),
        markers=[
            MarkerShape(
                at=stamp(one.at),
                workflow_id=one.workflow_id,
                name=names[one.workflow_id],
                number=one.number,
                note=one.note,
                by=people.get(one.by) if one.by is not None else None,
            )
            for one in found.markers
            if one.workflow_id in names
        ],
    )


def _happened(found: Happened) -> HappenedShape:
    return HappenedShape(
        started=found.started,
        ended=found.ended,
        completed=found.completed,
        failed=found.failed,
        cancelled=found.cancelled,
        undone=found.undone,
        success=None if found.success is None else round(found.success, 6),
        deliveries=found.deliveries,
        repeated=found.repeated,
        letters=found.letters,
    )


def _took(found: Took, *, least: int = LEAST_FOR_PERCENTILES) -> TookShape:
    if found.count < least:
        return TookShape(count=found.count, p50=None, p95=None, p99=None)
    return TookShape(count=found.count, p50=found.p50, p95=found.p95, p99=found.p99)


def _systems(call: Call, found: list[SystemErrors]) -> list[SystemLine]:
    ids = [one.connection_id for one in found if one.connection_id is not None]
    rows = Connection.objects.filter(workspace=call.workspace, pk__in=ids).values_list("id", "name", "kind")
    known = {pk: (name, kind) for pk, name, kind in rows}
    lines = []
    for one in found:
        name, kind = (None, None) if one.connection_id is None else known.get(one.connection_id, (None, None))
        lines.append(
            SystemLine(
                connection_id=one.connection_id,
                step_type=one.step_type,
                name=name,
                kind=kind,
                errors=one.errors,
                before=one.before,
            )
        )
    return lines


def _stuck(found: StuckRuns, names: dict[UUID, str]) -> StuckShape:
    return StuckShape(
        reason=found.reason,
        text=found.text,
        count=found.count,
        since=stamp(found.since),
        runs=[
            StuckRun(run_id=run_id, workflow_id=workflow_id, workflow_name=names.get(workflow_id, ""))
            for run_id, workflow_id in found.runs
        ],
    )


def _workflow_names(call: Call) -> dict[UUID, str]:
    """Also of those that were deleted: what they did is told."""
    return dict(Workflow.objects.filter(workspace=call.workspace).values_list("id", "name"))
