"""Starts for past times of a schedule, and deliveries that came again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import ms_of, stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.shapes import Items, Paged
from builder.api.workflows import find
from runtime import api as runtime_api
from runtime.contracts import BackfillView, RepeatFigures, RepeatView

# A moment first: midnight somewhere is not the day.
DayOrMoment = Annotated[AwareDatetime | date, Field(union_mode="left_to_right")]


class BackfillRange(Body):
    """A schedule, and from when until when; a day stands for the whole of it in the schedule's time zone."""

    trigger: UUID
    begin: DayOrMoment
    end: DayOrMoment


class StartBackfill(BackfillRange):
    """`together`: all starts run beside each other; otherwise one after another."""

    together: bool = False


class InstantShape(View):
    """A time of the schedule; `known`: it has its run, and gets no second one."""

    at: str
    known: bool


class BackfillPlanShape(View):
    """What would be started. `too_many`: more than may be started at a time; only the first are listed.
    `time_zone`: of the schedule, in which a day is meant."""

    instants: list[InstantShape]
    starts: int
    known: int
    first: str | None
    last: str | None
    too_many: bool
    time_zone: str


class BackfillShape(View):
    """Starts for past times that somebody asked for; `waiting` have not begun. `time_zone`: of the schedule, in
    which a day is meant."""

    id: UUID
    trigger: UUID
    at: str
    by: str | None
    begin: str
    end: str
    together: bool
    starts: int
    known: int
    waiting: int
    time_zone: str


class RepeatsQuery(PageQuery):
    """Which repeats. `since`, `until`: when they came."""

    workflow: UUID | None = None
    kind: Literal["duplicate", "conflict"] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class RepeatShape(View):
    """A delivery whose key had come before: with the same body (`duplicate`) or with another one (`conflict`)."""

    id: UUID
    workflow_id: UUID
    received_at: str
    kind: Literal["duplicate", "conflict"]
    key: str | None
    body_sha256: str
    event_id: UUID
    first_received_at: str
    source: str
    run_id: UUID | None


class FiguresQuery(Query):
    """Of which workflow, null for all; and of how many days."""

    workflow: UUID | None = None
    days: Annotated[int, Field(ge=1, le=90)] = 7


class FiguresLine(View):
    """What was delivered to a workflow. `rate`: what part of it had come before."""

    workflow_id: UUID
    received: int
    events: int
    duplicates: int
    conflicts: int
    rate: float


class FiguresShape(View):
    """What was delivered since a moment, altogether and by workflow."""

    since: str
    received: int
    events: int
    duplicates: int
    conflicts: int
    rate: float
    workflows: list[FiguresLine]


class Backfills(ApiView):
    @operation(Action.RUN_SEE, answer=Items[BackfillShape])
    def get(self, call: Call, *, workflow_id: UUID) -> Items[BackfillShape]:
        """Starts for past times, newest first, and who asked for them."""
        workflow = find(call, workflow_id)
        found = runtime_api.backfills(workspace_id=call.workspace.id, workflow_id=workflow.id)
        names = names_of({one.by for one in found if one.by is not None})
        return Items[BackfillShape](items=[_backfill(one, names) for one in found])

    @operation(
        Action.RUN_START,
        body=StartBackfill,
        answer=BackfillShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="workflow.past_times_started",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: StartBackfill) -> BackfillShape:
        """Start the schedule's past times that have no run yet, in order, each once."""
        workflow = find(call, workflow_id)
        made = runtime_api.backfill(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            trigger_id=body.trigger,
            range_from=_end(body.begin),
            range_to=_end(body.end),
            together=body.together,
            by=call.person.id,
        )
        return _backfill(made, {call.person.id: call.person.name})


class BackfillPlan(ApiView):
    @operation(Action.RUN_START, body=BackfillRange, answer=BackfillPlanShape, does="nothing")
    def post(self, call: Call, *, workflow_id: UUID, body: BackfillRange) -> BackfillPlanShape:
        """What starting the schedule's past times would do. Nothing is started."""
        workflow = find(call, workflow_id)
        plan = runtime_api.backfill_plan(
            workspace_id=call.workspace.id,
            workflow_id=workflow.id,
            trigger_id=body.trigger,
            range_from=_end(body.begin),
            range_to=_end(body.end),
        )
        wanted = [instant.at for instant in plan.instants if not instant.known]
        return BackfillPlanShape(
            instants=[InstantShape(at=stamp(instant.at), known=instant.known) for instant in plan.instants],
            starts=plan.starts,
            known=len(plan.instants) - plan.starts,
            first=stamp(wanted[0]) if wanted else None,
            last=stamp(wanted[-1]) if wanted else None,
            too_many=plan.too_many,
            time_zone=plan.time_zone,
        )


class StopBackfill(ApiView):
    @operation(
        Action.RUN_CANCEL, answer=BackfillShape, status=202, repeat="stored_apart", does="workflow.past_times_stopped"
    )
    def post(self, call: Call, *, workflow_id: UUID, backfill_id: UUID) -> BackfillShape:
        """Leave out the starts that have not begun. Runs that have go on."""
        workflow = find(call, workflow_id)
        found = runtime_api.stop_backfill(
            workspace_id=call.workspace.id, workflow_id=workflow.id, backfill_id=backfill_id
        )
        return _backfill(found, names_of({found.by} if found.by is not None else set()))


class Repeats(ApiView):
    @operation(Action.EVENT_SEE, query=RepeatsQuery, answer=Paged[RepeatShape])
    def get(self, call: Call, *, query: RepeatsQuery) -> Paged[RepeatShape]:
        """Deliveries whose key had come before, newest first."""
        page = runtime_api.repeats(
            workspace_id=call.workspace.id,
            workflow_id=query.workflow,
            conflict=None if query.kind is None else query.kind == "conflict",
            since=ms_of(query.since),
            until=ms_of(query.until),
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[RepeatShape](items=[_repeat(one) for one in page.items], next_cursor=page.next_cursor)


class Figures(ApiView):
    @operation(Action.EVENT_SEE, query=FiguresQuery, answer=FiguresShape)
    def get(self, call: Call, *, query: FiguresQuery) -> FiguresShape:
        """How much was delivered, and how much of it had come before."""
        since = ms_of(call.now - timedelta(days=query.days))
        lines = runtime_api.repeat_figures(workspace_id=call.workspace.id, since=since, workflow_id=query.workflow)
        events, duplicates, conflicts = (
            sum(line.events for line in lines),
            sum(line.duplicates for line in lines),
            sum(line.conflicts for line in lines),
        )
        return FiguresShape(
            since=stamp(since),
            received=events + duplicates + conflicts,
            events=events,
            duplicates=duplicates,
            conflicts=conflicts,
            rate=_rate(duplicates + conflicts, events + duplicates + conflicts),
            workflows=[_line(line) for line in lines],
        )


def _end(value: date | datetime) -> date | int:
    """A day as it is, a moment in ms."""
    return ms_of(value) if isinstance(value, datetime) else value


def _rate(again: int, received: int) -> float:
    return round(again / received, 6) if received else 0.0


def _line(line: RepeatFigures) -> FiguresLine:
    return FiguresLine(
        workflow_id=line.workflow_id,
        received=line.received,
        events=line.events,
        duplicates=line.duplicates,
        conflicts=line.conflicts,
        rate=_rate(line.duplicates + line.conflicts, line.received),
    )


def _repeat(view: RepeatView) -> RepeatShape:
    return RepeatShape(
        id=view.id,
        workflow_id=view.workflow_id,
        received_at=stamp(view.received_at),
        kind="conflict" if view.conflict else "duplicate",
        key=view.key,
        body_sha256=view.body_sha256,
        event_id=view.event_id,
        first_received_at=stamp(view.first_received_at),
        source=view.source,
        run_id=view.run_id,
    )


def _backfill(view: BackfillView, names: dict[UUID, str]) -> BackfillShape:
    return BackfillShape(
        id=view.id,
        trigger=view.trigger_id,
        at=stamp(view.at),
        by=names.get(view.by) if view.by is not None else None,
        begin=stamp(view.range_from),
        end=stamp(view.range_to),
        together=view.together,
        starts=view.starts,
        known=view.known,
        waiting=view.waiting,
        time_zone=view.time_zone,
    )
